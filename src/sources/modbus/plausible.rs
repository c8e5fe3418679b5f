//! Whether the registers of a meter make sense as its profile reads them. Pure; changes nothing, only says so.

use super::payload::Scan;
use super::value::{self, Value};
use crate::model::meter::{Meter, Profile, WordOrder};
use crate::model::quantity::{Phase, Quantity};

/// Voltage between a conductor and neutral, V.
const VOLTAGE_V: (f64, f64) = (80.0, 300.0);

/// The same behind a voltage transformer: 100 V between conductors is 58 V to neutral.
const VOLTAGE_BEHIND_PT_V: (f64, f64) = (40.0, 300.0);

/// Between two conductors more is usual, V.
const VOLTAGE_TOTAL_MAX_V: f64 = 520.0;

/// Frequency, Hz.
const FREQUENCY_HZ: (f64, f64) = (45.0, 65.0);

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Voltages and frequency are what they are on a grid.
    Plausible,
    /// There is neither, or all are zero: it cannot be told.
    Unjudged,
    /// They are not.
    Implausible {
        /// Which, and what it seems to be.
        what: String,
        /// Whether they would make sense in the other word order.
        other_order: bool,
    },
}

/// Looks at voltages and frequency, on the meter's own side of its transformers.
#[must_use]
pub fn check(profile: &Profile, meter: &Meter, scan: &Scan<'_>) -> Verdict {
    match look(profile, meter, scan, profile.word_order) {
        Look::Strange(what) => {
            let other = match profile.word_order {
                WordOrder::Big => WordOrder::Little,
                WordOrder::Little => WordOrder::Big,
            };
            let other_order = matches!(look(profile, meter, scan, other), Look::Sensible);
            Verdict::Implausible { what, other_order }
        }
        Look::Sensible => Verdict::Plausible,
        Look::Nothing => Verdict::Unjudged,
    }
}

enum Look {
    Nothing,
    Sensible,
    Strange(String),
}

fn look(profile: &Profile, meter: &Meter, scan: &Scan<'_>, order: WordOrder) -> Look {
    let mut seen = Look::Nothing;
    let mut words = [0_u16; 4];
    for register in &profile.registers {
        let (phase, (min, max)) = match (register.channel.quantity(), register.channel.phase()) {
            (Quantity::Voltage, phase) => {
                (phase, if meter.pt == 1.0 { VOLTAGE_V } else { VOLTAGE_BEHIND_PT_V })
            }
            (Quantity::Frequency, _) => (Phase::L1, FREQUENCY_HZ),
            _ => continue,
        };
        let max = if phase == Phase::Total { VOLTAGE_TOTAL_MAX_V } else { max };
        let words = &mut words[..usize::from(register.kind.words())];
        if !scan.copy(profile.table, register.address, words) {
            continue;
        }
        match value::read(register, order, words) {
            // A conductor may be without voltage, and zero is zero in any word order.
            Value::Missing | Value::Is(0.0) => {}
            Value::Is(value) if value >= min && value <= max => seen = Look::Sensible,
            Value::Is(value) | Value::Absurd(value) => {
                return Look::Strange(format!("{} is {value:.4e}", register.channel.name()));
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::meter::{Coding, Input, Register, RegisterType, Table};
    use crate::model::quantity::Channel;
    use crate::sources::modbus::payload::Builder;

    fn check_voltage(order: WordOrder, pt: f64, value: f32) -> Verdict {
        let register = Register {
            channel: Channel::of(Quantity::Voltage, Phase::L1),
            address: 0,
            kind: RegisterType::F32,
            scale: 1.0,
            coding: Coding::Plain,
        };
        let profile = Profile {
            name: "one".into(),
            table: Table::Input,
            word_order: order,
            max_registers: 2,
            even_counts: false,
            max_gap: 0,
            pause_ms: 0,
            secondary_side: pt != 1.0,
            registers: vec![register],
        };
        let meter = Meter {
            id: "a/b".into(),
            site: 0,
            gateway: "bus".into(),
            period_ms: 1_000,
            heartbeat_ms: 0,
            ct: 1.0,
            pt,
            input: Input::Modbus { link: "bus".into(), unit: 1, profile: 0 },
            counting: None,
        };
        let mut builder = Builder::new(1);
        let bits = value.to_bits();
        builder.push(Table::Input, 0, &[(bits >> 16) as u16, bits as u16]);
        check(&profile, &meter, &Scan::open(&builder.finish(Duration::ZERO)).unwrap())
    }

    #[test]
    fn a_word_order_that_was_changed_on_the_meter_is_seen_and_named() {
        assert_eq!(check_voltage(WordOrder::Big, 1.0, 229.8), Verdict::Plausible);
        let changed = check_voltage(WordOrder::Little, 1.0, 229.8);
        assert!(matches!(changed, Verdict::Implausible { other_order: true, .. }), "{changed:?}");
        let nonsense = check_voltage(WordOrder::Big, 1.0, 7_000.0);
        assert!(matches!(nonsense, Verdict::Implausible { other_order: false, .. }), "{nonsense:?}");
        assert_eq!(check_voltage(WordOrder::Big, 1.0, 0.0), Verdict::Unjudged);
        assert_eq!(check_voltage(WordOrder::Big, 100.0, 57.7), Verdict::Plausible);
        assert!(matches!(check_voltage(WordOrder::Big, 1.0, 57.7), Verdict::Implausible { .. }));
    }
}
