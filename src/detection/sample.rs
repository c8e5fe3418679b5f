//! Readings of one step (a minute) become one sample: the mean power, the last register.
//!
//! Mean power is that of the energy since the last register before the step, where the register counts finely enough to
//! tell it, and where it does not contradict the powers at both ends; else it is the mean of the powers in the step. A meter
//! that says energy alone gives a sample once the energy decides: all that its steps leave possible is above, or below, or
//! between the thresholds. Never a guess: a coarse register gives fewer samples of longer time.
//! Source: rule catalogue, "Recommended default", decision.

use serde::{Deserialize, Serialize};

use super::maybe::{Maybe, Maybe32};
use super::meters::judge::Verdict;
use super::meters::register::{Move, Register, Shown, mean_w};
use super::observe::Observation;
use crate::model::site::Thresholds;
use crate::model::time::HOUR_MS;
use crate::model::{reading::Offset, time::UtcMs};

/// The step of a register may be worth this share of the power below which a unit does not run.
const STEP_SHARE: f64 = 0.1;

/// An energy is of the step if it began no more than so many periods before it ended.
const PERIODS_MAX: i64 = 2;

/// Silence, and undecided time, of a meter that says energy alone is borne for so many times what its register needs.
const NEEDS_MAX: f64 = 3.0;

/// The mean of a step.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Sample {
    /// Time of the first reading in the step: an edge is never dated before something was measured. Of a power from energy
    /// alone, the begin of the time it is the mean of.
    pub at: UtcMs,
    /// Time of the last reading in the step: the mean is of what was read up to here.
    pub last: UtcMs,
    /// `at`; of a power from energy alone the end of that time: a change lies somewhere before it.
    pub until: UtcMs,
    /// Mean power, W.
    pub power_w: Option<f64>,
    /// Last register, kWh.
    pub energy_kwh: Option<f64>,
    /// What must be added to its difference from the one before, kWh; not a number where nothing can be told of it.
    pub turned_kwh: f64,
    /// Last power factor.
    pub power_factor: Option<f32>,
    /// Last mean voltage of the phases, V.
    pub voltage_v: Option<f32>,
    /// Last message that went in.
    pub offset: Offset,
}

impl Sample {
    /// What is known by it. What is the mean of a time that lies behind is known from its end on.
    #[must_use]
    pub fn known(&self) -> Known {
        Known {
            at: self.until,
            power_w: self.power_w.into(),
            energy_kwh: self.energy_kwh.into(),
            turned_kwh: self.turned_kwh,
            offset: self.offset,
            power_factor: self.power_factor.into(),
            voltage_v: self.voltage_v.into(),
        }
    }
}

/// What is known of a unit by a sample, from its moment on. Small: each unit of a process keeps its last, and more wait.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Its moment.
    pub at: UtcMs,
    /// Mean power, W.
    pub power_w: Maybe,
    /// Last register, kWh.
    pub energy_kwh: Maybe,
    /// What must be added to its difference from the one before, kWh; not a number where nothing can be told of it.
    pub turned_kwh: f64,
    /// Last message that went in.
    pub offset: Offset,
    /// Last power factor.
    pub power_factor: Maybe32,
    /// Last mean voltage of the phases, V.
    pub voltage_v: Maybe32,
}

/// What making samples needs to know of a point.
#[derive(Clone, Copy, Debug)]
pub struct StepLimits<'a> {
    /// Length of a step, ms.
    pub step_ms: i64,
    /// How often a sample is expected, ms.
    pub period_ms: i64,
    /// After a silence longer than this nothing is known of the time between, ms.
    pub gap_ms: i64,
    /// When the point runs.
    pub thresholds: &'a Thresholds,
    /// Its register.
    pub register: &'a Register,
}

impl StepLimits<'_> {
    /// Which side of the thresholds a power is on; `None` between them.
    fn side(&self, power_w: f64) -> Option<bool> {
        let t = self.thresholds;
        if power_w >= t.running_above_w {
            Some(true)
        } else {
            (power_w <= t.running_below_w).then_some(false)
        }
    }
}

/// After how long without a sample a point is unknown that says energy alone, ms: three times what its register needs to
/// tell the power below which the unit does not run, and at least `gap_ms`.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "durations of days in ms")]
pub fn energy_gap_ms(thresholds: &Thresholds, step_kwh: f64, period_ms: i64, gap_ms: i64) -> i64 {
    let needs_ms = step_kwh * 1_000.0 / thresholds.running_below_w * HOUR_MS as f64;
    gap_ms.max((NEEDS_MAX * (needs_ms + period_ms as f64)) as i64)
}

/// A register as it was read.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: UtcMs,
    kwh: f64,
    power_w: Maybe,
}

/// A mark that may not be there: its register is not a number then. Three quarters of what an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct MaybeMark {
    at: UtcMs,
    kwh: Maybe,
    power_w: Maybe,
}

impl MaybeMark {
    fn get(self) -> Option<Mark> {
        self.kwh.get().map(|kwh| Mark { at: self.at, kwh, power_w: self.power_w })
    }
}

