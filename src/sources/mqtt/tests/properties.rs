//! What holds for any payload.

use proptest::prelude::*;

use super::harness::{ONE, decode, decode_as};
use crate::model::message::Delivery;
use crate::model::quantity::Channel;
use crate::model::reading::Quality;
use crate::model::time::UtcMs;

proptest! {
    #[test]
    fn any_bytes_are_survived(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        topic in prop::sample::select(vec![ONE, "batch", "map", "map/m1"]),
    ) {
        let _ = decode_as(topic, &bytes, Delivery::PLAIN);
    }

    #[test]
    fn anything_like_a_batch_is_survived_and_never_undated_or_empty(
        text in r#"(\[|\{"readings":\[|\{"rows":\[|\{"columns":\["p","ts"\],"rows":\[)([\[\]{}:,1 ]|"meter"|"s1/m1"|"p"|"ts"|1e400|null){0,24}\]?\}?"#,
        topic in prop::sample::select(vec![ONE, "batch", "map", "map/m1"]),
    ) {
        let seen = decode(topic, &text);
        for (head, values) in seen.readings.iter() {
            prop_assert!(!values.is_empty() && head.meter < 3 && head.time.0 > 0);
        }
        prop_assert!(!seen.readings.is_empty() || !seen.rejects.is_empty() || text.contains("[]") || text.contains("[ ]"));
    }

    #[test]
    fn what_is_written_natively_is_read_back(
        ts in 1_000_000_000_000_i64..1_661_789_760_000,
        voltage in proptest::collection::vec(prop::option::of(-1e6..1e6), 1..=4),
        power_kw in -1e6..1e6,
        energy_kwh in 0.0..1e9,
        doubtful in any::<bool>(),
    ) {
        let quality = if doubtful { "bad" } else { "good" };
        let json = serde_json::json!({"ts": ts, "q": quality, "u": voltage, "p": power_kw, "ep": energy_kwh}).to_string();
        let seen = decode(ONE, &json);
        let phase = if voltage.len() == 4 { 0 } else { 1 };
        let mut expected: Vec<(Channel, f64)> = (phase..)
            .zip(&voltage)
            .filter_map(|(i, v)| Some((Channel(i), (*v)?)))
            .collect();
        expected.push((Channel::POWER, power_kw * 1000.0));
        expected.push((Channel::ENERGY, energy_kwh));
        expected.sort_by_key(|(c, _)| *c);
        let mut values = seen.readings.values(&seen.readings.heads()[0]).to_vec();
        values.sort_by_key(|(c, _)| *c);
        prop_assert_eq!(values.len(), expected.len());
        for ((channel, value), (own, meant)) in values.into_iter().zip(expected) {
            prop_assert_eq!(channel, own);
            // Beyond 15 digits the parser may be off by the last bits.
            prop_assert!((value - meant).abs() <= 4.0 * meant.abs() * f64::EPSILON, "{value} {meant}");
        }
        prop_assert_eq!(seen.readings.heads()[0].time, UtcMs(ts));
        prop_assert_eq!(seen.quality().has(Quality::DOUBTFUL), doubtful);
    }
}
