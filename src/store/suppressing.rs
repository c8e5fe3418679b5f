//! What suppresses alerts: filed maintenance, points in commissioning, and when the next suppressed alert is told again.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::error::{StoreError, sql};
use super::records::parse_alert;
use crate::alerts::alert::Alert;
use crate::model::maintenance::Filing;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// The tables.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS maintenance (
  at_offset INTEGER PRIMARY KEY, site TEXT, from_ms INTEGER, ends_ms INTEGER, counts INTEGER, body TEXT
);
CREATE INDEX IF NOT EXISTS maintenance_by_site ON maintenance (site, from_ms);
CREATE TABLE IF NOT EXISTS commissioning (
  site TEXT, point TEXT, from_ms INTEGER, to_ms INTEGER, PRIMARY KEY (site, point, from_ms)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS suppression_end (alert TEXT PRIMARY KEY, to_ms INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS suppression_by_end ON suppression_end (to_ms);
";

/// Maintenance as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Maintenance {
    /// Its id: `m` and the number of the message it came by.
    pub id: String,
    /// When it was filed, by the journal.
    pub filed: UtcMs,
    /// Whether it was filed before it began: else it is a declaration, and suppresses nothing.
    pub counts: bool,
    /// What was filed.
    #[serde(flatten)]
    pub filing: Filing,
    /// When, and by whom, it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<(UtcMs, String)>,
}

impl Maintenance {
    /// The id of what came by a message.
    #[must_use]
    pub fn id_of(offset: Offset) -> String {
        format!("m{offset}")
    }

    fn offset(id: &str) -> Option<i64> {
        id.strip_prefix('m')?.parse().ok()
    }

    /// When it is over: at its end, or when it was withdrawn before.
    #[must_use]
    pub fn ends(&self) -> UtcMs {
        self.withdrawn.as_ref().map_or(self.filing.to, |(at, _)| self.filing.to.min(*at))
    }
}

/// A point in commissioning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InService {
    /// Site id.
    pub site: String,
    /// Point id.
    pub point: String,
    /// From.
    pub from: UtcMs,
    /// Up to; `None` where no end is known.
    pub to: Option<UtcMs>,
}

fn run(
    conn: &Connection,
    operation: &'static str,
    statement: &str,
    values: impl rusqlite::Params,
) -> Result<(), StoreError> {
    conn.prepare_cached(statement).and_then(|mut s| s.execute(values)).map(|_| ()).map_err(sql(operation))
}

fn bodies(
    conn: &Connection,
    operation: &'static str,
    statement: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<String>, StoreError> {
    let read =
        || conn.prepare_cached(statement)?.query_map(values, |row| row.get(0))?.collect::<Result<_, _>>();
    read().map_err(sql(operation))
}

fn parse(body: &str) -> Result<Maintenance, StoreError> {
    serde_json::from_str(body).map_err(|source| StoreError::Body { what: "maintenance", source })
}

/// Writes maintenance as it is now.
///
/// # Errors
/// The store cannot be written.
pub fn put_maintenance(conn: &Connection, own: &Maintenance) -> Result<(), StoreError> {
    let body = serde_json::to_string(own);
    let body = body.map_err(|source| StoreError::Body { what: "maintenance", source })?;
    let site = &own.filing.site;
    run(
        conn,
        "write maintenance",
        "INSERT OR REPLACE INTO maintenance VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![Maintenance::offset(&own.id), site, own.filing.from.0, own.ends().0, own.counts, body],
    )
}

/// Maintenance by its id.
///
/// # Errors
/// The store cannot be read, or the record in it is damaged.
pub fn maintenance(conn: &Connection, id: &str) -> Result<Option<Maintenance>, StoreError> {
    let Some(offset) = Maintenance::offset(id) else { return Ok(None) };
    let body: Option<String> = conn
        .prepare_cached("SELECT body FROM maintenance WHERE at_offset = ?1")
        .and_then(|mut s| s.query_row([offset], |row| row.get(0)).optional())
        .map_err(sql("read maintenance"))?;
    body.map(|b| parse(&b)).transpose()
}

/// All maintenance, of one site or of all, the last that was filed first.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn list(conn: &Connection, site: Option<&str>) -> Result<Vec<Maintenance>, StoreError> {
    let statement = "SELECT body FROM maintenance WHERE ?1 IS NULL OR site = ?1 ORDER BY at_offset DESC";
    bodies(conn, "list maintenance", statement, [site])?.iter().map(|b| parse(b)).collect()
}

