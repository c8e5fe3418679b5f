//! Readings as history keeps them, to the last bit: the payload of a replay's messages. Pure.
//!
//! Values are on the primary side already, so no ratio is applied to them; a meter is named by its index in the registry
//! the replay is judged by. Little-endian, one reading after the other: meter `u32`, measuring time `i64`, quality `u8`,
//! number of values `u8`, then as many times channel `u8` and value `f64`.

use crate::model::message::Message;
use crate::model::quantity::Channel;
use crate::model::reading::{MeterIdx, Offset, Quality, ReadingBatch};
use crate::model::time::UtcMs;
use crate::sources::reject::Reject;

/// A reading of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept<'a> {
    /// Which meter.
    pub meter: MeterIdx,
    /// When it was measured.
    pub time: UtcMs,
    /// How far it can be trusted.
    pub quality: Quality,
    /// What was measured, each channel once, in the channel's unit.
    pub values: &'a [(Channel, f64)],
}

/// Appends a reading to a payload.
pub fn write(reading: &Kept<'_>, out: &mut Vec<u8>) {
    out.extend(reading.meter.to_le_bytes());
    out.extend(reading.time.0.to_le_bytes());
    out.push(reading.quality.0);
    out.push(u8::try_from(reading.values.len()).unwrap_or(u8::MAX));
    for (channel, value) in reading.values.iter().take(usize::from(u8::MAX)) {
        out.push(channel.0);
        out.extend(value.to_le_bytes());
    }
}

/// The readings of a payload, into the batch.
///
/// # Errors
/// The bytes are cut, or name a meter or a channel that is not there. What stands before is taken.
pub(super) fn decode(
    message: &Message<'_>,
    offset: Offset,
    n_meters: usize,
    readings: &mut ReadingBatch,
) -> Result<(), Reject> {
    let mut rest = message.payload;
    while !rest.is_empty() {
        let cut = || Reject::Shape { why: "a kept reading is cut".into() };
        let meter = u32::from_le_bytes(take(&mut rest).ok_or_else(cut)?);
        let time = UtcMs(i64::from_le_bytes(take(&mut rest).ok_or_else(cut)?));
        let [quality, n] = take(&mut rest).ok_or_else(cut)?;
        if meter as usize >= n_meters {
            return Err(Reject::UnknownMeter { meter: meter.to_string().into() });
        }
        readings.begin(meter, time, message.received, offset, Quality(quality));
        for _ in 0..n {
            let value = take::<1>(&mut rest).zip(take(&mut rest));
            let known =
                value.and_then(|([c], bits)| Some((Channel::from_index(c)?, f64::from_le_bytes(bits))));
            let is_taken = known.is_some_and(|(channel, value)| readings.push_value(channel, value));
            if !is_taken {
                readings.abandon();
                return Err(cut());
            }
        }
    }
    Ok(())
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::message::{Delivery, Kind};
    use crate::model::quantity::N_CHANNELS;

    fn message(payload: &[u8]) -> Message<'_> {
        let (kind, delivery) = (Kind::Mqtt, Delivery::PLAIN);
        Message { kind, delivery, received: UtcMs(7), source: "replay", topic: "kept", payload }
    }

    proptest! {
        #[test]
        fn a_reading_comes_back_to_the_last_bit_and_a_cut_one_not_at_all(
            meter in 0_u32..9,
            time in any::<i64>(),
            quality in any::<u8>(),
            values in proptest::collection::btree_map(0..N_CHANNELS as u8, -1e12_f64..1e12, 0..5),
        ) {
            let values: Vec<_> = values.into_iter().map(|(c, v)| (Channel(c), v)).collect();
            let reading = Kept { meter, time: UtcMs(time), quality: Quality(quality), values: &values };
            let mut bytes = Vec::new();
            write(&reading, &mut bytes);
            for cut in 1..bytes.len() {
                let mut found = ReadingBatch::default();
                prop_assert!(decode(&message(&bytes[..cut]), 3, 9, &mut found).is_err());
                prop_assert!(found.is_empty());
            }
            let mut found = ReadingBatch::default();
            prop_assert_eq!(decode(&message(&bytes), 3, 9, &mut found), Ok(()));
            let (head, own) = found.iter().next().unwrap();
            prop_assert_eq!((head.meter, head.time, head.quality), (meter, UtcMs(time), Quality(quality)));
            prop_assert_eq!((head.received, head.offset, own), (UtcMs(7), 3, &values[..]));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut found = ReadingBatch::default();
            let _ = decode(&message(&bytes), 1, 4, &mut found);
            prop_assert!(found.heads().iter().all(|head| head.meter < 4));
        }
    }

    #[test]
    fn a_meter_that_is_not_there_is_refused() {
        let mut bytes = Vec::new();
        let values = [(Channel::POWER, 1.0)];
        write(&Kept { meter: 4, time: UtcMs(1), quality: Quality::GOOD, values: &values }, &mut bytes);
        let outcome = decode(&message(&bytes), 1, 4, &mut ReadingBatch::default());
        assert!(matches!(outcome, Err(Reject::UnknownMeter { .. })));
    }
}
