//! What people ask of the engine, as it lies in the journal.

use serde::{Deserialize, Serialize};

use super::commissioning::CommissioningRecord;
use super::deed::Act;
use super::exchange::Exchange;
use super::maintenance::Filing;
use super::proposal::Proposal;

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
    /// A person does something else about an alert.
    Deed {
        /// Alert id.
        alert: String,
        /// Who.
        who: String,
        /// What they write.
        note: String,
        /// What is done.
        act: Act,
    },
    /// Something was done that the rules have nothing to do with: a log-in, a user, a token. For the audit trail.
    Note {
        /// Who.
        who: String,
        /// What, in a word: `log_in`, `add_user`.
        what: String,
        /// To what.
        subject: String,
        /// More of it. Never a secret.
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
    /// The daily job tells what history taught of a site.
    Propose(Proposal),
    /// A person takes what was learned as true.
    Confirm(Said),
    /// A person refuses what was learned, and takes back what of it is in force.
    Reject(Said),
    /// A commissioning test was accepted.
    Commission {
        /// Site id.
        site: Box<str>,
        /// The process that was tested.
        process: Box<str>,
        /// What came of it.
        record: CommissioningRecord,
    },
    /// A meter was exchanged for another one.
    ExchangeMeter(Exchange),
}

/// What a person says of points of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Site id.
    pub site: Box<str>,
    /// Point ids; all for which there is something to say where it is empty.
    pub points: Vec<Box<str>>,
    /// Who.
    pub who: Box<str>,
    /// Why.
    pub note: Box<str>,
}

impl Command {
    /// Whether what is judged by may change by it, from that message on.
    #[must_use]
    pub fn changes_judging(&self) -> bool {
        matches!(
            self,
            Command::Propose(_)
                | Command::Confirm(_)
                | Command::Reject(_)
                | Command::Commission { .. }
                | Command::ExchangeMeter(_)
        )
    }
}
