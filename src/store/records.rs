//! Whole records, as they lie in the store: the registry, an alert.

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use super::error::{StoreError, sql};
use crate::alerts::alert::Alert;
use crate::model::reading::Offset;
use crate::model::registry::Registry;

/// What tells one registry from another: SHA-256 of it as it was journaled, in hex.
#[must_use]
pub fn registry_hash(packed: &[u8]) -> String {
    Sha256::digest(packed).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A registry as it is kept.
#[derive(Debug)]
pub struct Stored {
    /// The message it came by.
    pub offset: Offset,
    /// As [`registry_hash`] has it.
    pub hash: String,
    /// The registry.
    pub registry: Registry,
}

/// The registry in force at the cursor.
///
/// # Errors
/// The store cannot be read, or the record in it is damaged.
pub fn read_registry(conn: &Connection) -> Result<Option<Stored>, StoreError> {
    one_registry(conn, "SELECT at_offset, hash, body FROM registry WHERE at_offset <= ?1", Offset::MAX >> 1)
}

/// The registry that was in force when the snapshot of `offset` was taken.
///
/// # Errors
/// The store cannot be read, or the record in it is damaged.
pub(super) fn read_registry_of_snapshot(
    conn: &Connection,
    offset: Offset,
) -> Result<Option<Stored>, StoreError> {
    let both =
        "SELECT at_offset, hash, body FROM (SELECT * FROM registry UNION ALL SELECT * FROM registry_before)
                WHERE at_offset <= ?1 ORDER BY at_offset DESC LIMIT 1";
    one_registry(conn, both, offset)
}

fn one_registry(conn: &Connection, statement: &str, offset: Offset) -> Result<Option<Stored>, StoreError> {
    let row: Option<(i64, String, Vec<u8>)> = conn
        .query_row(statement, [offset.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .map_err(sql("read the registry"))?;
    let Some((offset, hash, body)) = row else { return Ok(None) };
    let registry = Registry::unpack(&body).map_err(|source| StoreError::Body { what: "registry", source })?;
    Ok(Some(Stored { offset: offset.cast_unsigned(), hash, registry }))
}

/// The message the registry in force came by: tells cheaply whether it has changed.
///
/// # Errors
/// The store cannot be read.
pub fn registry_offset(conn: &Connection) -> Result<Option<Offset>, StoreError> {
    conn.prepare_cached("SELECT at_offset FROM registry")
        .and_then(|mut s| s.query_row([], |row| row.get::<_, i64>(0)).optional())
        .map(|offset| offset.map(i64::cast_unsigned))
        .map_err(sql("read the registry"))
}

pub(super) fn read_meta<T: rusqlite::types::FromSql>(
    conn: &Connection,
    key: &str,
) -> Result<Option<T>, StoreError> {
    conn.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()
        .map_err(sql("read a figure"))
}

pub(super) fn read_alert(conn: &Connection, id: &str) -> Result<Option<Alert>, StoreError> {
    let body: Option<String> = conn
        .prepare_cached("SELECT body FROM alert WHERE id = ?1")
        .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
        .map_err(sql("read an alert"))?;
    body.map(|b| parse_alert(&b)).transpose()
}

pub(super) fn parse_alert(body: &str) -> Result<Alert, StoreError> {
    serde_json::from_str(body).map_err(|source| StoreError::Body { what: "alert", source })
}
