//! An energy register from one reading to the next: forward, over its end, or in a way no energy explains. Pure.
//!
//! Source: rule catalogue, R11; steps of 32-bit floats: meter registers, trap 5.

use serde::{Deserialize, Serialize};

use crate::detection::maybe::Maybe;
use crate::model::meter::Counting;
use crate::model::time::HOUR_MS;

/// Where nothing is known of a register it is taken to count no finer than this, kWh.
pub const STEP_KWH: f64 = 0.01;

/// A float of 32 bits has 24 binary digits: two neighbours differ by this share of their value at most.
const SINGLE_STEP_SHARE: f64 = 1.0 / (1 << 23) as f64;

/// From this share of its modulus on a register may begin anew.
const END_SHARE: f64 = 0.98;

/// Another unit prefix, none to k or k to M.
const PREFIX: f64 = 1_000.0;

/// A prefix is only recognised on a register that is so many times larger than what may have come to it meanwhile.
const PREFIX_CLEARANCE: f64 = 20.0;

/// Powers of ten up to what a register may say.
const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Powers of ten that registers end at, kWh: four to nine digits.
const DIGITS: std::ops::RangeInclusive<i32> = 4..=9;

/// What the values of a register have shown of its step: a register that once showed hundredths counts in hundredths, also
/// where it stands at a round number. Asked only where the step is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shown {
    /// Decimal places seen, up to two.
    places: u8,
    /// Digits before the point: a display with more of them may show fewer behind it.
    digits: u8,
    /// It is shown in another prefix than at first.
    is_foreign: bool,
}

impl Shown {
    /// It went to another prefix, or back from it.
    pub fn turn_prefix(&mut self) {
        self.is_foreign = !self.is_foreign;
    }

    /// Whether it is shown in another prefix than at first: what comes to it is not kWh.
    #[must_use]
    pub const fn is_foreign(self) -> bool {
        self.is_foreign
    }

    /// Takes a value into account.
    pub fn note(&mut self, kwh: f64, register: &Register) {
        if register.step_kwh.get().is_some() {
            return;
        }
        let own = kwh.abs() / register.ratio;
        // All is known that can be: what most readings say.
        if self.places == 2 && own >= self.least_kwh() && own < 10.0 * self.least_kwh() {
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the digits of a number")]
        let digits = own.max(1.0).log10() as u8;
        if digits != self.digits {
            *self = Shown { places: 0, digits, ..*self };
        }
        let is_whole = |x: f64| (x - x.round()).abs() < 1e-4;
        while self.places < 2 && !is_whole(own * 10.0_f64.powi(self.places.into())) {
            self.places += 1;
        }
    }

    /// The smallest number with so many digits.
    fn least_kwh(self) -> f64 {
        POWERS.get(usize::from(self.digits)).copied().unwrap_or(f64::INFINITY)
    }

    /// On the meter's own side, kWh.
    const fn step_kwh(self) -> f64 {
        match self.places {
            0 => 100.0 * STEP_KWH,
            1 => 10.0 * STEP_KWH,
            _ => STEP_KWH,
        }
    }
}

/// What is known of a register, and how much can come to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Register {
    /// As [`Counting`] has them, in less room: there are as many of these as meters.
    step_kwh: Maybe,
    modulus_kwh: Maybe,
    is_single: bool,
    /// What the meter's own side is times on the primary side.
    ratio: f64,
    /// Most the unit can draw, W.
    max_w: f64,
    /// So many times the energy of that is too much.
    margin: f64,
}

/// What became of a register between two readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    /// It went on by so much, kWh; 0 if it stands still.
    Forward(f64),
    /// It went on by `kwh` and began anew on the way.
    Rollover {
        /// What came to it, kWh.
        kwh: f64,
        /// Where it began anew, kWh.
        modulus_kwh: f64,
    },
    /// The same register in another unit prefix: so many times what it said before.
    Prefix(f64),
    /// It began at zero, not at its end.
    Reset,
    /// It went back.
    Rollback,
    /// It went on by more than can have come to it, kWh.
    Jump(f64),
}

impl Move {
    /// Energy that came to it, kWh, if that is certain.
    #[must_use]
    pub const fn forward(self) -> Option<f64> {
        match self {
            Move::Forward(kwh) | Move::Rollover { kwh, .. } => Some(kwh),
            _ => None,
        }
    }
}

