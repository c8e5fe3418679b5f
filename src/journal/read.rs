//! The journal, read in order; also while it is written, and while nobody writes it.

use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::chain::{self, Hash, RowHead};
use super::error::JournalError;
use super::{frame, schema};
use crate::model::message::Message;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// Largest batch that is unpacked; the writer's staging is far below.
const RAW_BYTES_MAX: u64 = 1 << 30;

/// Rows are handed out together until they hold so many bytes: whoever is behind pays for a batch, not for each row.
const BATCH_BYTES: usize = 1 << 20;

/// So much memory is kept for the next batch, bytes.
const KEPT_BYTES: usize = 8 << 20;

/// A reader with its own connection.
pub struct Reader {
    conn: Connection,
    unpacker: zstd::bulk::Decompressor<'static>,
    raw: Vec<u8>,
}

/// The messages of a row, or of several that follow each other.
#[derive(Debug)]
pub struct Batch<'a> {
    first: Offset,
    messages: Vec<Message<'a>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("conn", &self.conn).finish_non_exhaustive()
    }
}

/// Where a journal begins whose first rows were removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// The last message that was removed.
    pub after: Offset,
    /// The registry in force there.
    pub registry: Option<KeptRegistry>,
}

/// A registry whose row was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRegistry {
    /// The message it came by.
    pub offset: Offset,
    /// When.
    pub received: UtcMs,
    /// As it was journaled.
    pub packed: Vec<u8>,
}

/// What a journal holds, for `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct JournalStats {
    /// First message there is.
    pub first: Offset,
    /// Last message there is.
    pub last: Offset,
    /// Rows.
    pub n_rows: u64,
    /// Bytes in use.
    pub bytes: u64,
    /// When the oldest row was committed.
    pub oldest: UtcMs,
}

struct Row {
    head: RowHead,
    body: Vec<u8>,
    hash: Hash,
}

