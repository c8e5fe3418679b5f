//! What the handles and the writer's thread share.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::staging::Staging;
use super::written::Written;
use crate::model::by_source::BySource;
use crate::model::reading::Offset;

/// Staging buffer, marks and the bell for whoever waits for room.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) staging: Staging,
    pub(super) durable: watch::Sender<Offset>,
    pub(super) room: Notify,
    pub(super) keep_from: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) written: Written,
    pub(super) received: Mutex<Received>,
}

/// What is on disk, by source.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Before this run; `None` until somebody has counted.
    pub(super) before: Option<BySource<u64>>,
    /// In this run.
    pub(super) since: BySource<u64>,
}

impl Shared {
    pub(super) fn received(&self) -> MutexGuard<'_, Received> {
        // Counts under the lock are whole at every point where a panic could happen.
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
