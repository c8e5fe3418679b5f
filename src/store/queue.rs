//! The outbox queue: what must leave, written in the transaction that made it, taken away when it was delivered.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::error::{StoreError, sql};
use crate::alerts::alert::Alert;
use crate::model::site::PointKind;
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::notices::notice::Notice;

/// Tables of the queue.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, batch INTEGER, body TEXT
);
CREATE INDEX IF NOT EXISTS outbox_by_sink ON outbox (sink, id);
CREATE INDEX IF NOT EXISTS outbox_by_batch ON outbox (batch) WHERE batch IS NOT NULL;
CREATE INDEX IF NOT EXISTS outbox_events ON outbox (sink, id) WHERE batch IS NULL;
CREATE TABLE IF NOT EXISTS outbox_bad (
  id INTEGER PRIMARY KEY, sink TEXT NOT NULL, line TEXT, status INTEGER, why TEXT, set_aside_ms INTEGER
);
";

/// So many lines set aside are kept for people to look at. What the oldest of them said is still in history, in the
/// table of alerts or in that of state changes.
const N_BAD_MAX: i64 = 100_000;

/// Something that must leave. Readings are named, not copied: they lie in a row of history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The readings of a history row.
    Readings {
        /// The row.
        row: i64,
    },
    /// A unit changed its state.
    State {
        /// Site id.
        site: Box<str>,
        /// Point id.
        point: Box<str>,
        /// What the point is.
        kind: PointKind,
        /// The new state.
        state: State,
        /// Since when.
        since: UtcMs,
    },
    /// An alert, as it was after a change.
    Alert(Box<Alert>),
    /// What a receiver is told of a site.
    Notice(Box<Notice>),
}

/// An entry with its place in the queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// Its number; later entries have larger ones.
    pub id: i64,
    /// What must leave, or what lies there and cannot be read.
    pub entry: Result<Entry, Damaged>,
}

/// An entry that cannot be read. It must not keep those behind it from leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// As it lies there.
    pub body: String,
    /// Why it cannot be read.
    pub why: String,
}

/// A part of a sink's queue that is taken in order: all of it, what happened, or readings to or after a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    which: Which,
    after: i64,
    upto: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    Events,
    Readings,
}

impl Lane {
    /// Everything.
    pub const ALL: Lane = Lane { which: Which::All, after: 0, upto: i64::MAX };
    /// States and alerts.
    pub const EVENTS: Lane = Lane { which: Which::Events, after: 0, upto: i64::MAX };

    /// Readings up to and with entry `mark`.
    #[must_use]
    pub const fn readings_to(mark: i64) -> Lane {
        Lane { which: Which::Readings, after: 0, upto: mark }
    }

    /// Readings after entry `mark`.
    #[must_use]
    pub const fn readings_after(mark: i64) -> Lane {
        Lane { which: Which::Readings, after: mark, upto: i64::MAX }
    }

    /// Whether the oldest readings that wait are in it.
    #[must_use]
    pub fn is_front(self) -> bool {
        self.which != Which::Events && self.after == 0
    }

    /// Table, index and condition: `?1` = sink, `?2` = after, `?3` = up to. The index is named, since the planner would
    /// rather sort by another one than walk this one.
    const fn rows(self) -> &'static str {
        match self.which {
            Which::All => "outbox INDEXED BY outbox_by_sink WHERE sink = ?1 AND id > ?2 AND id <= ?3",
            Which::Events => {
                "outbox INDEXED BY outbox_events WHERE sink = ?1 AND id > ?2 AND id <= ?3 AND batch IS NULL"
            }
            Which::Readings => {
                "outbox INDEXED BY outbox_by_sink WHERE sink = ?1 AND id > ?2 AND id <= ?3 AND batch IS NOT NULL"
            }
        }
    }
}

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Backlog {
    /// Entries in the queue.
    pub n_entries: u64,
    /// Lines that were set aside.
    pub n_bad: u64,
}

/// A line the far side refused for its own sake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BadLine {
    /// The line.
    pub line: String,
    /// The far side's status; 0 = it was never sent, since it could not be made.
    pub status: u16,
    /// Its words.
    pub why: String,
    /// When it was set aside.
    pub set_aside: UtcMs,
}

/// Adds an entry for a sink.
///
/// # Errors
/// The store cannot be written.
pub fn push(conn: &Connection, sink: &str, entry: &Entry) -> Result<(), StoreError> {
    let (batch, body) = match entry {
        Entry::Readings { row } => (Some(*row), None),
        other => {
            let body = serde_json::to_string(other)
                .map_err(|source| StoreError::Body { what: "outbox entry", source })?;
            (None, Some(body))
        }
    };
    conn.prepare_cached("INSERT INTO outbox (sink, batch, body) VALUES (?1, ?2, ?3)")
        .and_then(|mut s| s.execute(params![sink, batch, body]))
        .map_err(sql("push into the outbox"))?;
    Ok(())
}

