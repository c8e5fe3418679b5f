//! Tokens: how other programs come in. Shown once, kept as a hash, ended by their expiry or by hand.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::accounts::Accounts;
use super::credentials::{self, TOKEN_PREFIX};
use super::error::{AccountsError, sql};
use super::role::{Actor, Role, Scope};
use super::secrets;
use super::users;
use crate::model::time::{MINUTE_MS, UtcMs};

/// How every token begins, so that one that lies around is known for what it is; 43 characters follow.
pub const TEXT_PREFIX: &str = "smd_";
/// Use is noted at most so often.
pub const NOTED_EVERY_MS: i64 = MINUTE_MS;

const TOKEN: &str = "token";

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    /// Number, never used again.
    pub id: i64,
    /// What it is for.
    pub name: Box<str>,
    /// Role.
    pub role: Role,
    /// Scope.
    pub scope: Scope,
    /// Who made it.
    pub by: Box<str>,
    /// When it was made.
    pub created: UtcMs,
    /// From when on it is none, if ever.
    pub expires: Option<UtcMs>,
    /// When it was last used, to the minute.
    pub last_used: Option<UtcMs>,
}

/// A token to be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for: 1 to 64 characters that can be seen.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Scope.
    pub scope: Scope,
    /// From when on it is none; without, it is one until it is revoked.
    #[serde(default)]
    pub expires: Option<UtcMs>,
}

impl Accounts {
    /// Makes a token for another program; `by` is who asks for it. The text is not kept: it is shown now or never.
    ///
    /// # Errors
    /// Name, scope or expiry is refused, or it cannot be written.
    pub fn add_token(
        &self,
        new: &NewToken,
        by: &str,
        now: UtcMs,
    ) -> Result<(TokenInfo, String), AccountsError> {
        let name = credentials::name(&new.name)?;
        let scope = users::checked(&new.scope)?;
        if new.expires.is_some_and(|expires| expires <= now) {
            return Err(AccountsError::Expiry);
        }
        let text = format!("{TEXT_PREFIX}{}", secrets::new_text()?);
        let id = self.change("add a token", |tx| {
            tx.execute(
                "INSERT INTO token (hash, name, role, scope, made_by, created_ms, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    secrets::digest(TOKEN, &text),
                    name,
                    new.role.name(),
                    scope.to_string(),
                    by,
                    now.0,
                    new.expires.map(|expires| expires.0),
                ],
            )
            .map_err(sql("add a token"))?;
            Ok(tx.last_insert_rowid())
        })?;
        let (name, by) = (name.into(), by.into());
        let (role, expires) = (new.role, new.expires);
        let info = TokenInfo { id, name, role, scope, by, created: now, expires, last_used: None };
        Ok((info, text))
    }

    /// All tokens, also such that have expired and are not cleaned up yet, the oldest first.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn tokens(&self) -> Result<Vec<TokenInfo>, AccountsError> {
        let conn = self.conn();
        let read = || -> rusqlite::Result<Vec<_>> {
            conn.prepare_cached("SELECT * FROM token ORDER BY id")?.query_map([], raw)?.collect()
        };
        read().map_err(sql("list tokens"))?.into_iter().map(info).collect()
    }

    /// Takes a token away: whoever brings it is nobody from now on.
    ///
    /// # Errors
    /// There is no such token, or it cannot be written.
    pub fn revoke_token(&self, id: i64) -> Result<(), AccountsError> {
        let n = self.conn().execute("DELETE FROM token WHERE id = ?1", [id]);
        if n.map_err(sql("revoke a token"))? == 0 { Err(AccountsError::NoToken { id }) } else { Ok(()) }
    }

    /// Who brings this token, if it is one and has not expired.
    ///
    /// # Errors
    /// It cannot be read, or its use cannot be noted.
    pub fn by_token(&self, text: &str, now: UtcMs) -> Result<Option<Actor>, AccountsError> {
        let secret = text.strip_prefix(TEXT_PREFIX);
        if secret.is_none_or(|secret| secret.len() != secrets::TEXT_CHARS) {
            return Ok(None);
        }
        let conn = self.conn();
        let found = conn
            .prepare_cached("SELECT * FROM token WHERE hash = ?1 AND (expires_ms IS NULL OR expires_ms > ?2)")
            .and_then(|mut s| s.query_row(params![secrets::digest(TOKEN, text), now.0], raw).optional())
            .map_err(sql("look for a token"))?;
        let Some(TokenInfo { id, name, role, scope, last_used, .. }) = found.map(info).transpose()? else {
            return Ok(None);
        };
        // A clock that was set back is noted, too.
        let is_noted = last_used.is_some_and(|used| (0..NOTED_EVERY_MS).contains(&now.since(used)));
        if !is_noted {
            conn.execute("UPDATE token SET used_ms = ?2 WHERE id = ?1", params![id, now.0])
                .map_err(sql("note the use of a token"))?;
        }
        Ok(Some(Actor { name: format!("{TOKEN_PREFIX}{name}").into(), role, scope }))
    }
}

/// Takes away what has expired.
pub(super) fn clean_up(conn: &Connection, now: UtcMs) -> Result<(), AccountsError> {
    let done = conn.execute("DELETE FROM token WHERE expires_ms <= ?1", [now.0]);
    done.map(|_| ()).map_err(sql("take away old tokens"))
}

/// Number, name, role, scope, who made it, when, until when, last use.
type Raw = (i64, String, String, String, String, i64, Option<i64>, Option<i64>);

/// A row of `SELECT * FROM token`.
fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((
        row.get("id")?,
        row.get("name")?,
        row.get("role")?,
        row.get("scope")?,
        row.get("made_by")?,
        row.get("created_ms")?,
        row.get("expires_ms")?,
        row.get("used_ms")?,
    ))
}

fn info((id, name, role, scope, by, created, expires, used): Raw) -> Result<TokenInfo, AccountsError> {
    let damaged = |source| AccountsError::Damaged { what: "token", source };
    Ok(TokenInfo {
        id,
        name: name.into(),
        role: role.parse().map_err(damaged)?,
        scope: scope.parse().map_err(damaged)?,
        by: by.into(),
        created: UtcMs(created),
        expires: expires.map(UtcMs),
        last_used: used.map(UtcMs),
    })
}
