//! The record of a supervised test at commissioning: what every unit drew off, idle and at full load.

use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::site::{Point, Thresholds};
use super::time::UtcMs;

/// What was asked of the units in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// Everything switched off.
    Off,
    /// Powered, not loaded. May be left out.
    Idle,
    /// Production at full load, treatment as it must run then.
    FullLoad,
}

impl PhaseKind {
    /// Every kind.
    pub const ALL: [PhaseKind; 3] = [PhaseKind::Off, PhaseKind::Idle, PhaseKind::FullLoad];

    /// As a person reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            PhaseKind::Off => "off",
            PhaseKind::Idle => "idle",
            PhaseKind::FullLoad => "full load",
        }
    }
}

/// A stretch of the test, for all units at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// What was asked of the units.
    pub kind: PhaseKind,
    /// From here.
    pub from: UtcMs,
    /// Up to here.
    pub to: UtcMs,
}

/// The thresholds of one unit that was tested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedPoint {
    /// Index into the points of the site at the time of the test.
    pub point: u16,
    /// Its id, which outlives the index.
    pub id: Box<str>,
    /// What follows from the test.
    pub thresholds: Thresholds,
}

/// A commissioning test that was accepted: the ground that learned thresholds and baselines stand on.
/// Source: rule catalogue, 2.4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommissioningRecord {
    /// Who supervised it.
    pub who: Box<str>,
    /// When it was recorded.
    pub at: UtcMs,
    /// Its phases, in time order.
    pub phases: Vec<Phase>,
    /// Every unit that was tested.
    pub points: Vec<TestedPoint>,
    /// What the treatment units drew at full load; their points are among [`points`](Self::points).
    pub baselines: Vec<Baseline>,
    /// What was noticed, in plain words.
    pub remarks: Vec<Box<str>>,
}

impl CommissioningRecord {
    /// The record for a site whose points may have been rearranged since: found by id. Points that are gone are left out.
    #[must_use]
    pub fn reindexed(&self, points: &[Point]) -> CommissioningRecord {
        let now = |id: &str| (0_u16..).zip(points).find(|(_, p)| &*p.id == id).map(|(i, _)| i);
        let tested = self.points.iter();
        let tested = tested.filter_map(|t| Some((t.point, TestedPoint { point: now(&t.id)?, ..t.clone() })));
        let tested: Vec<_> = tested.collect();
        let moved = |b: &Baseline| {
            let (_, to) = tested.iter().find(|(before, _)| *before == b.point)?;
            Some(Baseline { point: to.point, ..b.clone() })
        };
        CommissioningRecord {
            baselines: self.baselines.iter().filter_map(moved).collect(),
            points: tested.into_iter().map(|(_, t)| t).collect(),
            ..self.clone()
        }
    }
}
