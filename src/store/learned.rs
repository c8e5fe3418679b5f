//! What was learned of sites, and what was decided about it: for people to see, and for an engine whose snapshot is lost.

use rusqlite::{Connection, params};

use super::error::{StoreError, sql};
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// The tables. What is in a page and in a decision is the engine's own, as JSON.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS learned (site TEXT PRIMARY KEY, at_offset INTEGER, body TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS learned_by_change ON learned (at_offset);
CREATE TABLE IF NOT EXISTS decision (
  at_offset INTEGER, n INTEGER, site TEXT, at_ms INTEGER, command TEXT, who TEXT, note TEXT, body TEXT,
  PRIMARY KEY (at_offset, n)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decision_by_site ON decision (site, at_offset);
";

/// Something that was decided about a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The message by which it was decided, and its place among what that decided.
    pub offset: Offset,
    /// Its place.
    pub n: u32,
    /// Site id.
    pub site: String,
    /// When, by the journal.
    pub at: UtcMs,
    /// What was asked: `propose`, `confirm`, `reject`, `commission`.
    pub command: String,
    /// By whom.
    pub who: String,
    /// What they wrote.
    pub note: String,
    /// What was decided, as JSON.
    pub body: String,
}

/// Writes the page of a site.
///
/// # Errors
/// The store cannot be written.
pub fn put_page(conn: &Connection, site: &str, offset: Offset, body: &str) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO learned VALUES (?1, ?2, ?3)")
        .and_then(|mut s| s.execute(params![site, offset.cast_signed(), body]))
        .map(|_| ())
        .map_err(sql("write what was learned of a site"))
}

/// The page of every site, or of one.
///
/// # Errors
/// The store cannot be read.
pub fn pages(conn: &Connection, site: Option<&str>) -> Result<Vec<(String, String)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(String, String)>> {
        conn.prepare_cached("SELECT site, body FROM learned WHERE ?1 IS NULL OR site = ?1 ORDER BY site")?
            .query_map([site], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    read().map_err(sql("read what was learned of sites"))
}

/// The pages that were written by messages after this one.
///
/// # Errors
/// The store cannot be read.
pub fn pages_after(conn: &Connection, offset: Offset) -> Result<Vec<(String, String)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(String, String)>> {
        conn.prepare_cached("SELECT site, body FROM learned WHERE at_offset > ?1")?
            .query_map([offset.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    read().map_err(sql("read what was learned lately"))
}

/// Writes a decision.
///
/// # Errors
/// The store cannot be written.
pub fn put_decision(conn: &Connection, decision: &Decision) -> Result<(), StoreError> {
    let Decision { offset, n, site, at, command, who, note, body } = decision;
    conn.prepare_cached("INSERT OR REPLACE INTO decision VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        .and_then(|mut s| s.execute(params![offset.cast_signed(), n, site, at.0, command, who, note, body]))
        .map(|_| ())
        .map_err(sql("write a decision"))
}

/// What was decided about a site, newest first; by one message only where `offset` is given.
///
/// # Errors
/// The store cannot be read.
pub fn decisions(
    conn: &Connection,
    site: &str,
    offset: Option<Offset>,
    limit: u32,
) -> Result<Vec<Decision>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Decision>> {
        conn.prepare_cached(
            "SELECT at_offset, n, site, at_ms, command, who, note, body FROM decision
             WHERE site = ?1 AND (?2 IS NULL OR at_offset = ?2) ORDER BY at_offset DESC, n DESC LIMIT ?3",
        )?
        .query_map(params![site, offset.map(u64::cast_signed), limit], |row| {
            Ok(Decision {
                offset: row.get::<_, i64>(0)?.cast_unsigned(),
                n: row.get(1)?,
                site: row.get(2)?,
                at: UtcMs(row.get(3)?),
                command: row.get(4)?,
                who: row.get(5)?,
                note: row.get(6)?,
                body: row.get(7)?,
            })
        })?
        .collect()
    };
    read().map_err(sql("read what was decided"))
}
