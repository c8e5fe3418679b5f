//! Sessions: who has logged in, known again by a cookie of which only a hash is kept.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, params};

use super::accounts::Accounts;
use super::credentials;
use super::error::{AccountsError, sql};
use super::role::Actor;
use super::secrets::{self, Digest256};
use super::tokens;
use super::users::{self, Known};
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};

/// A session that is not used ends after so long: a working day. Source: OWASP Session Management Cheat Sheet asks for
/// both an idle and an absolute limit; the lengths are ours.
pub const IDLE_MS: i64 = 12 * HOUR_MS;
/// A session ends so long after the log-in, used or not.
pub const AGE_MAX_MS: i64 = 7 * DAY_MS;
/// Use is noted at most so often; a session may end this much before it was idle for [`IDLE_MS`].
pub const NOTED_EVERY_MS: i64 = MINUTE_MS;
/// Sessions of one user; a further one ends the one that was used last the longest ago.
pub const N_SESSIONS_MAX: i64 = 20;

const COOKIE: &str = "cookie";
const CSRF: &str = "csrf";

/// A session, as it is now.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The secret that the browser brings along: 43 characters, 256 bits.
    pub cookie: String,
    /// What a page of ours must bring along besides, when it changes something. It follows from the cookie.
    pub csrf: String,
    /// Whose it is, as they are now.
    pub actor: Actor,
    /// When it ends if it is not used again.
    pub expires: UtcMs,
}

impl Session {
    /// Whether that is the session's csrf secret, in a time that does not tell where it differs.
    #[must_use]
    pub fn is_csrf(&self, given: &str) -> bool {
        secrets::same(self.csrf.as_bytes(), given.as_bytes())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Session { cookie: _, csrf: _, actor, expires } = self;
        f.debug_struct("Session").field("actor", actor).field("expires", expires).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Logs somebody in. `from` is the address they come from, with or without a port.
    ///
    /// # Errors
    /// Name or password is wrong (which, is not told), too many were, too many wait, or it cannot be written.
    pub fn log_in(
        &self,
        name: &str,
        password: &str,
        from: &str,
        now: UtcMs,
    ) -> Result<Session, AccountsError> {
        self.guarded(&credentials::key(name), from, now, || {
            let found = users::by_name(&self.conn(), name)?;
            // No password is longer: it is wrong, and takes as long as any other.
            let is_too_long = password.chars().nth(credentials::PASSWORD_CHARS_MAX).is_some();
            let hash = found.as_ref().filter(|_| !is_too_long).map(|known| known.password.as_str());
            let is_right = self.hashing.is_right(password, hash)?;
            let Some(known) = found.filter(|known| is_right && known.user.is_enabled) else {
                return Err(AccountsError::WrongLogin);
            };
            self.begin_session(&known, now)
        })
    }

    /// Writes the session of somebody whose password was right, unless they were changed in the meantime.
    fn begin_session(&self, known: &Known, now: UtcMs) -> Result<Session, AccountsError> {
        let cookie = secrets::new_text()?;
        let hash = secrets::digest(COOKIE, &cookie);
        let actor = self.change("begin a session", |tx| {
            clean_up(tx, now)?;
            let fresh = users::by_name(tx, &known.user.name)?;
            let fresh =
                fresh.filter(|f| f.id == known.id && f.password == known.password && f.user.is_enabled);
            let actor = fresh.ok_or(AccountsError::WrongLogin)?.user.actor();
            put(tx, &hash, known.id, now).map_err(sql("begin a session"))?;
            Ok(actor)
        })?;
        Ok(session(cookie, actor, now, now))
    }

    /// The session of a cookie, if it is still one; role and scope are those of the user now.
    ///
    /// # Errors
    /// It cannot be read, or its use cannot be noted.
    pub fn session(&self, cookie: &str, now: UtcMs) -> Result<Option<Session>, AccountsError> {
        if cookie.len() != secrets::TEXT_CHARS {
            return Ok(None);
        }
        let hash = secrets::digest(COOKIE, cookie);
        let conn = self.conn();
        let found = conn
            .prepare_cached(
                "SELECT session.created_ms AS begun_ms, seen_ms, user.* FROM session JOIN user ON user.id = session.user
                 WHERE hash = ?1 AND is_enabled",
            )
            .and_then(|mut s| {
                s.query_row([hash], |row| Ok((UtcMs(row.get(0)?), UtcMs(row.get(1)?), users::raw(row)?))).optional()
            })
            .map_err(sql("look for a session"))?;
        let Some((begun, seen, user)) = found else { return Ok(None) };
        // Also one that would begin later than now: the clock was wrong then, and its end would be, too.
        if !is_alive(begun, seen, now) {
            return Ok(None);
        }
        let is_noted = now.since(seen) < NOTED_EVERY_MS;
        if !is_noted {
            conn.execute("UPDATE session SET seen_ms = ?2 WHERE hash = ?1", params![hash, now.0])
                .map_err(sql("note the use of a session"))?;
        }
        let seen = if is_noted { seen } else { now };
        Ok(Some(session(cookie.to_owned(), users::known(user)?.user.actor(), begun, seen)))
    }

    /// Ends the session of a cookie, if there is one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn log_out(&self, cookie: &str) -> Result<(), AccountsError> {
        let hash = secrets::digest(COOKIE, cookie);
        let done = self.conn().execute("DELETE FROM session WHERE hash = ?1", [hash]);
        done.map(|_| ()).map_err(sql("end a session"))
    }
}

