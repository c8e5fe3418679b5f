//! Meters that were exchanged: the record of it, and where judging a span again finds it.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::error::{StoreError, sql};
use crate::model::exchange::Exchange;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// The table.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS exchange (
  at_offset INTEGER PRIMARY KEY, site TEXT, point TEXT, at_ms INTEGER, said_ms INTEGER, body TEXT
);
CREATE INDEX IF NOT EXISTS exchange_by_site ON exchange (site, at_ms);
";

/// An exchange as it is kept, for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchanged {
    /// The message by which it was told.
    pub offset: Offset,
    /// When it was told, by the journal.
    pub said: UtcMs,
    /// Site id.
    pub site: String,
    /// Id of the point that the meter measures.
    pub point: String,
    /// What was told.
    pub exchange: Exchange,
}

/// Message, site, point, when it was told, and the rest as JSON.
type Row = (i64, String, String, i64, String);

/// Writes an exchange.
///
/// # Errors
/// The store cannot be written.
pub fn put(conn: &Connection, own: &Exchanged) -> Result<(), StoreError> {
    let body = serde_json::to_string(&own.exchange);
    let body = body.map_err(|source| StoreError::Body { what: "exchange of a meter", source })?;
    let Exchanged { offset, said, site, point, exchange } = own;
    conn.prepare_cached("INSERT OR REPLACE INTO exchange VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .and_then(|mut s| s.execute(params![offset.cast_signed(), site, point, exchange.at.0, said.0, body]))
        .map(|_| ())
        .map_err(sql("write the exchange of a meter"))
}

/// All exchanges, of one site or of all, the last that was told first.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn list(conn: &Connection, site: Option<&str>) -> Result<Vec<Exchanged>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Row>> {
        conn.prepare_cached(
            "SELECT at_offset, site, point, said_ms, body FROM exchange WHERE ?1 IS NULL OR site = ?1
             ORDER BY at_offset DESC",
        )?
        .query_map([site], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
        .collect()
    };
    let rows = read().map_err(sql("list the exchanges of meters"))?;
    let own = |(offset, site, point, said, body): Row| {
        let exchange = serde_json::from_str(&body)
            .map_err(|source| StoreError::Body { what: "exchange of a meter", source })?;
        Ok(Exchanged { offset: offset.cast_unsigned(), said: UtcMs(said), site, point, exchange })
    };
    rows.into_iter().map(own).collect()
}

/// The exchanges of a site after a moment that were told by messages up to `up_to`: of which point, and when.
///
/// # Errors
/// The store cannot be read.
pub fn after(
    conn: &Connection,
    site: &str,
    moment: UtcMs,
    up_to: Offset,
) -> Result<Vec<(String, UtcMs)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(String, UtcMs)>> {
        conn.prepare_cached(
            "SELECT point, at_ms FROM exchange WHERE site = ?1 AND at_ms > ?2 AND at_offset <= ?3 ORDER BY at_offset",
        )?
        .query_map(params![site, moment.0, up_to.cast_signed()], |row| Ok((row.get(0)?, UtcMs(row.get(1)?))))?
        .collect()
    };
    read().map_err(sql("read the exchanges of meters"))
}
