//! A reading as detection sees it: what is judged, and nothing else, in few bytes. Many of them wait in memory.

use serde::{Deserialize, Serialize};

use super::maybe::{Maybe, Maybe32};
use super::meters::limits::SiteLimits;
use super::meters::phases::{Phases, Signs};
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// The values of a reading bit for bit, as fingerprints: to tell whether they moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prints {
    /// Of voltages, currents and power together; 0 where one kind is missing.
    pub all: u32,
    /// Of the voltages alone; 0 where there are none.
    pub voltages: u32,
}

/// A reading as detection sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Measuring time.
    pub at: UtcMs,
    /// The message it came in.
    pub offset: Offset,
    /// Total active power, W.
    pub power_w: Maybe,
    /// Import register, kWh.
    pub energy_kwh: Maybe,
    /// Whether its values moved.
    pub prints: Prints,
    /// Power factor.
    pub power_factor: Maybe32,
    /// Mean voltage of the phases, V.
    pub voltage_v: Maybe32,
    /// Index into the site's points.
    pub point: u16,
    /// What it shows of the wiring.
    pub signs: Signs,
    /// Export register, Wh, as [`wh`] has it.
    pub(super) export_wh: u32,
    /// Whether it says anything of phases, its voltages are finer than whole volts, values were filled in, and phases have
    /// powers.
    pub(super) flags: u8,
}

/// When and by what message a reading came.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Measuring time.
    pub at: UtcMs,
    /// The message.
    pub offset: Offset,
    /// Values were filled in from earlier messages: that they are the same proves nothing.
    pub is_merged: bool,
}

const HAS_PHASES: u8 = 1;
const IS_FINE: u8 = 2;
const IS_MERGED: u8 = 4;
const HAS_PHASE_POWERS: u8 = 8;

/// No export register.
pub(super) const NO_EXPORT: u32 = u32::MAX;

/// A register in whole Wh, round a circle: what comes to it is told by the difference, and no more is wanted.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and round the circle")]
fn wh(kwh: f64) -> u32 {
    if kwh >= 0.0 { ((kwh * 1e3).round() as u64 % u64::from(NO_EXPORT)) as u32 } else { NO_EXPORT }
}

const VOLTAGE: u8 = Quantity::Voltage as u8;
const CURRENT: u8 = Quantity::Current as u8;
const POWER: u8 = Quantity::ActivePower as u8;

