//! From parts to blocks, when an hour is over or a place holds much.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{HistoryError, sql};
use super::ints::Effort;
use super::pool::{Entry, Pool};
use super::schema::{block_id, hour_of};
use crate::model::time::{MINUTE_MS, UtcMs};

/// An hour is closed so long after its end: what comes later is merged into its blocks, which costs more.
const CLOSED_AFTER_MS: i64 = 5 * MINUTE_MS;

/// A place with so many readings is closed before its hour is over, so that no piece of work becomes large.
const N_PLACE_READINGS: i64 = 32_768;

/// Readings closed in one call, about; a place is closed whole.
const N_CLOSED_READINGS: i64 = 16_384;

/// Places closed in one call, at most.
const N_CLOSED_PLACES: i64 = 64;

struct Place {
    hour: i32,
    bucket: u32,
    n: i64,
}

/// Closes places that are due, oldest hours first; true if it did any work.
pub(super) fn close(conn: &Connection, now: UtcMs) -> Result<bool, HistoryError> {
    let open_hour = hour_of(now.plus(-CLOSED_AFTER_MS));
    let due = due(conn, open_hour).map_err(sql("look for parts to close"))?;
    let mut closer = Closer { conn, pool: Pool::default(), added_bytes: 0 };
    let mut n = 0;
    for place in &due {
        if n > 0 && n + place.n > N_CLOSED_READINGS {
            break;
        }
        closer.close(place)?;
        n += place.n;
    }
    if closer.added_bytes != 0 {
        add_block_bytes(conn, closer.added_bytes).map_err(sql("count its blocks"))?;
    }
    Ok(!due.is_empty())
}

/// Corrects the size of all blocks.
pub(super) fn add_block_bytes(conn: &Connection, bytes: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE history_mark SET block_bytes = block_bytes + ?1")?.execute([bytes])?;
    Ok(())
}

fn due(conn: &Connection, open_hour: i32) -> rusqlite::Result<Vec<Place>> {
    conn.prepare_cached(
        "SELECT hour, bucket, n FROM history_place WHERE hour < ?1 OR n >= ?2 ORDER BY hour, bucket LIMIT ?3",
    )?
    .query_map(params![open_hour, N_PLACE_READINGS, N_CLOSED_PLACES], |row| {
        Ok(Place { hour: row.get(0)?, bucket: row.get(1)?, n: row.get(2)? })
    })?
    .collect()
}

struct Closer<'a> {
    conn: &'a Connection,
    pool: Pool,
    added_bytes: i64,
}

impl Closer<'_> {
    fn close(&mut self, place: &Place) -> Result<(), HistoryError> {
        let mut entries = Vec::new();
        self.pool.truncate(0);
        self.add_parts(place, &mut entries)?;
        // Arrival last: `settle` puts each meter's readings in order.
        entries.sort_unstable_by_key(|e| e.meter);
        let n_groups = self.pool.n_groups();
        let (mut own, mut body) = (Vec::new(), Vec::new());
        for readings in entries.chunk_by(|a, b| a.meter == b.meter) {
            let id = block_id(readings[0].meter, place.hour);
            own.clear();
            own.extend_from_slice(readings);
            let known_bytes = self.add_block(id, &mut own)?;
            self.pool.settle(&mut own);
            body.clear();
            self.pool.pack(&own, Effort::Thorough, &mut body);
            self.pool.truncate(n_groups);
            self.put_block(id, place.hour, &body)?;
            self.added_bytes += i64::try_from(body.len()).unwrap_or(i64::MAX) - known_bytes;
        }
        self.remove_parts(place).map_err(sql("remove closed parts"))
    }

    fn add_parts(&mut self, place: &Place, entries: &mut Vec<Entry>) -> Result<(), HistoryError> {
        let at = sql("read parts to close");
        let mut statement = self
            .conn
            .prepare_cached("SELECT id, body FROM history_part WHERE bucket = ?1 AND hour = ?2")
            .map_err(&at)?;
        let mut rows = statement.query(params![place.bucket, place.hour]).map_err(&at)?;
        while let Some(row) = rows.next().map_err(&at)? {
            let id = row.get(0).map_err(&at)?;
            let body = row.get_ref(1).and_then(|b| Ok(b.as_blob()?)).map_err(&at)?;
            self.pool.add(body, None, entries).ok_or(HistoryError::Damaged { what: "part", id })?;
        }
        Ok(())
    }

    /// Adds the readings of a block that is already there, and gives its size.
    fn add_block(&mut self, id: i64, entries: &mut Vec<Entry>) -> Result<i64, HistoryError> {
        let body: Option<Vec<u8>> = self
            .conn
            .prepare_cached("SELECT body FROM history_block WHERE id = ?1")
            .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
            .map_err(sql("read a block to add to"))?;
        let Some(body) = body else { return Ok(0) };
        self.pool.add(&body, None, entries).ok_or(HistoryError::Damaged { what: "block", id })?;
        Ok(i64::try_from(body.len()).unwrap_or(i64::MAX))
    }

    fn put_block(&self, id: i64, hour: i32, body: &[u8]) -> Result<(), HistoryError> {
        self.conn
            .prepare_cached("INSERT OR REPLACE INTO history_block VALUES (?1, ?2, ?3)")
            .and_then(|mut s| s.execute(params![id, hour, body]))
            .map_err(sql("write a block"))?;
        Ok(())
    }

    fn remove_parts(&self, place: &Place) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached("DELETE FROM history_part WHERE bucket = ?1 AND hour = ?2")?
            .execute(params![place.bucket, place.hour])?;
        self.conn
            .prepare_cached("DELETE FROM history_place WHERE hour = ?1 AND bucket = ?2")?
            .execute(params![place.hour, place.bucket])?;
        Ok(())
    }
}
