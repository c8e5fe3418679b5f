//! R12 `power_energy_mismatch`: over hours, what came to the register is not what power made of them.
//!
//! Hours are summed over the same time for both, so that silence is no difference. Power is known at readings alone: between
//! two it lies somewhere between their powers, and only what no course between can explain contradicts. Judged at the end
//! of an hour with 50 min seen and `20` steps of the register; what is less goes on into the next, for a day at most.
//! Warning after `raise`; alarm where it came suddenly and the ratio is one of transformers. Cleared by an hour that agrees.
//! Source: rule catalogue, R12; the bounds between readings are ours.

use serde::{Deserialize, Serialize};

use super::limits::SiteLimits;
use super::pair::Pair;
use super::register;
use super::told::{Proof, transition};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::Subject;
use crate::detection::debounce::{Debounce, Limits, OnUnknown, Transition, Truth};
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::{HOUR_MS, MINUTE_MS, UtcMs};

/// Of an hour so much must be seen, ms; ours.
const SEEN_MIN_MS: u32 = 50 * MINUTE_MS as u32;

/// Fewer steps of a register say too little. Source: rule catalogue, R12.
const STEPS_MIN: f64 = 20.0;

/// What is not enough to judge within so many hours is dropped; ours.
const HOURS_MAX: i64 = 24;

/// By what a change of transformer ratio shows, and its inverse.
const CT_STEPS: [f64; 9] = [1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];

/// So near to it; ours.
const CT_NEAR: f64 = 0.03;

/// Sums of the hour that is being filled.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Agreement {
    /// Hours since 1970 at its begin.
    hour: i32,
    seen_ms: u32,
    /// What came to the register, kWh.
    energy_kwh: f32,
    /// The least and the most that power made, kWh.
    least_kwh: f32,
    most_kwh: f32,
    /// The last hour that was judged agreed.
    pub is_trusted: bool,
}

/// A mismatch that is building up or open.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Mismatch {
    debounce: Debounce,
    /// Hours in which it held.
    n_hours: u32,
    /// Of those hours, without the first, in which it may have begun, if there are others; kWh.
    energy_kwh: f64,
    power_kwh: f64,
    /// Register and power agreed before.
    is_sudden: bool,
}

impl Agreement {
    /// Takes the next reading.
    #[expect(clippy::cast_possible_truncation, reason = "an hour since 1970; sums of an hour")]
    pub fn take(
        &mut self,
        mismatch: &mut Option<Mismatch>,
        pair: &Pair<'_>,
        site: &SiteLimits,
        out: &mut impl FnMut(Finding),
    ) {
        let Some((_, since, gone)) = pair.moved else { return };
        let (Some(kwh), true) = (gone.forward(), pair.is_known && since == pair.was) else { return };
        let Some((a, b)) = pair.was_w.zip(pair.now.power_w.get()) else { return };
        // An import register counts what is consumed alone.
        let (a, b) = (a.max(0.0), b.max(0.0));
        let hour = pair.was.0.div_euclid(HOUR_MS);
        if hour != i64::from(self.hour) {
            self.end_of_hour(hour, mismatch, pair, site, out);
        }
        self.seen_ms = self.seen_ms.saturating_add(u32::try_from(pair.dt_ms).unwrap_or(u32::MAX));
        self.energy_kwh += kwh as f32;
        self.least_kwh += register::kwh(a.min(b), pair.dt_ms) as f32;
        self.most_kwh += register::kwh(a.max(b), pair.dt_ms) as f32;
    }

