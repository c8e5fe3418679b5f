//! A unit's minutes fall into two levels, or three, with clear valleys between; or learning says why not.
//!
//! Three levels (off, idle, loaded) are two splits, each of which must pass every test on the minutes of its own two levels:
//! judged on all minutes, the distance of "off" would make any idle level look clear. The unit is then on from the upper
//! valley, as idle is not running anywhere in the house; that it is the loaded level in which the plant produces is for a
//! person to say, so the idle level is told with its own valley, and nobody adopts such a split unasked.

use std::ops::Range;

use super::acceptance::{Failed, Figures, between, figures};
use super::histogram::{Histogram, N_BINS};
use super::minute::{self, Minute};

/// A minute that differs by this much from its neighbour, in decades, is a change and no level.
const STEADY_DECADES: f64 = 0.2;

/// How much must have been seen. Source: rule catalogue, 3.2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needs {
    /// Days in which anything was measured, counted from the first minute.
    pub days_min: usize,
    /// Minutes that are measured and steady.
    pub minutes_min: usize,
}

impl Default for Needs {
    fn default() -> Needs {
        Needs { days_min: 14, minutes_min: 2_000 }
    }
}

/// What came of learning.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Every test was passed.
    Accepted(Split),
    /// At least one was not: the thresholds in force stay.
    Refused(Refused),
}

/// A valley in which a unit changes between two levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Valley {
    /// In the upper level from this power up, W.
    pub on_w: f64,
    /// In the lower level from this power down, W.
    pub off_w: f64,
    /// The figures of every test.
    pub figures: Figures,
}

/// Levels that are told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// Between running and not running.
    pub running: Valley,
    /// Between idle and off, where there is a third level; its high class is the idle level.
    pub idle: Option<Valley>,
    /// Minutes it was learned from.
    pub clean_minutes: usize,
}

/// Why nothing was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Every test that was not passed.
    pub failed: Vec<Failed>,
    /// All figures of the split that was tried, where there was anything to split.
    pub figures: Option<Figures>,
}

impl Outcome {
    /// The split, if it was accepted.
    #[must_use]
    pub fn accepted(&self) -> Option<&Split> {
        match self {
            Outcome::Accepted(split) => Some(split),
            Outcome::Refused(_) => None,
        }
    }
}

/// Learns the levels of a unit from its minutes, in time order.
#[must_use]
pub fn learn(minutes: &[Minute], rated_w: f64, needs: Needs) -> Outcome {
    let measured: Vec<Minute> = minutes.iter().filter(|m| m.is_measured(rated_w)).copied().collect();
    let (logs, days) = (steady(&measured, rated_w), days(&measured));
    let mut failed = Vec::new();
    if days < needs.days_min {
        failed.push(Failed::Window { days, days_min: needs.days_min });
    }
    if logs.len() < needs.minutes_min {
        failed.push(Failed::FewMinutes { clean: logs.len(), minutes_min: needs.minutes_min });
    }
    match split(&logs, rated_w) {
        Outcome::Accepted(split) if failed.is_empty() => Outcome::Accepted(split),
        Outcome::Accepted(split) => {
            Outcome::Refused(Refused { failed, figures: Some(split.running.figures) })
        }
        Outcome::Refused(refused) => {
            failed.extend(refused.failed);
            Outcome::Refused(Refused { failed, figures: refused.figures })
        }
    }
}

/// A month between two days is two days.
fn days(minutes: &[Minute]) -> usize {
    let first = minutes.first().map_or(0, |m| m.at);
    minutes.chunk_by(|a, b| (a.at - first) / 1_440 == (b.at - first) / 1_440).count()
}

/// Logarithms of the minutes in which the unit kept its level, the smallest first. A mean over several minutes is dropped
/// like a minute: the change is somewhere in it.
fn steady(measured: &[Minute], rated_w: f64) -> Vec<f64> {
    let differ = |a: &Minute, b: &Minute| {
        a.ends() == b.at && (a.log(rated_w) - b.log(rated_w)).abs() >= STEADY_DECADES
    };
    let is_steady = |i: usize| {
        let before = i.checked_sub(1).map(|b| &measured[b]);
        let (own, after) = (&measured[i], measured.get(i + 1));
        !before.is_some_and(|b| differ(b, own)) && !after.is_some_and(|a| differ(own, a))
    };
    let kept = (0..measured.len()).filter(|i| is_steady(*i)).map(|i| &measured[i]);
    minute::sorted(kept, |m| m.log(rated_w))
}

fn split(logs: &[f64], rated_w: f64) -> Outcome {
    const ALL: Range<usize> = 0..N_BINS;
    let refused = |failed, figures| Outcome::Refused(Refused { failed, figures });
    let one_level =
        || refused(if logs.is_empty() { vec![] } else { vec![Failed::Range { range: 1.0 }] }, None);
    let Some(histogram) = Histogram::of(logs) else { return one_level() };
    let valley = |bins: &Range<usize>, cut| {
        let figures = figures(logs, &histogram, bins, cut, rated_w)?;
        let (on_w, off_w) = between(figures.low_top_w, figures.high_foot_w);
        Some(Valley { on_w, off_w, figures })
    };
    let passes = |v: &Valley| v.figures.failed().is_empty();
    let three = histogram.cut_in_three();
    if let Some([lower, upper]) = three {
        let idle = valley(&(0..upper), lower).filter(passes);
        let running = valley(&(lower..N_BINS), upper).filter(passes);
        if let (Some(running), idle @ Some(_)) = (running, idle) {
            return Outcome::Accepted(Split { running, idle, clean_minutes: logs.len() });
        }
    }
    // Otsu's cut is drawn into a level that lies between two others; of the cuts that pass, the one in the widest gap is it.
    let cuts = histogram.cut_in_two().into_iter().chain(three.into_iter().flatten());
    let mut valleys = cuts.filter_map(|cut| valley(&ALL, cut));
    let Some(otsu) = valleys.next() else { return one_level() };
    let passed = [otsu].into_iter().chain(valleys).filter(passes);
    let best = passed.reduce(|a, b| if b.figures.gap > a.figures.gap { b } else { a });
    match best {
        Some(running) => Outcome::Accepted(Split { running, idle: None, clean_minutes: logs.len() }),
        None => refused(otsu.figures.failed(), Some(otsu.figures)),
    }
}
