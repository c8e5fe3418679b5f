//! What is too old or too much goes: whole blocks, oldest first. Rows and parts are never touched.

use rusqlite::{Connection, OptionalExtension, params};

use super::close::add_block_bytes;
use super::error::{HistoryError, sql};
use super::schema::{hour_of, hour_of_block};
use crate::model::time::{DAY_MS, HOUR_MS, UtcMs};

/// Blocks removed in one call, at most.
const N_REMOVED_BLOCKS_MAX: i64 = 4_096;

/// How long and how large history may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Older blocks are removed, days.
    pub days_max: u32,
    /// Above this the oldest blocks are removed, bytes.
    pub bytes_max: u64,
}

/// Removes blocks beyond the bounds, a bounded piece of work; true if more is to be done.
///
/// Bytes are those of blocks alone: an InfluxDB that is away makes rows wait, and must not cost years of history.
///
/// # Errors
/// The store cannot be read or written.
pub fn retain(conn: &Connection, bounds: Retention, now: UtcMs) -> Result<bool, HistoryError> {
    let oldest_kept = hour_of(now.plus(-i64::from(bounds.days_max).saturating_mul(DAY_MS)));
    let work = || -> rusqlite::Result<bool> {
        let Some(oldest) = oldest_hour(conn)? else { return Ok(false) };
        let too_old = oldest < oldest_kept;
        let bytes_over = block_bytes(conn)?.saturating_sub_unsigned(bounds.bytes_max);
        if !too_old && bytes_over <= 0 {
            return Ok(false);
        }
        let bytes_wanted = if too_old { i64::MAX } else { bytes_over };
        let before = if too_old { i64::from(oldest_kept) } else { i64::MAX };
        let (ids, bytes) = oldest_blocks(conn, before, bytes_wanted)?;
        if let Some(last) = ids.iter().map(|id| hour_of_block(*id)).max() {
            let from = i64::from(last).saturating_add(1);
            conn.prepare_cached("UPDATE history_kept SET hour = max(hour, ?1)")?.execute([from])?;
        }
        for id in &ids {
            conn.prepare_cached("DELETE FROM history_block WHERE id = ?1")?.execute([id])?;
        }
        add_block_bytes(conn, -bytes)?;
        Ok(true)
    };
    work().map_err(sql("remove old blocks"))
}

/// From this moment on nothing has been removed.
///
/// # Errors
/// The store cannot be read.
pub fn kept_from(conn: &Connection) -> Result<UtcMs, HistoryError> {
    conn.prepare_cached("SELECT hour FROM history_kept")
        .and_then(|mut s| s.query_row([], |row| row.get::<_, i64>(0)))
        .map(|hour| UtcMs(hour.saturating_mul(HOUR_MS)).max(UtcMs::MIN))
        .map_err(sql("read what is kept"))
}

/// Size of all blocks, bytes.
fn block_bytes(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT block_bytes FROM history_mark")?.query_row([], |row| row.get(0))
}

fn oldest_hour(conn: &Connection) -> rusqlite::Result<Option<i32>> {
    conn.prepare_cached("SELECT hour FROM history_block ORDER BY hour LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// The oldest blocks of hours before `before` that together have at least `bytes_wanted`, and their bytes.
fn oldest_blocks(conn: &Connection, before: i64, bytes_wanted: i64) -> rusqlite::Result<(Vec<i64>, i64)> {
    let mut statement = conn.prepare_cached(
        "SELECT id, length(body) FROM history_block WHERE hour < ?1 ORDER BY hour, id LIMIT ?2",
    )?;
    let mut rows = statement.query(params![before, N_REMOVED_BLOCKS_MAX])?;
    let (mut ids, mut bytes) = (Vec::new(), 0);
    while bytes < bytes_wanted
        && let Some(row) = rows.next()?
    {
        ids.push(row.get(0)?);
        bytes += row.get::<_, i64>(1)?;
    }
    Ok((ids, bytes))
}
