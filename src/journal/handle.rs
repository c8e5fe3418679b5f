//! The journal as everybody else holds it: cheap to clone, cannot reach the file.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::{Notify, watch};

use super::error::{AppendError, JournalError};
use super::schema;
use super::shared::{Received, Shared};
use super::staging::Staging;
use super::writer::{Opened, Retention, Writer};
use super::written::Written;
use crate::model::by_source::BySource;
use crate::model::message::Message;
use crate::model::reading::Offset;
use crate::model::time::Clock;

/// Name of the lock file in the data folder.
const LOCK_FILE: &str = "journal.lock";

/// A handle.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    opened_at: Offset,
}

/// The writer's thread; whoever holds this must [`finish`](JournalThread::finish) it.
#[derive(Debug)]
pub struct JournalThread {
    shared: Arc<Shared>,
    thread: JoinHandle<Result<(), JournalError>>,
    ended: watch::Receiver<bool>,
    _lock: File,
}

impl Journal {
    /// Opens the journal in `folder`, makes it if there is none, and starts its thread.
    ///
    /// # Errors
    /// Another process has it, or the file cannot be opened.
    pub fn open(
        folder: &Path,
        retention: Retention,
        clock: Clock,
    ) -> Result<(Journal, JournalThread), JournalError> {
        let lock = lock(folder)?;
        let opened = Opened::open(&folder.join(schema::FILE))?;
        let last = opened.last;
        let shared = Arc::new(Shared {
            staging: Staging::new(last + 1),
            durable: watch::Sender::new(last),
            room: Notify::new(),
            keep_from: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            written: Written::default(),
            received: Mutex::new(Received::default()),
        });
        let writer = Writer::new(opened, Arc::clone(&shared), retention, clock);
        let own = Arc::clone(&shared);
        let (end, ended) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let outcome = writer.run();
                let why = outcome.as_ref().map_or_else(ToString::to_string, |()| "it was closed".into());
                own.staging.closed(why);
                own.room.notify_waiters();
                // Nobody listens any more if the daemon itself is gone.
                let _ = end.send(true);
                outcome
            })
            .map_err(|source| JournalError::Thread { source })?;
        Ok((
            Journal { shared: Arc::clone(&shared), opened_at: last },
            JournalThread { shared, thread, ended, _lock: lock },
        ))
    }

    /// Stages a message and gives it its number. It is on disk once [`durable`](Journal::durable) has reached it.
    ///
    /// # Errors
    /// The journal is full or closed, or the message too long. It was not taken then.
    pub fn append(&self, message: &Message<'_>) -> Result<Offset, AppendError> {
        self.shared.staging.append(message)
    }

    /// The last message that is on disk; 0 = none.
    #[must_use]
    pub fn durable(&self) -> watch::Receiver<Offset> {
        self.shared.durable.subscribe()
    }

    /// Stages a message and waits until it is on disk.
    ///
    /// # Errors
    /// As [`append`](Journal::append); or the journal broke before the message was on disk.
    pub async fn append_durable(&self, message: &Message<'_>) -> Result<Offset, AppendError> {
        let mut durable = self.durable();
        let offset = self.append(message)?;
        loop {
            let freed = self.shared.room.notified();
            if *durable.borrow_and_update() >= offset {
                return Ok(offset);
            }
            if let Some(why) = self.shared.staging.why_closed() {
                return Err(AppendError::Closed { why });
            }
            tokio::select! {
                _ = durable.changed() => {}
                () = freed => {}
            }
        }
    }

    /// Waits until there is room for more, in memory and on disk. Returns at once when the journal is closed.
    pub async fn room(&self) {
        loop {
            let freed = self.shared.room.notified();
            if self.shared.staging.has_room() {
                return;
            }
            freed.await;
        }
    }

    /// The engine needs messages from `offset` on; what lies before may be removed when it is old or room is needed.
    pub fn set_keep_from(&self, offset: Offset) {
        self.shared.keep_from.fetch_max(offset, Ordering::AcqRel);
    }

    /// The last message of earlier runs; 0 = none.
    #[must_use]
    pub fn opened_at(&self) -> Offset {
        self.opened_at
    }

    /// What was received before this run, by source, now that it has been counted.
    pub fn set_received_before(&self, before: BySource<u64>) {
        self.shared.received().before = Some(before);
    }

    /// How many messages of each source are on disk, or were once, since the journal began; `None` while what was
    /// received before this run is still being counted.
    #[must_use]
    pub fn received(&self) -> Option<BySource<u64>> {
        let received = self.shared.received();
        let mut all = received.before.clone()?;
        all.add(&received.since);
        Some(all)
    }

    /// What was written since the start.
    #[must_use]
    pub fn written(&self) -> &Written {
        &self.shared.written
    }

    /// Size on disk when it was last looked at, bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Acquire)
    }
}

impl JournalThread {
    /// Resolves when the thread has ended, asked or not.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        // An error means the sender is gone, and so is the thread.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Commits what is staged, closes the file and gives the lock back. Blocks for as long as that takes.
    ///
    /// # Errors
    /// The last commit failed; its messages were not acknowledged.
    pub fn finish(self) -> Result<(), JournalError> {
        self.shared.staging.close();
        match self.thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join(LOCK_FILE);
    let at = |source| JournalError::Lock { path: path.clone(), source };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(schema::FILE_MODE)
        .open(&path)
        .map_err(at)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(JournalError::Locked { path }),
        Err(std::fs::TryLockError::Error(source)) => Err(at(source)),
    }
}