impl Register {
    /// The register of a meter with these ratios together, of a unit that draws `max_w` at most.
    #[must_use]
    pub fn new(counting: Option<&Counting>, ratio: f64, max_w: f64, margin: f64) -> Register {
        Register {
            step_kwh: counting.and_then(|own| own.step_kwh).into(),
            modulus_kwh: counting.and_then(|own| own.modulus_kwh).into(),
            is_single: counting.is_some_and(|own| own.is_single),
            ratio,
            max_w,
            margin,
        }
    }

    /// Whether two registers count in the same way.
    #[must_use]
    pub fn counts_like(&self, other: &Register) -> bool {
        let counting = |r: &Register| (r.step_kwh, r.modulus_kwh, r.is_single, r.ratio);
        counting(self) == counting(other)
    }

    /// The finest step it may have, kWh.
    #[must_use]
    pub fn least_step_kwh(&self) -> f64 {
        self.step_kwh.get().unwrap_or(STEP_KWH * self.ratio)
    }

    /// Its step at a value, kWh: as known, or as its values have shown it.
    #[must_use]
    pub fn step_kwh(&self, kwh: f64, shown: Shown) -> f64 {
        let known = self.step_kwh.get().unwrap_or_else(|| shown.step_kwh() * self.ratio);
        let coarse = if self.is_single { kwh.abs() * SINGLE_STEP_SHARE } else { 0.0 };
        known.max(coarse)
    }

    /// Most that can have come to it in `dt_ms`, kWh; `power_w` is the largest power seen at either end: where power itself
    /// is so high, it is the rated power that is wrong.
    #[must_use]
    pub fn most_kwh(&self, dt_ms: i64, power_w: Option<f64>) -> f64 {
        kwh(self.max_w.max(power_w.unwrap_or(0.0) * self.margin) * self.margin, dt_ms)
    }

    /// What became of it from `before` to `after` in `dt_ms`.
    #[must_use]
    pub fn go(&self, (before, after): (f64, f64), shown: Shown, dt_ms: i64, power_w: Option<f64>) -> Move {
        let step = self.step_kwh(before.max(after), shown);
        let most = self.most_kwh(dt_ms, power_w) + 2.0 * step;
        let change = after - before;
        // Less than half a step back is the noise of a number that was scaled.
        if change > -step / 2.0 && change <= most {
            return Move::Forward(change.max(0.0));
        }
        let prefix = |factor: f64| {
            // In the coarser prefix less is shown, and what came meanwhile counts in the new one.
            let room = (most + 2.0 * step) * factor.max(1.0);
            let is_same = (after - before * factor).abs() <= room;
            (is_same && before * factor > PREFIX_CLEARANCE * room).then_some(Move::Prefix(factor))
        };
        if change > 0.0 {
            return prefix(PREFIX).unwrap_or(Move::Jump(change));
        }
        let over = self
            .moduli()
            .find(|m| before >= END_SHARE * m && before <= m + step && after >= 0.0 && change + m <= most);
        if let Some(modulus_kwh) = over {
            return Move::Rollover { kwh: change + modulus_kwh, modulus_kwh };
        }
        prefix(1.0 / PREFIX).unwrap_or(if after.abs() <= most { Move::Reset } else { Move::Rollback })
    }

    /// Where it may begin anew, kWh.
    fn moduli(&self) -> impl Iterator<Item = f64> {
        let given = self.modulus_kwh.get();
        let digits = DIGITS.map(|n| 10.0_f64.powi(n) * self.ratio).filter(move |_| given.is_none());
        let step = self.step_kwh.get().filter(|_| given.is_none());
        let binary = step.into_iter().flat_map(|step| [31, 32].map(|bits| step * 2.0_f64.powi(bits)));
        given.into_iter().chain(digits).chain(binary)
    }
}

/// Energy of a power over a time, kWh.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "durations of days in ms, far below 2^52")]
pub fn kwh(power_w: f64, ms: i64) -> f64 {
    power_w / 1_000.0 * (ms as f64 / HOUR_MS as f64)
}