/// The oldest entries of a lane after `after`, at most `limit`.
///
/// # Errors
/// The store cannot be read.
pub fn next(
    conn: &Connection,
    sink: &str,
    lane: Lane,
    after: i64,
    limit: u32,
) -> Result<Vec<Queued>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Queued>> {
        conn.prepare_cached(&format!("SELECT id, batch, body FROM {} ORDER BY id LIMIT ?4", lane.rows()))?
            .query_map(params![sink, after.max(lane.after), lane.upto, limit], |row| {
                let entry = match row.get(1)? {
                    Some(row) => Ok(Entry::Readings { row }),
                    None => parse(row.get::<_, Option<String>>(2)?.unwrap_or_default()),
                };
                Ok(Queued { id: row.get(0)?, entry })
            })?
            .collect()
    };
    read().map_err(sql("read the outbox"))
}

fn parse(body: String) -> Result<Entry, Damaged> {
    serde_json::from_str(&body).map_err(|error| Damaged { why: error.to_string(), body })
}

/// The newest entry of a sink; 0 = there is none.
///
/// # Errors
/// The store cannot be read.
pub fn newest(conn: &Connection, sink: &str) -> Result<i64, StoreError> {
    conn.prepare_cached("SELECT ifnull(max(id), 0) FROM outbox WHERE sink = ?1")
        .and_then(|mut s| s.query_row([sink], |row| row.get(0)))
        .map_err(sql("read the outbox"))
}

/// Takes delivered entries away, those of a lane up to and with `last`, and sets aside what was refused of them; both
/// or neither. Returns how many entries that were.
///
/// # Errors
/// The store cannot be written.
pub fn settle(
    conn: &mut Connection,
    sink: &str,
    lane: Lane,
    last: i64,
    bad: &[BadLine],
) -> Result<u64, StoreError> {
    let failed = sql("take delivered entries out of the outbox");
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    for line in bad {
        set_aside(&tx, sink, line)?;
    }
    let last = last.min(lane.upto);
    let n_gone = tx
        .prepare_cached(&format!("DELETE FROM {}", lane.rows()))
        .and_then(|mut s| s.execute(params![sink, lane.after, last]))
        .map_err(&failed)?;
    tx.commit().map_err(&failed)?;
    Ok(n_gone as u64)
}

