//! Why the engine cannot go on, one variant an operation.

use super::saved::SaveError;
use crate::history;
use crate::model::reading::Offset;
use crate::store::error::StoreError;

/// Why the engine cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error("the engine's store failed at message {offset}")]
    Store {
        /// The message at which it happened.
        offset: Offset,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// History failed.
    #[error("readings up to message {offset} cannot be written to history")]
    History {
        /// The message at which it happened.
        offset: Offset,
        /// Why.
        #[source]
        source: history::HistoryError,
    },
    /// A past span cannot be judged again.
    #[error("the past of a site cannot be judged again after message {offset}")]
    Past {
        /// The message at which it happened.
        offset: Offset,
        /// Why.
        #[source]
        source: super::past::keep::RejudgeError,
    },
    /// The state cannot be packed.
    #[error("the engine's state after message {offset} cannot be packed")]
    Snapshot {
        /// The last message in it.
        offset: Offset,
        /// Why.
        #[source]
        source: SaveError,
    },
    /// A journaled registry cannot be read.
    #[error("the registry in message {offset} cannot be read")]
    Registry {
        /// The message.
        offset: Offset,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The journal cannot be read.
    #[error("the journal cannot be read after message {offset}")]
    Journal {
        /// The last message read.
        offset: Offset,
        /// Why.
        #[source]
        source: crate::journal::JournalError,
    },
}