impl Reader {
    /// Opens the journal in `folder`.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn open(folder: &Path) -> Result<Reader, JournalError> {
        let path = folder.join(schema::FILE);
        let conn = schema::open_reader(&path)?;
        let unpacker =
            zstd::bulk::Decompressor::new().map_err(|source| JournalError::Unpacker { path, source })?;
        Ok(Reader { conn, unpacker, raw: Vec::new() })
    }

    /// The row that holds the message after `after`, and rows behind it; `None` when there is none yet.
    ///
    /// # Errors
    /// The row cannot be read, is damaged, or messages before it are missing.
    pub fn next(&mut self, after: Offset) -> Result<Option<Batch<'_>>, JournalError> {
        self.raw.clear();
        self.raw.shrink_to(KEPT_BYTES);
        let mut heads: Vec<RowHead> = Vec::new();
        while self.raw.len() < BATCH_BYTES {
            match self.add(heads.last().map_or(after, |head| head.last)) {
                Ok(Some(head)) => heads.push(head),
                Ok(None) => break,
                Err(error) if heads.is_empty() => return Err(error),
                // What lies before it is sound and goes first; the next call meets it again.
                Err(_) => break,
            }
        }
        let Some(head) = heads.first() else { return Ok(None) };
        let mut batch = Batch { first: head.first, messages: Vec::new() };
        let mut rest = &self.raw[..];
        for head in &heads {
            let n_sound = batch.messages.len();
            match parse(head, rest, &mut batch.messages) {
                Ok(following) => rest = following,
                Err(error) if n_sound == 0 => return Err(error),
                Err(_) => {
                    batch.messages.truncate(n_sound);
                    break;
                }
            }
        }
        Ok(Some(batch))
    }

    /// Unpacks the row that holds the message after `after` behind what is there.
    fn add(&mut self, after: Offset) -> Result<Option<RowHead>, JournalError> {
        let Some(row) = self.row(after)? else { return Ok(None) };
        let first = row.head.first;
        if first > after + 1 && !self.begins_at(first, after)? {
            return Err(JournalError::Hole { expected: after + 1, found: first });
        }
        self.unpack(&row)?;
        Ok(Some(row.head))
    }

    /// Whether a reader that has seen nothing may begin at `first`, because all before it was removed.
    fn begins_at(&self, first: Offset, after: Offset) -> Result<bool, JournalError> {
        let (removed, _) =
            schema::anchor(&self.conn).map_err(|source| JournalError::Read { after, source })?;
        Ok(after == 0 && removed + 1 == first)
    }

    /// Where the journal begins, if not with the first message there ever was.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn begin(&self) -> Result<Option<Begin>, JournalError> {
        let read = || Ok((schema::anchor(&self.conn)?, schema::kept_registry(&self.conn)?));
        let ((after, _), kept) = read().map_err(|source| JournalError::Read { after: 0, source })?;
        let Some((offset, frame)) = kept.filter(|_| after > 0) else {
            return Ok((after > 0).then_some(Begin { after, registry: None }));
        };
        let frame =
            zstd::decode_all(&frame[..]).map_err(|source| JournalError::Unpack { first: offset, source })?;
        let what = "the registry that was kept of it is cut or garbled";
        let (message, _) = frame::read(&frame).ok_or(JournalError::Damaged { first: offset, what })?;
        let (received, packed) = (message.received, message.payload.to_vec());
        Ok(Some(Begin { after, registry: Some(KeptRegistry { offset, received, packed }) }))
    }

    /// Checks every row's hash, from what was removed last to the end. Returns the last message and its hash.
    ///
    /// # Errors
    /// The first row that does not fit is named.
    pub fn verify(&mut self) -> Result<(Offset, Hash), JournalError> {
        let read = |source| JournalError::Read { after: 0, source };
        let (mut last, mut hash) = schema::anchor(&self.conn).map_err(read)?;
        while let Some(row) = self.row(last)? {
            let first = row.head.first;
            if first != last + 1 {
                return Err(JournalError::Hole { expected: last + 1, found: first });
            }
            if chain::link(&hash, &row.head, &row.body) != row.hash {
                return Err(JournalError::Chain { first });
            }
            self.raw.clear();
            self.unpack(&row)?;
            parse(&row.head, &self.raw, &mut Vec::new())?;
            (last, hash) = (row.head.last, row.hash);
        }
        Ok((last, hash))
    }

    /// What the journal holds.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn stats(&self) -> Result<JournalStats, JournalError> {
        let read = || -> rusqlite::Result<JournalStats> {
            let figures = "SELECT ifnull(min(first), 0), ifnull(max(last), 0), count(*), ifnull(min(committed_ms), 0) FROM batch";
            let bytes = schema::used_bytes(&self.conn)?;
            self.conn.query_row(figures, [], |row| {
                Ok(JournalStats {
                    first: row.get::<_, i64>(0)?.cast_unsigned(),
                    last: row.get::<_, i64>(1)?.cast_unsigned(),
                    n_rows: row.get::<_, i64>(2)?.cast_unsigned(),
                    bytes,
                    oldest: UtcMs(row.get(3)?),
                })
            })
        };
        read().map_err(|source| JournalError::Read { after: 0, source })
    }

    fn row(&self, after: Offset) -> Result<Option<Row>, JournalError> {
        let read = || {
            self.conn
                .prepare_cached(
                    "SELECT first, last, committed_ms, raw_bytes, body, hash FROM batch
                     WHERE last > ?1 ORDER BY last LIMIT 1",
                )?
                .query_row([after.cast_signed()], |row| {
                    Ok(Row {
                        head: RowHead {
                            first: row.get::<_, i64>(0)?.cast_unsigned(),
                            last: row.get::<_, i64>(1)?.cast_unsigned(),
                            committed: UtcMs(row.get(2)?),
                            raw_bytes: row.get::<_, i64>(3)?.cast_unsigned(),
                        },
                        body: row.get(4)?,
                        hash: row.get(5)?,
                    })
                })
                .optional()
        };
        read().map_err(|source| JournalError::Read { after, source })
    }

    /// Unpacks a row behind what is there.
    fn unpack(&mut self, row: &Row) -> Result<(), JournalError> {
        let RowHead { first, raw_bytes, .. } = row.head;
        let damaged = |what| JournalError::Damaged { first, what };
        let bytes = usize::try_from(raw_bytes.min(RAW_BYTES_MAX + 1)).unwrap_or(usize::MAX);
        if raw_bytes > RAW_BYTES_MAX {
            return Err(damaged("it says it is larger than any row can be"));
        }
        let begin = self.raw.len();
        self.raw.reserve(bytes);
        let mut behind = Cursor::new(std::mem::take(&mut self.raw));
        behind.set_position(begin as u64);
        let unpacked = self.unpacker.decompress_to_buffer(&row.body, &mut behind);
        self.raw = behind.into_inner();
        let unpacked = unpacked.map_err(|source| JournalError::Unpack { first, source })?;
        if unpacked == bytes { Ok(()) } else { Err(damaged("it is not as long as it says")) }
    }
}

/// Takes the messages of a row, as many as it says and whole, from the begin of `bytes`; gives what follows it.
fn parse<'a>(
    head: &RowHead,
    bytes: &'a [u8],
    messages: &mut Vec<Message<'a>>,
) -> Result<&'a [u8], JournalError> {
    let damaged = |what| JournalError::Damaged { first: head.first, what };
    let own = usize::try_from(head.raw_bytes).ok().and_then(|n| bytes.split_at_checked(n));
    let (mut rest, following) = own.ok_or_else(|| damaged("it is not as long as it says"))?;
    for _ in head.first..=head.last {
        let Some((message, after)) = frame::read(rest) else {
            return Err(damaged("a message in it is cut or garbled"));
        };
        messages.push(message);
        rest = after;
    }
    if rest.is_empty() { Ok(following) } else { Err(damaged("bytes follow its last message")) }
}

impl<'a> Batch<'a> {
    /// First message.
    #[must_use]
    pub fn first(&self) -> Offset {
        self.first
    }

    /// Last message.
    #[must_use]
    pub fn last(&self) -> Offset {
        self.first + self.messages.len() as u64 - 1
    }

    /// The messages with their numbers.
    pub fn messages(&self) -> impl Iterator<Item = (Offset, Message<'a>)> {
        (self.first..).zip(self.messages.iter().copied())
    }
}

/// The journal's file in a data folder.
#[must_use]
pub fn file(folder: &Path) -> PathBuf {
    folder.join(schema::FILE)
}