/// Mixes a channel and the bits of its value; sums of these do not depend on the order of values.
const fn mix(channel: u8, bits: u64) -> u64 {
    let x =
        (bits ^ (channel as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ x >> 29).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// A sum of mixed values in 32 bits, never 0.
const fn print(sum: u64) -> u32 {
    (sum >> 32) as u32 | 1
}

impl Observation {
    /// What is judged of a reading's values. The same from the message as from history, whatever the order of the values.
    #[must_use]
    pub fn of(point: u16, stamp: Stamp, values: &[(Channel, f64)], limits: &SiteLimits) -> Observation {
        let mut phases = Phases {
            voltage: [f64::NAN; 3],
            current: [f64::NAN; 3],
            power: [f64::NAN; 3],
            total_w: f64::NAN,
        };
        let (mut energy, mut export, mut factor) = (f64::NAN, f64::NAN, f64::NAN);
        let (mut seen, mut flags) = (0_u32, if stamp.is_merged { IS_MERGED } else { 0 });
        let mut sums = [0_u64; 3];
        for &(channel, value) in values {
            let (quantity, phase) = (channel.0 >> 2, usize::from(channel.0 & 3));
            match (quantity, phase) {
                (POWER, 0) => phases.total_w = value,
                (POWER, n) => phases.power[n - 1] = value,
                (VOLTAGE, n) if n > 0 => phases.voltage[n - 1] = value,
                (CURRENT, n) if n > 0 => phases.current[n - 1] = value,
                _ if channel == Channel::ENERGY => energy = value,
                _ if channel == EXPORT => export = value,
                _ if channel == FACTOR => factor = value,
                _ => {}
            }
            if quantity <= POWER && (phase > 0 || quantity != POWER) {
                seen |= 1 << channel.0;
            }
            if quantity == VOLTAGE && value.fract() != 0.0 {
                flags |= IS_FINE;
            }
            if quantity <= POWER {
                let sum = &mut sums[usize::from(quantity)];
                *sum = sum.wrapping_add(mix(channel.0, value.to_bits()));
            }
        }
        if phases.total_w.is_nan() {
            // The sum of all three phases; not a number where one is missing.
            phases.total_w = phases.power[0] + phases.power[1] + phases.power[2];
        }
        let mut own = Observation {
            power_w: Maybe(phases.total_w),
            energy_kwh: Maybe(energy),
            #[expect(clippy::cast_possible_truncation, reason = "a power factor needs few digits")]
            power_factor: Maybe32(factor as f32),
            ..Observation::plain(point, stamp.at, None, None, stamp.offset)
        };
        if phases.power.iter().any(|w| w.is_finite()) {
            flags |= HAS_PHASE_POWERS;
        }
        own.flags = flags;
        // A register that was filled in is of another time.
        own.export_wh = if stamp.is_merged { NO_EXPORT } else { wh(export) };
        if seen != 0 {
            own.look(&phases, sums, limits);
        }
        if stamp.is_merged {
            own.prints = Prints::default();
        }
        own
    }

    /// A reading of power and energy alone.
    #[must_use]
    pub fn plain(
        point: u16,
        at: UtcMs,
        power_w: Option<f64>,
        energy_kwh: Option<f64>,
        offset: Offset,
    ) -> Observation {
        Observation {
            at,
            offset,
            power_w: power_w.into(),
            energy_kwh: energy_kwh.into(),
            prints: Prints::default(),
            power_factor: Maybe32::NONE,
            voltage_v: Maybe32::NONE,
            point,
            signs: Signs::NONE,
            export_wh: NO_EXPORT,
            flags: 0,
        }
    }

    /// What voltages, currents and powers of phases say.
    fn look(&mut self, phases: &Phases, [voltages, currents, powers]: [u64; 3], limits: &SiteLimits) {
        let known = || phases.voltage.iter().filter(|u| u.is_finite());
        self.flags |= HAS_PHASES;
        if voltages != 0 {
            self.prints.voltages = print(voltages);
            if currents != 0 && self.power_w.get().is_some() {
                self.prints.all = print(voltages.wrapping_add(currents).wrapping_add(powers));
            }
            let n = known().count();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "three voltages"
            )]
            if n > 0 {
                self.voltage_v = Maybe32((known().sum::<f64>() / n as f64) as f32);
            }
        }
        if let Some(own) = limits.points.get(usize::from(self.point)) {
            self.signs = phases.signs(&own.unit, &limits.shares);
        }
    }

    /// Export register, Wh, round a circle of so many.
    #[must_use]
    pub fn export_wh(&self) -> Option<u32> {
        (self.export_wh != NO_EXPORT).then_some(self.export_wh)
    }

    /// Whether a phase has a power of its own.
    #[must_use]
    pub const fn has_phase_powers(&self) -> bool {
        self.flags & HAS_PHASE_POWERS != 0
    }

    /// Whether it says anything of voltages, currents or phases.
    #[must_use]
    pub const fn has_phases(&self) -> bool {
        self.flags & HAS_PHASES != 0
    }

    /// Whether values were filled in from earlier messages.
    #[must_use]
    pub const fn is_merged(&self) -> bool {
        self.flags & IS_MERGED != 0
    }

    /// Whether a voltage in it is finer than whole volts.
    #[must_use]
    pub const fn is_fine(&self) -> bool {
        self.flags & IS_FINE != 0
    }
}

const EXPORT: Channel = Channel::of(Quantity::EnergyExport, Phase::Total);
const FACTOR: Channel = Channel::of(Quantity::PowerFactor, Phase::Total);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::param::Settings;
    use crate::model::reading::power_of;

    fn limits() -> SiteLimits {
        SiteLimits::new(&Settings::DEFAULT, 0)
    }

    fn of(values: &[(Channel, f64)]) -> Observation {
        Observation::of(3, Stamp { at: UtcMs(7), offset: 1, is_merged: false }, values, &limits())
    }

    #[test]
    fn a_waiting_reading_is_small() {
        assert!(size_of::<Observation>() <= 56, "{}", size_of::<Observation>());
    }

    #[test]
    fn values_that_move_by_one_bit_leave_another_print() {
        let u = Channel::of(Quantity::Voltage, Phase::L1);
        let i = Channel::of(Quantity::Current, Phase::L1);
        let values = |v: f64| [(u, v), (i, 4.0), (Channel::POWER, 800.0)];
        let (same, again) = (of(&values(220.5)), of(&values(220.5)));
        let other = of(&values(f64::from_bits(220.5_f64.to_bits() + 1)));
        assert_eq!(same.prints, again.prints);
        assert!(other.prints.all != same.prints.all && other.prints.voltages != same.prints.voltages);
        let moved = of(&[(u, 220.5), (i, 4.1), (Channel::POWER, 800.0)]);
        assert!(moved.prints.all != same.prints.all && moved.prints.voltages == same.prints.voltages);
        assert_eq!(of(&[(Channel::POWER, 800.0)]).prints, Prints::default());
        assert!(same.is_fine() && !of(&values(220.0)).is_fine());
    }

    proptest! {
        #[test]
        fn the_order_of_values_changes_nothing(
            values in proptest::collection::btree_map(0_u8..40, -1e4_f64..1e4, 0..12),
            seed in any::<u64>(),
        ) {
            let mut values: Vec<_> = values.into_iter().map(|(c, v)| (Channel(c), v)).collect();
            let first = of(&values);
            prop_assert_eq!(first.power_w.get(), power_of(&values));
            fastrand::Rng::with_seed(seed).shuffle(&mut values);
            let same = of(&values) == first;
            prop_assert!(same);
        }
    }
}