impl From<Mark> for MaybeMark {
    fn from(mark: Mark) -> MaybeMark {
        MaybeMark { at: mark.at, kwh: Some(mark.kwh).into(), power_w: mark.power_w }
    }
}

/// Time of which the mean power is to be told from energy alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Window {
    since: UtcMs,
    /// What has come to the register since.
    kwh: f64,
}

/// The step being filled, and the registers before it.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// When its step ends. Kept, not worked out again, as the length of steps may be configured anew while one is open.
    ends: UtcMs,
    first: UtcMs,
    last: UtcMs,
    sum_w: f64,
    n_powers: u32,
    n: u32,
    mark: MaybeMark,
    /// Whether the register is believed where it contradicts the power.
    is_trusted: bool,
    power_factor: Maybe32,
    voltage_v: Maybe32,
    offset: Offset,
    /// The last register of the steps before.
    before: MaybeMark,
    /// What the register showed of its step so far.
    shown: Shown,
    /// It went in a way no energy explains, and has not counted on from there.
    is_doubted: bool,
    /// The meter was changed since it was last read: how much came to it nobody can tell.
    is_replaced: bool,
    /// Where it says energy alone: what is not decided yet.
    window: Option<Window>,
}

impl Bucket {
    /// The earliest moment of which a sample may still come, given that all readings up to `judged` are in; `None` if there
    /// is none before `judged`.
    #[must_use]
    pub fn open_since(&self, judged: UtcMs, gap_ms: i64) -> Option<UtcMs> {
        let first = (self.n > 0).then_some(self.first);
        let reaches = |w: &Window| first.unwrap_or(judged).since(w.since) <= gap_ms;
        self.window.filter(reaches).map(|w| w.since).or(first)
    }

    /// Whether the meter says energy alone, as far as is known.
    #[must_use]
    pub fn is_energy_alone(&self) -> bool {
        self.window.is_some()
    }

    /// The meter was changed: its register has nothing to do with what was read before.
    fn forget_register(&mut self) {
        (self.mark, self.before) = (MaybeMark::default(), MaybeMark::default());
        (self.shown, self.is_doubted, self.is_replaced) = (Shown::default(), false, true);
        self.window = self.window.map(|_| Window { since: self.last, kwh: 0.0 });
    }

    /// Adds a reading; readings come in time order. Gives what the step that ends by it makes.
    /// A second reading of the same time is the same reading and adds nothing.
    pub fn add(
        &mut self,
        seen: &Observation,
        verdict: Verdict,
        limits: &StepLimits<'_>,
        out: &mut dyn FnMut(Sample),
    ) {
        self.close(seen.at, limits, out);
        if verdict.is_replaced {
            self.forget_register();
        }
        if self.n == 0 {
            let ends = UtcMs((seen.at.0.div_euclid(limits.step_ms) + 1).saturating_mul(limits.step_ms));
            let Bucket { before, shown, is_doubted, is_replaced, window, .. } = *self;
            let kept = Bucket { before, shown, is_doubted, is_replaced, window, ..Bucket::default() };
            *self = Bucket { ends, first: seen.at, ..kept };
        } else if seen.at == self.last {
            return;
        }
        self.last = seen.at;
        self.n += 1;
        self.is_trusted = verdict.is_trusted;
        if let Some(power_w) = seen.power_w.get() {
            self.sum_w += power_w;
            self.n_powers += 1;
        }
        // A register that was filled in from an earlier message is news only where it moved.
        let last = self.mark.get().or(self.before.get()).filter(|_| seen.is_merged()).map(|m| m.kwh);
        if let Some(kwh) = seen.energy_kwh.get().filter(|kwh| last != Some(*kwh)) {
            self.mark = Mark { at: seen.at, kwh, power_w: seen.power_w }.into();
        }
        if seen.power_factor != Maybe32::NONE {
            self.power_factor = seen.power_factor;
        }
        if seen.voltage_v != Maybe32::NONE {
            self.voltage_v = seen.voltage_v;
        }
        self.offset = seen.offset;
    }

    /// When the open step ends, if there is one.
    #[must_use]
    pub fn closes(&self) -> Option<UtcMs> {
        (self.n > 0).then_some(self.ends)
    }

    /// What the open step makes, if time has passed its end.
    pub fn close(&mut self, until: UtcMs, limits: &StepLimits<'_>, out: &mut dyn FnMut(Sample)) {
        if self.n > 0 && until >= self.ends {
            self.take(limits, out);
        }
    }

