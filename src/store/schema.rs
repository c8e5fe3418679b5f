//! Tables of the store, and how the file is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Name of the file in the data folder.
pub const STORE_FILE: &str = "store.db";

/// Raised when a table changes in a way older programs cannot read.
pub const VERSION: i64 = 1;

/// How long a writer waits for another (the engine and the outbox senders share the file).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Statements kept ready; a step and a fold use some thirty between them.
const N_STATEMENTS: usize = 64;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), at_offset INTEGER, body BLOB);
CREATE TABLE IF NOT EXISTS snapshot_piece (n INTEGER PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS registry (id INTEGER PRIMARY KEY CHECK (id = 1), at_offset INTEGER, hash TEXT, body BLOB);
CREATE TABLE IF NOT EXISTS registry_before (id INTEGER PRIMARY KEY CHECK (id = 1), at_offset INTEGER, hash TEXT, body BLOB);
CREATE TABLE IF NOT EXISTS alert (
  id TEXT PRIMARY KEY, site TEXT, rule TEXT, subject TEXT, status TEXT, level INTEGER,
  first_ms INTEGER, raised_ms INTEGER, cleared_ms INTEGER, acknowledged INTEGER, changed_at_offset INTEGER, body TEXT,
  said INTEGER NOT NULL DEFAULT 0, suppressed INTEGER NOT NULL DEFAULT 0, assigned TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_by_site ON alert (site, raised_ms);
CREATE INDEX IF NOT EXISTS alert_by_change ON alert (changed_at_offset);
CREATE TABLE IF NOT EXISTS unit_state (
  site TEXT, point TEXT, state TEXT, since_ms INTEGER, PRIMARY KEY (site, point)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state_change (
  site TEXT, point TEXT, at_ms INTEGER, state TEXT, at_offset INTEGER, said INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (site, point, at_ms, state)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reject (
  id INTEGER PRIMARY KEY, at_offset INTEGER, received_ms INTEGER, source TEXT, topic TEXT, code TEXT, reason TEXT,
  payload BLOB
);
";

/// Needs the columns that [`grow`] adds.
const INDEXES: &str = "
CREATE INDEX IF NOT EXISTS alert_open ON alert (site) WHERE status = 'open';
CREATE INDEX IF NOT EXISTS alert_by_rule ON alert (rule, raised_ms);
CREATE INDEX IF NOT EXISTS alert_open_by_time ON alert (raised_ms) WHERE status = 'open';
CREATE INDEX IF NOT EXISTS alert_by_assigned ON alert (assigned, raised_ms) WHERE assigned IS NOT NULL;
CREATE INDEX IF NOT EXISTS alert_by_end ON alert (cleared_ms) WHERE status = 'cleared';
CREATE INDEX IF NOT EXISTS alert_by_all ON alert (raised_ms, status, level, rule, site, subject, acknowledged, suppressed, assigned);
CREATE INDEX IF NOT EXISTS state_by_change ON state_change (at_offset);
CREATE INDEX IF NOT EXISTS alert_by_begin ON alert (site, first_ms);
CREATE INDEX IF NOT EXISTS alert_by_finding ON alert (site, said);
CREATE INDEX IF NOT EXISTS state_by_finding ON state_change (site, said);
";

/// Columns that came later: a store of an earlier program gets them.
const NEW_COLUMNS: [(&str, &str, &str); 4] = [
    ("alert", "said", "INTEGER NOT NULL DEFAULT 0"),
    ("state_change", "said", "INTEGER NOT NULL DEFAULT 0"),
    ("alert", "suppressed", "INTEGER NOT NULL DEFAULT 0"),
    ("alert", "assigned", "TEXT"),
];

fn grow(conn: &Connection) -> rusqlite::Result<()> {
    for (table, column, kind) in NEW_COLUMNS {
        let found = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
        let n: i64 = conn.query_row(found, [table, column], |row| row.get(0))?;
        if n == 0 {
            conn.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}"))?;
        }
    }
    conn.execute_batch(INDEXES)
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be made.
    #[error("cannot make the store {path}")]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// SQLite cannot open the file.
    #[error("cannot open the store {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// The tables cannot be made.
    #[error("cannot prepare the tables of the store {path}")]
    Prepare {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// Written by a newer program.
    #[error("the store {path} has version {found}, this program knows up to {VERSION}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
}

/// Opens the store for writing and makes what is missing.
///
/// A commit is not waited for on disk (WAL, synchronous = NORMAL): after a power cut the file may be a moment behind,
/// cursor and results alike, and the journal makes that moment again.
///
/// # Errors
/// The file cannot be opened or prepared, or is of a newer version.
pub fn open(path: &Path) -> Result<Connection, OpenError> {
    let at = |source| OpenError::Open { path: path.to_owned(), source };
    crate::journal::schema::make_file(path)
        .map_err(|source| OpenError::Make { path: path.to_owned(), source })?;
    prepared(Connection::open(path).map_err(at)?, path)
}

/// A store that is gone with the test.
#[cfg(test)]
pub(super) fn open_in_memory() -> Result<Connection, OpenError> {
    let path = Path::new(":memory:");
    let conn = Connection::open_in_memory();
    prepared(conn.map_err(|source| OpenError::Open { path: path.to_owned(), source })?, path)
}

fn prepared(conn: Connection, path: &Path) -> Result<Connection, OpenError> {
    let at = |source| OpenError::Open { path: path.to_owned(), source };
    conn.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
    conn.set_prepared_statement_cache_capacity(N_STATEMENTS);
    // Else a statement is planned anew for each value that is bound to it, which took a tenth of all work.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(at)?;
    let prepare = |conn: &Connection| -> rusqlite::Result<i64> {
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        conn.pragma_update(None, "cache_size", -8_000)?;
        let found = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found <= VERSION {
            conn.execute_batch(TABLES)?;
            conn.execute_batch(super::judging::TABLES)?;
            conn.execute_batch(super::suppressing::TABLES)?;
            conn.execute_batch(super::learned::TABLES)?;
            conn.execute_batch(super::exchanges::TABLES)?;
            conn.execute_batch(super::trail::TABLES)?;
            conn.execute_batch(super::notices::TABLES)?;
            grow(conn)?;
            conn.execute_batch(crate::history::SCHEMA)?;
            conn.execute_batch(super::queue::SCHEMA)?;
            conn.pragma_update(None, "user_version", VERSION)?;
        }
        Ok(found)
    };
    let found = prepare(&conn).map_err(|source| OpenError::Prepare { path: path.to_owned(), source })?;
    if found > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), found });
    }
    Ok(conn)
}

/// Opens the store for reading only; works while the daemon runs and while it does not.
///
/// # Errors
/// There is no such file, or it cannot be opened.
pub fn open_read_only(path: &Path) -> Result<Connection, OpenError> {
    let at = |source| OpenError::Open { path: path.to_owned(), source };
    // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL file must be able to make its shared-memory file.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)
        .or_else(|_| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY))
        .map_err(at)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
    conn.set_prepared_statement_cache_capacity(N_STATEMENTS);
    conn.pragma_update(None, "query_only", true).map_err(at)?;
    Ok(conn)
}
