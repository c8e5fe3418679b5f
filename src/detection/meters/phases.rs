//! What the phases of one reading show of the wiring: four conditions of two bits each. Pure.
//!
//! Source: rule catalogue, R13 a to d. Not told (so unknown) rather than wrong: meters without phase voltages; two-element
//! meters (3P3W), which show voltages between lines or none; loads on one phase; what is switched off before the meter.

use serde::{Deserialize, Serialize};

use super::limits::{Shares, Unit};
use crate::detection::debounce::Truth;
use crate::model::time::UtcMs;

/// What a reading says of the wiring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Sign {
    /// R13 a: power of one phase, or of the whole, flows backwards.
    Reverse,
    /// R13 b: a phase is without voltage while another has it.
    Loss,
    /// R13 c: currents differ.
    Imbalance,
    /// R13 d: every phase is low.
    Low,
}

impl Sign {
    /// Every sign, in the order of their bits.
    pub const ALL: [Sign; 4] = [Sign::Reverse, Sign::Loss, Sign::Imbalance, Sign::Low];
}

/// The signs of a reading; all unknown where it says nothing of phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Signs(u8);

impl Signs {
    /// Nothing is said.
    pub const NONE: Signs = Signs(0);

    /// Whether that sign shows.
    #[must_use]
    pub const fn get(self, sign: Sign) -> Truth {
        match self.0 >> (2 * sign as u8) & 3 {
            1 => Truth::No,
            2 => Truth::Yes,
            _ => Truth::Unknown,
        }
    }

    const fn with(self, sign: Sign, truth: Truth) -> Signs {
        let bits = match truth {
            Truth::Unknown => 0,
            Truth::No => 1,
            Truth::Yes => 2,
        };
        Signs(self.0 | bits << (2 * sign as u8))
    }
}

/// The signs a meter showed before.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    /// When.
    pub at: UtcMs,
    /// Which.
    pub signs: Signs,
    /// What R13 d made of them.
    pub low: Truth,
    /// The export register beside them, Wh.
    pub export_wh: Option<u32>,
}

/// Voltages, currents and powers of the phases of a reading; not a number where it says none.
#[derive(Clone, Copy, Debug)]
pub struct Phases {
    /// V.
    pub voltage: [f64; 3],
    /// A.
    pub current: [f64; 3],
    /// W.
    pub power: [f64; 3],
    /// W, of the meter as a whole.
    pub total_w: f64,
}

/// Voltages of this many times nominal are between lines.
const BETWEEN_LINES: f64 = 1.5;

/// A meter of which every phase is below this share of nominal is behind an open switch.
const SWITCHED_OFF: f64 = 0.4;

/// A current below this share of the largest is none.
const NO_CURRENT: f64 = 0.05;

impl Phases {
    /// The signs they show. All comparisons with what is not a number are false.
    #[must_use]
    pub fn signs(&self, unit: &Unit, shares: &Shares) -> Signs {
        let mut signs = Signs::NONE.with(Sign::Reverse, self.reverse(unit, shares));
        if self.voltage.iter().any(|u| *u >= BETWEEN_LINES * shares.nominal_v) {
            return signs;
        }
        if self.voltage.iter().any(|u| u.is_finite()) {
            signs = signs.with(Sign::Loss, self.loss(unit, shares)).with(Sign::Low, self.low(shares));
        }
        signs.with(Sign::Imbalance, self.imbalance(unit, shares))
    }

    /// At the total of a site power may well flow backwards: somebody generates.
    fn reverse(&self, unit: &Unit, shares: &Shares) -> Truth {
        if unit.is_total {
            return Truth::Unknown;
        }
        let counts_w = shares.reverse * unit.rated_w / 3.0;
        let n = |is: &dyn Fn(f64) -> bool| self.power.iter().filter(|p| is(**p)).count();
        let (back, forth) = (n(&|p| p <= -counts_w), n(&|p| p >= counts_w));
        if (back > 0 && forth > 0) || self.total_w <= -3.0 * counts_w {
            return Truth::Yes;
        }
        // A phase that carries too little says nothing of its transformer.
        let known = n(&|p| p.is_finite());
        if back == 0 && known > 1 && forth == known { Truth::No } else { Truth::Unknown }
    }

    fn loss(&self, unit: &Unit, shares: &Shares) -> Truth {
        let rated_a = unit.rated_w / (3.0 * shares.nominal_v);
        let flows_a = shares.current_min * rated_a;
        let above = |share: f64| move |u: &&f64| **u >= share * shares.nominal_v;
        let known = self.voltage.iter().filter(|u| u.is_finite()).count();
        let sound = self.voltage.iter().filter(above(shares.recovered)).count();
        if sound == known {
            return Truth::No;
        }
        let is_lost = self.voltage.iter().zip(&self.current).any(|(u, i)| {
            let flows = i.abs() > flows_a;
            *u < shares.broken * shares.nominal_v || (flows && *u < shares.lost * shares.nominal_v)
        });
        if is_lost && sound > 0 { Truth::Yes } else { Truth::Unknown }
    }

