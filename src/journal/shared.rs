//! What the handles and the writer's thread share.

use std::sync::atomic::AtomicU64;

use tokio::sync::{Notify, watch};

use super::staging::Staging;
use crate::model::reading::Offset;

/// Staging buffer, marks and the bell for whoever waits for room.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) staging: Staging,
    pub(super) durable: watch::Sender<Offset>,
    pub(super) room: Notify,
    pub(super) keep_from: AtomicU64,
    pub(super) bytes: AtomicU64,
}
