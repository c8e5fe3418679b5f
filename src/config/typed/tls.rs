//! What a TLS connection to a broker is checked by, as typed.

use serde::Deserialize;

/// `[mqtt.brokers.tls]` and `[notices.mqtt.tls]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Tls {
    pub ca_file: Option<String>,
    pub certificate_file: Option<String>,
    pub key_file: Option<String>,
}
