//! Between the sources and the disk: frames wait here, in order, for the next commit.

use std::sync::{Condvar, Mutex, MutexGuard};

use super::error::AppendError;
use super::frame;
use crate::model::by_source::BySource;
use crate::model::message::Message;
use crate::model::reading::Offset;

/// Above so many staged bytes, sources wait in [`room`](super::handle::Journal::room). Two commits' worth.
pub const STAGED_BYTES_SOFT: usize = 8 << 20;

/// Above so many staged bytes, the writer is hopelessly behind and appending is refused.
pub const STAGED_BYTES_MAX: usize = 64 << 20;

/// Messages that wait.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) frames: Vec<u8>,
    pub(super) first: Offset,
    pub(super) n: u64,
    pub(super) by_source: BySource<u64>,
}

#[derive(Debug)]
struct Inner {
    staged: Staged,
    next: Offset,
    closing: bool,
    closed: Option<String>,
    full: Option<(u64, u64)>,
}

/// The staging buffer, shared by the sources and the writer.
#[derive(Debug)]
pub(super) struct Staging {
    inner: Mutex<Inner>,
    wake: Condvar,
}

impl Staging {
    pub(super) fn new(next: Offset) -> Staging {
        let inner = Inner {
            staged: Staged { first: next, ..Staged::default() },
            next,
            closing: false,
            closed: None,
            full: None,
        };
        Staging { inner: Mutex::new(inner), wake: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The data under the lock is whole at every point where a panic could happen.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn append(&self, message: &Message<'_>) -> Result<Offset, AppendError> {
        let longest = message.source.len().max(message.topic.len()).max(message.payload.len());
        let max_bytes = frame::part_bytes_max(message.kind);
        if longest > max_bytes {
            return Err(AppendError::TooLong { bytes: longest, max_bytes });
        }
        let mut inner = self.lock();
        if let Some(why) = &inner.closed {
            return Err(AppendError::Closed { why: why.clone() });
        }
        if inner.closing {
            return Err(AppendError::Closed { why: "it is being closed".into() });
        }
        if let Some((bytes, max_bytes)) = inner.full {
            return Err(AppendError::Full { bytes, max_bytes });
        }
        if inner.staged.frames.len() > STAGED_BYTES_MAX {
            let bytes = inner.staged.frames.len() as u64;
            return Err(AppendError::Full { bytes, max_bytes: STAGED_BYTES_MAX as u64 });
        }
        frame::write(message, &mut inner.staged.frames);
        inner.staged.n += 1;
        inner.staged.by_source.change(message.kind, message.source, |n| *n += 1);
        let (offset, is_first) = (inner.next, inner.staged.n == 1);
        inner.next += 1;
        drop(inner);
        // The writer only ever waits for the first: to wake it is a call to the kernel, too much for each message.
        if is_first {
            self.wake.notify_one();
        }
        Ok(offset)
    }

    /// Whether a source may go on appending.
    pub(super) fn has_room(&self) -> bool {
        let inner = self.lock();
        inner.closed.is_some() || (inner.full.is_none() && inner.staged.frames.len() < STAGED_BYTES_SOFT)
    }

    /// Waits for messages, at most `for_at_most`, and swaps them into `into`. False once closing and empty.
    pub(super) fn take(&self, into: &mut Staged, for_at_most: std::time::Duration) -> bool {
        into.frames.clear();
        into.frames.shrink_to(STAGED_BYTES_SOFT);
        into.n = 0;
        into.by_source.reset();
        let mut inner = self.lock();
        if inner.staged.n == 0 && !inner.closing {
            inner = self
                .wake
                .wait_timeout(inner, for_at_most)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(inner, _)| inner);
        }
        std::mem::swap(&mut inner.staged, into);
        inner.staged.first = inner.next;
        into.n > 0 || !inner.closing
    }

    pub(super) fn set_full(&self, full: Option<(u64, u64)>) {
        self.lock().full = full;
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_all();
    }

    /// Why the writer has stopped, if it has.
    pub(super) fn why_closed(&self) -> Option<String> {
        self.lock().closed.clone()
    }

    pub(super) fn closed(&self, why: String) {
        self.lock().closed = Some(why);
    }
}