/// Maintenance of a site that counts and that a moment lies in.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn maintenance_at(conn: &Connection, site: &str, at: UtcMs) -> Result<Vec<Maintenance>, StoreError> {
    let statement =
        "SELECT body FROM maintenance WHERE site = ?1 AND from_ms <= ?2 AND ends_ms > ?2 AND counts
                     ORDER BY at_offset";
    bodies(conn, "read maintenance", statement, params![site, at.0])?.iter().map(|b| parse(b)).collect()
}

/// Writes from when to when a point is in commissioning.
///
/// # Errors
/// The store cannot be written.
pub fn put_commissioning(conn: &Connection, own: &InService) -> Result<(), StoreError> {
    run(
        conn,
        "write a commissioning",
        "INSERT OR REPLACE INTO commissioning VALUES (?1, ?2, ?3, ?4)",
        params![own.site, own.point, own.from.0, own.to.map(|t| t.0)],
    )
}

/// Every commissioning that ends after a moment: of one site, or of all.
///
/// # Errors
/// The store cannot be read.
pub fn commissioning_after(
    conn: &Connection,
    site: Option<&str>,
    at: UtcMs,
) -> Result<Vec<InService>, StoreError> {
    let read = || -> rusqlite::Result<Vec<InService>> {
        conn.prepare_cached(
            "SELECT site, point, from_ms, to_ms FROM commissioning
             WHERE (?1 IS NULL OR site = ?1) AND (to_ms IS NULL OR to_ms > ?2) ORDER BY site, point, from_ms",
        )?
        .query_map(params![site, at.0], |row| {
            let to: Option<i64> = row.get(3)?;
            Ok(InService {
                site: row.get(0)?,
                point: row.get(1)?,
                from: UtcMs(row.get(2)?),
                to: to.map(UtcMs),
            })
        })?
        .collect()
    };
    read().map_err(sql("read commissionings"))
}

/// The power cuts of a site that stand and hold a moment, by their alerts; `slack_ms` wider at the begin.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn power_cuts_at(
    conn: &Connection,
    site: &str,
    at: UtcMs,
    slack_ms: i64,
) -> Result<Vec<Alert>, StoreError> {
    let statement = "SELECT body FROM alert WHERE site = ?1 AND first_ms <= ?2 AND cleared_ms >= ?3
                     AND rule = 'power_cut' AND status = 'cleared' ORDER BY first_ms";
    let values = params![site, at.plus(slack_ms).0, at.0];
    bodies(conn, "read power cuts", statement, values)?.iter().map(|b| parse_alert(b)).collect()
}

/// The alerts of a site that stand and began from a moment up to, and with, another.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn alerts_begun(
    conn: &Connection,
    site: &str,
    (from, to): (UtcMs, UtcMs),
) -> Result<Vec<Alert>, StoreError> {
    let statement = "SELECT body FROM alert WHERE site = ?1 AND first_ms >= ?2 AND first_ms <= ?3
                     AND status <> 'retracted' ORDER BY said, id";
    let values = params![site, from.0, to.0];
    bodies(conn, "read the alerts of a site", statement, values)?.iter().map(|b| parse_alert(b)).collect()
}

/// Notes when an alert is told again unless it has ended; `None` for never.
///
/// # Errors
/// The store cannot be written.
pub fn put_end(conn: &Connection, alert: &str, to: Option<UtcMs>) -> Result<(), StoreError> {
    const NOTE: &str = "note the end of a suppression";
    match to {
        Some(to) => {
            run(conn, NOTE, "INSERT OR REPLACE INTO suppression_end VALUES (?1, ?2)", params![alert, to.0])
        }
        None => run(conn, NOTE, "DELETE FROM suppression_end WHERE alert = ?1", [alert]),
    }
}

/// When the next suppression ends.
///
/// # Errors
/// The store cannot be read.
pub fn next_end(conn: &Connection) -> Result<Option<UtcMs>, StoreError> {
    conn.prepare_cached("SELECT min(to_ms) FROM suppression_end")
        .and_then(|mut s| s.query_row([], |row| row.get::<_, Option<i64>>(0)))
        .map(|end| end.map(UtcMs))
        .map_err(sql("read the ends of suppressions"))
}

/// The alerts whose suppression has ended by a moment.
///
/// # Errors
/// The store cannot be read.
pub fn ended(conn: &Connection, now: UtcMs) -> Result<Vec<String>, StoreError> {
    let statement = "SELECT alert FROM suppression_end WHERE to_ms <= ?1 ORDER BY to_ms, alert";
    bodies(conn, "read the ends of suppressions", statement, [now.0])
}
