//! From a config to a daemon that is ready to run: folders, journal, store, engine, socket. Nothing is received yet.

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::accounts::accounts::Accounts;
use crate::accounts::error::AccountsError;
use crate::api::serve::{Listener, WebError};
use crate::api::server::{ServeError, Socket};
use crate::api::status::Sensors;
use crate::api::telemetry::{self, TelemetryError};
use crate::config::Config;
use crate::config::receivers::Receiver;
use crate::engine::audience::Subscriber;
use crate::engine::error::EngineError;
use crate::engine::run::Progress;
use crate::engine::step::{Engine, Sinks};
use crate::journal::handle::JournalThread;
use crate::journal::writer::Retention;
use crate::journal::{AppendError, Journal, JournalError, Reader};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::time::{Clock, MINUTE_MS};
use crate::outbox::desk::SINK;
use crate::store::error::StoreError;
use crate::store::queue;
use crate::store::records::registry_hash;
use crate::store::schema::{OpenError, STORE_FILE};
use crate::store::write::Store;

use super::tasks::TaskError;

/// Owner reads and writes, the group reads, nobody else.
const FOLDER_MODE: u32 = 0o750;

/// A clock that is behind the journal by more than this is told of, ms.
const CLOCK_BACK_MS: i64 = MINUTE_MS;

/// Why the daemon cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The data folder cannot be made.
    #[error("cannot make the data folder {path}")]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The journal does not open.
    #[error("the journal cannot be used")]
    Journal(#[source] JournalError),
    /// The store does not open.
    #[error("the store cannot be used")]
    Store(#[source] OpenError),
    /// The outbox cannot be set up.
    #[error("the outbox cannot be set up")]
    Outbox(#[source] StoreError),
    /// The engine cannot be restored.
    #[error("the engine cannot be restored")]
    Engine(#[source] EngineError),
    /// The registry cannot be put into words.
    #[error("the registry cannot be put into words")]
    Registry(#[source] serde_json::Error),
    /// The registry cannot be journaled.
    #[error("the registry cannot be journaled")]
    Append(#[source] AppendError),
    /// The socket cannot be bound.
    #[error("the command line's socket cannot be opened")]
    Socket(#[source] ServeError),
    /// The accounts cannot be used.
    #[error("the accounts cannot be used")]
    Accounts(#[source] AccountsError),
    /// The page cannot be served.
    #[error("the page and the API cannot be served")]
    Web(#[source] WebError),
    /// What the daemon says of itself cannot be served.
    #[error("the daemon cannot say how it is")]
    Telemetry(#[source] TelemetryError),
    /// A thread cannot be started.
    #[error("thread {name} cannot be started")]
    Thread {
        /// Which.
        name: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A task ended that should not have.
    #[error("the daemon stopped because of a task")]
    Task(#[source] TaskError),
}

/// A daemon that is ready to run.
#[derive(Debug)]
pub struct Daemon {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) journal: Journal,
    pub(super) journal_thread: JournalThread,
    pub(super) reader: Reader,
    pub(super) engine: Engine,
    pub(super) socket: Socket,
    pub(super) telemetry: Option<TcpListener>,
    pub(super) web: Option<(Listener, Accounts)>,
    pub(super) progress: watch::Sender<Progress>,
}

/// Builds a daemon. Reserves everything that can be reserved, so that what fails, fails here.
///
/// # Errors
/// See [`DaemonError`].
pub async fn build(config: Config, clock: Clock) -> Result<Daemon, DaemonError> {
    let folder = &config.daemon.data_dir;
    // Readings of plants are nobody else's business, whatever the umask.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)
        .map_err(|source| DaemonError::DataDir { path: folder.clone(), source })?;
    let retention = Retention { max_age_days: config.journal.days_max, max_bytes: config.journal.bytes_max };
    let (journal, journal_thread) =
        Journal::open(folder, retention, clock.clone()).map_err(DaemonError::Journal)?;
    let reader = Reader::open(folder).map_err(DaemonError::Journal)?;
    let store = Store::open(&folder.join(STORE_FILE)).map_err(DaemonError::Store)?;

    let sinks = sinks(&config, &store, &journal).map_err(DaemonError::Outbox)?;
    let mut queues = sinks.outbox.clone();
    queues.extend(config.receivers.iter().map(Receiver::sink));
    let n_forgotten = queue::forget_others(store.conn(), &queues).map_err(DaemonError::Outbox)?;
    if n_forgotten > 0 {
        tracing::warn!(n_forgotten, "What waited for sinks that are no longer configured was let go.");
    }
    let packed = config.registry.pack().map_err(DaemonError::Registry)?;
    let stored = store.registry().map_err(DaemonError::Outbox)?;
    let mut engine = Engine::restore(store, sinks, config.history).map_err(DaemonError::Engine)?;
    if let Some(begin) = reader.begin().map_err(DaemonError::Journal)? {
        engine.begin_at(begin).map_err(DaemonError::Engine)?;
    }
    let ahead_ms = engine.world().now().since(clock.now());
    if ahead_ms > CLOCK_BACK_MS {
        tracing::error!(
            ahead_ms,
            "The clock is behind what the journal has seen: nothing is judged until it has caught up. Is it right?"
        );
    }
    // The engine will not ask again for what lies before the snapshot it was restored from.
    journal.set_keep_from(engine.taken() + 1);
    if stored.is_none_or(|stored| stored.hash != registry_hash(&packed)) {
        let message = Message {
            kind: Kind::Registry,
            delivery: Delivery::PLAIN,
            received: clock.now(),
            source: "config",
            topic: "",
            payload: &packed,
        };
        let offset = journal.append_durable(&message).await.map_err(DaemonError::Append)?;
        tracing::info!(offset, sites = config.registry.sites.len(), "A changed registry is in force.");
    }
    let socket = Socket::bind(&config.daemon.socket).map_err(DaemonError::Socket)?;
    let telemetry = match config.telemetry {
        Some(listen) => Some(telemetry::bind(listen).await.map_err(DaemonError::Telemetry)?),
        None => None,
    };
    let web = match &config.web {
        Some(own) => {
            let accounts = Accounts::open(folder).map_err(DaemonError::Accounts)?;
            Some((Listener::bind(own).await.map_err(DaemonError::Web)?, accounts))
        }
        None => None,
    };
    let (progress, _) = watch::channel(Progress::default());
    Ok(Daemon { config, clock, journal, journal_thread, reader, engine, socket, telemetry, web, progress })
}

/// Where the engine's results go.
fn sinks(config: &Config, store: &Store, journal: &Journal) -> Result<Sinks, StoreError> {
    let subscriber = |own: &Receiver| Subscriber { name: own.name.clone(), policy: own.policy.clone() };
    // A store that is made anew knows nothing of what was told before.
    let is_new = store.cursor()? == 0;
    Ok(Sinks {
        outbox: config.influx.iter().map(|_| SINK.to_owned()).collect(),
        notices: config.receivers.iter().map(subscriber).collect(),
        notices_after: if is_new { *journal.durable().borrow() } else { 0 },
    })
}

impl Daemon {
    /// How far the engine is, for whoever runs the daemon inside itself.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn sensors(&self) -> Sensors {
        Sensors {
            started: self.clock.now(),
            progress: self.progress.subscribe(),
            journal: self.journal.clone(),
            journal_bytes_max: self.config.journal.bytes_max,
            brokers: Vec::new(),
            links: Vec::new(),
            sinks: Vec::new(),
        }
    }

    pub(super) fn registry(&self) -> Arc<crate::model::registry::Registry> {
        Arc::new(self.config.registry.clone())
    }
}
