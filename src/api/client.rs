//! The other end of the socket: one request a connection.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::problem::Problem;

/// Why an answer did not come.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket: the daemon is down.
    #[error("no daemon answers on {socket}")]
    NoDaemon {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The socket is there and this user may not use it.
    #[error("this user may not use the socket {socket}")]
    Forbidden {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The request could not be sent or the answer not be received.
    #[error("the daemon did not answer {path}")]
    Exchange {
        /// What was asked.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is not what was expected: client and daemon differ in version.
    #[error("the daemon's answer to {path} cannot be read")]
    Answer {
        /// What was asked.
        path: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The daemon says no.
    #[error("{}", .0.detail)]
    Refused(Problem),
}

/// A socket to ask.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// The daemon behind `socket`; nothing is connected yet.
    #[must_use]
    pub fn new(socket: &Path) -> Client {
        Client { socket: socket.to_owned() }
    }

    /// Whether somebody listens.
    ///
    /// # Errors
    /// Nobody does, or not to this user.
    pub async fn reach(&self) -> Result<(), ClientError> {
        self.connect().await.map(drop)
    }

    /// Asks for `path`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.exchange(Method::GET, path, Bytes::new()).await
    }

    /// Sends `body` to `path`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let json = serde_json::to_vec(body)
            .map_err(|source| ClientError::Exchange { path: path.to_owned(), source: Box::new(source) })?;
        self.exchange(Method::POST, path, json.into()).await
    }

    async fn connect(&self) -> Result<UnixStream, ClientError> {
        let socket = || self.socket.clone();
        UnixStream::connect(&self.socket).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::PermissionDenied => ClientError::Forbidden { socket: socket(), source },
            _ => ClientError::NoDaemon { socket: socket(), source },
        })
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
            path: &str,
        ) -> impl Fn(E) -> ClientError {
            move |source| ClientError::Exchange { path: path.to_owned(), source: source.into() }
        }
        let stream = TokioIo::new(self.connect().await?);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(failed(path))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "submeterd")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(failed(path))?;
        // The connection works for as long as the sender lives, and that is until the answer is there.
        let answer = async move {
            let response = sender.send_request(request).await.map_err(failed(path))?;
            let status = response.status();
            let bytes = response.into_body().collect().await.map_err(failed(path))?.to_bytes();
            Ok((status, bytes))
        };
        let (answer, _) = tokio::join!(answer, connection);
        let (status, bytes) = answer?;
        let unreadable = |source| ClientError::Answer { path: path.to_owned(), source };
        if status.is_success() {
            serde_json::from_slice(&bytes).map_err(unreadable)
        } else {
            let plain = |_| {
                let detail = String::from_utf8_lossy(&bytes).into_owned();
                Ok(Problem { status: status.as_u16(), title: status.to_string(), detail })
            };
            Err(ClientError::Refused(serde_json::from_slice(&bytes).or_else(plain).map_err(unreadable)?))
        }
    }
}