fn session(cookie: String, actor: Actor, begun: UtcMs, seen: UtcMs) -> Session {
    let csrf = secrets::derived(CSRF, &cookie);
    Session { cookie, csrf, actor, expires: end(begun, seen) }
}

fn end(begun: UtcMs, seen: UtcMs) -> UtcMs {
    seen.plus(IDLE_MS).min(begun.plus(AGE_MAX_MS))
}

fn is_alive(begun: UtcMs, seen: UtcMs, now: UtcMs) -> bool {
    now < end(begun, seen) && seen.since(now) < IDLE_MS
}

fn put(conn: &Connection, hash: &Digest256, user: i64, now: UtcMs) -> rusqlite::Result<()> {
    conn.execute(
        "DELETE FROM session WHERE hash IN (
           SELECT hash FROM session WHERE user = ?1 ORDER BY seen_ms DESC LIMIT -1 OFFSET ?2)",
        params![user, N_SESSIONS_MAX - 1],
    )?;
    conn.execute("INSERT INTO session VALUES (?1, ?2, ?3, ?3)", params![hash, user, now.0])?;
    Ok(())
}

/// Takes away what is over.
fn clean_up(conn: &Connection, now: UtcMs) -> Result<(), AccountsError> {
    conn.execute(
        "DELETE FROM session WHERE seen_ms <= ?1 - ?2 OR created_ms <= ?1 - ?3 OR seen_ms >= ?1 + ?2",
        params![now.0, IDLE_MS, AGE_MAX_MS],
    )
    .map_err(sql("take away old sessions"))?;
    tokens::clean_up(conn, now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_cleaned_up_is_exactly_what_is_no_session_any_more(
            begun in 0..2 * AGE_MAX_MS, used_ms in 0..AGE_MAX_MS, now in 0..4 * AGE_MAX_MS,
        ) {
            let seen = begun + used_ms;
            let conn = Connection::open_in_memory().unwrap();
            conn.execute_batch(
                "CREATE TABLE session (hash, user, created_ms INTEGER, seen_ms INTEGER);
                 CREATE TABLE token (expires_ms INTEGER)",
            ).unwrap();
            conn.execute("INSERT INTO session VALUES (1, 1, ?1, ?2)", [begun, seen]).unwrap();
            clean_up(&conn, UtcMs(now)).unwrap();
            let left: i64 = conn.query_row("SELECT count(*) FROM session", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(left == 1, is_alive(UtcMs(begun), UtcMs(seen), UtcMs(now)));
        }
    }
}
