//! What detection says of an alert: which rule, about what, what happened and when, with the figures.

use serde::{Deserialize, Serialize};

use crate::model::{reading::Offset, time::UtcMs};

/// How grave an alert is; it only ever rises while the alert is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Kept, told to nobody.
    Notice,
    /// The enterprise is to act.
    Warning,
    /// The agency is to know.
    Alarm,
    /// The agency is to act now.
    Critical,
}

impl Level {
    /// The word in API, tags and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Alarm => "alarm",
            Level::Critical => "critical",
        }
    }
}

/// Which rule speaks. Ids are those of the rule catalogue and are kept for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// R1: treatment off while production runs.
    TreatmentOff,
    /// R8: a point or a whole gateway is silent.
    DataMissing,
    /// R8: treatment cannot be seen while production runs.
    GapWhileProducing,
    /// R16: many gaps, each too short for R1.
    Fragmented,
    /// R8: a unit's state could not be told for too much of a day.
    IncompleteDay,
}

impl Rule {
    /// Every rule there is.
    pub const ALL: [Rule; 5] = [
        Rule::TreatmentOff,
        Rule::DataMissing,
        Rule::GapWhileProducing,
        Rule::Fragmented,
        Rule::IncompleteDay,
    ];

    /// Number in the catalogue.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Rule::TreatmentOff => "R1",
            Rule::DataMissing | Rule::GapWhileProducing | Rule::IncompleteDay => "R8",
            Rule::Fragmented => "R16",
        }
    }

    /// The word in config, API and tags.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Rule::TreatmentOff => "treatment_off",
            Rule::DataMissing => "data_missing",
            Rule::GapWhileProducing => "gap_while_producing",
            Rule::Fragmented => "fragmented",
            Rule::IncompleteDay => "incomplete_day",
        }
    }

    /// Raised with every change that could change an outcome; alerts quote it.
    #[must_use]
    pub const fn version(self) -> u32 {
        match self {
            Rule::TreatmentOff
            | Rule::DataMissing
            | Rule::GapWhileProducing
            | Rule::Fragmented
            | Rule::IncompleteDay => 1,
        }
    }
}

/// What an alert is about, by index within the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A process.
    Process(u16),
    /// A point.
    Point(u16),
    /// All points behind one gateway, by index into the site's gateways.
    Gateway(u16),
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It began.
    Raised,
    /// Its level rose.
    Escalated,
    /// It ended, on positive evidence.
    Cleared,
}

/// What one point showed during an alert.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Index into the site's points.
    pub point: u16,
    /// Samples seen in the interval.
    pub n_samples: u32,
    /// Sum of their powers, W.
    pub sum_w: f64,
    /// Largest power, W.
    pub max_w: f64,
    /// Energy register at the begin, kWh.
    pub energy_first_kwh: Option<f64>,
    /// Energy register at the end, kWh.
    pub energy_last_kwh: Option<f64>,
    /// First journal offset that is part of the evidence; 0 = none.
    pub first_offset: Offset,
    /// Last journal offset that is part of the evidence.
    pub last_offset: Offset,
}

impl Tally {
    /// Mean power over the samples, W.
    #[must_use]
    pub fn mean_w(&self) -> Option<f64> {
        (self.n_samples > 0).then(|| self.sum_w / f64::from(self.n_samples))
    }
}

/// A change of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertFinding {
    /// Which rule.
    pub rule: Rule,
    /// About what.
    pub subject: Subject,
    /// What happened.
    pub change: Change,
    /// When it happened, in measuring time.
    pub at: UtcMs,
    /// First certain moment of the condition. With rule and subject it is the alert's identity.
    pub first: UtcMs,
    /// Last certain moment of the condition so far.
    pub last_certain: UtcMs,
    /// Level from here on.
    pub level: Level,
    /// Certain time of the condition so far, ms.
    pub certain_ms: i64,
    /// Time within the alert in which it could not be told, ms.
    pub unknown_ms: i64,
    /// What the points of the process showed.
    pub tallies: Vec<Tally>,
    /// For R16: the short gaps, begin and length in ms.
    pub fragments: Vec<(UtcMs, i64)>,
}
