//! An InfluxDB on port 0 that answers writes as it is told, and remembers what it was sent and what it took.

use std::collections::VecDeque;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::task::JoinSet;

/// What it does with one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Looks at the lines: good ones only are taken with 204, otherwise as [`FakeInflux::refuse`] was told.
    Judge,
    /// Says this and takes nothing.
    Say(u16, &'static str),
    /// Says this status of success and takes everything.
    Take(u16),
    /// Judges after this pause.
    After(Duration),
    /// Judges, and never says what came of it.
    JudgeAndHang,
}

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `bucket=…&org=…&precision=ms`.
    pub query: String,
    /// Value of the header, if there was one.
    pub authorization: Option<String>,
    /// Whether the body was compressed.
    pub gzip: bool,
    /// Lines of the body.
    pub lines: Vec<String>,
    /// Status it was answered with; 0 = not at all.
    pub status: u16,
}

#[derive(Debug, Default)]
struct Inner {
    script: VecDeque<Answer>,
    otherwise: Option<Answer>,
    /// Lines with this in them are bad.
    bad: Option<&'static str>,
    /// Status for a request with a bad line: at 400 nothing is stored, at 422 the good lines are.
    refusal: u16,
    n_lines_max: usize,
    requests: Vec<Request>,
    taken: Vec<String>,
}

/// The server.
#[derive(Debug)]
pub struct FakeInflux {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    running: Option<JoinSet<()>>,
}

impl FakeInflux {
    /// Starts on a free port and takes everything.
    pub async fn start() -> FakeInflux {
        let inner = Inner { refusal: 400, n_lines_max: usize::MAX, ..Inner::default() };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut fake = FakeInflux { address, inner: Arc::new(Mutex::new(inner)), running: None };
        fake.resume().await;
        fake
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
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
        let app = Router::new()
            .route("/api/v2/write", post(write))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&self.inner));
        let mut running = JoinSet::new();
        running.spawn(async move { serve(listener, app).await });
        self.running = Some(running);
    }

    /// The next requests are answered like this, one after the other.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.inner().script.extend(answers);
    }

    /// What it does when there is no script (any more); at first it judges.
    pub fn otherwise(&self, answer: Answer) {
        self.inner().otherwise = Some(answer);
    }

    /// Lines with `bad` in them are refused with `status`.
    pub fn refuse(&self, bad: &'static str, status: u16) {
        let mut inner = self.inner();
        (inner.bad, inner.refusal) = (Some(bad), status);
    }

    /// More lines in a request are answered with 413.
    pub fn limit(&self, n_lines_max: usize) {
        self.inner().n_lines_max = n_lines_max;
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.inner().requests.clone()
    }

    /// All lines taken so far, in order, repeated ones repeatedly.
    pub fn taken(&self) -> Vec<String> {
        self.inner().taken.clone()
    }

    /// How many answers of the script were not given yet.
    pub fn n_scripted(&self) -> usize {
        self.inner().script.len()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

/// Serves connections until it is dropped, and them with it.
async fn serve(listener: tokio::net::TcpListener, app: Router) {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(app.clone());
        connections.spawn(async move {
            let io = hyper_util::rt::TokioIo::new(socket);
            // A client that goes away in the middle is part of the tests.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        });
    }
}

async fn write(
    State(inner): State<Arc<Mutex<Inner>>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let header = |name: &str| headers.get(name).map(|v| v.to_str().unwrap().to_owned());
    let gzip = header("content-encoding").as_deref() == Some("gzip");
    let mut text = String::new();
    if gzip {
        flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    } else {
        text.push_str(std::str::from_utf8(&body).unwrap());
    }
    let (answer, number) = {
        let mut inner = inner.lock().unwrap();
        let lines = text.lines().map(str::to_owned).collect();
        let authorization = header("authorization");
        inner.requests.push(Request { query: query.unwrap(), authorization, gzip, lines, status: 0 });
        let scripted = inner.script.pop_front();
        (scripted.or(inner.otherwise.clone()).unwrap_or(Answer::Judge), inner.requests.len() - 1)
    };
    if let Answer::After(pause) = answer {
        tokio::time::sleep(pause).await;
    }
    let said = {
        let mut inner = inner.lock().unwrap();
        let said = Some(inner.judge(&answer, number)).filter(|_| answer != Answer::JudgeAndHang);
        inner.requests[number].status = said.map_or(0, |(status, _)| status);
        said
    };
    match said {
        Some((status, words)) => (StatusCode::from_u16(status).unwrap(), words),
        None => std::future::pending().await,
    }
}

impl Inner {
    /// Status and words.
    fn judge(&mut self, answer: &Answer, number: usize) -> (u16, &'static str) {
        let lines = self.requests[number].lines.clone();
        match answer {
            Answer::Say(status, words) => return (*status, words),
            Answer::Take(status) => {
                self.taken.extend(lines);
                return (*status, "");
            }
            Answer::Judge | Answer::JudgeAndHang | Answer::After(_) => {}
        }
        if lines.len() > self.n_lines_max {
            return (413, r#"{"code":"request too large"}"#);
        }
        let is_bad = |line: &String| self.bad.is_some_and(|bad| line.contains(bad));
        let (bad, good): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_bad);
        if bad.is_empty() {
            self.taken.extend(good);
            return (204, "");
        }
        if self.refusal == 422 {
            self.taken.extend(good);
        }
        (self.refusal, r#"{"code":"invalid","message":"field type conflict"}"#)
    }
}
