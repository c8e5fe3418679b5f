//! What people ask of the engine, as it lies in the journal.

use serde::{Deserialize, Serialize};

/// A command, as JSON in a message of kind [`Command`](super::message::Kind::Command).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// A person takes note of an alert.
    Acknowledge {
        /// Alert id.
        alert: String,
        /// Who.
        who: String,
        /// Why, or what was done about it.
        note: String,
    },
}
