//! From the registers of a scan to a reading. Pure.

use super::payload::Scan;
use super::value::{self, Value};
use crate::model::message::Message;
use crate::model::meter::{Input, Meter, Profile};
use crate::model::reading::{MeterIdx, Offset, Quality, ReadingBatch};
use crate::model::registry::Registry;
use crate::sources::reject::Reject;

/// Decodes a message of kind `Modbus`; `meter` is the one its topic names, if there is one.
///
/// A scan that brought only some of the meter's blocks gives a reading with what is there. The reading is of the
/// time the scan was received.
///
/// # Errors
/// Nothing of the message is taken: the meter is unknown, the registers are not its own, or what they hold was not
/// measured.
pub fn decode_message(
    registry: &Registry,
    meter: Option<MeterIdx>,
    message: &Message<'_>,
    offset: Offset,
    batch: &mut ReadingBatch,
) -> Result<(), Reject> {
    let unknown = || Reject::UnknownMeter { meter: message.topic.into() };
    let index = meter.ok_or_else(unknown)?;
    let meter = registry.meters.get(index as usize).ok_or_else(unknown)?;
    let Input::Modbus { unit, profile, .. } = &meter.input else { return Err(unknown()) };
    let profile = registry.profiles.get(*profile as usize).ok_or_else(unknown)?;
    let misfit = |why: &str| Reject::Registers { profile: profile.name.clone(), why: why.into() };
    let scan = Scan::open(message.payload).map_err(misfit)?;
    if scan.unit != *unit {
        return Err(misfit(&format!("they were read from slave {}, the meter is slave {unit}", scan.unit)));
    }
    batch.begin(index, message.received, message.received, offset, Quality::GOOD);
    let outcome = values(profile, meter, &scan, batch);
    if outcome.is_err() {
        batch.abandon();
    }
    outcome
}

