//! The MQTT session over TLS: its own authority and no other, and certificates of the client.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use submeterd::config::settings::{ClientCertificate, Tls};
use submeterd::sources::mqtt::options::OptionsError;
use submeterd::sources::mqtt::session::SessionError;

use crate::harness::mqtt_broker::Broker;
use crate::harness::mqtt_session::{Running, settings};

/// An authority with what it has signed, as files.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    /// Of that name.
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    /// Its certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn sign(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A server for `name` that wants a certificate of `clients`, if any.
    pub fn server(&self, name: &str, clients: Option<&Authority>) -> ServerConfig {
        let (certificate, key) = self.sign(name, ExtendedKeyUsagePurpose::ServerAuth);
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.issuer.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
    }

    fn client(&self) -> ClientCertificate {
        self.files("client", self.sign("plant", ExtendedKeyUsagePurpose::ClientAuth))
    }

    /// Certificate and key of a server of that name, as files.
    pub fn identity(&self, name: &str) -> ClientCertificate {
        self.files("server", self.sign(name, ExtendedKeyUsagePurpose::ServerAuth))
    }

    fn files(&self, called: &str, (certificate, key): (rcgen::Certificate, KeyPair)) -> ClientCertificate {
        let file = |name: &str, text: String| {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        ClientCertificate {
            certificate_file: file(&format!("{called}.pem"), certificate.pem()),
            key_file: file(&format!("{called}.key"), key.serialize_pem()),
        }
    }
}

fn start(port: u16, ca_file: &Path, client: Option<ClientCertificate>) -> Running {
    let mut broker = settings(port);
    broker.tls = Some(Tls { ca_file: ca_file.to_owned(), client });
    Running::start(broker)
}

#[tokio::test]
async fn a_broker_with_a_certificate_of_the_configured_authority_is_served() {
    let authority = Authority::new("ours");
    let broker = Broker::start_tls(authority.server("127.0.0.1", None)).await;
    let running = start(broker.port(), &authority.ca_file(), None);
    let mut peer = broker.serve(false).await;
    peer.publish(1, "a/x", b"over TLS").await;
    assert_eq!(peer.ack().await, 1);
    assert_eq!(running.kept()[0].payload, b"over TLS");
    running.stopped().await;
}

#[tokio::test]
async fn a_broker_of_another_authority_or_of_another_name_is_refused() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    for (server, because) in [
        (other.server("127.0.0.1", None), "UnknownIssuer"),
        (ours.server("127.0.0.2", None), "not valid for name"),
    ] {
        let broker = Broker::start_tls(server).await;
        let running = start(broker.port(), &ours.ca_file(), None);
        assert!(broker.accept().await.is_err(), "the handshake goes through");
        let error = running.until("the refusal", |s| s.last_error.clone()).await;
        assert!(error.contains(because), "{error}");
        assert_eq!(running.status.borrow().generation, 0);
        drop(broker);
        running.stopped().await;
    }
}

#[tokio::test]
async fn a_broker_that_wants_to_know_its_client_gets_its_certificate() {
    let authority = Authority::new("ours");
    let broker = Broker::start_tls(authority.server("127.0.0.1", Some(&authority))).await;
    let running = start(broker.port(), &authority.ca_file(), Some(authority.client()));
    let mut peer = broker.serve(false).await;
    peer.publish(1, "a/x", b"known").await;
    assert_eq!(peer.ack().await, 1);
    running.stopped().await;

    for client in [None, Some(Authority::new("other"))] {
        let stranger = start(broker.port(), &authority.ca_file(), client.as_ref().map(Authority::client));
        assert!(broker.accept().await.is_err(), "a stranger comes in");
        stranger.until("the refusal", |s| s.last_error.clone()).await;
        assert!(!stranger.status.borrow().connected);
        stranger.stopped().await;
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new("ours");
    let missing = authority.folder.path().join("none.pem");
    let empty = authority.folder.path().join("empty.pem");
    fs::write(&empty, "nothing\n").unwrap();
    for file in [&missing, &empty] {
        let error = start(1, file, None).ended().await.unwrap_err();
        let SessionError::Setup { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains(file.file_name().unwrap().to_str().unwrap()), "{source}");
    }
    let mut client = authority.client();
    client.key_file = authority.ca_file();
    let error = start(1, &authority.ca_file(), Some(client)).ended().await.unwrap_err();
    assert!(matches!(error, SessionError::Setup { source: OptionsError::Pem { .. }, .. }), "{error}");
}
