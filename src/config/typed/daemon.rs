//! `submeterd.toml`, as typed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::mapping::Mapping;
use super::notices::Notices;
use super::quantity::{Size, Span};
use super::rules::Rules;
use super::tls::Tls;
use crate::config::settings::{LogFormat, Parity};

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct File {
    pub daemon: Daemon,
    pub log: Log,
    pub journal: Kept,
    pub history: Kept,
    pub mqtt: Mqtt,
    pub modbus: Modbus,
    pub influx: Option<Influx>,
    pub mappings: BTreeMap<String, Mapping>,
    pub rules: Rules,
    pub learning: Learning,
    pub telemetry: Telemetry,
    pub web: Web,
    pub notices: Notices,
}

/// `[daemon]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Daemon {
    pub data_dir: Option<String>,
    pub socket: Option<String>,
    pub tick: Option<Span>,
    pub stop_within: Option<Span>,
    pub sites_dir: Option<String>,
    pub meters_dir: Option<String>,
    pub mappings_dir: Option<String>,
}

/// `[telemetry]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Telemetry {
    pub listen: Option<String>,
}

/// `[web]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Web {
    pub listen: Option<String>,
    pub certificate_file: Option<String>,
    pub key_file: Option<String>,
    pub behind_proxy: Option<bool>,
}

/// `[log]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Log {
    pub level: Option<String>,
    pub format: Option<LogFormat>,
}

/// `[journal]` and `[history]`: how long and how much is kept.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Kept {
    pub days_max: Option<u32>,
    pub bytes_max: Option<Size>,
}

/// `[mqtt]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Mqtt {
    pub brokers: Vec<Broker>,
}

/// `[[mqtt.brokers]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Broker {
    pub name: Option<String>,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub client_id: Option<String>,
    pub clean_session: Option<bool>,
    pub keep_alive: Option<Span>,
    pub username: Option<String>,
    pub password_file: Option<String>,
    pub password_credential: Option<String>,
    pub packet_bytes_max: Option<Size>,
    pub unacknowledged_max: Option<u32>,
    pub backoff_max: Option<Span>,
    pub silent_after: Option<Span>,
    pub tls: Option<Tls>,
    pub subscriptions: Vec<Subscription>,
}

/// `[[mqtt.brokers.subscriptions]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Subscription {
    pub pattern: Option<String>,
    pub qos: Option<u8>,
    pub decoder: Option<String>,
}

/// `[modbus]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Modbus {
    pub links: Vec<Link>,
}

/// `[[modbus.links]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Link {
    pub name: Option<String>,
    pub transport: Option<TransportKind>,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub device: Option<String>,
    pub baud: Option<u32>,
    pub parity: Option<Parity>,
    pub stop_bits: Option<u8>,
    pub timeout: Option<Span>,
    pub retries: Option<u8>,
    pub pause: Option<Span>,
    pub breaker_pause_max: Option<Span>,
    pub backoff_max: Option<Span>,
}

/// What a link runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub enum TransportKind {
    Tcp,
    RtuOverTcp,
    Serial,
}

/// `[influx]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Influx {
    pub url: Option<String>,
    pub org: Option<String>,
    pub bucket: Option<String>,
    pub token_file: Option<String>,
    pub token_credential: Option<String>,
    pub timeout: Option<Span>,
    pub lines_max: Option<u32>,
    pub gzip: Option<bool>,
    pub backoff_max: Option<Span>,
}

/// `[learning]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config/submeterd.toml says a sentence about every key")]
pub struct Learning {
    pub on: Option<bool>,
    pub at: Option<String>,
    pub window: Option<Span>,
}
