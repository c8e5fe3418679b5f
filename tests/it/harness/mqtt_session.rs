//! A session under test: its journal in a folder of its own, its status, and a way to keep commits from happening.

use std::path::Path;
use std::time::Duration;

use submeterd::config::settings;
use submeterd::journal::handle::JournalThread;
use submeterd::journal::read::Reader;
use submeterd::journal::writer::Retention;
use submeterd::journal::{Journal, schema};
use submeterd::model::message::Delivery;
use submeterd::model::time::Clock;
use submeterd::sources::mqtt::session::{self, SessionError};
use submeterd::sources::mqtt::status::BrokerStatus;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::wait::wait_for;

/// Longest wait for anything.
pub const WITHIN: Duration = Duration::from_secs(10);

/// A journal that never fills.
pub const ROOMY: Retention = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };

/// Settings for a broker at `port`, quick to come back.
pub fn settings(port: u16) -> settings::Broker {
    settings::Broker {
        name: "city".into(),
        host: "127.0.0.1".into(),
        port,
        client_id: "submeterd-test".into(),
        clean_session: false,
        keep_alive: Duration::from_secs(30),
        credentials: None,
        tls: None,
        packet_bytes_max: 1 << 20,
        unacknowledged_max: 1000,
        backoff_max: Duration::from_millis(50),
        silent_after: Duration::from_secs(600),
    }
}

/// What lies in the journal.
#[derive(Debug, PartialEq)]
pub struct Kept {
    pub topic: String,
    pub payload: Vec<u8>,
    pub delivery: Delivery,
}

/// A session that runs.
pub struct Running {
    pub folder: tempfile::TempDir,
    pub journal: Journal,
    pub status: watch::Receiver<BrokerStatus>,
    pub stop: CancellationToken,
    thread: Option<JournalThread>,
    task: JoinSet<Result<(), SessionError>>,
}

impl Running {
    /// Starts one with a roomy journal and two filters.
    pub fn start(settings: settings::Broker) -> Running {
        Running::start_with(settings, ROOMY)
    }

    /// Starts one.
    pub fn start_with(settings: settings::Broker, retention: Retention) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let (journal, thread) = Journal::open(folder.path(), retention, Clock::System).unwrap();
        let (sender, status) = watch::channel(BrokerStatus::default());
        let stop = CancellationToken::new();
        let filters = vec![("a/+".to_owned(), 1), ("b/#".to_owned(), 0)];
        let mut task = JoinSet::new();
        task.spawn(session::run(settings, filters, journal.clone(), Clock::System, sender, stop.clone()));
        Running { folder, journal, status, stop, thread: Some(thread), task }
    }

    /// Waits until the status is as `look` wants it.
    pub async fn until<T>(&self, what: &str, look: impl Fn(&BrokerStatus) -> Option<T>) -> T {
        let seen = wait_for(what, WITHIN, async || look(&self.status.borrow()));
        tokio::time::timeout(WITHIN * 2, seen).await.unwrap_or_else(|_| panic!("{:?}", self.status.borrow()))
    }

    /// Everything in the journal.
    pub fn kept(&self) -> Vec<Kept> {
        kept(self.folder.path())
    }

    /// Keeps everything from being committed until dropped.
    pub fn hold_commits(&self) -> rusqlite::Connection {
        let conn = rusqlite::Connection::open(self.folder.path().join(schema::FILE)).unwrap();
        conn.busy_timeout(WITHIN).unwrap();
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        conn
    }

    /// How the session ends, without being asked.
    pub async fn ended(&mut self) -> Result<(), SessionError> {
        let ended = tokio::time::timeout(WITHIN, self.task.join_next()).await;
        ended.expect("the session goes on").unwrap().unwrap()
    }

    /// Stops it; says how long that took.
    pub async fn stopped(mut self) -> Duration {
        let begun = std::time::Instant::now();
        self.stop.cancel();
        self.ended().await.unwrap();
        let took = begun.elapsed();
        self.break_journal().await;
        took
    }

    /// Closes the journal.
    pub async fn break_journal(&mut self) {
        let thread = self.thread.take().unwrap();
        tokio::task::spawn_blocking(|| thread.finish()).await.unwrap().unwrap();
    }
}

fn kept(folder: &Path) -> Vec<Kept> {
    let mut reader = Reader::open(folder).unwrap();
    let (mut seen, mut after) = (Vec::new(), 0);
    while let Some(batch) = reader.next(after).unwrap() {
        seen.extend(batch.messages().map(|(_, m)| Kept {
            topic: m.topic.to_owned(),
            payload: m.payload.to_vec(),
            delivery: m.delivery,
        }));
        after = batch.last();
    }
    seen
}
