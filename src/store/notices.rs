//! What receivers know of alerts: the rows beside the alerts by which nothing is told twice and nothing forgotten.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{StoreError, sql};
use super::records::parse_alert;
use crate::alerts::alert::Alert;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;
use crate::notices::item::Item;

/// The tables.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS notice_receiver (
  name TEXT PRIMARY KEY, after_offset INTEGER, awake INTEGER, policy TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notice_item (
  receiver TEXT, alert TEXT, site TEXT, due_ms INTEGER, stands INTEGER, body TEXT, PRIMARY KEY (receiver, alert)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notice_by_due ON notice_item (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS notice_by_site ON notice_item (receiver, site) WHERE due_ms IS NOT NULL OR stands;
";

/// A receiver as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// It is told of nothing that came to be known by this message or before, but of what stands then.
    pub after: Offset,
    /// Whether it was told of what stands, or is about to be.
    pub awake: bool,
    /// By what it is told, as text.
    pub policy: String,
}

/// A row: one alert to one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name of the receiver.
    pub receiver: Box<str>,
    /// Alert id.
    pub alert: Box<str>,
    /// Site id.
    pub site: Box<str>,
    /// When it is to be looked at.
    pub due: Option<UtcMs>,
    /// What it knows.
    pub item: Item,
}

/// All receivers there were.
///
/// # Errors
/// The store cannot be read.
pub fn receivers(conn: &Connection) -> Result<Vec<Known>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Known>> {
        conn.prepare_cached("SELECT name, after_offset, awake, policy FROM notice_receiver ORDER BY name")?
            .query_map([], |row| {
                let after: i64 = row.get(1)?;
                Ok(Known {
                    name: row.get(0)?,
                    after: after.cast_unsigned(),
                    awake: row.get(2)?,
                    policy: row.get(3)?,
                })
            })?
            .collect()
    };
    read().map_err(sql("read the receivers of notices"))
}

/// Writes a receiver.
///
/// # Errors
/// The store cannot be written.
pub fn put_receiver(conn: &Connection, own: &Known) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO notice_receiver VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut s| s.execute(params![own.name, own.after.cast_signed(), own.awake, own.policy]))
        .map(|_| ())
        .map_err(sql("write a receiver of notices"))
}

/// Forgets a receiver and what it knows.
///
/// # Errors
/// The store cannot be written.
pub fn forget_receiver(conn: &Connection, name: &str) -> Result<(), StoreError> {
    let forget = || {
        conn.execute("DELETE FROM notice_item WHERE receiver = ?1", [name])?;
        conn.execute("DELETE FROM notice_receiver WHERE name = ?1", [name])
    };
    forget().map(|_| ()).map_err(sql("forget a receiver of notices"))
}

/// Has everything of a receiver that is still to be told, or told again, looked at with the next tick.
///
/// # Errors
/// The store cannot be written.
pub fn look_anew(conn: &Connection, receiver: &str) -> Result<(), StoreError> {
    let statement =
        "UPDATE notice_item SET due_ms = ?2 WHERE receiver = ?1 AND (due_ms IS NOT NULL OR stands)";
    conn.execute(statement, params![receiver, UtcMs::MIN.0])
        .map(|_| ())
        .map_err(sql("have notices looked at anew"))
}

/// Writes what a receiver knows of an alert.
///
/// # Errors
/// The store cannot be written.
pub fn put(conn: &Connection, row: &Row) -> Result<(), StoreError> {
    let body = serde_json::to_string(&row.item)
        .map_err(|source| StoreError::Body { what: "notice item", source })?;
    conn.prepare_cached("INSERT OR REPLACE INTO notice_item VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .and_then(|mut s| {
            let due = row.due.map(|due| due.0);
            s.execute(params![&*row.receiver, &*row.alert, &*row.site, due, row.item.stands(), body])
        })
        .map(|_| ())
        .map_err(sql("write what a receiver knows"))
}

