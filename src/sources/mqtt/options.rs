//! How a broker is reached: the client's options, and TLS by the configured authority alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::settings::{Broker, Tls};

/// MQTT's own bound on a packet. The client is given no smaller one: it would drop the connection at a larger packet,
/// and the broker would send it again, for ever. What is too large is told apart after it was received.
pub const PACKET_BYTES_MAX: usize = 268_435_455;

/// Keep-alive is said in whole seconds; shorter ones are not allowed by the client.
const KEEP_ALIVE_MIN: Duration = Duration::from_secs(1);

/// Why a broker cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// A session that is to be kept needs a name.
    #[error("the broker is to keep the session, but client_id is empty")]
    NoClientId,
    /// A certificate or key file.
    #[error("cannot read {path}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Certificates, keys or protocol versions do not fit together.
    #[error("the TLS settings cannot be used")]
    Tls {
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// An authority's file without a certificate.
    #[error("there is no certificate in {path}")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
}

/// The client's options for `broker`. Reads certificate files.
///
/// # Errors
/// The files cannot be used, or a kept session has no client id.
pub fn options(broker: &Broker) -> Result<MqttOptions, OptionsError> {
    if broker.client_id.is_empty() && !broker.clean_session {
        return Err(OptionsError::NoClientId);
    }
    let mut options = MqttOptions::new(&*broker.client_id, &*broker.host, broker.port);
    options
        .set_clean_session(broker.clean_session)
        .set_keep_alive(broker.keep_alive.max(KEEP_ALIVE_MIN))
        .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
        .set_manual_acks(true);
    if let Some(login) = &broker.credentials {
        options.set_credentials(&*login.username, login.password.expose());
    }
    if let Some(tls) = &broker.tls {
        let config = TlsConfiguration::Rustls(Arc::new(client_config(tls)?));
        options.set_transport(Transport::tls_with_config(config));
    }
    Ok(options)
}

/// TLS that trusts the configured authority and no other.
fn client_config(tls: &Tls) -> Result<ClientConfig, OptionsError> {
    let refused = |source| OptionsError::Tls { source };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&tls.ca_file)? {
        roots.add(certificate).map_err(refused)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_root_certificates(roots);
    let Some(client) = &tls.client else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(&client.certificate_file)?;
    let key = PrivateKeyDer::from_pem_file(&client.key_file).map_err(at(&client.key_file))?;
    builder.with_client_auth_cert(chain, key).map_err(refused)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, OptionsError> {
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(|found| found.collect::<Result<_, _>>())
        .map_err(at(path))?;
    if all.is_empty() {
        return Err(OptionsError::NoCertificate { path: path.to_owned() });
    }
    Ok(all)
}

fn at(path: &Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> OptionsError {
    let path = path.to_owned();
    |source| OptionsError::Pem { path, source }
}
