//! The supervised test at commissioning: everything off, idle, at full load; what each unit drew becomes its thresholds and
//! baselines. A test that does not prove what it should is refused with every reason. Source: rule catalogue, 2.4.

use super::acceptance::{GAP_MIN, LOW_OF_RATED_MAX, between};
use super::adopt::of_powers;
use super::minute::{self, Minute, quantile};
use super::running::median;
use crate::model::baseline::{Baseline, N_LEVELS, level};
use crate::model::basis::Basis;
use crate::model::commissioning::{CommissioningRecord, Phase, PhaseKind, TestedPoint};
use crate::model::site::{Point, Process};
use crate::model::time::{MINUTE_MS, UtcMs};

/// The shortest phase of off and of idle, minutes.
pub const QUIET_MINUTES_MIN: usize = 10;
/// The shortest phase of full load, minutes: as long as an underload must last to be told (R4).
pub const FULL_LOAD_MINUTES_MIN: usize = 30;
/// So much of a phase must be measured, as of a day (R8).
pub const KNOWN_MIN: f64 = 0.9;
/// Full load draws at least this many times what off draws: its 5th percentile by the 99th of off.
pub const FULL_BY_OFF_MIN: f64 = 2.0;
/// Production that draws less of its summed rated power is not at full load.
pub const FULL_LOAD_OF_RATED_MIN: f64 = 0.5;

/// A test as it was run.
#[derive(Clone, Copy, Debug)]
pub struct Test<'a> {
    /// Who supervised it.
    pub who: &'a str,
    /// When it is recorded.
    pub at: UtcMs,
    /// One of each kind, in any order; idle may be left out.
    pub phases: &'a [Phase],
    /// The process that was tested.
    pub process: &'a Process,
    /// The points of the site.
    pub points: &'a [Point],
    /// The minutes of each of them, in the same order.
    pub minutes: &'a [Vec<Minute>],
}

/// Why a test proves nothing. Points are named by their ids.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the names and their words say it")]
pub enum Refusal {
    #[error("nobody is named who supervised the test")]
    Nobody,
    #[error("the phase \"{}\" is missing", .kind.name())]
    PhaseMissing { kind: PhaseKind },
    #[error("the phase \"{}\" is there more than once", .kind.name())]
    PhaseRepeated { kind: PhaseKind },
    #[error("the phases \"{}\" and \"{}\" overlap", .first.name(), .second.name())]
    PhasesOverlap { first: PhaseKind, second: PhaseKind },
    #[error("the phase \"{}\" has {minutes} whole minutes, fewer than {minutes_min}", .kind.name())]
    PhaseTooShort { kind: PhaseKind, minutes: usize, minutes_min: usize },
    #[error("{point}: of the {of} min of phase \"{}\" only {known} were measured", .kind.name())]
    MinutesUnknown { point: Box<str>, kind: PhaseKind, known: usize, of: usize },
    #[error(
        "{point}: full load begins at {full_w:.0} W and off ends at {off_w:.0} W, not {FULL_BY_OFF_MIN} times apart"
    )]
    NotClear { point: Box<str>, off_w: f64, full_w: f64 },
    #[error("production drew {:.0} % of its rated power, under {:.0} %: that is no full load", .share * 100.0, FULL_LOAD_OF_RATED_MIN * 100.0)]
    NotAtFullLoad { share: f64 },
}

