//! The thread that owns the journal's file: commits what is staged, moves the durable mark, removes what is old.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::chain::{self, Hash, RowHead};
use super::error::JournalError;
use super::schema;
use super::shared::Shared;
use super::staging::{STAGED_BYTES_SOFT, Staged};
use crate::model::reading::Offset;
use crate::model::time::{Clock, DAY_MS, UtcMs};

/// zstd's fastest ordinary level: a commit must not wait for its compressor.
const COMPRESSION_LEVEL: i32 = 1;

/// Between two looks at age and size.
const PRUNE_EVERY: Duration = Duration::from_secs(1);

/// Rows removed in one go, so that commits never wait long behind it.
const PRUNED_ROWS_MAX: u32 = 256;

/// Age passes so many times faster than time, at most. A clock that leaps years ahead does not remove everything at once.
const AGEING: i64 = 24;

/// How long and how large a journal may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Rows older than this are removed, days.
    pub max_age_days: u32,
    /// Above this the oldest rows are removed, bytes; where they may not be, the journal refuses messages.
    pub max_bytes: u64,
}

/// The clock by which rows grow old.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ageing {
    /// Begins with the newest row.
    pub(super) now: Option<UtcMs>,
    pub(super) looked: Instant,
}

impl Ageing {
    /// The time to judge age by, while the clock says `now`.
    pub(super) fn pass(&mut self, now: UtcMs, at: Instant) -> UtcMs {
        let passed = at.saturating_duration_since(self.looked).as_millis();
        let most = i64::try_from(passed).unwrap_or(i64::MAX).saturating_mul(AGEING);
        let now = self.now.map_or(now, |then| then.plus(most).min(now));
        (self.now, self.looked) = (Some(now), at);
        now
    }
}

pub(super) struct Writer {
    conn: Connection,
    shared: Arc<Shared>,
    retention: Retention,
    clock: Clock,
    hash: Hash,
    packer: zstd::bulk::Compressor<'static>,
    /// Memory of the row that was committed last, used again.
    body: Vec<u8>,
    full: bool,
    ageing: Ageing,
}

/// The journal's file, opened, before anybody shares it.
pub(super) struct Opened {
    conn: Connection,
    packer: zstd::bulk::Compressor<'static>,
    hash: Hash,
    ageing: Ageing,
    /// The last message in it; 0 = none.
    pub(super) last: Offset,
}

impl Opened {
    pub(super) fn open(path: &Path) -> Result<Opened, JournalError> {
        let conn = schema::open(path)?;
        let at = |source| JournalError::Open { path: path.to_owned(), source };
        let (last, hash) = schema::end(&conn).map_err(at)?;
        let packer = zstd::bulk::Compressor::new(COMPRESSION_LEVEL)
            .map_err(|source| JournalError::Compress { first: last + 1, source })?;
        let ageing = Ageing { now: schema::newest(&conn).map_err(at)?, looked: Instant::now() };
        Ok(Opened { conn, packer, hash, ageing, last })
    }
}

impl Writer {
    pub(super) fn new(opened: Opened, shared: Arc<Shared>, retention: Retention, clock: Clock) -> Writer {
        let Opened { conn, packer, hash, ageing, .. } = opened;
        Writer { conn, shared, retention, clock, hash, packer, body: Vec::new(), full: false, ageing }
    }

    /// Works until closed. What is staged by then is committed first.
    pub(super) fn run(mut self) -> Result<(), JournalError> {
        let mut staged = Staged::default();
        let mut looked = Instant::now();
        while self.shared.staging.take(&mut staged, PRUNE_EVERY) {
            if staged.n > 0 {
                self.commit(&staged)?;
            }
            if looked.elapsed() >= PRUNE_EVERY || self.full {
                self.prune()?;
                looked = Instant::now();
            }
            self.shared.room.notify_waiters();
        }
        Ok(())
    }

    fn commit(&mut self, staged: &Staged) -> Result<(), JournalError> {
        let (first, last) = (staged.first, staged.first + staged.n - 1);
        let body = &mut self.body;
        body.clear();
        body.shrink_to(STAGED_BYTES_SOFT);
        body.reserve(zstd::zstd_safe::compress_bound(staged.frames.len()));
        self.packer
            .compress_to_buffer(&staged.frames, body)
            .map_err(|source| JournalError::Compress { first, source })?;
        let body = &self.body[..];
        let head =
            RowHead { first, last, committed: self.clock.now(), raw_bytes: staged.frames.len() as u64 };
        let hash = chain::link(&self.hash, &head, body);
        let begun = Instant::now();
        self.conn
            .prepare_cached("INSERT INTO batch VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .and_then(|mut s| {
                s.execute(params![
                    last.cast_signed(),
                    first.cast_signed(),
                    head.committed.0,
                    head.raw_bytes.cast_signed(),
                    body,
                    hash
                ])
            })
            .map_err(|source| JournalError::Commit { first, source })?;
        self.hash = hash;
        let written = &self.shared.written;
        written.commit_seconds.observe(begun.elapsed().as_secs_f64());
        written.rows.inc();
        written.raw_bytes.inc_by(head.raw_bytes);
        written.bytes.inc_by(body.len() as u64);
        // Before the mark: whoever has passed a message finds it counted.
        self.shared.received().since.add(&staged.by_source);
        self.shared.durable.send_replace(last);
        Ok(())
    }

    fn prune(&mut self) -> Result<(), JournalError> {
        let keep_from = self.shared.keep_from.load(Ordering::Acquire);
        let now = self.ageing.pass(self.clock.now(), Instant::now());
        let too_old = now.plus(-i64::from(self.retention.max_age_days) * DAY_MS).0;
        let max_bytes = self.retention.max_bytes;
        let mut work = || -> rusqlite::Result<u64> {
            schema::prune(&mut self.conn, keep_from, too_old, PRUNED_ROWS_MAX)?;
            let mut bytes = schema::used_bytes(&self.conn)?;
            while bytes > max_bytes
                && schema::prune(&mut self.conn, keep_from, i64::MAX, PRUNED_ROWS_MAX)? > 0
            {
                bytes = schema::used_bytes(&self.conn)?;
            }
            Ok(bytes)
        };
        let bytes = work().map_err(|source| JournalError::Prune { source })?;
        self.shared.bytes.store(bytes, Ordering::Release);
        let full = bytes > max_bytes;
        if full && !self.full {
            tracing::error!(
                bytes,
                max_bytes,
                "The journal is full and nothing in it may be removed yet: no message is acknowledged until there is room."
            );
        } else if self.full && !full {
            tracing::warn!(bytes, max_bytes, "The journal has room again.");
        }
        self.full = full;
        self.shared.staging.set_full(full.then_some((bytes, max_bytes)));
        Ok(())
    }
}
