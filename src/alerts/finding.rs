//! What detection says of an alert: which rule, about what, what happened and when, with the figures.

use serde::{Deserialize, Serialize};

use super::figure::Figure;
use crate::model::rule::{Level, Rule};
use crate::model::{reading::Offset, time::UtcMs};

/// What an alert is about, by index within the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A process.
    Process(u16),
    /// A point.
    Point(u16),
    /// All points behind one gateway, by index into the site's gateways.
    Gateway(u16),
    /// The site as a whole.
    Site,
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
    /// What must be added to the difference of the two, kWh: where the register began anew at its end. Not a number where
    /// it went in a way no energy explains, so that nothing can be told of it.
    pub turned_kwh: f64,
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
    /// What else the rule worked out and rests on.
    pub figures: Vec<Figure>,
    /// Readings that are shown whole as proof: point and measuring time.
    pub instants: Vec<(u16, UtcMs)>,
}

impl AlertFinding {
    /// A finding with its times alone; what else a rule has to say is added to it.
    #[must_use]
    pub fn new(rule: Rule, subject: Subject, change: Change, at: UtcMs, first: UtcMs) -> AlertFinding {
        AlertFinding {
            rule,
            subject,
            change,
            at,
            first,
            last_certain: at,
            level: Level::Warning,
            certain_ms: at.since(first),
            unknown_ms: 0,
            tallies: Vec::new(),
            fragments: Vec::new(),
            figures: Vec::new(),
            instants: Vec::new(),
        }
    }
}
