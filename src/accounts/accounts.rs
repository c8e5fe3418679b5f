//! The handle: one file, one connection, the guard in memory.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{AccountsError, sql};
use super::hashing::Hashing;
use super::schema;
use super::throttle::{Throttle, Try};
use crate::model::time::UtcMs;

/// The accounts of a data folder. Cheap to clone; all calls block, some for tens of milliseconds.
#[derive(Clone)]
pub struct Accounts {
    conn: Arc<Mutex<Connection>>,
    throttle: Arc<Mutex<Throttle>>,
    pub(super) hashing: Arc<Hashing>,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}

impl Accounts {
    /// Opens `accounts.db` in the data folder, for its owner alone, and makes it if there is none.
    ///
    /// # Errors
    /// The file cannot be made, kept from others, opened, or is of a newer program.
    pub fn open(folder: &Path) -> Result<Accounts, AccountsError> {
        Accounts::open_with(folder, Hashing::new()?)
    }

    /// With a hashing of other costs.
    pub(super) fn open_with(folder: &Path, hashing: Hashing) -> Result<Accounts, AccountsError> {
        let conn = schema::open(&folder.join(schema::FILE))?;
        let (conn, throttle) = (Arc::new(Mutex::new(conn)), Arc::default());
        Ok(Accounts { conn, throttle, hashing: Arc::new(hashing) })
    }

    /// The connection. Never held while a password is hashed.
    pub(super) fn conn(&self) -> MutexGuard<'_, Connection> {
        // A transaction that panicked was rolled back when it was dropped: the connection is sound.
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is read and written in one transaction, on disk when this returns.
    pub(super) fn change<T>(
        &self,
        operation: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        let mut conn = self.conn();
        let begun = conn.transaction_with_behavior(TransactionBehavior::Immediate);
        let tx = begun.map_err(sql(operation))?;
        let changed = change(&tx)?;
        tx.commit().map_err(sql(operation))?;
        Ok(changed)
    }

    /// Looks into a secret under the guard: whether it is right, and what follows. What is wrong (`wrong`) is counted;
    /// what failed otherwise told the caller nothing and is not.
    pub(super) fn guarded<T>(
        &self,
        name: &str,
        from: &str,
        now: UtcMs,
        look: impl FnOnce() -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        let begun = self.throttle().begin(name, from, now);
        let own = begun.map_err(|wait_ms| AccountsError::Throttled { wait_ms })?;
        let found = look();
        self.settle(&own, &found);
        found
    }

    fn settle<T>(&self, own: &Try, found: &Result<T, AccountsError>) {
        match found {
            Ok(_) => self.throttle().right(own),
            Err(AccountsError::WrongLogin | AccountsError::WrongCode) => {}
            Err(_) => self.throttle().take_back(own),
        }
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