/// The record of a test.
///
/// # Errors
/// Everything that speaks against it.
pub fn record(test: &Test<'_>) -> Result<CommissioningRecord, Vec<Refusal>> {
    let refusals = phases_refused(test);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let (tried, refusals) = all_tried(test);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let share = production_share(test, &tried);
    if share < FULL_LOAD_OF_RATED_MIN {
        return Err(vec![Refusal::NotAtFullLoad { share }]);
    }
    let mut phases = test.phases.to_vec();
    phases.sort_by_key(|p| p.from);
    let mut record = CommissioningRecord {
        who: test.who.into(),
        at: test.at,
        phases,
        points: Vec::new(),
        baselines: Vec::new(),
        remarks: Vec::new(),
    };
    for unit in &tried {
        let point = &test.points[usize::from(unit.point)];
        if !unit.is_clear() {
            record
                .remarks
                .push(format!("{}: stood still at full load, taken for a standby unit", point.id).into());
            continue;
        }
        let (given_w, remark) = unit.powers(point);
        record.remarks.extend(remark);
        let thresholds = of_powers(given_w, point, Basis::Commissioned);
        record.points.push(TestedPoint { point: unit.point, id: point.id.clone(), thresholds });
        if !test.process.production.contains(&unit.point) {
            let mut median_w = [None; N_LEVELS];
            median_w[level(share)] = unit.median_w;
            let factor = unit.power_factor;
            record.baselines.push(Baseline::new(unit.point, median_w, factor, Basis::Commissioned));
        }
    }
    Ok(record)
}

/// Whole minutes of a phase: the first, and the one after the last.
fn whole_minutes(phase: &Phase) -> std::ops::Range<i64> {
    (phase.from.0 + MINUTE_MS - 1).div_euclid(MINUTE_MS)..phase.to.0.div_euclid(MINUTE_MS)
}

fn length(phase: &Phase) -> usize {
    let minutes = whole_minutes(phase);
    usize::try_from(minutes.end - minutes.start).unwrap_or(0)
}

fn phases_refused(test: &Test<'_>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if test.who.trim().is_empty() {
        refusals.push(Refusal::Nobody);
    }
    for kind in PhaseKind::ALL {
        let own: Vec<_> = test.phases.iter().filter(|p| p.kind == kind).collect();
        let minutes_min = if kind == PhaseKind::FullLoad { FULL_LOAD_MINUTES_MIN } else { QUIET_MINUTES_MIN };
        match own[..] {
            [] if kind == PhaseKind::Idle => {}
            [] => refusals.push(Refusal::PhaseMissing { kind }),
            [phase] if length(phase) < minutes_min => {
                refusals.push(Refusal::PhaseTooShort { kind, minutes: length(phase), minutes_min });
            }
            [_] => {}
            _ => refusals.push(Refusal::PhaseRepeated { kind }),
        }
    }
    let mut ordered = test.phases.to_vec();
    ordered.sort_by_key(|p| p.from);
    let overlaps = ordered.windows(2).filter(|pair| pair[1].from < pair[0].to);
    refusals.extend(overlaps.map(|p| Refusal::PhasesOverlap { first: p[0].kind, second: p[1].kind }));
    refusals
}

/// What a unit drew in a test, W.
struct Tried {
    point: u16,
    off_top_w: f64,
    idle: Option<Idle>,
    full_foot_w: f64,
    /// At full load.
    median_w: Option<f32>,
    power_factor: Option<f32>,
}

struct Idle {
    foot_w: f64,
    median_w: f64,
    top_w: f64,
}

impl Tried {
    fn is_clear(&self) -> bool {
        self.full_foot_w >= FULL_BY_OFF_MIN * self.off_top_w
    }

    /// What the thresholds are made of, and a remark where the idle phase was none for this unit.
    ///
    /// A unit that draws in the idle phase what it draws at full load, or a good part of its rated power, runs in it: a fan
    /// that is on before production, a two-speed fan. Then running begins between off and full load.
    fn powers(&self, point: &Point) -> ([Option<f64>; 4], Option<Box<str>>) {
        let pair = |low_w: f64, high_w: f64| {
            let (on_w, off_w) = between(low_w, high_w);
            (Some(on_w), Some(off_w))
        };
        let is_idle = |idle: &Idle| {
            self.full_foot_w >= GAP_MIN * idle.top_w && idle.median_w <= LOW_OF_RATED_MAX * point.rated_w
        };
        let runs = self.idle.as_ref().filter(|idle| !is_idle(idle));
        let remark = runs.map(|idle| {
            format!("{}: drew {:.0} W in the idle phase, taken for running", point.id, idle.median_w).into()
        });
        let idle = self.idle.as_ref().filter(|idle| is_idle(idle));
        let low_top_w = idle.map_or(self.off_top_w, |idle| idle.top_w.max(self.off_top_w));
        let (on, off) = pair(low_top_w, self.full_foot_w);
        let told_from_off = idle.filter(|idle| idle.foot_w >= GAP_MIN * self.off_top_w);
        let (idle_on, idle_off) =
            told_from_off.map_or((None, None), |idle| pair(self.off_top_w, idle.foot_w));
        ([on, off, idle_on, idle_off], remark)
    }
}

