//! A web address on port 0 that takes what is posted, keeps it as it came, and answers as the test says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use rumqttc::tokio_rustls::TlsAcceptor;
use rustls::ServerConfig;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Status it was answered with.
    pub status: u16,
}

impl Posted {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }
}

#[derive(Debug, Default)]
struct Inner {
    script: VecDeque<u16>,
    otherwise: Option<u16>,
    posted: Vec<Posted>,
}

/// The address.
pub struct Hook {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    running: Option<JoinSet<()>>,
    tls: Option<TlsAcceptor>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Hook {
    /// Starts on a free port and takes everything.
    pub async fn start() -> Hook {
        Hook::start_with(None).await
    }

    /// The same over TLS.
    pub async fn start_tls(config: ServerConfig) -> Hook {
        Hook::start_with(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Hook {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut hook = Hook { address, inner: Arc::default(), running: None, tls };
        hook.resume().await;
        hook
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/alerts?for=duty", self.address)
    }

    /// Goes away: connections are cut, new ones refused.
    pub async fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// Comes back on the same port.
    pub async fn resume(&mut self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let app = Router::new().route("/alerts", post(take)).with_state(Arc::clone(&self.inner));
        let mut running = JoinSet::new();
        let tls = self.tls.clone();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let service = hyper_util::service::TowerToHyperService::new(app.clone());
                let tls = tls.clone();
                connections.spawn(async move {
                    let stream: Box<dyn Stream> = match tls {
                        // A client that does not like the certificate goes away.
                        Some(tls) => match tls.accept(socket).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                        None => Box::new(socket),
                    };
                    let io = hyper_util::rt::TokioIo::new(stream);
                    // A client that goes away in the middle is part of the tests.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
                });
            }
        });
        self.running = Some(running);
    }

    /// The next requests are answered with these statuses, those after them with 204.
    pub fn script(&self, statuses: impl IntoIterator<Item = u16>) {
        self.inner().script.extend(statuses);
    }

    /// What it answers when there is no script (any more).
    pub fn otherwise(&self, status: u16) {
        self.inner().otherwise = Some(status);
    }

    /// All requests so far.
    pub fn posted(&self) -> Vec<Posted> {
        self.inner().posted.clone()
    }

    /// Ids of the events that were taken, in order, repeated ones repeatedly.
    pub fn taken(&self) -> Vec<String> {
        let posted = self.posted().into_iter().filter(|p| p.status == 204);
        posted.map(|p| p.json()["id"].as_str().unwrap().to_owned()).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

async fn take(
    State(inner): State<Arc<Mutex<Inner>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let mut inner = inner.lock().unwrap();
    let status = inner.script.pop_front().or(inner.otherwise).unwrap_or(204);
    inner.posted.push(Posted { headers, body, status });
    (StatusCode::from_u16(status).unwrap(), "words of the far side")
}
