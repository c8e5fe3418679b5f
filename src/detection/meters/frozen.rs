//! R9 `frozen`: the values of a meter do not move, or its register stands still under load.
//!
//! Three ways: voltages, currents and power bit for bit the same for `raise` and in `samples_min` readings while the unit
//! runs; the voltages the same for `off_raise` while it does not; a register unchanged while power makes `steps_min` of its
//! steps. Voltages in whole volts may well stand still: then `off_raise` holds while the unit runs, and nothing is said
//! while it does not (ours). Warning; cleared by the first reading that moved. Source: rule catalogue, R9.

use serde::{Deserialize, Serialize};

use super::limits::{MeterLimits, SiteLimits};
use super::pair::Pair;
use super::register::{self, Move};
use super::told::Proof;
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::Rule;
use crate::model::time::UtcMs;

/// The same print again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Run {
    print: u32,
    /// Begun so long before the last reading, ms.
    ms: u32,
    n: u16,
}

impl Run {
    /// Goes on to a reading; says whether it moved. One without a print proves nothing either way.
    fn go_on(&mut self, print: u32, pair: &Pair<'_>) -> bool {
        let dt_ms = u32::try_from(pair.dt_ms).unwrap_or(u32::MAX);
        self.ms = self.ms.saturating_add(dt_ms);
        if print == 0 {
            return false;
        }
        let moved = self.print != 0 && print != self.print;
        if print != self.print || !pair.is_known {
            *self = Run { print, ms: 0, n: 1 };
        } else {
            self.n = self.n.saturating_add(1);
        }
        moved
    }

    /// Since when it has held, and from when on for `need_ms` and in `n_min` readings, if it has.
    fn holds(&self, need_ms: i64, n_min: f64, now: UtcMs) -> Option<(UtcMs, UtcMs)> {
        if self.n == 0 || i64::from(self.ms) < need_ms || f64::from(self.n) < n_min {
            return None;
        }
        let since = now.plus(-i64::from(self.ms));
        let is_just_enough = f64::from(self.n) < n_min + 1.0;
        Some((since, if is_just_enough { now } else { since.plus(need_ms) }))
    }
}

/// Whether values move.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Frozen {
    all: Run,
    voltages: Run,
    /// What power made since the register moved, kWh.
    stuck_kwh: f32,
    /// It began so long before the last reading, ms.
    stuck_ms: u32,
}

/// An open alert.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Still {
    first: UtcMs,
    /// Which of the three ways go on.
    ways: u8,
}

const ALL: u8 = 1;
const VOLTAGES: u8 = 2;
const REGISTER: u8 = 4;

/// A way in which a meter stands still: which, since when, from when on it was enough, and the figures.
type Way = (u8, UtcMs, UtcMs, Vec<Figure>);

impl Frozen {
    /// The register has nothing to do with what it was.
    pub fn forget_register(&mut self) {
        (self.stuck_kwh, self.stuck_ms) = (0.0, 0);
    }

    /// Takes the next reading.
    pub fn take(
        &mut self,
        still: &mut Option<Still>,
        pair: &Pair<'_>,
        (own, site): (&MeterLimits, &SiteLimits),
        out: &mut impl FnMut(Finding),
    ) {
        let (prints, at) = (pair.now.prints, pair.now.at);
        let mut ended = 0;
        ended |= if self.all.go_on(prints.all, pair) { ALL } else { 0 };
        ended |= if self.voltages.go_on(prints.voltages, pair) { VOLTAGES } else { 0 };
        ended |= if self.stands(pair, own) { 0 } else { REGISTER };
        if let Some(open) = still {
            open.ways &= !ended;
            if open.ways == 0 {
                let first = open.first;
                *still = None;
                // What goes on in another way begins here: it is another alert.
                for run in [&mut self.all, &mut self.voltages] {
                    (run.ms, run.n) = (0, run.n.min(1));
                }
                self.forget_register();
                let mut finding =
                    AlertFinding::new(Rule::Frozen, Subject::Point(pair.point), Change::Cleared, at, first);
                (finding.last_certain, finding.certain_ms) = (pair.was, pair.was.since(first));
                out(Finding::Alert(Box::new(finding)));
                return;
            }
        }
        if (still.is_none() && !site.is_on(Rule::Frozen)) || !self.may_hold(site) {
            return;
        }
        for (way, since, enough, figures) in self.ways(pair, own, site) {
            match still {
                Some(open) => open.ways |= way,
                None => {
                    *still = Some(Still { first: since, ways: way });
                    let mut finding = AlertFinding::new(
                        Rule::Frozen,
                        Subject::Point(pair.point),
                        Change::Raised,
                        enough,
                        since,
                    );
                    let instants = vec![(pair.point, since), (pair.point, at)];
                    let proof = Proof { figures, instants };
                    (finding.figures, finding.instants) = proof.parts();
                    out(Finding::Alert(Box::new(finding)));
                }
            }
        }
    }

