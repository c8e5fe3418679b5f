//! Users: who may log in, with what role and scope. They are disabled, never removed: records name them.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::accounts::Accounts;
use super::credentials;
use super::error::{AccountsError, sql};
use super::role::{Act, Actor, Role, Scope};
use crate::model::time::UtcMs;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Name, as it was given.
    pub name: Box<str>,
    /// Role.
    pub role: Role,
    /// Scope.
    pub scope: Scope,
    /// Whether they may log in.
    pub is_enabled: bool,
    /// Since when there is such a user.
    pub created: UtcMs,
}

impl User {
    /// The user as one who asks for something.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), role: self.role, scope: self.scope.clone() }
    }
}

/// A user to be.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Name: 1 to 64 characters that can be seen; case does not make another name.
    pub name: String,
    /// Password: 10 to 256 characters.
    pub password: String,
    /// Role.
    pub role: Role,
    /// Scope.
    pub scope: Scope,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NewUser { name, password: _, role, scope } = self;
        f.debug_struct("NewUser")
            .field("name", name)
            .field("role", role)
            .field("scope", scope)
            .finish_non_exhaustive()
    }
}

/// What of a user changes; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Role.
    pub role: Option<Role>,
    /// Scope.
    pub scope: Option<Scope>,
    /// Whether they may log in.
    pub is_enabled: Option<bool>,
}

impl Change {
    /// All of it.
    #[must_use]
    pub fn whole(role: Role, scope: Scope, is_enabled: bool) -> Change {
        Change { role: Some(role), scope: Some(scope), is_enabled: Some(is_enabled) }
    }
}

/// A user's row, as far as logging in needs it.
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) password: String,
    pub(super) user: User,
}

impl Accounts {
    /// Adds a user, who may log in at once.
    ///
    /// # Errors
    /// Name, password or scope is refused, the name is there, or it cannot be written.
    pub fn add_user(&self, new: &NewUser, now: UtcMs) -> Result<User, AccountsError> {
        let name = credentials::user_name(&new.name)?;
        credentials::password(&new.password, name)?;
        let scope = checked(&new.scope)?;
        let hash = self.hashing.hash(&new.password)?;
        let user = User { name: name.into(), role: new.role, scope, is_enabled: true, created: now };
        self.change("add a user", |tx| put(tx, &user, &hash))?;
        Ok(user)
    }

    /// All users, by name.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn users(&self) -> Result<Vec<User>, AccountsError> {
        let conn = self.conn();
        let read = || -> rusqlite::Result<Vec<_>> {
            conn.prepare_cached("SELECT * FROM user ORDER BY key")?.query_map([], raw)?.collect()
        };
        let rows = read().map_err(sql("list users"))?;
        rows.into_iter().map(|row| known(row).map(|known| known.user)).collect()
    }

    /// Changes what a user may do; it holds from their next request on. Who is disabled has no sessions left.
    ///
    /// # Errors
    /// There is no such user, the scope is refused, nobody would be left to administer, or it cannot be written.
    pub fn change_user(&self, name: &str, change: &Change) -> Result<User, AccountsError> {
        let scope = change.scope.as_ref().map(checked).transpose()?;
        self.change("change a user", |tx| {
            let Known { id, user, .. } = by_name(tx, name)?.ok_or_else(|| no_user(name))?;
            let administered = user.is_enabled && user.actor().may(Act::Administer);
            let changed = User {
                role: change.role.unwrap_or(user.role),
                scope: scope.unwrap_or(user.scope),
                is_enabled: change.is_enabled.unwrap_or(user.is_enabled),
                ..user
            };
            tx.execute(
                "UPDATE user SET role = ?2, scope = ?3, is_enabled = ?4 WHERE id = ?1",
                params![id, changed.role.name(), changed.scope.to_string(), changed.is_enabled],
            )
            .map_err(sql("change a user"))?;
            if !changed.is_enabled {
                end_sessions(tx, id)?;
            }
            if administered && n_who_administer(tx)? == 0 {
                return Err(AccountsError::LastAdmin { name: changed.name.into() });
            }
            Ok(changed)
        })
    }

    /// Gives a user another password and ends their sessions.
    ///
    /// # Errors
    /// There is no such user, the password is refused, or it cannot be written.
    pub fn set_password(&self, name: &str, password: &str) -> Result<User, AccountsError> {
        credentials::password(password, name)?;
        // Before the dear part, so that a wrong name is told at once.
        by_name(&self.conn(), name)?.ok_or_else(|| no_user(name))?;
        let hash = self.hashing.hash(password)?;
        self.change("set a password", |tx| {
            let Known { id, user, .. } = by_name(tx, name)?.ok_or_else(|| no_user(name))?;
            tx.execute("UPDATE user SET password = ?2 WHERE id = ?1", params![id, hash])
                .map_err(sql("set a password"))?;
            end_sessions(tx, id)?;
            Ok(user)
        })
    }
}

