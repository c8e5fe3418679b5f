//! Who may do what over the network: users, their sessions, tokens of other programs, and the guard at the door.
//!
//! *In*: names and passwords, cookies, tokens. *Out*: a [`role::Actor`], who says what they may do and which sites they see.
//! *State*: `accounts.db`, a file of its own: passwords, even hashed, do not belong into a journal that is handed out
//! as evidence. Throttling lives in memory and begins afresh with the daemon. Calls block (hashing takes tens of
//! milliseconds and a commit waits for the disk). Never done here: cookies' headers, pages, what was done (that is
//! the journal's).

#[expect(clippy::module_inception, reason = "the file of that name holds the type of that name")]
pub mod accounts;
pub mod credentials;
pub mod error;
mod hashing;
pub mod role;
mod schema;
pub mod secrets;
pub mod sessions;
mod set_up;
pub mod throttle;
pub mod tokens;
pub mod users;

pub use accounts::Accounts;
pub use error::AccountsError;
pub use role::{Act, Actor, Role, Scope};
pub use sessions::Session;
pub use tokens::{NewToken, TokenInfo};
pub use users::{Change, NewUser, User};

#[cfg(test)]
mod tests;