/// Mean power of an energy over a time, W; to the mW, as what is beyond comes of subtracting two large registers.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "durations of days in ms, far below 2^52")]
pub fn mean_w(kwh: f64, ms: i64) -> f64 {
    (kwh * 1e6 * (HOUR_MS as f64 / ms as f64)).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::MINUTE_MS;

    const PLAIN: Counting = Counting { step_kwh: None, is_single: false, modulus_kwh: None };

    /// A unit of 60 kW: at most 90 kW, with margin 1.8 kWh a minute.
    fn of(counting: Counting) -> Register {
        Register::new(Some(&counting), 1.0, 90_000.0, 1.2)
    }

    fn shown(values: &[f64], register: &Register) -> Shown {
        let mut shown = Shown::default();
        values.iter().for_each(|kwh| shown.note(*kwh, register));
        shown
    }

    fn went(register: &Register, before: f64, after: f64, power_w: Option<f64>) -> Move {
        register.go((before, after), shown(&[before, after], register), MINUTE_MS, power_w)
    }

    fn minute(before: f64, after: f64) -> Move {
        went(&of(PLAIN), before, after, None)
    }

    #[test]
    fn a_register_goes_on_begins_anew_at_its_end_and_nowhere_else() {
        let near = |found: Move, kwh: f64| matches!(found.forward(), Some(k) if (k - kwh).abs() < 1e-9);
        assert!(near(minute(1_000.25, 1_001.0), 0.75));
        assert_eq!(minute(1_000.25, 1_000.25), Move::Forward(0.0));
        assert!(near(minute(999_999.75, 0.5), 0.75));
        assert!(matches!(minute(99_999.75, 0.5), Move::Rollover { modulus_kwh: 100_000.0, .. }));
        assert_eq!(minute(523_000.75, 0.5), Move::Reset);
        assert_eq!(minute(523_000.75, 522_000.0), Move::Rollback);
        assert_eq!(minute(999_999.75, 50.0), Move::Rollback, "more than can have come to it");
        assert_eq!(minute(1_000.25, 1_010.25), Move::Jump(10.0));
    }

    #[test]
    fn where_power_is_as_high_it_is_the_rated_power_that_is_wrong() {
        assert_eq!(went(&of(PLAIN), 1_000.25, 1_010.25, Some(600_000.0)), Move::Forward(10.0));
    }

    #[test]
    fn another_prefix_is_no_reset() {
        assert_eq!(minute(523_456.75, 523.46), Move::Prefix(0.001));
        assert_eq!(minute(523.46, 523_460.5), Move::Prefix(1_000.0));
        assert_eq!(minute(523_456.75, 0.0), Move::Reset);
    }

    #[test]
    fn binary_registers_end_where_their_words_do() {
        let counting = Counting { step_kwh: Some(0.01), ..PLAIN };
        let found = went(&of(counting), 42_949_672.5, 0.2, None);
        assert!(matches!(found, Move::Rollover { kwh, .. } if (kwh - 0.66).abs() < 0.01), "{found:?}");
        let given = Counting { modulus_kwh: Some(5_000.0), ..PLAIN };
        assert!(matches!(went(&of(given), 4_999.5, 0.5, None), Move::Rollover { .. }));
        assert_eq!(went(&of(given), 99_999.5, 0.5, None), Move::Reset);
    }

    #[test]
    fn steps_are_as_known_as_shown_or_as_coarse_as_a_float() {
        let plain = of(PLAIN);
        let step = |values: &[f64]| plain.step_kwh(values[values.len() - 1], shown(values, &plain));
        assert_eq!(step(&[1_001.0, 1_001.5]), 0.1);
        assert_eq!(step(&[1_001.0, 1_002.0]), 1.0);
        assert_eq!(step(&[1_001.23, 1_002.0]), 0.01, "it stands at a round number");
        assert_eq!(step(&[9_999.99, 10_000.1]), 0.1, "its display moved on by a digit");
        let behind = Register::new(None, 40.0, 1.0, 1.0);
        assert_eq!(behind.step_kwh(40_080.0, shown(&[40_040.0, 40_080.0], &behind)), 40.0);
        let single = of(Counting { is_single: true, ..PLAIN });
        assert!((0.0625..=0.13).contains(&single.step_kwh(1e6, shown(&[1e6 + 0.0625], &single))));
        assert_eq!(single.step_kwh(100.53, shown(&[100.53], &single)), 0.01);
    }
}