/// Writes a new user.
pub(super) fn put(conn: &Connection, user: &User, hash: &str) -> Result<(), AccountsError> {
    let User { name, role, scope, is_enabled, created } = user;
    let n = conn
        .execute(
            "INSERT OR IGNORE INTO user (key, name, password, role, scope, is_enabled, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                credentials::key(name),
                name,
                hash,
                role.name(),
                scope.to_string(),
                is_enabled,
                created.0
            ],
        )
        .map_err(sql("add a user"))?;
    if n == 0 { Err(AccountsError::Taken { name: name.to_string() }) } else { Ok(()) }
}

/// How many users there are.
pub(super) fn count(conn: &Connection) -> Result<i64, AccountsError> {
    conn.query_row("SELECT count(*) FROM user", [], |row| row.get(0)).map_err(sql("count users"))
}

/// The user of that name.
pub(super) fn by_name(conn: &Connection, name: &str) -> Result<Option<Known>, AccountsError> {
    let found = conn
        .prepare_cached("SELECT * FROM user WHERE key = ?1")
        .and_then(|mut s| s.query_row([credentials::key(name)], raw).optional())
        .map_err(sql("look for a user"))?;
    found.map(known).transpose()
}

/// A scope that comes back from its text: what is stored and what is in force are the same.
pub(super) fn checked(scope: &Scope) -> Result<Scope, AccountsError> {
    scope.to_string().parse().map_err(|source| AccountsError::Scope { source })
}

type Raw = (i64, Box<str>, String, String, String, bool, UtcMs);

/// A row of `SELECT * FROM user`.
pub(super) fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((
        row.get("id")?,
        row.get::<_, String>("name")?.into(),
        row.get("password")?,
        row.get("role")?,
        row.get("scope")?,
        row.get("is_enabled")?,
        UtcMs(row.get("created_ms")?),
    ))
}

pub(super) fn known(
    (id, name, password, role, scope, is_enabled, created): Raw,
) -> Result<Known, AccountsError> {
    let damaged = |source| AccountsError::Damaged { what: "user", source };
    let (role, scope) = (role.parse().map_err(damaged)?, scope.parse().map_err(damaged)?);
    Ok(Known { id, password, user: User { name, role, scope, is_enabled, created } })
}

fn n_who_administer(conn: &Connection) -> Result<i64, AccountsError> {
    let params = [Role::Admin.name(), &Scope::All.to_string()];
    conn.query_row("SELECT count(*) FROM user WHERE is_enabled AND role = ?1 AND scope = ?2", params, |row| {
        row.get(0)
    })
    .map_err(sql("count those who can administer"))
}

fn end_sessions(conn: &Connection, user: i64) -> Result<(), AccountsError> {
    conn.execute("DELETE FROM session WHERE user = ?1", [user]).map(|_| ()).map_err(sql("end sessions"))
}

fn no_user(name: &str) -> AccountsError {
    AccountsError::NoUser { name: name.to_owned() }
}