fn values(profile: &Profile, meter: &Meter, scan: &Scan<'_>, batch: &mut ReadingBatch) -> Result<(), Reject> {
    let (mut n_here, mut n_values) = (0_usize, 0_usize);
    let mut words = [0_u16; 4];
    for register in &profile.registers {
        let words = &mut words[..usize::from(register.kind.words())];
        if !scan.copy(profile.table, register.address, words) {
            continue;
        }
        n_here += 1;
        match value::read(register, profile.word_order, words) {
            Value::Is(value) => {
                let primary = value * value::ratio(profile, meter, register.channel);
                n_values += usize::from(batch.push_value(register.channel, primary));
            }
            Value::Missing => {}
            // One register in another word order means that all are, also those that look like numbers.
            Value::Absurd(value) => {
                let (channel, value) = (register.channel.name(), format!("{value:e}").into());
                return Err(Reject::Implausible { channel, value });
            }
        }
    }
    match (n_here, n_values) {
        (0, _) => Err(Reject::Registers {
            profile: profile.name.clone(),
            why: "none of the profile's registers is among them".into(),
        }),
        (_, 0) => Err(Reject::NoValue { why: "every register says that it has no value".into() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::model::message::{Delivery, Kind};
    use crate::model::meter::{Coding, Register, RegisterType, Table, WordOrder};
    use crate::model::quantity::{Channel, Phase, Quantity};
    use crate::model::time::UtcMs;
    use crate::sources::modbus::payload::Builder;

    const VOLTAGE: Channel = Channel::of(Quantity::Voltage, Phase::L1);
    const CURRENT: Channel = Channel::of(Quantity::Current, Phase::L1);

    fn registry(secondary_side: bool) -> Registry {
        let register =
            |channel, address, kind, scale| Register { channel, address, kind, scale, coding: Coding::Plain };
        let profile = Profile {
            name: "chint-like".into(),
            table: Table::Holding,
            word_order: WordOrder::Big,
            max_registers: 80,
            even_counts: false,
            max_gap: 0,
            pause_ms: 0,
            secondary_side,
            registers: vec![
                register(VOLTAGE, 0x2006, RegisterType::F32, 0.1),
                register(CURRENT, 0x200c, RegisterType::F32, 0.001),
                register(Channel::POWER, 0x2012, RegisterType::F32, 0.1),
                register(Channel::ENERGY, 0x101e, RegisterType::F32, 1.0),
            ],
        };
        let meter = Meter {
            id: "site/press".into(),
            site: 0,
            gateway: "bus".into(),
            period_ms: 1_000,
            heartbeat_ms: 0,
            ct: 40.0,
            pt: 10.0,
            input: Input::Modbus { link: "bus".into(), unit: 7, profile: 0 },
            counting: None,
        };
        Registry { meters: vec![meter], profiles: vec![profile], ..Registry::default() }
    }

    fn message(payload: &[u8]) -> Message<'_> {
        Message {
            kind: Kind::Modbus,
            delivery: Delivery::PLAIN,
            received: UtcMs(1_661_789_400_000),
            source: "bus",
            topic: "site/press",
            payload,
        }
    }

    fn words(value: f32) -> [u16; 2] {
        let bits = value.to_bits();
        [(bits >> 16) as u16, bits as u16]
    }

    fn scan(blocks: &[(u16, f32)]) -> Vec<u8> {
        let mut builder = Builder::new(7);
        for (address, value) in blocks {
            builder.push(Table::Holding, *address, &words(*value));
        }
        builder.finish(Duration::from_millis(20))
    }

    fn decode(registry: &Registry, payload: &[u8]) -> Result<ReadingBatch, Reject> {
        let mut batch = ReadingBatch::default();
        let outcome = decode_message(registry, Some(0), &message(payload), 9, &mut batch);
        assert_eq!(outcome.is_ok(), batch.len() == 1, "a reject leaves no reading behind");
        outcome.map(|()| batch)
    }

    #[test]
    fn values_on_the_secondary_side_are_brought_to_the_primary() {
        let payload = scan(&[(0x2006, 2_300.0), (0x200c, 4_000.0), (0x2012, 27_600.0), (0x101e, 3.5)]);
        let batch = decode(&registry(true), &payload).unwrap();
        let head = batch.heads()[0];
        assert_eq!((head.meter, head.time, head.offset), (0, UtcMs(1_661_789_400_000), 9));
        assert_eq!(batch.value(&head, VOLTAGE), Some(2_300.0));
        assert_eq!(batch.value(&head, CURRENT), Some(160.0));
        assert_eq!(batch.value(&head, Channel::POWER), Some(1_104_000.0));
        assert_eq!(batch.value(&head, Channel::ENERGY), Some(1_400.0));
        let primary = decode(&registry(false), &payload).unwrap();
        assert_eq!(primary.value(&head, Channel::POWER), Some(2_760.0), "the meter did it itself");
    }

    #[test]
    fn what_did_not_answer_or_says_it_has_no_value_is_missing() {
        let batch = decode(&registry(true), &scan(&[(0x2006, f32::NAN), (0x101e, 3.5)])).unwrap();
        let head = batch.heads()[0];
        assert_eq!(batch.values(&head), [(Channel::ENERGY, 1_400.0)]);
        let none = decode(&registry(true), &scan(&[(0x2006, f32::NAN)])).unwrap_err();
        assert_eq!(none.code(), "no_value");
    }

    #[test]
    fn registers_that_are_not_the_meters_own_are_rejected_whole() {
        let registry = registry(true);
        assert_eq!(decode(&registry, &scan(&[(0x3000, 1.0)])).unwrap_err().code(), "registers");
        assert_eq!(decode(&registry, &scan(&[])).unwrap_err().code(), "registers");
        assert_eq!(decode(&registry, b"").unwrap_err().code(), "registers");
        let mut other_slave = scan(&[(0x2012, 5.0)]);
        other_slave[1] = 8;
        assert_eq!(decode(&registry, &other_slave).unwrap_err().code(), "registers");
        // 230.0 in the other word order, beside a power that looks like a number.
        let mut swapped = Builder::new(7);
        swapped.push(Table::Holding, 0x2006, &[0, 0x4366]);
        swapped.push(Table::Holding, 0x2012, &words(5.0));
        assert_eq!(decode(&registry, &swapped.finish(Duration::ZERO)).unwrap_err().code(), "implausible");
        let nobody = decode_message(&registry, None, &message(b""), 9, &mut ReadingBatch::default());
        assert_eq!(nobody.unwrap_err().code(), "unknown_meter");
    }

    proptest! {
        #[test]
        fn any_payload_is_survived_and_gives_whole_numbers_or_nothing(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..80), headed in any::<bool>(),
        ) {
            if headed {
                bytes.splice(0..0, [1, 7, 0, 0, 3, 0x20, 0x06, 14]);
            }
            if let Ok(batch) = decode(&registry(true), &bytes) {
                prop_assert!(batch.values(&batch.heads()[0]).iter().all(|(_, v)| v.is_finite()));
            }
        }
    }
}
