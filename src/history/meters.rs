//! Small stable numbers for meters. A meter that leaves the registry keeps its number, and its history.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::error::{HistoryError, sql};

/// Keys are below this, so that a block's number has room for them.
const KEY_MAX: i64 = i32::MAX as i64;

/// The key of a meter, made if it has none.
///
/// # Errors
/// The store cannot be read or written.
pub fn key(conn: &Connection, id: &str) -> Result<u32, HistoryError> {
    if let Some(key) = find(conn, id)? {
        return Ok(key);
    }
    conn.prepare_cached("INSERT INTO history_meter (id) VALUES (?1)")
        .and_then(|mut s| s.insert([id]))
        .map_err(sql("number a meter"))
        .and_then(|key| checked(key, id))
}

/// The key of a meter, if it ever had readings.
pub(super) fn find(conn: &Connection, id: &str) -> Result<Option<u32>, HistoryError> {
    conn.prepare_cached("SELECT key FROM history_meter WHERE id = ?1")
        .and_then(|mut s| s.query_row([id], |row| row.get::<_, i64>(0)).optional())
        .map_err(sql("look a meter up"))?
        .map(|key| checked(key, id))
        .transpose()
}

/// All meters that were ever numbered.
///
/// # Errors
/// The store cannot be read.
pub fn names(conn: &Connection) -> Result<HashMap<u32, Box<str>>, HistoryError> {
    let read = || -> rusqlite::Result<HashMap<u32, Box<str>>> {
        conn.prepare_cached("SELECT key, id FROM history_meter")?
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?.into_boxed_str())))?
            .collect()
    };
    read().map_err(sql("list the meters"))
}

fn checked(key: i64, id: &str) -> Result<u32, HistoryError> {
    u32::try_from(key)
        .ok()
        .filter(|_| key <= KEY_MAX)
        .ok_or_else(|| HistoryError::NoKeyLeft { id: id.to_owned() })
}
