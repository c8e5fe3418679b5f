//! Why the store refuses, one variant a kind of failure.

/// Why the store refuses.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A statement failed.
    #[error("the store could not {operation}")]
    Sql {
        /// What was to be done.
        operation: &'static str,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// A record could not be put into words, or taken back from them.
    #[error("the store holds an unreadable {what}")]
    Body {
        /// Which record.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl StoreError {
    /// Whether another writer was in the way for longer than is waited for: the same may succeed later.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let code = match self {
            StoreError::Sql { source, .. } => source.sqlite_error_code(),
            StoreError::Body { .. } => None,
        };
        matches!(code, Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
    }
}

pub(super) fn sql(operation: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| StoreError::Sql { operation, source }
}
