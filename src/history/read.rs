//! A meter's readings in time order, from blocks, parts and rows alike.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{HistoryError, sql};
use super::fold::gathered;
use super::meters;
use super::pool::{Entry, Pool};
use super::schema::{block_id, bucket_of, hour_of, hour_of_block};
use crate::model::quantity::Channel;
use crate::model::reading::{Offset, Quality, ReadingBatch};
use crate::model::time::UtcMs;

/// A reading, as it is shown to a visitor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<'a> {
    /// When it was measured.
    pub time: UtcMs,
    /// When it was received.
    pub received: UtcMs,
    /// The message it came in.
    pub offset: Offset,
    /// How far it can be trusted.
    pub quality: Quality,
    /// What was measured, in channel order.
    pub values: &'a [(Channel, f64)],
}

/// What is wanted of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// Its id; one that history does not know has no readings.
    pub meter: &'a str,
    /// Measured at or after this.
    pub from: UtcMs,
    /// Measured before this.
    pub to: UtcMs,
    /// Only these channels, and only readings that have one of them.
    pub only: Option<&'a [Channel]>,
}

impl<'a> Query<'a> {
    /// All readings of a meter in `from..to`.
    #[must_use]
    pub const fn new(meter: &'a str, from: UtcMs, to: UtcMs) -> Query<'a> {
        Query { meter, from, to, only: None }
    }
}

/// Shows every wanted reading to `visit`, by measuring time and then by arrival, an hour in memory at a time.
///
/// # Errors
/// The store cannot be read, or holds damaged bytes.
pub fn visit(
    conn: &Connection,
    query: &Query<'_>,
    visit: &mut dyn FnMut(Point<'_>),
) -> Result<(), HistoryError> {
    let _snapshot = snapshot(conn)?;
    let Some(meter) = meters::find(conn, query.meter)? else { return Ok(()) };
    if query.from >= query.to {
        return Ok(());
    }
    let mut shower = Shower::new(query, visit);
    let mut pool = Pool::default();
    let mut pending = pending(conn, meter, Some((query.from, query.to)), &mut pool)?;
    pending.sort_unstable_by_key(|e| e.time);
    let n_groups = pool.n_groups();
    let mut pending = pending.chunk_by(|a, b| hour(a) == hour(b)).peekable();

    let at = sql("read blocks");
    let mut statement = conn
        .prepare_cached("SELECT id, body FROM history_block WHERE id BETWEEN ?1 AND ?2 ORDER BY id")
        .map_err(&at)?;
    let last = hour_of(query.to.plus(-1));
    let mut rows =
        statement.query([block_id(meter, hour_of(query.from)), block_id(meter, last)]).map_err(&at)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(&at)? {
        let id = row.get(0).map_err(&at)?;
        while let Some(hours) = pending.next_if(|e| hour(&e[0]) < hour_of_block(id)) {
            entries.clear();
            entries.extend_from_slice(hours);
            shower.show(&pool, &mut entries);
        }
        entries.clear();
        entries.extend(pending.next_if(|e| hour(&e[0]) == hour_of_block(id)).into_iter().flatten());
        let body = row.get_ref(1).and_then(|b| Ok(b.as_blob()?)).map_err(&at)?;
        pool.add(body, None, &mut entries).ok_or(HistoryError::Damaged { what: "block", id })?;
        shower.show(&pool, &mut entries);
        pool.truncate(n_groups);
    }
    for hours in pending {
        entries.clear();
        entries.extend_from_slice(hours);
        shower.show(&pool, &mut entries);
    }
    Ok(())
}

/// The wanted readings as a batch, with the meter's key in `head.meter`. A month of minutes with ten values takes
/// some ten megabytes; for more use [`visit`].
///
/// # Errors
/// As [`visit`].
pub fn range(conn: &Connection, query: &Query<'_>) -> Result<ReadingBatch, HistoryError> {
    let key = meters::find(conn, query.meter)?.unwrap_or(0);
    let mut found = ReadingBatch::default();
    visit(conn, query, &mut |point| push(&mut found, key, &point))?;
    Ok(found)
}

/// The reading measured last (of several, the one that arrived last), as a batch of one, or of none.
///
/// # Errors
/// As [`visit`].
pub fn last(conn: &Connection, meter: &str) -> Result<ReadingBatch, HistoryError> {
    let _snapshot = snapshot(conn)?;
    let mut found = ReadingBatch::default();
    let Some(key) = meters::find(conn, meter)? else { return Ok(found) };
    let mut pool = Pool::default();
    let mut entries = pending(conn, key, None, &mut pool)?;
    let newest: Option<(i64, Vec<u8>)> = conn
        .prepare_cached(
            "SELECT id, body FROM history_block WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1",
        )
        .and_then(|mut s| {
            let bounds = [block_id(key, i32::MIN), block_id(key, i32::MAX)];
            s.query_row(bounds, |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(sql("read the newest block"))?;
    if let Some((id, body)) = newest {
        pool.add(&body, None, &mut entries).ok_or(HistoryError::Damaged { what: "block", id })?;
    }
    let Some(newest) = entries.iter().map(|e| e.time).max() else { return Ok(found) };
    entries.retain(|e| e.time == newest);
    let query = Query::new(meter, UtcMs(newest), UtcMs(i64::MAX));
    let mut keep = |point: Point<'_>| {
        found.clear();
        push(&mut found, key, &point);
    };
    let mut shower = Shower::new(&query, &mut keep);
    shower.to = None;
    shower.show(&pool, &mut entries);
    Ok(found)
}

fn push(batch: &mut ReadingBatch, key: u32, point: &Point<'_>) {
    batch.begin(key, point.time, point.received, point.offset, point.quality);
    batch.push_checked(point.values.iter().copied());
}

fn hour(entry: &Entry) -> i32 {
    hour_of(UtcMs(entry.time))
}

/// Several statements see the same state of the store, unless the caller's transaction gives that already.
fn snapshot(conn: &Connection) -> Result<Option<rusqlite::Transaction<'_>>, HistoryError> {
    if !conn.is_autocommit() {
        return Ok(None);
    }
    conn.unchecked_transaction().map(Some).map_err(sql("begin to read"))
}

/// A meter's readings that are in no block yet; with a span, only those of it and some around.
fn pending(
    conn: &Connection,
    meter: u32,
    span: Option<(UtcMs, UtcMs)>,
    pool: &mut Pool,
) -> Result<Vec<Entry>, HistoryError> {
    let (from, to) = span.unwrap_or((UtcMs(i64::MIN), UtcMs(i64::MAX)));
    let mut entries = Vec::new();
    let parts = "SELECT id, body FROM history_part WHERE bucket = ?1 AND hour BETWEEN ?2 AND ?3 ORDER BY id";
    let place = params![bucket_of(meter), hour_of(from), hour_of(to)];
    add_all(conn, ("part", parts), place, meter, pool, &mut entries)?;
    let rows = "SELECT id, body FROM history_row WHERE id > ?1 AND max_ms >= ?2 AND min_ms <= ?3 ORDER BY id";
    let place = params![gathered(conn)?, from.0, to.0];
    add_all(conn, ("row", rows), place, meter, pool, &mut entries)?;
    entries.retain(|e| from.0 <= e.time && (span.is_none() || e.time < to.0));
    Ok(entries)
}

fn add_all(
    conn: &Connection,
    (what, statement): (&'static str, &str),
    place: &[&dyn rusqlite::ToSql],
    meter: u32,
    pool: &mut Pool,
    entries: &mut Vec<Entry>,
) -> Result<(), HistoryError> {
    let at = sql("read what is not in blocks yet");
    let mut statement = conn.prepare_cached(statement).map_err(&at)?;
    let mut rows = statement.query(place).map_err(&at)?;
    while let Some(row) = rows.next().map_err(&at)? {
        let id = row.get(0).map_err(&at)?;
        let body = row.get_ref(1).and_then(|b| Ok(b.as_blob()?)).map_err(&at)?;
        pool.add(body, Some(&[meter]), entries).ok_or(HistoryError::Damaged { what, id })?;
    }
    Ok(())
}

/// Shows readings of one hour after the other.
struct Shower<'a> {
    from: i64,
    to: Option<i64>,
    /// The wanted channels, a bit each.
    wanted: u64,
    /// Whether a reading without any channel is shown.
    all: bool,
    values: Vec<(Channel, f64)>,
    visit: &'a mut dyn FnMut(Point<'_>),
}

impl<'a> Shower<'a> {
    fn new(query: &Query<'_>, visit: &'a mut dyn FnMut(Point<'_>)) -> Shower<'a> {
        let wanted = query.only.map_or(u64::MAX, |only| only.iter().fold(0, |mask, c| mask | 1 << c.0));
        let (from, to) = (query.from.0, Some(query.to.0));
        Shower { from, to, wanted, all: query.only.is_none(), values: Vec::new(), visit }
    }

    fn show(&mut self, pool: &Pool, entries: &mut Vec<Entry>) {
        pool.settle(entries);
        // By time, then by arrival; readings of one message that differ in their channels in any fixed order.
        entries.sort_by_key(|e| (e.time, e.offset, e.mask));
        for entry in entries.iter() {
            let in_time = self.from <= entry.time && self.to.is_none_or(|to| entry.time < to);
            if !in_time || !(self.all || entry.mask & self.wanted != 0) {
                continue;
            }
            let (group, at) = pool.reading(entry);
            self.values.clear();
            for (column, channel) in group.channels.iter().enumerate() {
                if self.wanted & 1 << channel.0 != 0 {
                    self.values.push((*channel, group.value(column, at)));
                }
            }
            (self.visit)(Point {
                time: UtcMs(entry.time),
                received: UtcMs(entry.time.wrapping_add(group.lag[at])),
                offset: entry.offset,
                quality: Quality(group.quality[at].to_le_bytes()[0]),
                values: &self.values,
            });
        }
    }
}
