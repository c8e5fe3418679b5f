//! Foreign payloads by a mapping; transformer ratios.

use super::harness::{NOW, TS, decode};
use crate::model::reading::Quality;
use crate::sources::mqtt::decode::Partial;

#[test]
fn transformer_ratios_bring_values_to_the_primary_side() {
    let seen = decode("own/dev", r#"{"u":100,"i":1,"p":0.1,"pf":0.9,"f":50,"ep":2}"#).seen();
    let expected = vec![
        ("voltage_v", 1_000.0),
        ("current_a", 40.0),
        ("power_w", 40_000.0),
        ("power_factor", 0.9),
        ("frequency_hz", 50.0),
        ("energy_import_kwh", 800.0),
    ];
    assert_eq!(seen[0], (2, NOW.0, expected));
}

#[test]
fn a_mapping_reads_items_lists_texts_and_alternatives() {
    let seen = decode(
        "map",
        r#"{"at":1661789400.5,"list":[{"id":"m1","at":1661789400,"e":{"P":[1.5,"2.5"]},"wh":1234.5},
            {"id":"m2","e":{"P":" 3 "},"u":null,"u/old":230},{"id":"m9","u":1},{"u":1},5,
            {"id":"m1","e":{"P":true},"u":"12 V"}]}"#,
    );
    let first = vec![
        ("power_w", 4_000.0),
        ("power_l1_w", 1_500.0),
        ("power_l2_w", 2_500.0),
        ("energy_import_kwh", 1.2345),
    ];
    let second = vec![("power_w", 3_000.0), ("voltage_v", 230.0)];
    assert_eq!(seen.seen(), [(0, TS, first), (1, TS + 500, second)]);
    assert_eq!(seen.codes(), ["unknown_meter", "shape", "shape", "no_value"]);
    assert_eq!(seen.partial, Some(Partial { max_age_ms: 60_000 }));

    let alone = decode("map/m2", r#"{"id":"m1","u":230,"at":null}"#);
    assert_eq!(alone.seen(), [(1, NOW.0, vec![("voltage_v", 230.0)])], "the topic's device wins");
    assert_eq!(alone.quality(), Quality::RECEIVE_TIME);
    let list = decode("map/m2", r#"[{"u":1},{"u":2}]"#);
    assert_eq!(list.seen().len(), 2, "a document may itself be the list");
    assert_eq!(decode("map/m2", r#"{"u":1,"at":"soon"}"#).codes(), ["bad_time"]);
    assert_eq!(decode("map/m2", r#"{"u":1,"at":99999999999}"#).codes(), ["future"]);
    for number in ["inf", "NaN", "0x10", "", "1e400"] {
        assert_eq!(decode("map/m2", &format!(r#"{{"u":"{number}"}}"#)).codes(), ["no_value"], "{number}");
    }
    assert_eq!(decode("map/m2", "Online").codes(), ["not_json"]);
}
