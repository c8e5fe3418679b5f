//! What judging a past span again needs: states of sites saved on the way, the configurations they were judged by, and
//! when nobody listened.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{StoreError, sql};
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// The tables.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS checkpoint (
  site TEXT, judged_ms INTEGER, layout INTEGER, body BLOB, PRIMARY KEY (site, judged_ms)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS site_version (
  site TEXT, at_offset INTEGER, since_ms INTEGER, judged_ms INTEGER, body BLOB, PRIMARY KEY (site, at_offset)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unheard (at_offset INTEGER PRIMARY KEY, from_ms INTEGER, to_ms INTEGER);
";

/// A state of a site, as it was judged up to a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Up to when.
    pub judged: UtcMs,
    /// The engine's own bytes.
    pub body: Vec<u8>,
}

/// A configuration of a site, from a message on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The message by which it came into force.
    pub offset: Offset,
    /// When that was, by the journal.
    pub since: UtcMs,
    /// Up to when the site was judged by the one before.
    pub judged: UtcMs,
    /// The engine's own bytes.
    pub body: Vec<u8>,
}

/// A time in which nobody listened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard {
    /// The message by which it ended.
    pub offset: Offset,
    /// From.
    pub from: UtcMs,
    /// To.
    pub to: UtcMs,
}

/// Writes a checkpoint.
///
/// # Errors
/// The store cannot be written.
pub fn put_checkpoint(
    conn: &Connection,
    site: &str,
    layout: i64,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO checkpoint VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut s| {
            let Checkpoint { judged, body } = checkpoint;
            s.execute(params![site, judged.0, layout, body])
        })
        .map(|_| ())
        .map_err(sql("write a checkpoint"))
}

/// The newest checkpoint of a site that was judged to before `moment`.
///
/// # Errors
/// The store cannot be read.
pub fn checkpoint_before(
    conn: &Connection,
    site: &str,
    layout: i64,
    moment: UtcMs,
) -> Result<Option<Checkpoint>, StoreError> {
    conn.prepare_cached(
        "SELECT judged_ms, body FROM checkpoint
         WHERE site = ?1 AND judged_ms < ?2 AND layout = ?3 ORDER BY judged_ms DESC LIMIT 1",
    )
    .and_then(|mut s| {
        s.query_row(params![site, moment.0, layout], |row| {
            Ok(Checkpoint { judged: UtcMs(row.get(0)?), body: row.get(1)? })
        })
        .optional()
    })
    .map_err(sql("read a checkpoint"))
}

/// The moments a site has checkpoints of, oldest first.
///
/// # Errors
/// The store cannot be read.
pub fn checkpoints(conn: &Connection, site: &str) -> Result<Vec<UtcMs>, StoreError> {
    let read = || -> rusqlite::Result<Vec<UtcMs>> {
        conn.prepare_cached("SELECT judged_ms FROM checkpoint WHERE site = ?1 ORDER BY judged_ms")?
            .query_map([site], |row| Ok(UtcMs(row.get(0)?)))?
            .collect()
    };
    read().map_err(sql("list checkpoints"))
}

/// Takes a checkpoint away.
///
/// # Errors
/// The store cannot be written.
pub fn remove_checkpoint(conn: &Connection, site: &str, judged: UtcMs) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM checkpoint WHERE site = ?1 AND judged_ms = ?2")
        .and_then(|mut s| s.execute(params![site, judged.0]))
        .map(|_| ())
        .map_err(sql("remove a checkpoint"))
}

/// Writes a version.
///
/// # Errors
/// The store cannot be written.
pub fn put_version(conn: &Connection, site: &str, version: &Version) -> Result<(), StoreError> {
    let Version { offset, since, judged, body } = version;
    conn.prepare_cached("INSERT OR REPLACE INTO site_version VALUES (?1, ?2, ?3, ?4, ?5)")
        .and_then(|mut s| s.execute(params![site, offset.cast_signed(), since.0, judged.0, body]))
        .map(|_| ())
        .map_err(sql("write a version of a site"))
}

/// The first version of a site that came by message `from` or a later one up to `up_to`.
///
/// # Errors
/// The store cannot be read.
pub fn version(
    conn: &Connection,
    site: &str,
    from: Offset,
    up_to: Offset,
) -> Result<Option<Version>, StoreError> {
    conn.prepare_cached(
        "SELECT at_offset, since_ms, judged_ms, body FROM site_version
         WHERE site = ?1 AND at_offset >= ?2 AND at_offset <= ?3 ORDER BY at_offset LIMIT 1",
    )
    .and_then(|mut s| {
        s.query_row(params![site, from.cast_signed(), up_to.cast_signed()], |row| {
            Ok(Version {
                offset: row.get::<_, i64>(0)?.cast_unsigned(),
                since: UtcMs(row.get(1)?),
                judged: UtcMs(row.get(2)?),
                body: row.get(3)?,
            })
        })
        .optional()
    })
    .map_err(sql("read a version of a site"))
}

/// The message by which the version of a site came that was in force at a moment, if it had one by then.
///
/// # Errors
/// The store cannot be read.
pub fn version_at(conn: &Connection, site: &str, at: UtcMs) -> Result<Option<Offset>, StoreError> {
    conn.prepare_cached(
        "SELECT at_offset FROM site_version WHERE site = ?1 AND since_ms <= ?2
             ORDER BY at_offset DESC LIMIT 1",
    )
    .and_then(|mut s| s.query_row(params![site, at.0], |row| row.get::<_, i64>(0)).optional())
    .map(|offset| offset.map(i64::cast_unsigned))
    .map_err(sql("read a version of a site"))
}

/// Notes when nobody listened.
///
/// # Errors
/// The store cannot be written.
pub fn put_unheard(conn: &Connection, unheard: &Unheard) -> Result<(), StoreError> {
    let Unheard { offset, from, to } = unheard;
    conn.prepare_cached("INSERT OR REPLACE INTO unheard VALUES (?1, ?2, ?3)")
        .and_then(|mut s| s.execute(params![offset.cast_signed(), from.0, to.0]))
        .map(|_| ())
        .map_err(sql("note when nobody listened"))
}

/// The first time in which nobody listened that was told by a message after `after` up to `up_to`.
///
/// # Errors
/// The store cannot be read.
pub fn unheard(conn: &Connection, after: Offset, up_to: Offset) -> Result<Option<Unheard>, StoreError> {
    conn.prepare_cached(
        "SELECT at_offset, from_ms, to_ms FROM unheard WHERE at_offset > ?1 AND at_offset <= ?2
         ORDER BY at_offset LIMIT 1",
    )
    .and_then(|mut s| {
        s.query_row(params![after.cast_signed(), up_to.cast_signed()], |row| {
            Ok(Unheard {
                offset: row.get::<_, i64>(0)?.cast_unsigned(),
                from: UtcMs(row.get(1)?),
                to: UtcMs(row.get(2)?),
            })
        })
        .optional()
    })
    .map_err(sql("read when nobody listened"))
}
