//! A mail server on port 0 that keeps what it is given, and answers to each mail as the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use rumqttc::tokio_rustls::TlsAcceptor;
use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A mail, as it came.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Recipients of the envelope.
    pub to: Vec<String>,
    /// Header and body.
    pub text: String,
    /// What it was answered with.
    pub answer: String,
}

#[derive(Debug, Default)]
struct Inner {
    script: VecDeque<&'static str>,
    mails: Vec<Mail>,
}

/// The server.
#[derive(Debug)]
pub struct Smtp {
    port: u16,
    inner: Arc<Mutex<Inner>>,
    _running: JoinSet<()>,
}

impl Smtp {
    /// Starts, and takes everything.
    pub async fn start() -> Smtp {
        Smtp::start_with(None).await
    }

    /// The same over TLS.
    pub async fn start_tls(config: ServerConfig) -> Smtp {
        Smtp::start_with(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Smtp {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner: Arc<Mutex<Inner>> = Arc::default();
        let mut running = JoinSet::new();
        let own = Arc::clone(&inner);
        running.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let inner = Arc::clone(&own);
                let tls = tls.clone();
                // A client that goes away in the middle is part of the tests.
                connections.spawn(async move {
                    match tls {
                        Some(tls) => drop(serve(tls.accept(socket).await?, inner).await),
                        None => drop(serve(socket, inner).await),
                    }
                    Ok::<_, std::io::Error>(())
                });
            }
        });
        Smtp { port, inner, _running: running }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next mails are answered like this, those after them are taken.
    pub fn script(&self, answers: impl IntoIterator<Item = &'static str>) {
        self.inner.lock().unwrap().script.extend(answers);
    }

    /// All mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.inner.lock().unwrap().mails.clone()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    inner: Arc<Mutex<Inner>>,
) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    socket.write_all(b"220 fake ready\r\n").await?;
    let mut to = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        if socket.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let word = line.get(..4).unwrap_or_default().to_uppercase();
        let answer: String = match word.as_str() {
            "EHLO" => "250-fake\r\n250 8BITMIME".into(),
            "RCPT" => {
                to.push(line.trim().to_owned());
                "250 ok".into()
            }
            "DATA" => {
                socket.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if socket.read_line(&mut text).await? == 0 {
                        return Ok(());
                    }
                }
                let mut inner = inner.lock().unwrap();
                let answer = inner.script.pop_front().unwrap_or("250 queued").to_owned();
                inner.mails.push(Mail { to: std::mem::take(&mut to), text, answer: answer.clone() });
                answer
            }
            "QUIT" => "221 bye".into(),
            _ => "250 ok".into(),
        };
        socket.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