/// Every unit of the process, production first.
fn all_tried(test: &Test<'_>) -> (Vec<Tried>, Vec<Refusal>) {
    let (mut all, mut refusals) = (Vec::new(), Vec::new());
    let not_clear = |unit: &Tried| Refusal::NotClear {
        point: test.points[usize::from(unit.point)].id.clone(),
        off_w: unit.off_top_w,
        full_w: unit.full_foot_w,
    };
    for point in &test.process.production {
        let unit = tried(test, *point, &mut refusals);
        refusals.extend(unit.iter().filter(|u| !u.is_clear()).map(not_clear));
        all.extend(unit);
    }
    for group in &test.process.treatment {
        let own: Vec<_> = group.points.iter().filter_map(|p| tried(test, *p, &mut refusals)).collect();
        if own.iter().filter(|u| u.is_clear()).count() < usize::from(group.need) {
            refusals.extend(own.iter().filter(|u| !u.is_clear()).map(not_clear));
        }
        all.extend(own);
    }
    (all, refusals)
}

fn tried(test: &Test<'_>, point: u16, refusals: &mut Vec<Refusal>) -> Option<Tried> {
    let own = test.points.get(usize::from(point))?;
    let minutes = test.minutes.get(usize::from(point)).map_or(&[][..], Vec::as_slice);
    let before = refusals.len();
    let mut measured = |kind| {
        let phase = test.phases.iter().find(|p| p.kind == kind)?;
        let whole = whole_minutes(phase);
        let inside = minutes.iter().filter(|m| m.at >= whole.start && m.ends() <= whole.end);
        let measured: Vec<Minute> = inside.filter(|m| m.is_measured(own.rated_w)).copied().collect();
        let (known, of) = (minute::total(&measured), length(phase));
        if (known as f64) < KNOWN_MIN * of as f64 {
            refusals.push(Refusal::MinutesUnknown { point: own.id.clone(), kind, known, of });
        }
        Some(measured)
    };
    let (off, idle, full) =
        (measured(PhaseKind::Off)?, measured(PhaseKind::Idle), measured(PhaseKind::FullLoad)?);
    if refusals.len() > before {
        return None;
    }
    let watts = |minutes: &[Minute], share| {
        quantile(&minute::sorted(minutes.iter(), |m| m.log(own.rated_w)), share).map(|x| 10_f64.powf(x))
    };
    let idle = match idle {
        None => None,
        Some(idle) => Some(Idle {
            foot_w: watts(&idle, 0.05)?,
            median_w: watts(&idle, 0.5)?,
            top_w: watts(&idle, 0.99)?,
        }),
    };
    let with_factor = full.iter().filter(|m| m.power_factor.is_some_and(f32::is_finite));
    Some(Tried {
        point,
        off_top_w: watts(&off, 0.99)?,
        idle,
        full_foot_w: watts(&full, 0.05)?,
        median_w: median(full.iter(), 1, |m| m.power_w),
        power_factor: median(with_factor, 1, |m| m.power_factor.map_or(f64::NAN, f64::from)),
    })
}

/// What production drew at full load as a share of its summed rated power.
fn production_share(test: &Test<'_>, tried: &[Tried]) -> f64 {
    let production = tried.iter().filter(|u| test.process.production.contains(&u.point));
    let (power_w, rated_w) = production.fold((0.0, 0.0), |(power_w, rated_w), unit| {
        let rated = test.points[usize::from(unit.point)].rated_w;
        (power_w + unit.median_w.map_or(0.0, f64::from), rated_w + rated)
    });
    if rated_w > 0.0 { power_w / rated_w } else { 0.0 }
}
