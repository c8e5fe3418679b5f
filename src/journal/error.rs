//! What can go wrong with the journal, one variant an operation.

use std::path::PathBuf;

use crate::model::reading::Offset;

/// Why the journal cannot be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has it.
    #[error("the journal {path} is in use by another process")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The lock file cannot be made.
    #[error("cannot make the lock file {path}")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be made.
    #[error("cannot make the journal {path}")]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// SQLite cannot open or prepare the file.
    #[error("cannot open the journal {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The writer's thread cannot be started.
    #[error("cannot start the journal's thread")]
    Thread {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A batch cannot be committed.
    #[error("cannot commit messages from {first} on to the journal")]
    Commit {
        /// First message of the batch.
        first: Offset,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A batch cannot be compressed.
    #[error("cannot compress messages from {first} on")]
    Compress {
        /// First message of the batch.
        first: Offset,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Old rows cannot be removed.
    #[error("cannot remove old rows of the journal")]
    Prune {
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A row cannot be read.
    #[error("cannot read the journal after message {after}")]
    Read {
        /// The last message read.
        after: Offset,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// What unpacks rows cannot be made.
    #[error("cannot prepare to unpack the journal {path}")]
    Unpacker {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A row cannot be unpacked.
    #[error("the journal's row of message {first} cannot be unpacked")]
    Unpack {
        /// First message of the row.
        first: Offset,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A row does not hold what it says.
    #[error("the journal's row of message {first} is damaged: {what}")]
    Damaged {
        /// First message of the row.
        first: Offset,
        /// What does not fit.
        what: &'static str,
    },
    /// Messages are missing between two rows.
    #[error("the journal goes on with message {found} where {expected} was expected")]
    Hole {
        /// The message that should come.
        expected: Offset,
        /// The one that does.
        found: Offset,
    },
    /// The hash chain does not fit: something was changed after it was written.
    #[error("the journal was changed: the hash of the row of message {first} does not fit")]
    Chain {
        /// First message of the first row that does not fit.
        first: Offset,
    },
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The size bound is reached and nothing may be removed.
    #[error("the journal is full: {bytes} of {max_bytes} bytes")]
    Full {
        /// Size now.
        bytes: u64,
        /// The bound.
        max_bytes: u64,
    },
    /// The writer has stopped, for the reason given.
    #[error("the journal is closed: {why}")]
    Closed {
        /// Why.
        why: String,
    },
    /// Source, topic or payload is longer than can be framed.
    #[error("the message is too long for the journal: {bytes} bytes, at most {max_bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        max_bytes: usize,
    },
}
