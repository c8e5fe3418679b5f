//! What the rules of a process see beside their own state.

use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::alerts::finding::Subject;
use crate::detection::debounce::Truth;
use crate::detection::state::Edge;
use crate::model::param::{Param, Settings};
use crate::model::rule::{Level, Rule};
use crate::model::site::{Process, RuleLimits, Site};
use crate::model::time::UtcMs;

/// A process as it stands.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Its site.
    pub site: &'a Site,
    /// The process.
    pub process: &'a Process,
    /// What its alerts are about.
    pub subject: Subject,
    /// The most that what is said of it is worth.
    pub level_max: Level,
    /// Its units.
    pub members: &'a [Member],
    /// Whether production runs.
    pub production: Truth,
    /// Whether treatment has failed.
    pub failed: Truth,
}

impl Scene<'_> {
    /// Limits of its rules.
    #[must_use]
    pub fn rules(&self) -> &RuleLimits {
        &self.process.rules
    }

    fn settings(&self) -> &Settings {
        &self.process.rules.settings
    }

    /// A duration that was set, ms.
    #[must_use]
    pub fn ms(&self, param: Param) -> i64 {
        self.settings().ms(param)
    }

    /// A number that was set.
    #[must_use]
    pub fn get(&self, param: Param) -> f64 {
        self.settings().get(param)
    }

    /// Whether a rule speaks at all.
    #[must_use]
    pub fn is_on(&self, rule: Rule) -> bool {
        self.settings().is_on(rule)
    }

    /// The level as far as it may be said here.
    #[must_use]
    pub fn worth(&self, level: Level) -> Level {
        level.min(self.level_max)
    }
}

/// What is said of a process is worth a warning and no more where the thresholds of a unit of it are only proposed.
/// Source: rule catalogue, 3.2.
#[must_use]
pub fn level_max(site: &Site, process: &Process) -> Level {
    let treatment = process.treatment.iter().flat_map(|group| &group.points);
    let mut points =
        process.production.iter().chain(treatment).filter_map(|i| site.points.get(usize::from(*i)));
    if points.any(|point| point.thresholds.basis.is_proposal()) { Level::Warning } else { Level::Critical }
}

/// A stretch of time in which nothing changes: no unit, no day, neither night nor working time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Its begin.
    pub from: UtcMs,
    /// Its end.
    pub to: UtcMs,
    /// End of the local day it lies in.
    pub day_ends: UtcMs,
    /// Whether it lies in the night.
    pub is_night: bool,
    /// Whether it lies in working time; `None` where none is declared.
    pub is_working: Option<bool>,
}

impl Piece {
    /// From and to.
    #[must_use]
    pub fn span(&self) -> (UtcMs, UtcMs) {
        (self.from, self.to)
    }

    /// Its length, ms.
    #[must_use]
    pub fn length_ms(&self) -> i64 {
        self.to.since(self.from)
    }
}

/// A unit's change of state by which production or treatment of the process changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which unit.
    pub point: u16,
    /// When, and how surely.
    pub edge: Edge,
}

impl Change {
    /// Its point has a new index, or is gone: says whether it is still there.
    pub fn renumber(&mut self, moved: impl Fn(u16) -> Option<u16>) -> bool {
        let point = moved(self.point);
        self.point = point.unwrap_or(self.point);
        point.is_some()
    }

    /// The readings that prove it: the last of the old state and the first of the new one.
    #[must_use]
    pub fn instants(&self) -> [(u16, UtcMs); 2] {
        [(self.point, self.edge.after), (self.point, self.edge.at)]
    }
}

/// What was known of production and of "treatment failed" before a change, and what is known since.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// The change.
    pub by: Change,
    /// Of production.
    pub production: (Truth, Truth),
    /// Of "treatment failed".
    pub failed: (Truth, Truth),
}