/// Sets a line aside with the far side's words.
fn set_aside(conn: &Connection, sink: &str, bad: &BadLine) -> Result<(), StoreError> {
    let insert = || -> rusqlite::Result<()> {
        conn.prepare_cached(
            "INSERT INTO outbox_bad (sink, line, status, why, set_aside_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![sink, bad.line, bad.status, bad.why, bad.set_aside.0])?;
        let newest = conn.last_insert_rowid();
        conn.prepare_cached("DELETE FROM outbox_bad WHERE id <= ?1")?.execute([newest - N_BAD_MAX])?;
        Ok(())
    };
    insert().map_err(sql("set a line aside"))
}

/// Lines set aside, newest first.
///
/// # Errors
/// The store cannot be read.
pub fn bad_lines(conn: &Connection, sink: &str, limit: u32) -> Result<Vec<BadLine>, StoreError> {
    let read = || -> rusqlite::Result<Vec<BadLine>> {
        conn.prepare_cached(
            "SELECT line, status, why, set_aside_ms FROM outbox_bad WHERE sink = ?1 ORDER BY id DESC LIMIT ?2",
        )?
        .query_map(params![sink, limit], |row| {
            Ok(BadLine {
                line: row.get(0)?,
                status: row.get(1)?,
                why: row.get(2)?,
                set_aside: UtcMs(row.get(3)?),
            })
        })?
        .collect()
    };
    read().map_err(sql("list lines set aside"))
}

/// What waits for a sink.
///
/// # Errors
/// The store cannot be read.
pub fn backlog(conn: &Connection, sink: &str) -> Result<Backlog, StoreError> {
    let count = |table: &str| -> rusqlite::Result<u64> {
        let statement = format!("SELECT count(*) FROM {table} WHERE sink = ?1");
        conn.query_row(&statement, [sink], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
    };
    let both = || Ok(Backlog { n_entries: count("outbox")?, n_bad: count("outbox_bad")? });
    both().map_err(sql("count the outbox"))
}

/// Lets go of what waits for other sinks than these; returns how many entries that were. A sink that is configured no
/// more would keep history rows from being folded for good.
///
/// # Errors
/// The store cannot be read or written.
pub fn forget_others(conn: &Connection, sinks: &[String]) -> Result<u64, StoreError> {
    let forget = || -> rusqlite::Result<u64> {
        let mut distinct = conn.prepare("SELECT DISTINCT sink FROM outbox")?;
        let found: Vec<String> = distinct.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let others = found.iter().filter(|sink| !sinks.contains(sink));
        others.map(|sink| Ok(conn.execute("DELETE FROM outbox WHERE sink = ?1", [sink])? as u64)).sum()
    };
    forget().map_err(sql("let go of what waits for sinks that are no more"))
}

/// The oldest history row some entry still names; rows before it may be folded and forgotten.
///
/// # Errors
/// The store cannot be read.
pub fn oldest_row(conn: &Connection) -> Result<Option<i64>, StoreError> {
    conn.prepare_cached("SELECT min(batch) FROM outbox WHERE batch IS NOT NULL")
        .and_then(|mut s| s.query_row([], |row| row.get(0)).optional())
        .map(Option::flatten)
        .map_err(sql("read the outbox"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINK: &str = "influx";

    fn queue() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        conn
    }

    fn state(since: i64) -> Entry {
        Entry::State {
            site: "s".into(),
            point: "p".into(),
            kind: PointKind::Treatment,
            state: State::Off,
            since: UtcMs(since),
        }
    }

    fn ids(conn: &Connection, lane: Lane) -> Vec<i64> {
        next(conn, SINK, lane, 0, 100).unwrap().iter().map(|q| q.id).collect()
    }

    #[test]
    fn lanes_share_the_queue_and_each_loses_only_its_own() {
        let mut conn = queue();
        for n in 1..=4 {
            push(&conn, SINK, &Entry::Readings { row: n }).unwrap();
            push(&conn, SINK, &state(n)).unwrap();
            push(&conn, "other", &Entry::Readings { row: n }).unwrap();
        }
        assert_eq!(newest(&conn, SINK).unwrap(), 11);
        let (backlog, live) = (Lane::readings_to(6), Lane::readings_after(6));
        assert_eq!(ids(&conn, Lane::ALL), [1, 2, 4, 5, 7, 8, 10, 11]);
        assert_eq!(ids(&conn, Lane::EVENTS), [2, 5, 8, 11]);
        assert_eq!(ids(&conn, backlog), [1, 4]);
        assert_eq!(ids(&conn, live), [7, 10]);

        settle(&mut conn, SINK, live, 7, &[]).unwrap();
        settle(&mut conn, SINK, Lane::EVENTS, 5, &[]).unwrap();
        assert_eq!(ids(&conn, Lane::ALL), [1, 4, 8, 10, 11]);
        settle(&mut conn, SINK, backlog, 99, &[]).unwrap();
        assert_eq!(ids(&conn, Lane::ALL), [8, 10, 11]);
        settle(&mut conn, SINK, Lane::ALL, 10, &[]).unwrap();
        assert_eq!(ids(&conn, Lane::ALL), [11]);
        assert_eq!(oldest_row(&conn).unwrap(), Some(1), "the other sink still needs them");
        assert_eq!(forget_others(&conn, &[SINK.to_owned()]).unwrap(), 4);
        assert_eq!((ids(&conn, Lane::ALL), oldest_row(&conn).unwrap()), (vec![11], None));
    }

    #[test]
    fn a_damaged_entry_is_given_out_as_such_and_with_it_what_lies_behind() {
        let conn = queue();
        push(&conn, SINK, &state(1)).unwrap();
        conn.execute("UPDATE outbox SET body = '{\"state\":{'", []).unwrap();
        push(&conn, SINK, &state(2)).unwrap();
        let found = next(&conn, SINK, Lane::ALL, 0, 10).unwrap();
        assert_eq!(found[0].entry.as_ref().unwrap_err().body, "{\"state\":{");
        assert_eq!(found[1].entry, Ok(state(2)));
    }

    #[test]
    fn no_lane_is_read_by_sorting() {
        let conn = queue();
        for lane in [Lane::ALL, Lane::EVENTS, Lane::readings_to(5), Lane::readings_after(5)] {
            let plan: Vec<String> = conn
                .prepare(&format!("EXPLAIN QUERY PLAN SELECT id FROM {} ORDER BY id LIMIT 1", lane.rows()))
                .unwrap()
                .query_map(params![SINK, 0, 9], |row| row.get(3))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            assert_eq!(plan.len(), 1, "{lane:?}: {plan:?}");
            assert!(plan[0].contains("sink=? AND id>? AND id<?"), "{lane:?}: {plan:?}");
        }
    }
}
