//! What people ask of the engine, as it lies in the journal.

use serde::{Deserialize, Serialize};

use super::maintenance::Filing;

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
    /// Maintenance is filed. It counts only if it comes before its begin.
    FileMaintenance(Filing),
    /// Maintenance that was filed counts no longer from here on.
    WithdrawMaintenance {
        /// Its id.
        id: String,
        /// Who.
        who: String,
    },
}
