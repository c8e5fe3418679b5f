//! What is going on at all sites, in short: read whole once, and then only what has changed.

use rusqlite::{Connection, Row, params};

use super::error::{StoreError, sql};
use crate::model::reading::Offset;
use crate::model::rule::{Level, Rule};
use crate::model::state::State;
use crate::model::time::UtcMs;

/// An alert in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// Its id.
    pub id: Box<str>,
    /// Site id.
    pub site: Box<str>,
    /// Rule.
    pub rule: Rule,
    /// Id of its process or point, or name of the gateway.
    pub subject: Box<str>,
    /// Level now.
    pub level: Level,
    /// First certain moment.
    pub first: UtcMs,
    /// When it was raised.
    pub raised: UtcMs,
    /// When it certainly ended.
    pub cleared: Option<UtcMs>,
    /// Whether it is open; one that is retracted is neither open nor cleared.
    pub is_open: bool,
    /// Whether readings that came later show that it never held.
    pub is_retracted: bool,
    /// Whether somebody took note.
    pub is_acknowledged: bool,
    /// Whether nobody is told of it.
    pub is_suppressed: bool,
    /// The message that changed it last.
    pub offset: Offset,
}

/// A unit's state, and the message that changed it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitNow {
    /// Site id.
    pub site: Box<str>,
    /// Point id.
    pub point: Box<str>,
    /// State.
    pub state: State,
    /// Since when.
    pub since: UtcMs,
}

const BRIEF: &str = "SELECT id, site, rule, subject, level, first_ms, raised_ms, cleared_ms, status, acknowledged, suppressed,
  changed_at_offset FROM alert";

/// A row whose rule or level this program does not know is of a later one, and left out.
fn brief(row: &Row<'_>) -> rusqlite::Result<Option<Brief>> {
    let (rule, level, status): (String, i64, String) = (row.get(2)?, row.get(4)?, row.get(8)?);
    let rule = Rule::ALL.iter().copied().find(|r| r.name() == rule);
    let level = Level::ALL.iter().copied().find(|l| *l as i64 == level);
    let Some((rule, level)) = rule.zip(level) else { return Ok(None) };
    Ok(Some(Brief {
        id: row.get(0)?,
        site: row.get(1)?,
        rule,
        subject: row.get(3)?,
        level,
        first: UtcMs(row.get(5)?),
        raised: UtcMs(row.get(6)?),
        cleared: row.get::<_, Option<i64>>(7)?.map(UtcMs),
        is_open: status == "open",
        is_retracted: status == "retracted",
        is_acknowledged: row.get(9)?,
        is_suppressed: row.get(10)?,
        offset: row.get::<_, i64>(11)?.cast_unsigned(),
    }))
}

fn briefs(conn: &Connection, which: &str, value: i64) -> Result<Vec<Brief>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Brief>> {
        let mut rows = conn.prepare_cached(&format!("{BRIEF} WHERE {which}"))?;
        let all: rusqlite::Result<Vec<Option<Brief>>> = rows.query_map([value], brief)?.collect();
        Ok(all?.into_iter().flatten().collect())
    };
    read().map_err(sql("read alerts in short"))
}

/// Every alert that is open.
///
/// # Errors
/// The store cannot be read.
pub fn open(conn: &Connection) -> Result<Vec<Brief>, StoreError> {
    briefs(conn, "status = 'open' AND ?1 = 0", 0)
}

/// Every alert that ended at a moment or later.
///
/// # Errors
/// The store cannot be read.
pub fn ended_since(conn: &Connection, since: UtcMs) -> Result<Vec<Brief>, StoreError> {
    briefs(conn, "status = 'cleared' AND cleared_ms >= ?1", since.0)
}

/// Every alert that was changed by a message after this one.
///
/// # Errors
/// The store cannot be read.
pub fn changed_after(conn: &Connection, offset: Offset) -> Result<Vec<Brief>, StoreError> {
    briefs(conn, "changed_at_offset > ?1 ORDER BY changed_at_offset", offset.cast_signed())
}

fn units(conn: &Connection, from: &str, value: i64) -> Result<Vec<UnitNow>, StoreError> {
    let read = || -> rusqlite::Result<Vec<UnitNow>> {
        conn.prepare_cached(&format!("SELECT site, point, state, since_ms FROM unit_state {from}"))?
            .query_map(params![value], |row| {
                let state: String = row.get(2)?;
                let state = State::ALL.into_iter().find(|s| s.name() == state).unwrap_or(State::Unknown);
                Ok(UnitNow { site: row.get(0)?, point: row.get(1)?, state, since: UtcMs(row.get(3)?) })
            })?
            .collect()
    };
    read().map_err(sql("read states in short"))
}

/// The state of every unit.
///
/// # Errors
/// The store cannot be read.
pub fn all_units(conn: &Connection) -> Result<Vec<UnitNow>, StoreError> {
    units(conn, "WHERE ?1 = 0", 0)
}

/// The state of every unit of which a message after this one changed something.
///
/// # Errors
/// The store cannot be read.
pub fn units_after(conn: &Connection, offset: Offset) -> Result<Vec<UnitNow>, StoreError> {
    let changed = "WHERE (site, point) IN (SELECT site, point FROM state_change WHERE at_offset > ?1)";
    units(conn, changed, offset.cast_signed())
}

/// The last messages by which the configuration came, and by which something was learned.
///
/// # Errors
/// The store cannot be read.
pub fn configured_by(conn: &Connection) -> Result<(Offset, Offset), StoreError> {
    let read = || -> rusqlite::Result<(i64, i64)> {
        conn.prepare_cached(
            "SELECT coalesce((SELECT at_offset FROM registry), 0), coalesce((SELECT max(at_offset) FROM learned), 0)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let (registry, learned) = read().map_err(sql("read when the configuration came"))?;
    Ok((registry.cast_unsigned(), learned.cast_unsigned()))
}