    #[expect(clippy::cast_possible_truncation, reason = "an hour since 1970")]
    fn end_of_hour(
        &mut self,
        hour: i64,
        mismatch: &mut Option<Mismatch>,
        pair: &Pair<'_>,
        site: &SiteLimits,
        out: &mut impl FnMut(Finding),
    ) {
        let begun = i64::from(self.hour);
        let power_kwh = f64::from(self.least_kwh.midpoint(self.most_kwh));
        let is_enough = self.seen_ms >= SEEN_MIN_MS
            && f64::from(self.energy_kwh).max(power_kwh.abs()) >= STEPS_MIN * pair.step_kwh;
        if !is_enough && self.seen_ms > 0 && hour - begun < HOURS_MAX {
            return;
        }
        if is_enough {
            let truth = self.contradicts(pair.step_kwh, site);
            let hours = (i64::from(self.seen_ms) + HOUR_MS - 1).div_euclid(HOUR_MS).min(hour - begun);
            let span = (UtcMs(begun * HOUR_MS), UtcMs((begun + hours) * HOUR_MS));
            self.judge(truth, span, power_kwh, mismatch, pair, site, out);
        }
        *self = Agreement { hour: hour as i32, is_trusted: self.is_trusted, ..Agreement::default() };
    }

    fn contradicts(&self, step_kwh: f64, site: &SiteLimits) -> Truth {
        let (energy, least, most) =
            (f64::from(self.energy_kwh), f64::from(self.least_kwh), f64::from(self.most_kwh));
        let room = |kwh: f64| {
            (site.settings.get(Param::MismatchShare) * kwh.abs())
                .max(site.settings.get(Param::MismatchSteps) * step_kwh)
        };
        let mean = least.midpoint(most);
        if energy < least - room(least) || energy > most + room(most) {
            Truth::Yes
        } else if (energy - mean).abs() <= room(mean) {
            Truth::No
        } else {
            Truth::Unknown
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one hour with all that is known of it")]
    fn judge(
        &mut self,
        truth: Truth,
        span: (UtcMs, UtcMs),
        power_kwh: f64,
        mismatch: &mut Option<Mismatch>,
        pair: &Pair<'_>,
        site: &SiteLimits,
        out: &mut impl FnMut(Finding),
    ) {
        let was_trusted = self.is_trusted;
        match truth {
            Truth::Yes => self.is_trusted = false,
            Truth::No => self.is_trusted = true,
            Truth::Unknown => {}
        }
        if mismatch.is_none() {
            if truth != Truth::Yes || !site.is_on(Rule::PowerEnergyMismatch) {
                return;
            }
            *mismatch = Some(Mismatch { is_sudden: was_trusted, ..Mismatch::default() });
        }
        let Some(own) = mismatch else { return };
        if truth == Truth::Yes {
            own.n_hours += 1;
            if own.n_hours == 2 {
                (own.energy_kwh, own.power_kwh) = (0.0, 0.0);
            }
            own.energy_kwh += f64::from(self.energy_kwh);
            own.power_kwh += power_kwh;
        }
        own.stretch(span, truth, pair.point, site, out);
        if own.debounce.is_quiet() {
            *mismatch = None;
        }
    }
}

impl Mismatch {
    fn stretch(
        &mut self,
        (from, to): (UtcMs, UtcMs),
        truth: Truth,
        point: u16,
        site: &SiteLimits,
        out: &mut impl FnMut(Finding),
    ) {
        let ratio = self.energy_kwh / self.power_kwh;
        let is_near =
            |step: &f64| (ratio / step - 1.0).abs() <= CT_NEAR || (ratio * step - 1.0).abs() <= CT_NEAR;
        let is_ct = self.is_sudden && CT_STEPS.iter().any(is_near);
        let limits = Limits {
            raise_ms: site.settings.ms(Param::MismatchRaise),
            clear_ms: HOUR_MS,
            level: if is_ct { Level::Alarm } else { Level::Warning },
            steps: &[],
            on_unknown: OnUnknown::Pause,
        };
        let figures = [
            (Fact::EnergyCame, self.energy_kwh),
            (Fact::PowerMade, self.power_kwh),
            (Fact::RegisterRatio, ratio),
        ];
        let proof = || Proof {
            figures: figures.map(|(what, value)| Figure::of(point, what, value)).to_vec(),
            instants: Vec::new(),
        };
        self.debounce.stretch(from, to, truth, &limits, &mut |step: Transition| {
            transition(Rule::PowerEnergyMismatch, Subject::Point(point), &step, proof(), out);
        });
    }
}