/// What a receiver knows of an alert.
///
/// # Errors
/// The store cannot be read, or the record in it is damaged.
pub fn item(conn: &Connection, receiver: &str, alert: &str) -> Result<Option<Item>, StoreError> {
    let body: Option<String> = conn
        .prepare_cached("SELECT body FROM notice_item WHERE receiver = ?1 AND alert = ?2")
        .and_then(|mut s| s.query_row([receiver, alert], |row| row.get(0)).optional())
        .map_err(sql("read what a receiver knows"))?;
    body.map(|b| parse(&b)).transpose()
}

fn parse(body: &str) -> Result<Item, StoreError> {
    serde_json::from_str(body).map_err(|source| StoreError::Body { what: "notice item", source })
}

/// When something is to be looked at next.
///
/// # Errors
/// The store cannot be read.
pub fn next_due(conn: &Connection) -> Result<Option<UtcMs>, StoreError> {
    conn.prepare_cached("SELECT min(due_ms) FROM notice_item WHERE due_ms IS NOT NULL")
        .and_then(|mut s| s.query_row([], |row| row.get::<_, Option<i64>>(0)))
        .map(|due| due.map(UtcMs))
        .map_err(sql("read when notices are due"))
}

/// Receivers and sites of which something is due, in order.
///
/// # Errors
/// The store cannot be read.
pub fn due(conn: &Connection, now: UtcMs) -> Result<Vec<(String, String)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(String, String)>> {
        conn.prepare_cached(
            "SELECT DISTINCT receiver, site FROM notice_item WHERE due_ms IS NOT NULL AND due_ms <= ?1
             ORDER BY receiver, site",
        )?
        .query_map([now.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
    };
    read().map_err(sql("read which notices are due"))
}

/// What a receiver knows of a site's alerts that stand, or of which something is to be told; by alert.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn of_site(conn: &Connection, receiver: &str, site: &str) -> Result<Vec<Row>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(String, Option<i64>, String)>> {
        conn.prepare_cached(
            "SELECT alert, due_ms, body FROM notice_item
             WHERE receiver = ?1 AND site = ?2 AND (due_ms IS NOT NULL OR stands) ORDER BY alert",
        )?
        .query_map([receiver, site], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
    };
    let rows = read().map_err(sql("read what a receiver knows of a site"))?;
    rows.into_iter()
        .map(|(alert, due, body)| {
            let (receiver, alert, site) = (receiver.into(), alert.into(), site.into());
            Ok(Row { receiver, alert, site, due: due.map(UtcMs), item: parse(&body)? })
        })
        .collect()
}

/// What a receiver was told of and not told the end of, with the alerts as they are now.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn standing(conn: &Connection, receiver: &str) -> Result<Vec<(Item, Alert)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(String, String)>> {
        conn.prepare_cached(
            "SELECT i.body, a.body FROM notice_item i JOIN alert a ON a.id = i.alert
             WHERE i.receiver = ?1 AND i.stands AND a.status = 'open' ORDER BY i.alert",
        )?
        .query_map([receiver], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
    };
    let rows = read().map_err(sql("read what stands for a receiver"))?;
    rows.into_iter().map(|(item, alert)| Ok((parse(&item)?, parse_alert(&alert)?))).collect()
}

/// Alerts that a receiver was told of, or of which something is to be told; by id.
///
/// # Errors
/// The store cannot be read.
pub fn heard_by(conn: &Connection, receiver: &str) -> Result<Vec<String>, StoreError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        conn.prepare_cached(
            "SELECT alert FROM notice_item WHERE receiver = ?1 AND (due_ms IS NOT NULL OR stands) ORDER BY alert",
        )?
        .query_map([receiver], |row| row.get(0))?
        .collect()
    };
    read().map_err(sql("read what a receiver was told of"))
}

/// All open alerts, by site and id.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn open_alerts(conn: &Connection) -> Result<Vec<Alert>, StoreError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        conn.prepare_cached("SELECT body FROM alert WHERE status = 'open' ORDER BY site, id")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    read().map_err(sql("list open alerts"))?.iter().map(|body| parse_alert(body)).collect()
}
