//! The readings of several meters in a span, all at once: rows and parts, which hold thousands of meters, are unpacked
//! once and not once for each of them. For judging a site again.

use rusqlite::{Connection, params};

use super::error::{HistoryError, sql};
use super::fold::gathered;
use super::meters;
use super::pool::{Entry, Pool};
use super::read::Point;
use super::schema::{block_id, bucket_of, hour_of};
use crate::model::quantity::Channel;
use crate::model::reading::{Offset, Quality};
use crate::model::time::UtcMs;

/// Which readings.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Measured at or after this.
    pub from: UtcMs,
    /// Measured before this.
    pub to: UtcMs,
    /// That came in this message or an earlier one.
    pub up_to: Offset,
}

/// Shows every reading of the meters, with the place of its meter in the list; of a meter in order of measuring time and
/// then of arrival. Returns how many there were. Meant for spans of hours: all of it is in memory at once.
///
/// # Errors
/// The store cannot be read, or holds damaged bytes.
pub fn visit(
    conn: &Connection,
    ids: &[&str],
    span: Span,
    visit: &mut dyn FnMut(usize, Point<'_>),
) -> Result<usize, HistoryError> {
    let mut keys = Vec::with_capacity(ids.len());
    for (place, id) in ids.iter().enumerate() {
        keys.extend(meters::find(conn, id)?.map(|key| (key, place)));
    }
    keys.sort_unstable();
    if span.from >= span.to || keys.is_empty() {
        return Ok(0);
    }
    let (mut pool, mut entries) = (Pool::default(), Vec::new());
    let place = |entry: &Entry| keys.binary_search_by_key(&entry.meter, |(key, _)| *key).ok();
    gather(conn, span, &keys, &mut pool, &mut entries)?;
    let wanted = |e: &Entry| span.from.0 <= e.time && e.time < span.to.0 && e.offset <= span.up_to;
    entries.retain(|e| wanted(e) && place(e).is_some());
    pool.settle(&mut entries);
    entries.sort_by_key(|e| (e.meter, e.time, e.offset, e.mask));
    let mut values: Vec<(Channel, f64)> = Vec::new();
    for entry in &entries {
        let (group, at) = pool.reading(entry);
        values.clear();
        values.extend(group.channels.iter().enumerate().map(|(c, channel)| (*channel, group.value(c, at))));
        let point = Point {
            time: UtcMs(entry.time),
            received: UtcMs(entry.time.wrapping_add(group.lag[at])),
            offset: entry.offset,
            quality: Quality(group.quality[at].to_le_bytes()[0]),
            values: &values,
        };
        if let Some(found) = place(entry) {
            visit(keys[found].1, point);
        }
    }
    Ok(entries.len())
}

fn gather(
    conn: &Connection,
    span: Span,
    keys: &[(u32, usize)],
    pool: &mut Pool,
    entries: &mut Vec<Entry>,
) -> Result<(), HistoryError> {
    let (first, last) = (hour_of(span.from), hour_of(span.to.plus(-1)));
    let blocks = "SELECT id, body FROM history_block WHERE id BETWEEN ?1 AND ?2";
    for (key, _) in keys {
        add(
            conn,
            ("block", blocks),
            params![block_id(*key, first), block_id(*key, last)],
            keys,
            pool,
            entries,
        )?;
    }
    let parts = "SELECT id, body FROM history_part WHERE bucket = ?1 AND hour BETWEEN ?2 AND ?3";
    let mut buckets: Vec<u32> = keys.iter().map(|(key, _)| bucket_of(*key)).collect();
    buckets.dedup();
    for bucket in buckets {
        add(conn, ("part", parts), params![bucket, first, last], keys, pool, entries)?;
    }
    let rows = "SELECT id, body FROM history_row WHERE id > ?1 AND max_ms >= ?2 AND min_ms < ?3";
    add(conn, ("row", rows), params![gathered(conn)?, span.from.0, span.to.0], keys, pool, entries)
}

fn add(
    conn: &Connection,
    (what, statement): (&'static str, &str),
    place: &[&dyn rusqlite::ToSql],
    keys: &[(u32, usize)],
    pool: &mut Pool,
    entries: &mut Vec<Entry>,
) -> Result<(), HistoryError> {
    let at = sql("read the readings of a site");
    let only: Vec<u32> = keys.iter().map(|(key, _)| *key).collect();
    let mut statement = conn.prepare_cached(statement).map_err(&at)?;
    let mut rows = statement.query(place).map_err(&at)?;
    while let Some(row) = rows.next().map_err(&at)? {
        let id = row.get(0).map_err(&at)?;
        let body = row.get_ref(1).and_then(|b| Ok(b.as_blob()?)).map_err(&at)?;
        pool.add(body, Some(&only), entries).ok_or(HistoryError::Damaged { what, id })?;
    }
    Ok(())
}
