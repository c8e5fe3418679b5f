//! One native reading a message.

use super::harness::{NOW, ONE, TS, decode, decode_as};
use crate::model::message::Delivery;
use crate::model::reading::Quality;
use crate::sources::mqtt::decode::PAYLOAD_BYTES_MAX;
use crate::sources::reject::Reject;

#[test]
fn a_native_reading_is_taken_with_all_it_says() {
    let seen = decode(
        ONE,
        r#"{"ts":1661789400000,"seq":1234,"q":"good","backfill":false,"u":[229.8,230.1,229.5],"i":[52.1,51.7,52.4],
            "p":35.2,"rp":1.5,"s":36,"pf":0.97,"f":50,"ep":103245.67,"er":0.0,"et":7,"meter":"12345678","new":{"x":[1]}}"#,
    );
    assert_eq!(seen.codes(), [""; 0]);
    let expected = vec![
        ("voltage_l1_v", 229.8),
        ("voltage_l2_v", 230.1),
        ("voltage_l3_v", 229.5),
        ("current_l1_a", 52.1),
        ("current_l2_a", 51.7),
        ("current_l3_a", 52.4),
        ("power_w", 35_200.0),
        ("reactive_power_var", 1_500.0),
        ("apparent_power_va", 36_000.0),
        ("power_factor", 0.97),
        ("frequency_hz", 50.0),
        ("energy_import_kwh", 103_245.67),
        ("energy_export_kwh", 0.0),
        ("energy_total_kwh", 7.0),
    ];
    assert_eq!(seen.seen(), [(0, TS, expected)]);
    assert_eq!((seen.quality(), seen.partial), (Quality::GOOD, None));
    let head = seen.readings.heads()[0];
    assert_eq!((head.received, head.offset), (NOW, 7));
}

#[test]
fn lists_and_numbered_keys_name_phases() {
    let four = decode(ONE, r#"{"p":[30,10,11,9]}"#).seen();
    let all = vec![("power_w", 3e4), ("power_l1_w", 1e4), ("power_l2_w", 1.1e4), ("power_l3_w", 9e3)];
    assert_eq!(four[0].2, all);
    assert_eq!(decode(ONE, r#"{"p":[1,null,2]}"#).seen()[0].2, [("power_l1_w", 1e3), ("power_l3_w", 2e3)]);
    assert_eq!(
        decode(ONE, r#"{"u2":230,"i3":4}"#).seen()[0].2,
        [("voltage_l2_v", 230.0), ("current_l3_a", 4.0)]
    );
    assert_eq!(decode(ONE, r#"{"p":[1,2,3,4,5],"u":1}"#).codes(), ["implausible"]);
}

#[test]
fn quality_says_how_far_a_reading_can_be_trusted() {
    let quality = |payload| decode(ONE, payload).quality();
    assert_eq!(quality(r#"{"ts":1661789400000,"q":"bad","p":1}"#), Quality::DOUBTFUL);
    assert_eq!(quality(r#"{"ts":1661789400000,"q":0,"p":1}"#), Quality::DOUBTFUL);
    assert_eq!(quality(r#"{"ts":1661789400000,"q":null,"backfill":true,"p":1}"#), Quality::BACKFILL);
    let timeless = decode(ONE, r#"{"p":1,"ts":null}"#);
    assert_eq!((timeless.quality(), timeless.seen()[0].1), (Quality::RECEIVE_TIME, NOW.0));
    let retained =
        decode_as(ONE, br#"{"ts":1661789400000,"p":1}"#, Delivery::RETAINED.with(Delivery::DUPLICATE));
    assert_eq!(retained.quality(), Quality::RETAINED);
}

#[test]
fn times_are_milliseconds_or_iso_with_zone_and_not_of_the_future() {
    let at = |ts: &str| {
        let seen = decode(ONE, &format!(r#"{{"ts":{ts},"p":1}}"#));
        seen.seen().first().map(|r| r.1).ok_or(seen.codes().join(","))
    };
    assert_eq!(at(r#""2022-08-30T00:10:00+08:00""#), Ok(TS));
    assert_eq!(at("1661789400000.7"), Ok(TS));
    assert_eq!(at(r#""2022-08-30T00:10:00""#), Err("bad_time".into()), "whose zone?");
    assert_eq!(at("true"), Err("bad_time".into()));
    assert_eq!(at("1661789400"), Err("bad_time".into()), "seconds");
    assert_eq!(at("1600000000000"), Ok(1_600_000_000_000), "any time of the past");
    assert_eq!(at(&(NOW.0 + 300_000).to_string()), Ok(NOW.0 + 300_000));
    assert_eq!(at(&(NOW.0 + 300_001).to_string()), Err("future".into()));
}

#[test]
fn what_is_no_number_is_rejected_by_itself() {
    let mixed = decode(ONE, r#"{"p":"35.2","u":[230,"x",231],"ep":null,"f":{"hz":50}}"#);
    assert_eq!(mixed.seen()[0].2, [("voltage_l1_v", 230.0), ("voltage_l3_v", 231.0)]);
    assert_eq!(
        mixed.rejects,
        [Reject::Implausible { channel: "power_w", value: r#""35.2""#.into() }],
        "the first of them"
    );
    assert_eq!(decode(ONE, r#"{"p":"off"}"#).codes(), ["no_value"]);
    assert_eq!(decode(ONE, r#"{"ts":1661789400000,"p":null}"#).codes(), ["no_value"]);
    assert_eq!(decode(ONE, "{}").codes(), ["no_value"]);
    assert_eq!(decode(ONE, r#"{"p":1e306}"#).codes(), ["no_value"], "infinite in W");
    for text in [r#"{"p":NaN}"#, r#"{"p":1e400}"#, r#"{"p":1"#, "", "Online", "\u{1}"] {
        assert_eq!(decode(ONE, text).codes(), ["not_json"], "{text}");
    }
    for text in ["1", "null", r#""x""#, "[1]", "[[1]]"] {
        assert_eq!(decode(ONE, text).codes(), ["shape"], "{text}");
    }
}

#[test]
fn a_message_that_cannot_be_one_says_why() {
    assert_eq!(decode("nothing/here", "{}").codes(), ["topic"]);
    assert_eq!(decode("submeter/v1/s1/m9/reading", r#"{"p":1}"#).codes(), ["unknown_meter"]);
    let hj212 = decode(ONE, "##0139ST=32;CN=2011&&4980");
    assert!(hj212.rejects[0].to_string().contains("HJ 212"), "{}", hj212.rejects[0]);
    assert_eq!(decode_as(ONE, b"{\"p\":1,\"x\":\"\xff\"}", Delivery::PLAIN).seen().len(), 1, "passed over");
    assert_eq!(decode_as(ONE, b"{\"p\":1,\"meter\":\"\xff\"}", Delivery::PLAIN).codes(), ["not_json"]);
    let large = vec![b' '; PAYLOAD_BYTES_MAX + 1];
    assert_eq!(decode_as(ONE, &large, Delivery::PLAIN).codes(), ["too_large"]);
    assert_eq!(decode_as(ONE, br#"{"p":1}"#, Delivery::OVERSIZED).codes(), ["oversized"]);
    assert_eq!(decode(ONE, "\u{feff}{\"p\":1}").seen().len(), 1, "a byte order mark");
}
