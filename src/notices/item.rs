//! What a receiver knows of an alert.

use serde::{Deserialize, Serialize};

use crate::alerts::alert::Status;
use crate::model::rule::Level;
use crate::model::time::UtcMs;

/// What is told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It stands, and this is the first that is told of it.
    Raised,
    /// It is graver than what was told.
    Escalated,
    /// It still stands, and nobody has taken note.
    Reminder,
    /// It held, and is over: nothing was told while it stood.
    Past,
    /// It certainly ended.
    Cleared,
    /// Readings that came later show that it never held.
    Retracted,
}

impl What {
    /// The word in events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            What::Raised => "raised",
            What::Escalated => "escalated",
            What::Reminder => "reminder",
            What::Past => "past",
            What::Cleared => "cleared",
            What::Retracted => "retracted",
        }
    }

    /// Whether the alert stands.
    #[must_use]
    pub const fn stands(self) -> bool {
        matches!(self, What::Raised | What::Escalated | What::Reminder)
    }
}

/// An alert to one receiver: as it was last heard, what was told of it and what is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Level now.
    pub level: Level,
    /// Open, cleared or retracted.
    pub status: Status,
    /// Whether somebody took note.
    pub acknowledged: bool,
    /// Whether the receiver is not to hear of it: suppressed, or not what it asks for.
    pub quelled: bool,
    /// What was told.
    pub told: Option<Told>,
    /// What is to be told.
    pub news: Option<News>,
    /// It was over, or somebody had taken note, before it was to be told: it stays so while that lasts.
    pub passed_over: bool,
    /// The site's district as it was when this was first told: what is told by labels must keep them to its end.
    pub region: Box<str>,
}

/// What was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Last, at.
    pub at: UtcMs,
    /// Every level it was told at, since it was last raised; the lowest first.
    pub levels: Vec<Level>,
    /// How its end was told, if it was.
    pub ended: Option<Status>,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// What.
    pub what: What,
    /// Since when, by the first tick after it came.
    pub since: Option<UtcMs>,
    /// Whether it waited while the alert stood.
    pub stood: bool,
}

impl Item {
    /// Whether the receiver was told that it stands, and not that it ended.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.ended.is_none())
    }
}
