//! What an officer needs as proof: power and registers of every unit, thresholds in force, what was and was not seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::figure::{Fact, Figure};
use super::finding::{Subject, Tally};
use crate::model::reading::Offset;
use crate::model::site::{Point, PointKind, Site, Thresholds};
use crate::model::time::UtcMs;

/// What one point showed in the interval of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PointEvidence {
    /// Point id.
    pub point: Box<str>,
    /// As people call it.
    pub name: Box<str>,
    /// Production or treatment.
    pub kind: PointKind,
    /// Mean power, kW.
    pub mean_kw: Option<f64>,
    /// Largest power, kW.
    pub max_kw: Option<f64>,
    /// Import register at the begin, kWh.
    pub energy_first_kwh: Option<f64>,
    /// Import register at the end, kWh.
    pub energy_last_kwh: Option<f64>,
    /// Energy in the interval, kWh; absent where the register went back.
    pub energy_kwh: Option<f64>,
    /// Samples seen.
    pub n_samples: u32,
    /// Thresholds in force, with their version.
    pub thresholds: Thresholds,
    /// Those in force earlier in the alert, where somebody changed them meanwhile; the first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds_before: Vec<Thresholds>,
}

/// The proof of an alert.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Evidence {
    /// The points of the process.
    pub points: Vec<PointEvidence>,
    /// Certain time as a share of certain and unknown time, 0 to 1.
    pub data_share: f64,
    /// First and last message that is part of it, by journal offset.
    pub offsets: Option<(Offset, Offset)>,
    /// For R16: the short gaps, as (begin in UTC ms, length in ms).
    pub fragments: Vec<(i64, i64)>,
    /// What else the rule worked out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<NamedFigure>,
    /// Readings shown whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<WholeReading>,
    /// For R18: what is judged by otherwise than before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Changed>,
}

/// What of the things a site is judged by was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// Thresholds of a point.
    Thresholds,
    /// Rated power of a point.
    RatedPower,
    /// Ratio of a point's current transformers.
    CtRatio,
    /// Ratio of a point's voltage transformers.
    PtRatio,
    /// Which meter measures a point, and how it is read.
    Meter,
    /// Which treatment must run while which production runs.
    Relation,
    /// What a treatment point usually draws.
    Baseline,
    /// A point or a process as a whole, or any other key, by name.
    Other,
}

/// One thing a site is judged by otherwise than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Changed {
    /// What it is.
    pub what: Aspect,
    /// Of which point or process, by id; for [`Aspect::Other`] the key.
    pub of: Box<str>,
    /// As it was.
    pub from: Box<str>,
    /// As it is now.
    pub to: Box<str>,
    /// Who changed it: a person, `learning`, or `config`.
    pub who: Box<str>,
}

/// A figure with the point it is of by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NamedFigure {
    /// What it says.
    pub what: Fact,
    /// Of which point, if of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Box<str>>,
    /// In the fact's unit.
    pub value: f64,
}

/// A reading as it was measured, every value of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WholeReading {
    /// Point id.
    pub point: Box<str>,
    /// When it was measured.
    pub at: UtcMs,
    /// When it was received.
    pub received: UtcMs,
    /// The message it came in.
    pub offset: Offset,
    /// Values by channel name: `voltage_l1_v`.
    pub values: BTreeMap<Box<str>, f64>,
}

/// Figures with their points by name.
#[must_use]
pub fn figures(site: &Site, figures: &[Figure]) -> Vec<NamedFigure> {
    let name = |i: u16| site.points.get(usize::from(i)).map(|p| p.id.clone());
    figures
        .iter()
        .map(|f| NamedFigure { what: f.what, point: f.point.and_then(name), value: f.value })
        .collect()
}

impl Evidence {
    /// Power of all production (or treatment) points together, kW: the sum of their means.
    #[must_use]
    pub fn mean_kw(&self, kind: PointKind) -> Option<f64> {
        sum(self.points.iter().filter(|p| p.kind == kind).map(|p| p.mean_kw))
    }

    /// Energy of all production (or treatment) points together, kWh.
    #[must_use]
    pub fn energy_kwh(&self, kind: PointKind) -> Option<f64> {
        sum(self.points.iter().filter(|p| p.kind == kind).map(|p| p.energy_kwh))
    }
}

/// The sum, if every part is known.
fn sum(mut parts: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let first = parts.next()??;
    parts.try_fold(first, |total, part| Some(total + part?))
}

/// Down to the mWh: what is beyond comes of subtracting two large registers, not of the meter.
fn to_mwh(kwh: f64) -> f64 {
    (kwh * 1e6).round() / 1e6
}

/// The evidence of a point from its tally.
#[must_use]
pub fn of_point(point: &Point, tally: &Tally) -> PointEvidence {
    let energy_kwh = match (tally.energy_first_kwh, tally.energy_last_kwh) {
        // One reading of the register says nothing of what went through it.
        (Some(first), Some(last)) if tally.last_offset > tally.first_offset => {
            Some(to_mwh(last - first + tally.turned_kwh)).filter(|kwh| *kwh >= 0.0)
        }
        _ => None,
    };
    PointEvidence {
        point: point.id.clone(),
        name: point.name.clone(),
        kind: point.kind,
        mean_kw: tally.mean_w().map(|w| w / 1_000.0),
        max_kw: (tally.n_samples > 0).then_some(tally.max_w / 1_000.0),
        energy_first_kwh: tally.energy_first_kwh,
        energy_last_kwh: tally.energy_last_kwh,
        energy_kwh,
        n_samples: tally.n_samples,
        thresholds: point.thresholds.clone(),
        thresholds_before: Vec::new(),
    }
}

/// What was in force `before` is kept beside what is in force now: an alert must not seem to rest on thresholds that came
/// after it began.
pub fn keep_thresholds(now: &mut [PointEvidence], before: Vec<PointEvidence>) {
    for was in before {
        let Some(own) = now.iter_mut().find(|p| p.point == was.point) else { continue };
        own.thresholds_before = was.thresholds_before;
        if was.thresholds.version != own.thresholds.version {
            own.thresholds_before.push(was.thresholds);
        }
    }
}

/// The evidence from tallies; where a rule keeps none, the points the alert is about stand with their thresholds.
#[must_use]
pub fn of_tallies(site: &Site, subject: Subject, tallies: &[Tally]) -> Vec<PointEvidence> {
    if !tallies.is_empty() {
        return tallies
            .iter()
            .filter_map(|t| Some(of_point(site.points.get(usize::from(t.point))?, t)))
            .collect();
    }
    let points: Vec<u16> = match subject {
        Subject::Point(point) => vec![point],
        Subject::Process(p) => site.processes.get(usize::from(p)).map_or_else(Vec::new, |process| {
            let treatment = process.treatment.iter().flat_map(|g| g.points.iter().copied());
            process.production.iter().copied().chain(treatment).collect()
        }),
        Subject::Gateway(_) | Subject::Site => Vec::new(),
    };
    let bare = |i: &u16| {
        let tally = Tally { point: *i, ..Tally::default() };
        Some(of_point(site.points.get(usize::from(*i))?, &tally))
    };
    points.iter().filter_map(bare).collect()
}
