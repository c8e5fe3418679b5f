//! Why accounts refuse, one variant an operation. None carries a password, a code, a cookie or a token.

use std::path::PathBuf;

use super::credentials::{NameError, PasswordError};
use super::role::WordError;

/// Why accounts refuse.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The file cannot be made.
    #[error("cannot make the file of accounts {path}")]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be kept from others.
    #[error(
        "cannot keep the file of accounts {path} from others; hint: it must belong to the user of the daemon"
    )]
    Protect {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// SQLite cannot open or prepare the file.
    #[error("cannot open the file of accounts {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// Written by a newer program.
    #[error("the file of accounts {path} has version {found}, this program knows up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// A statement failed.
    #[error("the accounts could not {operation}")]
    Sql {
        /// What was to be done.
        operation: &'static str,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// A record holds a role or scope that is none.
    #[error("the accounts hold an unreadable {what}")]
    Damaged {
        /// Which record.
        what: &'static str,
        /// Why.
        #[source]
        source: WordError,
    },
    /// The operating system has no random numbers.
    #[error("no random numbers can be had")]
    Random {
        /// Why.
        #[source]
        source: getrandom::Error,
    },
    /// A password cannot be hashed or compared.
    #[error("a password cannot be hashed")]
    Hash {
        /// Why.
        #[source]
        source: argon2::password_hash::Error,
    },
    /// Too many passwords wait to be looked at.
    #[error("too many log in at once; hint: try again in a moment")]
    Busy,
    /// Too many wrong tries.
    #[error("too many wrong tries; hint: try again in {} s", wait_ms.saturating_add(999) / 1000)]
    Throttled {
        /// How long until the next may be made, ms.
        wait_ms: i64,
    },
    /// Name or password is wrong, or the user is disabled: which, is not told.
    #[error("name or password is wrong")]
    WrongLogin,
    /// The set-up code is wrong.
    #[error("the set-up code is wrong; hint: the daemon prints it when it starts")]
    WrongCode,
    /// There are users: the first one is there.
    #[error("there are users already; hint: an administrator adds more")]
    AlreadySetUp,
    /// A name that cannot be one.
    #[error(transparent)]
    Name {
        /// Why.
        #[from]
        source: NameError,
    },
    /// A password that will not do.
    #[error(transparent)]
    Password {
        /// Why.
        #[from]
        source: PasswordError,
    },
    /// A scope that names nothing.
    #[error(transparent)]
    Scope {
        /// Why.
        source: WordError,
    },
    /// An expiry that is over.
    #[error("the token would have expired already; hint: leave the expiry away or give a later one")]
    Expiry,
    /// There is a user of that name.
    #[error("there is a user {name:?} already")]
    Taken {
        /// The name.
        name: String,
    },
    /// There is none of that name.
    #[error("there is no user {name:?}")]
    NoUser {
        /// The name.
        name: String,
    },
    /// There is no such token.
    #[error("there is no token {id}")]
    NoToken {
        /// The number.
        id: i64,
    },
    /// Nobody would be left to administer.
    #[error("{name:?} is the last who can administer; hint: make another one an admin of all first")]
    LastAdmin {
        /// The name.
        name: String,
    },
}

pub(super) fn sql(operation: &'static str) -> impl Fn(rusqlite::Error) -> AccountsError {
    move |source| AccountsError::Sql { operation, source }
}
