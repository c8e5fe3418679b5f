//! What a site's later findings made, for when they are made anew.

use rusqlite::{Connection, params};

use super::error::{StoreError, sql};
use super::records::parse_alert;
use crate::alerts::alert::Alert;
use crate::model::time::UtcMs;

/// A change of state as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Point id.
    pub point: String,
    /// When.
    pub at: UtcMs,
    /// Name of the state.
    pub state: String,
}

/// The alerts of a site that a finding after number `said` changed last.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn alerts_after(conn: &Connection, site: &str, said: u64) -> Result<Vec<Alert>, StoreError> {
    let statement = "SELECT body FROM alert WHERE site = ?1 AND said > ?2 ORDER BY said, id";
    alerts(conn, statement, params![site, said.cast_signed()])
}

/// The open alerts of a site.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn open_alerts(conn: &Connection, site: &str) -> Result<Vec<Alert>, StoreError> {
    let statement = "SELECT body FROM alert WHERE site = ?1 AND status = 'open' ORDER BY said, id";
    alerts(conn, statement, params![site])
}

/// The alert that stands of that site, rule, subject and begin, whatever its id.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn standing(conn: &Connection, of: &Alert) -> Result<Option<Alert>, StoreError> {
    let statement = "SELECT body FROM alert WHERE site = ?1 AND first_ms = ?2 AND status <> 'retracted'";
    let found = alerts(conn, statement, params![&*of.site, of.first.0])?;
    Ok(found.into_iter().find(|a| a.is_of(of.rule, &of.subject_kind, &of.subject, of.first)))
}

fn alerts(
    conn: &Connection,
    statement: &str,
    wanted: impl rusqlite::Params,
) -> Result<Vec<Alert>, StoreError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        conn.prepare_cached(statement)?.query_map(wanted, |row| row.get(0))?.collect()
    };
    read().map_err(sql("read the alerts of a site"))?.iter().map(|body| parse_alert(body)).collect()
}

/// The changes of state that findings after number `said` made, oldest first.
///
/// # Errors
/// The store cannot be read.
pub fn states_after(conn: &Connection, site: &str, said: u64) -> Result<Vec<StateChange>, StoreError> {
    let read = || -> rusqlite::Result<Vec<StateChange>> {
        conn.prepare_cached(
            "SELECT point, at_ms, state FROM state_change WHERE site = ?1 AND said > ?2 ORDER BY at_ms, point, said",
        )?
        .query_map(params![site, said.cast_signed()], |row| {
            Ok(StateChange { point: row.get(0)?, at: UtcMs(row.get(1)?), state: row.get(2)? })
        })?
        .collect()
    };
    read().map_err(sql("read the changes of state of a site"))
}

/// Takes those changes of state away.
///
/// # Errors
/// The store cannot be written.
pub fn remove_states_after(conn: &Connection, site: &str, said: u64) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM state_change WHERE site = ?1 AND said > ?2")
        .and_then(|mut s| s.execute(params![site, said.cast_signed()]))
        .map(|_| ())
        .map_err(sql("remove changes of state"))
}
