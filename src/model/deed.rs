//! What people do about an alert: comment, assign, declare a cause, confirm or refuse a declaration.

use serde::{Deserialize, Serialize};

use super::reading::Offset;
use super::time::UtcMs;

/// What is written is no longer than this, characters.
pub const NOTE_CHARS_MAX: usize = 2_000;

/// Why it happened, as a plant declares it. A declaration explains; it changes nothing of what was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Maintenance that was not filed before.
    Maintenance,
    /// The power was cut.
    PowerCut,
    /// The meter, its transformers or its wiring.
    MeterFault,
    /// The gateway or the network.
    LinkFault,
    /// Treatment broke down.
    TreatmentFault,
    /// Production did not run though its equipment drew power.
    NoProduction,
    /// Something else; the note says what.
    Other,
}

impl Cause {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Cause; 7] = [
        Cause::Maintenance,
        Cause::PowerCut,
        Cause::MeterFault,
        Cause::LinkFault,
        Cause::TreatmentFault,
        Cause::NoProduction,
        Cause::Other,
    ];

    /// The word in config, API and forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Maintenance => "maintenance",
            Cause::PowerCut => "power_cut",
            Cause::MeterFault => "meter_fault",
            Cause::LinkFault => "link_fault",
            Cause::TreatmentFault => "treatment_fault",
            Cause::NoProduction => "no_production",
            Cause::Other => "other",
        }
    }
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Something is written down.
    Comment,
    /// Somebody is to see to it; nobody in particular where it is `None`.
    Assign {
        /// Who.
        to: Option<Box<str>>,
    },
    /// A cause is declared.
    Declare {
        /// Which.
        cause: Cause,
    },
    /// A declaration is taken as true.
    Confirm {
        /// The message that declared it.
        declaration: Offset,
    },
    /// A declaration is refused.
    Refuse {
        /// The message that declared it.
        declaration: Offset,
    },
}

impl Act {
    /// The word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Act::Comment => "comment",
            Act::Assign { .. } => "assign",
            Act::Declare { .. } => "declare",
            Act::Confirm { .. } => "confirm",
            Act::Refuse { .. } => "refuse",
        }
    }
}

/// Something that was done about an alert, as the alert keeps it for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Deed {
    /// When, by the journal.
    pub at: UtcMs,
    /// The message.
    pub offset: Offset,
    /// Who.
    pub who: Box<str>,
    /// What they wrote.
    pub note: Box<str>,
    /// What was done.
    #[serde(flatten)]
    pub act: Act,
}
