//! From rows to blocks, a bounded piece of work at a time: gathering rows into parts, closing parts into blocks, and
//! taking away rows that nobody names any more.

use rusqlite::{Connection, params};

use super::close;
use super::error::{HistoryError, sql};
use super::ints::Effort;
use super::pool::{Entry, Pool};
use super::schema::{bucket_of, hour_of};
use crate::model::time::{MINUTE_MS, UtcMs};

/// Rows are gathered once they hold so many readings; about so many are gathered at once.
const N_GATHERED_READINGS: i64 = 32_768;

/// Or once there are so many rows; no more are gathered at once.
const N_GATHERED_ROWS: i64 = 1_024;

/// Or once the oldest of them was received so long ago, ms.
const GATHERED_AFTER_MS: i64 = MINUTE_MS;

/// Rows taken away in one go, at most.
const N_REMOVED_ROWS_MAX: i64 = 2_048;

/// Readings of the rows taken away in one go, about.
const N_REMOVED_READINGS: i64 = 262_144;

/// Does a bounded piece of folding (some ten milliseconds, some ten megabytes) and tells whether more is to be done.
///
/// Rows from `keep_rows_from` on stay readable by [`batch::read`](super::batch::read); whether they are folded by then
/// makes no difference to range reads.
///
/// # Errors
/// The store cannot be read or written, or holds damaged bytes.
pub fn fold(conn: &Connection, now: UtcMs, keep_rows_from: Option<i64>) -> Result<bool, HistoryError> {
    let worked = gather(conn, now)? || close::close(conn, now)?;
    let removed = remove_rows(conn, keep_rows_from)?;
    Ok(worked || removed)
}

/// The same as far as parts, for when there is no time for more: rows must not pile up, since every range read goes
/// through all that are left.
///
/// # Errors
/// As [`fold`].
pub fn fold_in_haste(
    conn: &Connection,
    now: UtcMs,
    keep_rows_from: Option<i64>,
) -> Result<bool, HistoryError> {
    let worked = gather(conn, now)?;
    let removed = remove_rows(conn, keep_rows_from)?;
    Ok(worked || removed)
}

/// Rows that are not gathered yet.
struct Waiting {
    last: i64,
    n_readings: i64,
    n_rows: i64,
    received_ms: i64,
}

/// Up to this row everything is in parts or blocks.
pub(super) fn gathered(conn: &Connection) -> Result<i64, HistoryError> {
    conn.prepare_cached("SELECT gathered FROM history_mark")
        .and_then(|mut s| s.query_row([], |row| row.get(0)))
        .map_err(sql("read its mark"))
}

fn waiting(conn: &Connection, after: i64) -> Result<Option<Waiting>, HistoryError> {
    let read = || -> rusqlite::Result<Option<Waiting>> {
        let mut statement = conn.prepare_cached(
            "SELECT id, n, received_ms FROM history_row WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let mut rows = statement.query(params![after, N_GATHERED_ROWS])?;
        let mut waiting: Option<Waiting> = None;
        while let Some(row) = rows.next()? {
            let (last, n, received_ms) = (row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
            let so_far = waiting.get_or_insert(Waiting { last, n_readings: 0, n_rows: 0, received_ms });
            so_far.last = last;
            so_far.n_rows += 1;
            so_far.n_readings += n;
            so_far.received_ms = so_far.received_ms.min(received_ms);
            if so_far.n_readings >= N_GATHERED_READINGS {
                break;
            }
        }
        Ok(waiting)
    };
    read().map_err(sql("look for rows to gather"))
}

/// Puts the readings of the oldest rows into parts, if that is due.
fn gather(conn: &Connection, now: UtcMs) -> Result<bool, HistoryError> {
    let mark = gathered(conn)?;
    let Some(waiting) = waiting(conn, mark)? else { return Ok(false) };
    let due = waiting.n_readings >= N_GATHERED_READINGS
        || waiting.n_rows >= N_GATHERED_ROWS
        || now.since(UtcMs(waiting.received_ms)) >= GATHERED_AFTER_MS;
    if !due {
        return Ok(false);
    }
    let (mut pool, mut entries) = (Pool::default(), Vec::new());
    add_rows(conn, mark, waiting.last, &mut pool, &mut entries)?;
    let place = |e: &Entry| (hour_of(UtcMs(e.time)), bucket_of(e.meter));
    entries.sort_by_cached_key(place);
    let mut body = Vec::new();
    for readings in entries.chunk_by_mut(|a, b| place(a) == place(b)) {
        readings.sort_unstable_by_key(|e| (e.mask, e.meter, e.time, e.offset));
        body.clear();
        pool.pack(readings, Effort::Quick, &mut body);
        put_part(conn, place(&readings[0]), readings.len(), &body).map_err(sql("write a part"))?;
    }
    conn.prepare_cached("UPDATE history_mark SET gathered = ?1")
        .and_then(|mut s| s.execute([waiting.last]))
        .map_err(sql("move its mark"))?;
    Ok(true)
}

fn add_rows(
    conn: &Connection,
    after: i64,
    last: i64,
    pool: &mut Pool,
    entries: &mut Vec<Entry>,
) -> Result<(), HistoryError> {
    let at = sql("read rows to gather");
    let mut statement = conn
        .prepare_cached("SELECT id, body FROM history_row WHERE id > ?1 AND id <= ?2 ORDER BY id")
        .map_err(&at)?;
    let mut rows = statement.query([after, last]).map_err(&at)?;
    while let Some(row) = rows.next().map_err(&at)? {
        let id = row.get(0).map_err(&at)?;
        let body = row.get_ref(1).and_then(|b| Ok(b.as_blob()?)).map_err(&at)?;
        pool.add(body, None, entries).ok_or(HistoryError::Damaged { what: "row", id })?;
    }
    Ok(())
}

fn put_part(conn: &Connection, (hour, bucket): (i32, u32), n: usize, body: &[u8]) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO history_part (bucket, hour, body) VALUES (?1, ?2, ?3)")?
        .execute(params![bucket, hour, body])?;
    conn.prepare_cached(
        "INSERT INTO history_place VALUES (?1, ?2, ?3) ON CONFLICT (hour, bucket) DO UPDATE SET n = n + ?3",
    )?
    .execute(params![hour, bucket, i64::try_from(n).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// Takes gathered rows away, oldest first; true if some are left that may go.
fn remove_rows(conn: &Connection, keep_from: Option<i64>) -> Result<bool, HistoryError> {
    let last = gathered(conn)?.min(keep_from.map_or(i64::MAX, |keep| keep.saturating_sub(1)));
    let work = || -> rusqlite::Result<bool> {
        let mut statement =
            conn.prepare_cached("SELECT id, n FROM history_row WHERE id <= ?1 ORDER BY id LIMIT ?2")?;
        let mut rows = statement.query([last, N_REMOVED_ROWS_MAX])?;
        let (mut until, mut n_rows, mut n_readings) = (None, 0, 0);
        while n_readings < N_REMOVED_READINGS
            && let Some(row) = rows.next()?
        {
            until = Some(row.get::<_, i64>(0)?);
            n_rows += 1;
            n_readings += row.get::<_, i64>(1)?;
        }
        drop(rows);
        let Some(until) = until else { return Ok(false) };
        conn.prepare_cached("DELETE FROM history_row WHERE id <= ?1")?.execute([until])?;
        Ok(n_rows == N_REMOVED_ROWS_MAX || n_readings >= N_REMOVED_READINGS)
    };
    work().map_err(sql("remove gathered rows"))
}
