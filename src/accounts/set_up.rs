//! The first user: whoever has the code that the daemon prints when it has no users.

use rusqlite::{Connection, OptionalExtension, params};

use super::accounts::Accounts;
use super::credentials;
use super::error::{AccountsError, sql};
use super::role::{Role, Scope};
use super::secrets::{self, Digest256};
use super::users::{self, User};
use crate::model::time::UtcMs;

/// All tries at the code count as tries of one name, one that no user can have.
const THROTTLED_AS: &str = "\0set-up";

impl Accounts {
    /// While there is no user: a new one-time code for [`Accounts::set_up`], to be printed; one that was made before
    /// counts no longer. None where there are users.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn set_up_code(&self, now: UtcMs) -> Result<Option<String>, AccountsError> {
        let code = secrets::new_code()?;
        self.change("make a set-up code", |tx| {
            if users::count(tx)? > 0 {
                return Ok(None);
            }
            let hash = secrets::code_digest(&code);
            tx.execute("INSERT OR REPLACE INTO set_up VALUES (1, ?1, ?2)", params![hash, now.0])
                .map_err(sql("make a set-up code"))?;
            Ok(Some(code))
        })
    }

    /// Whether there is no user yet.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn needs_set_up(&self) -> Result<bool, AccountsError> {
        Ok(users::count(&self.conn())? == 0)
    }

    /// Makes the first user, an admin of all, for whoever has the code. The code is gone afterwards; a name or password
    /// that is refused does not use it up.
    ///
    /// # Errors
    /// The code is wrong, or too many were; there are users; name or password is refused; it cannot be written.
    pub fn set_up(
        &self,
        code: &str,
        name: &str,
        password: &str,
        from: &str,
        now: UtcMs,
    ) -> Result<User, AccountsError> {
        self.guarded(THROTTLED_AS, from, now, || {
            let hash = secrets::code_digest(code);
            check(&self.conn(), &hash)?;
            let name = credentials::user_name(name)?;
            credentials::password(password, name)?;
            let (role, scope) = (Role::Admin, Scope::All);
            let user = User { name: name.into(), role, scope, is_enabled: true, created: now };
            let password = self.hashing.hash(password)?;
            self.change("set up", |tx| {
                // Again: somebody else may have been faster.
                check(tx, &hash)?;
                users::put(tx, &user, &password)?;
                tx.execute("DELETE FROM set_up", []).map_err(sql("set up"))?;
                Ok(user)
            })
        })
    }
}

fn check(conn: &Connection, given: &Digest256) -> Result<(), AccountsError> {
    if users::count(conn)? > 0 {
        return Err(AccountsError::AlreadySetUp);
    }
    let kept: Option<Digest256> = conn
        .query_row("SELECT hash FROM set_up", [], |row| row.get(0))
        .optional()
        .map_err(sql("read the set-up code"))?;
    let is_right = kept.is_some_and(|kept| secrets::same(&kept, given));
    if is_right { Ok(()) } else { Err(AccountsError::WrongCode) }
}