    /// Whether the register stands still, or cannot be told to have moved.
    fn stands(&mut self, pair: &Pair<'_>, own: &MeterLimits) -> bool {
        let dt_ms = u32::try_from(pair.dt_ms).unwrap_or(u32::MAX);
        self.stuck_ms = self.stuck_ms.saturating_add(dt_ms);
        let Some((_, _, gone)) = pair.moved else { return true };
        if !matches!(gone, Move::Forward(kwh) if kwh < pair.step_kwh / 2.0) {
            self.forget_register();
            return false;
        }
        // The smaller of the powers at both ends, and only under load: a register does not count what is below its start.
        let powers = pair.was_w.zip(pair.now.power_w.get()).map(|(a, b)| a.min(b));
        if let Some(power_w) = powers.filter(|p| pair.is_known && *p >= own.running_w) {
            if self.stuck_kwh == 0.0 {
                self.stuck_ms = dt_ms;
            }
            #[expect(clippy::cast_possible_truncation, reason = "compared with some steps of a register")]
            let kwh = register::kwh(power_w, pair.dt_ms) as f32;
            self.stuck_kwh += kwh;
        }
        true
    }

    /// A quick look: most meters move with every reading.
    fn may_hold(&self, site: &SiteLimits) -> bool {
        let n_min = site.frozen_samples;
        self.stuck_kwh > 0.0 || f64::from(self.all.n.max(self.voltages.n)) >= n_min.min(3.0)
    }

    fn ways(&self, pair: &Pair<'_>, own: &MeterLimits, site: &SiteLimits) -> Vec<Way> {
        let (at, set) = (pair.now.at, &site.settings);
        let (raise_ms, off_raise_ms) = (set.ms(Param::FrozenRaise), set.ms(Param::FrozenOffRaise));
        let mut ways = Vec::new();
        let mut same = |way: u8, run: &Run, need_ms: i64, n_min: f64| {
            if let Some((since, enough)) = run.holds(need_ms, n_min, at) {
                let n = Figure::of(pair.point, Fact::SameReadings, f64::from(run.n));
                ways.push((way, since, enough, vec![n]));
            }
        };
        let is_fine = pair.now.is_fine();
        if pair.now.power_w.get().is_some_and(|p| p >= own.running_w) {
            let need_ms = if is_fine { raise_ms } else { raise_ms.max(off_raise_ms) };
            same(ALL, &self.all, need_ms, site.frozen_samples);
        } else if is_fine {
            same(VOLTAGES, &self.voltages, off_raise_ms, N_OFF_MIN);
        }
        let stuck_kwh = f64::from(self.stuck_kwh);
        if pair.step_kwh > 0.0 && stuck_kwh >= set.get(Param::FrozenSteps) * pair.step_kwh {
            let since = at.plus(-i64::from(self.stuck_ms));
            let figures = vec![
                Figure::of(pair.point, Fact::StuckEnergy, stuck_kwh),
                Figure::of(pair.point, Fact::RegisterStep, pair.step_kwh),
            ];
            ways.push((REGISTER, since, at, figures));
        }
        ways
    }
}

/// Voltages must be seen so often while the unit does not run; ours.
const N_OFF_MIN: f64 = 3.0;