    fn low(&self, shares: &Shares) -> Truth {
        let known = || self.voltage.iter().filter(|u| u.is_finite());
        let limit_v = shares.low * shares.nominal_v;
        if known().any(|u| *u >= limit_v) {
            return Truth::No;
        }
        let is_on = known().all(|u| *u >= SWITCHED_OFF * shares.nominal_v);
        if is_on { Truth::Yes } else { Truth::Unknown }
    }

    fn imbalance(&self, unit: &Unit, shares: &Shares) -> Truth {
        let [mut a, mut b, mut c] = self.current.map(f64::abs);
        if !(a.is_finite() && b.is_finite() && c.is_finite()) {
            return Truth::Unknown;
        }
        if a < b {
            (a, b) = (b, a);
        }
        if b < c {
            (b, c) = (c, b);
        }
        if a < b {
            (a, b) = (b, a);
        }
        let is_loaded = self.total_w.abs() >= shares.load_min * unit.rated_w;
        // Two phases without current: a load on one phase, and made so.
        if !is_loaded || b < NO_CURRENT * a {
            return Truth::Unknown;
        }
        if a - c > shares.imbalance * a { Truth::Yes } else { Truth::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::param::Settings;

    const NONE: [f64; 3] = [f64::NAN; 3];

    /// 30 kW, so 45 A a phase and 10 kW.
    fn signs(voltage: [f64; 3], current: [f64; 3], power: [f64; 3]) -> [Truth; 4] {
        let unit = Unit { rated_w: 30_000.0, is_total: false };
        let total_w = power.iter().sum();
        let found = Phases { voltage, current, power, total_w }.signs(&unit, &Shares::of(&Settings::DEFAULT));
        Sign::ALL.map(|sign| found.get(sign))
    }

    use Truth::{No, Unknown, Yes};

    #[test]
    fn sound_wiring_shows_nothing_and_missing_phases_are_unknown() {
        assert_eq!(signs([220.0, 221.0, 219.0], [30.0; 3], [6e3; 3]), [No; 4]);
        assert_eq!(signs(NONE, NONE, NONE), [Unknown; 4]);
    }

    #[test]
    fn one_phase_backwards_is_a_transformer_the_wrong_way_round() {
        assert_eq!(signs(NONE, NONE, [6e3, -6e3, 6e3])[0], Yes);
        assert_eq!(signs(NONE, NONE, [6e3, -100.0, 6e3])[0], Unknown, "too little to tell");
        assert_eq!(signs(NONE, NONE, [-6e3; 3])[0], Yes, "all of them");
        assert_eq!(signs(NONE, NONE, [6e3, f64::NAN, f64::NAN])[0], Unknown, "a single phase");
    }

    #[test]
    fn a_phase_without_voltage_is_lost_or_broken_and_back_only_well_above() {
        let carries = |u: f64, i: f64| signs([220.0, u, 220.0], [30.0, i, 30.0], [6e3; 3])[1];
        assert_eq!([carries(160.0, 30.0), carries(100.0, 0.0), carries(100.0, 30.0)], [Yes; 3]);
        assert_eq!([carries(160.0, 0.0), carries(180.0, 30.0)], [Unknown; 2], "neither lost nor back");
        assert_eq!(carries(190.0, 30.0), No);
        assert_eq!(signs([0.0; 3], [0.0; 3], [0.0; 3])[1], Unknown, "an open switch before the meter");
    }

    #[test]
    fn three_wires_have_no_phase_voltages() {
        for voltage in [[380.0, 0.0, 380.0], [380.0; 3], NONE] {
            let found = signs(voltage, [30.0, 0.0, 30.0], NONE);
            assert_eq!((found[1], found[2], found[3]), (Unknown, Unknown, Unknown));
        }
    }

    #[test]
    fn a_load_on_one_phase_is_no_imbalance() {
        assert_eq!(signs([220.0; 3], [40.0, 0.0, 0.0], [8.8e3, 0.0, 0.0])[2], Unknown);
        assert_eq!(signs([220.0; 3], [40.0, 38.0, 0.1], [8e3, 8e3, 0.0])[2], Yes);
        assert_eq!(signs([220.0; 3], [4.0, 3.0, 1.0], [8e2, 8e2, 2e2])[2], Unknown, "below a fifth of load");
        assert_eq!(signs([220.0; 3], [40.0, 30.0, 29.0], [8e3, 6e3, 6e3])[2], No);
    }

    #[test]
    fn low_is_low_on_every_phase_and_not_switched_off() {
        assert_eq!(signs([190.0; 3], [30.0; 3], [5e3; 3])[3], Yes);
        assert_eq!(signs([190.0, 190.0, 205.0], [30.0; 3], [5e3; 3])[3], No);
        assert_eq!(signs([0.0; 3], [0.0; 3], [0.0; 3])[3], Unknown);
    }
}