    fn take(&mut self, limits: &StepLimits<'_>, out: &mut dyn FnMut(Sample)) {
        let sampled = (self.n_powers > 0).then(|| self.sum_w / f64::from(self.n_powers));
        let mut sample = Sample {
            at: self.first,
            last: self.last,
            until: self.first,
            power_w: sampled,
            energy_kwh: self.mark.kwh.get(),
            turned_kwh: 0.0,
            power_factor: self.power_factor.get(),
            voltage_v: self.voltage_v.get(),
            offset: self.offset,
        };
        let mut decided = None;
        if let Some(now) = self.mark.get() {
            self.shown.note(now.kwh, limits.register);
            let shown = self.shown;
            let gone = self.before.get().map(|was| (was, went(&was, &now, shown, limits)));
            let began = if std::mem::take(&mut self.is_replaced) { f64::NAN } else { 0.0 };
            sample.turned_kwh = gone.map_or(began, |(_, gone)| turned(gone));
            if let Some((_, gone)) = gone {
                self.note(gone);
            }
            let came = gone.and_then(|(was, gone)| Some((was, gone.forward()?)));
            let came = came.filter(|_| !self.is_doubted && !self.shown.is_foreign());
            match (sampled, came) {
                (Some(sampled_w), Some((was, kwh))) => {
                    sample.power_w = self.mean_of(&was, &now, kwh, sampled_w, limits).or(sampled);
                }
                (None, came) => decided = self.decide(&now, came, limits),
                (Some(_), None) => {}
            }
            self.before = now.into();
        }
        if sampled.is_some() {
            self.window = None;
        }
        self.n = 0;
        out(sample);
        decided.into_iter().for_each(&mut *out);
    }

    /// Takes note of where the register went.
    fn note(&mut self, gone: Move) {
        match gone {
            Move::Forward(came) if came <= 0.0 => {}
            Move::Forward(_) | Move::Rollover { .. } => self.is_doubted = false,
            Move::Prefix(_) => self.shown.turn_prefix(),
            Move::Jump(_) | Move::Reset | Move::Rollback => self.is_doubted = true,
        }
    }

    /// Mean power from energy, beside powers that were sampled; `None` where those are the better word.
    fn mean_of(
        &self,
        was: &Mark,
        now: &Mark,
        kwh: f64,
        sampled_w: f64,
        limits: &StepLimits<'_>,
    ) -> Option<f64> {
        let dt_ms = now.at.since(was.at);
        if dt_ms <= 0 || dt_ms > PERIODS_MAX * limits.period_ms.max(limits.step_ms) {
            return None;
        }
        let step = limits.register.step_kwh(now.kwh, self.shown);
        if mean_w(step, dt_ms) > STEP_SHARE * limits.thresholds.running_below_w {
            return None;
        }
        // The register may be stuck, or the power: which of them, R9 and R12 tell.
        if kwh < step / 2.0 && mean_w(step, dt_ms) < sampled_w {
            return None;
        }
        // A change between the two readings is dated by their powers, not smeared over the time between.
        let (begin, end) = (limits.side(was.power_w.get()?), limits.side(now.power_w.get()?));
        if begin != end {
            return None;
        }
        let mean = mean_w(kwh, dt_ms);
        if limits.side(mean) != end {
            let is_certain =
                [kwh - step, kwh + step].map(|e| limits.side(mean_w(e, dt_ms)) == limits.side(mean));
            if !self.is_trusted || is_certain != [true; 2] {
                return None;
            }
        }
        Some(mean)
    }

    /// Takes what came to the register of a meter that says energy alone; gives a sample where it decides.
    fn decide(&mut self, now: &Mark, came: Option<(Mark, f64)>, limits: &StepLimits<'_>) -> Option<Sample> {
        let fresh = Window { since: now.at, kwh: 0.0 };
        let window = self.window.replace(fresh)?;
        let (_, kwh) = came?;
        let window = Window { kwh: window.kwh + kwh, ..window };
        let dt_ms = now.at.since(window.since);
        if dt_ms <= 0 || dt_ms > limits.gap_ms {
            return None;
        }
        let step = limits.register.step_kwh(now.kwh, self.shown);
        let (least_w, most_w) =
            (mean_w((window.kwh - step).max(0.0), dt_ms), mean_w(window.kwh + step, dt_ms));
        let t = limits.thresholds;
        let is_decided = least_w >= t.running_above_w
            || most_w <= t.running_below_w
            || (least_w > t.running_below_w && most_w < t.running_above_w);
        if !is_decided {
            self.window = Some(window);
            return None;
        }
        let power_w = Some(mean_w(window.kwh, dt_ms));
        let (at, until, offset) = (window.since, now.at, self.offset);
        Some(Sample { at, last: until, until, power_w, offset, ..Sample::default() })
    }
}

fn went(was: &Mark, now: &Mark, shown: Shown, limits: &StepLimits<'_>) -> Move {
    let power_w = was.power_w.get().into_iter().chain(now.power_w.get()).reduce(f64::max);
    limits.register.go((was.kwh, now.kwh), shown, now.at.since(was.at), power_w)
}

fn turned(gone: Move) -> f64 {
    match gone {
        Move::Forward(_) => 0.0,
        Move::Rollover { modulus_kwh, .. } => modulus_kwh,
        Move::Jump(_) | Move::Prefix(_) | Move::Reset | Move::Rollback => f64::NAN,
    }
}
