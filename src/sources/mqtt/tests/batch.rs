//! Many native readings in a message.

use super::harness::{ONE, TS, decode};
use crate::model::reading::Quality;
use crate::sources::mqtt::sink::REJECTS_MAX;

#[test]
fn many_readings_come_in_one_message_in_three_forms() {
    let expected = vec![(0, TS, vec![("power_w", 35_200.0)]), (1, TS, vec![("power_w", 100.0)])];
    let forms = [
        (
            "batch",
            r#"[{"site":"s1","meter":"m1","ts":1661789400000,"p":35.2},{"meter":"s1/m2","ts":1661789400000,"p":0.1}]"#,
        ),
        (
            "batch",
            r#"{"site":"s1","ts":1661789400000,"readings":[{"meter":"m1","p":35.2},{"meter":"m2","p":0.1}]}"#,
        ),
        (
            "batch",
            r#"{"readings":[{"meter":"m1","p":35.2},{"meter":"m2","p":0.1}],"ts":1661789400000,"site":"s1"}"#,
        ),
        (
            "batch",
            r#"{"site":"s1","columns":["meter","ts","p"],"rows":[["m1",1661789400000,35.2],["m2",1661789400000,0.1]]}"#,
        ),
        (
            "batch",
            r#"{"rows":[["m1",35.2,9],["m2",0.1,9]],"columns":["meter","p","x"],"ts":1661789400000,"site":"s1"}"#,
        ),
        (
            "submeter/v1/s1/batch",
            r#"{"readings":[{"meter":"m1","ts":1661789400000,"p":35.2},{"site":"s9","meter":"m2","ts":1661789400000,"p":0.1}]}"#,
        ),
    ];
    for (topic, payload) in forms {
        let seen = decode(topic, payload);
        assert_eq!((seen.seen(), seen.codes()), (expected.clone(), vec![]), "{payload}");
    }
    let cells = decode(
        ONE,
        r#"{"columns":["ts","u","p2","q"],"rows":[[1661789400000,[1,2,3],4,"good"],[1661789401000,null,5,"bad"]]}"#,
    );
    let first =
        vec![("voltage_l1_v", 1.0), ("voltage_l2_v", 2.0), ("voltage_l3_v", 3.0), ("power_l2_w", 4e3)];
    assert_eq!(cells.seen(), [(0, TS, first), (0, TS + 1000, vec![("power_l2_w", 5e3)])]);
    assert_eq!(cells.readings.heads()[1].quality, Quality::DOUBTFUL);
}

#[test]
fn a_bad_reading_of_a_batch_is_rejected_alone() {
    let batch = |inside: &str| {
        let good = |m| format!(r#"{{"meter":"{m}","ts":1661789400000,"p":1}}"#);
        decode("batch", &format!(r#"{{"site":"s1","readings":[{},{inside},{}]}}"#, good("m1"), good("m2")))
    };
    let bad = [
        (r#"{"meter":"m1","p":1e400}"#, "not_json"),
        (r#"{"meter":"m1","p":NaN}"#, "not_json"),
        (r#"{"meter":"m1" "p":1}"#, "not_json"),
        (r#"{"meter":"m9","p":1}"#, "unknown_meter"),
        (r#"{"p":1}"#, "shape"),
        (r#"{"meter":"m1","ts":"soon","p":1}"#, "bad_time"),
        (r#"{"meter":"m1","ts":4102444800000,"p":1}"#, "future"),
        (r#"{"meter":"m1"}"#, "no_value"),
        ("17", "shape"),
        ("[]", "shape"),
        ("", "not_json"),
    ];
    for (inside, code) in bad {
        let seen = batch(inside);
        assert_eq!((seen.readings.len(), seen.codes()), (2, vec![code]), "{inside}");
    }
    let cut = decode("batch", r#"{"site":"s1","readings":[{"meter":"m1","p":1},{"meter":"m2","#);
    assert_eq!((cut.readings.len(), cut.codes()), (0, vec!["not_json"]), "a cut batch is taken as a whole");
    let rows = decode(ONE, r#"{"columns":["p","u"],"rows":[[1,2],[1],[1,2,3],{"p":1},[3,4]]}"#);
    assert_eq!((rows.readings.len(), rows.codes()), (2, vec!["shape"; 3]));
    assert_eq!(decode(ONE, r#"{"rows":[[1]]}"#).codes(), ["shape"]);
    assert_eq!(decode(ONE, r#"{"columns":["p"]}"#).codes(), ["shape"]);
    let stray = decode("batch", r#"{"p":1,"readings":[{"meter":"s1/m1","p":2}],"u":3}"#);
    assert_eq!((stray.seen().len(), stray.codes()), (1, vec!["shape", "shape"]));
}

#[test]
fn thousands_of_bad_readings_are_not_thousands_of_rejects() {
    let batch = decode("batch", &format!("[{}{{}}]", "{},".repeat(999)));
    assert_eq!(batch.rejects.len(), REJECTS_MAX + 1);
    let last = batch.rejects.last().unwrap().to_string();
    assert!(last.contains(&format!("{} more", 1000 - REJECTS_MAX)), "{last}");
}
