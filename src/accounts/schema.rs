//! The tables of the accounts, and how their file is opened: for its owner alone.

use std::fs::{File, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::error::AccountsError;

/// Name of the file in the data folder.
pub(super) const FILE: &str = "accounts.db";

/// Its owner reads and writes, nobody else. SQLite gives what it makes beside it the same mode.
pub(super) const FILE_MODE: u32 = 0o600;

/// Raised when a table changes in a way older programs cannot read.
pub(super) const VERSION: i64 = 1;

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Numbers are never used again (AUTOINCREMENT): what a record says of a token or user stays true.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS user (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password TEXT NOT NULL,
  role TEXT NOT NULL, scope TEXT NOT NULL, is_enabled INTEGER NOT NULL, created_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS session (
  hash BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES user (id), created_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_by_user ON session (user);
CREATE TABLE IF NOT EXISTS token (
  id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
  scope TEXT NOT NULL, made_by TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER, used_ms INTEGER
);
CREATE TABLE IF NOT EXISTS set_up (
  id INTEGER PRIMARY KEY CHECK (id = 1), hash BLOB NOT NULL, made_ms INTEGER NOT NULL
);
";

/// Opens the file and makes what is missing.
pub(super) fn open(path: &Path) -> Result<Connection, AccountsError> {
    let owned = || path.to_owned();
    File::options()
        .create(true)
        .append(true)
        .mode(FILE_MODE)
        .open(path)
        .map_err(|source| AccountsError::Make { path: owned(), source })?;
    protect(path).map_err(|source| AccountsError::Protect { path: owned(), source })?;
    let at = |source| AccountsError::Open { path: owned(), source };
    let conn = Connection::open(path).map_err(at)?;
    let found = prepare(&conn).map_err(at)?;
    if found > VERSION {
        return Err(AccountsError::Newer { path: owned(), found, known: VERSION });
    }
    Ok(conn)
}

/// A file that was laid there by other means may be open to others.
fn protect(path: &Path) -> std::io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o777 & !FILE_MODE == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(FILE_MODE))
}

fn prepare(conn: &Connection) -> rusqlite::Result<i64> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // What is removed or replaced does not stay behind in free pages.
    conn.pragma_update(None, "secure_delete", true)?;
    let found = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found <= VERSION {
        conn.execute_batch(TABLES)?;
        conn.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(found)
}
