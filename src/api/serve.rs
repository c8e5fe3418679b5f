//! Serving over the network: connections are bounded in number, and whoever is slow is let go.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use crate::config::settings::{ClientCertificate, Web};

/// Connections at a time; more wait until one ends. A browser keeps one open to hear what happens.
const N_CONNECTIONS_MAX: usize = 1_024;

/// TLS is agreed upon, and a request's head is there, within this long.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// At an ordered stop, requests that are being answered have so long.
const DRAIN_WITHIN: Duration = Duration::from_secs(2);

/// After accepting failed (too many open files), it is tried again after this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Nobody can listen there.
    #[error("cannot listen on web.listen = {listen}")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of the certificate cannot be read.
    #[error("cannot read {path}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not go together.
    #[error("{path} and its key cannot be used for TLS")]
    Tls {
        /// The certificate.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// A bound address, ready to be served.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    /// Listens as it is configured.
    ///
    /// # Errors
    /// The address is taken or not of this machine, or the certificate cannot be used.
    pub async fn bind(web: &Web) -> Result<Listener, WebError> {
        let tls = web.tls.as_ref().map(config).transpose()?;
        let tcp = TcpListener::bind(web.listen)
            .await
            .map_err(|source| WebError::Bind { listen: web.listen, source })?;
        Ok(Listener { tcp, tls: tls.map(Arc::new) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.tcp.local_addr().ok()
    }
}

fn config(own: &ClientCertificate) -> Result<ServerConfig, WebError> {
    let pem = |path: &PathBuf| {
        let path = path.clone();
        move |source| WebError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(&own.certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(pem(&own.certificate_file))?;
    let key = PrivateKeyDer::from_pem_file(&own.key_file).map_err(pem(&own.key_file))?;
    let at = |source| WebError::Tls { path: own.certificate_file.clone(), source };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.map_err(at)?.with_no_client_auth().with_single_cert(chain, key).map_err(at)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Serves until `stop`.
pub async fn run(listener: Listener, router: Router, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(N_CONNECTIONS_MAX));
    let tls = listener.tls.map(TlsAcceptor::from);
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.tcp.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((tcp, peer)) => {
                let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
                open.spawn(async move {
                    let _permit = permit;
                    connection(tcp, peer, tls, router, stop).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "A connection could not be accepted.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    let drained = async { while open.join_next().await.is_some() {} };
    // What is cut off here is told so by its own end; nothing of it is half done, as the journal has it or not.
    let _ = tokio::time::timeout(DRAIN_WITHIN, drained).await;
}

async fn connection(
    tcp: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) {
    let _ = tcp.set_nodelay(true);
    match tls {
        None => exchange(tcp, peer, router, stop).await,
        Some(tls) => match tokio::time::timeout(HEAD_WITHIN, tls.accept(tcp)).await {
            Ok(Ok(stream)) => exchange(stream, peer, router, stop).await,
            // Scanners and browsers that do not know the certificate: nothing that we could mend.
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS could not be agreed upon."),
            Err(_) => tracing::debug!(%peer, "TLS was not agreed upon in time."),
        },
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    let mut served = std::pin::pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .serve_connection(TokioIo::new(stream), service)
    );
    let outcome = tokio::select! {
        outcome = served.as_mut() => outcome,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%peer, %error, "A connection broke off.");
    }
}
