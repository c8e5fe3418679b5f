//! The tables of the journal and how its file is opened.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::chain::{GENESIS, Hash};
use super::error::JournalError;
use super::frame;
use crate::model::message::Kind;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// Name of the file in the data folder.
pub const FILE: &str = "journal.db";

/// Owner reads and writes, the group reads.
pub const FILE_MODE: u32 = 0o640;

/// Largest batch that is unpacked; the writer's staging is far below.
const RAW_BYTES_MAX: i64 = 1 << 30;

/// Rows are removed until they hold so many bytes unpacked: they are searched for registries first.
const PRUNED_BYTES_MAX: i64 = 64 << 20;

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Free pages are used again by later rows and the file does not shrink; sizes are told without them.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS batch (
  last INTEGER PRIMARY KEY, first INTEGER NOT NULL, committed_ms INTEGER NOT NULL, raw_bytes INTEGER NOT NULL,
  body BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS anchor (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER, hash BLOB);
CREATE TABLE IF NOT EXISTS kept_registry (id INTEGER PRIMARY KEY CHECK (id = 1), at_offset INTEGER, frame BLOB);
";

/// Opens the file for its writer.
pub(super) fn open(path: &Path) -> Result<Connection, JournalError> {
    let at = |source| JournalError::Open { path: path.to_owned(), source };
    make_file(path).map_err(|source| JournalError::Make { path: path.to_owned(), source })?;
    let conn = Connection::open(path).map_err(at)?;
    let prepare = || -> rusqlite::Result<()> {
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.pragma_update(None, "page_size", 16_384)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "wal_autocheckpoint", 2_000)?;
        conn.execute_batch(TABLES)
    };
    prepare().map_err(at)?;
    Ok(conn)
}

/// Opens the file for a reader.
pub(super) fn open_reader(path: &Path) -> Result<Connection, JournalError> {
    let at = |source| JournalError::Open { path: path.to_owned(), source };
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(at)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
    conn.pragma_update(None, "query_only", true).map_err(at)?;
    Ok(conn)
}

/// Where the chain ends: the last message and the hash of its row.
pub(super) fn end(conn: &Connection) -> rusqlite::Result<(Offset, Hash)> {
    let newest = conn
        .query_row("SELECT last, hash FROM batch ORDER BY last DESC LIMIT 1", [], end_of_row)
        .optional()?;
    match newest {
        Some(end) => Ok(end),
        None => anchor(conn),
    }
}

/// When the newest row was committed.
pub(super) fn newest(conn: &Connection) -> rusqlite::Result<Option<UtcMs>> {
    let newest = "SELECT committed_ms FROM batch ORDER BY last DESC LIMIT 1";
    conn.query_row(newest, [], |row| row.get(0).map(UtcMs)).optional()
}

/// What was removed last: the chain begins after it.
pub(super) fn anchor(conn: &Connection) -> rusqlite::Result<(Offset, Hash)> {
    let row = conn.query_row("SELECT last, hash FROM anchor", [], end_of_row).optional()?;
    Ok(row.unwrap_or((0, GENESIS)))
}

fn end_of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Offset, Hash)> {
    Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
}

/// Bytes in use: all pages but the free ones.
pub(super) fn used_bytes(conn: &Connection) -> rusqlite::Result<u64> {
    let figure = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = figure("page_count")? - figure("freelist_count")?;
    Ok((pages * figure("page_size")?).cast_unsigned())
}

/// Makes the file if there is none: readable for owner and group, whatever the umask. SQLite gives what it makes beside
/// it the same mode.
///
/// # Errors
/// It cannot be made.
pub fn make_file(path: &Path) -> std::io::Result<()> {
    File::options().create(true).append(true).mode(FILE_MODE).open(path).map(drop)
}

/// Removes rows wholly before `keep_from` that were committed before `committed_before_ms`, oldest first, at most
/// `n_rows`; the anchor moves in the same transaction, and the last registry in them is kept beside it: whoever begins
/// at the anchor needs the one in force there. Returns how many went.
pub(super) fn prune(
    conn: &mut Connection,
    keep_from: Offset,
    committed_before_ms: i64,
    n_rows: u32,
) -> rusqlite::Result<u32> {
    let tx = conn.transaction()?;
    let mut raw_bytes = 0;
    let doomed: Vec<(i64, Hash)> = tx
        .prepare_cached(
            "SELECT last, hash, raw_bytes FROM batch WHERE last < ?1 AND committed_ms < ?2 ORDER BY last LIMIT ?3",
        )?
        .query_map(params![keep_from.cast_signed(), committed_before_ms, n_rows], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?))
        })?
        .take_while(|row| {
            let fits = raw_bytes < PRUNED_BYTES_MAX;
            raw_bytes += row.as_ref().map_or(0, |(_, _, bytes)| *bytes);
            fits
        })
        .map(|row| row.map(|(last, hash, _)| (last, hash)))
        .collect::<rusqlite::Result<_>>()?;
    let Some((last, hash)) = doomed.last() else { return Ok(0) };
    keep_registry(&tx, *last)?;
    tx.execute("DELETE FROM batch WHERE last <= ?1", [last])?;
    tx.execute("INSERT OR REPLACE INTO anchor VALUES (1, ?1, ?2)", params![last, hash])?;
    tx.commit()?;
    Ok(u32::try_from(doomed.len()).unwrap_or(u32::MAX))
}

/// Keeps the last registry of the rows up to `last`, if there is one in them.
fn keep_registry(conn: &Connection, last: i64) -> rusqlite::Result<()> {
    let mut rows =
        conn.prepare_cached("SELECT first, raw_bytes, body FROM batch WHERE last <= ?1 ORDER BY last DESC")?;
    let mut rows = rows.query([last])?;
    while let Some(row) = rows.next()? {
        let first = row.get::<_, i64>(0)?.cast_unsigned();
        let raw_bytes = usize::try_from(row.get::<_, i64>(1)?.clamp(0, RAW_BYTES_MAX)).unwrap_or(0);
        let body = row.get_ref(2)?.as_blob().unwrap_or_default();
        // A damaged row was an error to whoever read it; it may go all the same.
        let Ok(raw) = zstd::bulk::decompress(body, raw_bytes) else { continue };
        if let Some((offset, frame)) = last_registry(first, &raw) {
            conn.execute(
                "INSERT OR REPLACE INTO kept_registry VALUES (1, ?1, ?2)",
                params![offset.cast_signed(), zstd::encode_all(frame, 1).unwrap_or_default()],
            )?;
            return Ok(());
        }
    }
    Ok(())
}

/// The last registry among the frames of a row, and its number.
fn last_registry(first: Offset, frames: &[u8]) -> Option<(Offset, &[u8])> {
    let (mut rest, mut found) = (frames, None);
    for offset in first.. {
        let Some((message, after)) = frame::read(rest) else { break };
        if message.kind == Kind::Registry {
            found = Some((offset, &rest[..rest.len() - after.len()]));
        }
        rest = after;
    }
    found
}

/// The last registry that was removed with its row: its number and its frame.
pub(super) fn kept_registry(conn: &Connection) -> rusqlite::Result<Option<(Offset, Vec<u8>)>> {
    conn.query_row("SELECT at_offset, frame FROM kept_registry", [], |row| {
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
    })
    .optional()
}
