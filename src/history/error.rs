//! What can go wrong with history, one variant an operation.

/// Why history cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A statement failed.
    #[error("history could not {operation}")]
    Sql {
        /// What was to be done.
        operation: &'static str,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// A reading is of a meter that has no key.
    #[error("a reading is of meter {meter}, and only {n_keys} meters have a key")]
    NoKey {
        /// Index of the meter.
        meter: u32,
        /// How many keys were given.
        n_keys: usize,
    },
    /// There are more meters than keys.
    #[error("history has no key left for meter {id}")]
    NoKeyLeft {
        /// The meter.
        id: String,
    },
    /// Stored bytes do not hold what they should.
    #[error("history's {what} {id} is damaged")]
    Damaged {
        /// Row, part or block.
        what: &'static str,
        /// Its number.
        id: i64,
    },
}

pub(super) fn sql(operation: &'static str) -> impl Fn(rusqlite::Error) -> HistoryError {
    move |source| HistoryError::Sql { operation, source }
}
