//! Payloads seen in the field: each decodes to the right values, or is rejected for the right reason.

use std::fs;
use std::path::PathBuf;

use submeterd::model::mapping::{Decoder, Subscription};
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::meter::{Input, Meter};
use submeterd::model::quantity::Channel;
use submeterd::model::reading::{Quality, ReadingBatch};
use submeterd::model::registry::Registry;
use submeterd::model::site::{Category, Grade, Site};
use submeterd::model::time::UtcMs;
use submeterd::sources::mqtt::decode::Decoders;
use submeterd::sources::mqtt::merge::Merge;
use submeterd::sources::reject::Reject;

use crate::harness::mappings::mapping;

/// 2026-08-30, after every sample.
const RECEIVED: UtcMs = UtcMs(1_788_048_000_000);

/// The mappings that come with the house, by name.
const MAPPINGS: [&str; 5] = ["tasmota", "shelly-gen2-em", "zigbee2mqtt", "neuron", "thingsboard"];

fn site(id: &str, time_zone: &str) -> Site {
    Site {
        id: id.into(),
        name: id.into(),
        region: "".into(),
        industry: "".into(),
        category: Category::General,
        positive_list: false,
        grade: Grade::Ungraded,
        time_zone: time_zone.into(),
        reorder_ms: 0,
        step_ms: 60_000,
        gap_ms: 300_000,
        points: Vec::new(),
        processes: Vec::new(),
        rules: submeterd::model::param::Settings::DEFAULT,
        working_time: None,
    }
}

/// Two sites, in Berlin and in Shanghai, with a meter `dev` each; a subscription for every mapping and a native one.
fn registry() -> Registry {
    let meter = |id: &str, site| Meter {
        id: id.into(),
        site,
        gateway: id.into(),
        period_ms: 60_000,
        heartbeat_ms: 0,
        ct: 1.0,
        pt: 1.0,
        input: Input::Mqtt { device: None },
        counting: None,
    };
    let mut subscriptions = vec![Subscription {
        broker: "b".into(),
        pattern: "submeter/v1/{site}/{meter}/reading".into(),
        qos: 1,
        decoder: Decoder::Native,
    }];
    for (index, name) in (0..).zip(MAPPINGS) {
        let pattern =
            if name == "neuron" { "neuron/{site}" } else { &*format!("{name}/{{site}}/{{device}}/#") };
        subscriptions.push(Subscription {
            broker: "b".into(),
            pattern: pattern.into(),
            qos: 1,
            decoder: Decoder::Mapping(index),
        });
    }
    Registry {
        meters: vec![meter("berlin/dev", 0), meter("shanghai/dev", 1), meter("shanghai/meter-07", 1)],
        sites: vec![site("berlin", "Europe/Berlin"), site("shanghai", "Asia/Shanghai")],
        subscriptions,
        mappings: MAPPINGS.iter().map(|name| mapping(name)).collect(),
        ..Registry::default()
    }
}

struct Taken {
    readings: ReadingBatch,
    rejects: Vec<Reject>,
}

impl Taken {
    fn time(&self) -> String {
        self.readings.heads()[0].time.iso()
    }

    fn codes(&self) -> Vec<&'static str> {
        self.rejects.iter().map(Reject::code).collect()
    }

    /// The first reading has exactly these values.
    fn is(&self, expected: &[(&str, f64)]) {
        assert_eq!(self.codes(), [""; 0]);
        let seen: Vec<_> =
            self.readings.values(&self.readings.heads()[0]).iter().map(|(c, v)| (c.name(), *v)).collect();
        let mut sorted = (seen, expected.to_vec());
        sorted.0.sort_by_key(|v| v.0);
        sorted.1.sort_by_key(|v| v.0);
        assert_eq!(sorted.0, sorted.1);
    }
}

fn take(topic: &str, payload: &str) -> Taken {
    let registry = registry();
    let decoders = Decoders::new(&registry);
    let mut taken = Taken { readings: ReadingBatch::default(), rejects: Vec::new() };
    let message = Message {
        kind: Kind::Mqtt,
        delivery: Delivery::PLAIN,
        received: RECEIVED,
        source: "b",
        topic,
        payload: payload.as_bytes(),
    };
    decoders.decode(&registry.meters, &message, 1, &mut taken.readings, &mut taken.rejects);
    taken
}

/// The samples of a source whose heading contains `heading`, one a line.
fn samples(heading: &str) -> Option<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/samples_payloads.txt");
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is not there, so no real payloads are tried", path.display());
        return None;
    };
    let mut blocks = text.split("\n@ ");
    let block = blocks.find(|b| b.lines().next().is_some_and(|l| l.contains(heading)));
    let block = block.unwrap_or_else(|| panic!("no samples under {heading}"));
    Some(block.lines().skip(1).filter(|l| !l.trim().is_empty()).map(str::to_owned).collect())
}

#[test]
fn tasmota_answers_of_one_and_of_two_channels() {
    let Some(one) = samples("issue #6082") else { return };
    let one = take("tasmota/berlin/dev/STATUS8", &one[0]);
    assert_eq!(one.time(), "2023-02-05T19:31:48Z", "local time of the site");
    one.is(&[
        ("power_w", 47.11),
        ("apparent_power_va", 0.0),
        ("reactive_power_var", 0.0),
        ("power_factor", 0.0),
        ("voltage_v", 0.0),
        ("current_a", 0.0),
        ("energy_import_kwh", 1290.396),
    ]);
    let two = take("tasmota/berlin/dev/STATUS8", &samples("issue #5731").unwrap()[0]);
    two.is(&[
        ("power_w", 8.15),
        ("power_l1_w", 8.15),
        ("power_l2_w", 0.0),
        ("apparent_power_l1_va", 5.0),
        ("apparent_power_l2_va", 0.0),
        ("reactive_power_var", 4.0),
        ("reactive_power_l1_var", 4.0),
        ("reactive_power_l2_var", 0.0),
        ("power_factor_l1", 0.0),
        ("power_factor_l2", 0.0),
        ("voltage_v", 237.0),
        ("current_l1_a", 0.0),
        ("current_l2_a", 0.0),
        ("frequency_hz", 50.0),
        ("energy_import_kwh", 0.077),
    ]);
}

#[test]
fn tasmota_reading_a_meter_by_its_optical_port() {
    let Some(lines) = samples("issue #26857") else { return };
    let taken = take("tasmota/berlin/dev/STATUS10", &lines[0]);
    assert_eq!(taken.time(), "2026-01-21T10:07:31Z");
    taken.is(&[
        ("power_w", -36.0),
        ("power_l1_w", 60.0),
        ("power_l2_w", -111.0),
        ("power_l3_w", 14.0),
        ("voltage_l1_v", 235.3),
        ("voltage_l2_v", 235.7),
        ("voltage_l3_v", 235.7),
        ("current_l1_a", 0.98),
        ("current_l2_a", 1.47),
        ("current_l3_a", 1.18),
        ("frequency_hz", 49.9),
        ("energy_import_kwh", 2687.3687),
        ("energy_export_kwh", 582.4569),
    ]);
}

#[test]
fn shelly_relays_count_both_directions_together() {
    let Some(lines) = samples("gen2_test.go") else { return };
    let expected: [&[(&str, f64)]; 4] = [
        &[
            ("power_w", 47.11),
            ("voltage_v", 232.0),
            ("current_a", 0.0),
            ("power_factor", 0.0),
            ("energy_total_kwh", 0.005125),
        ],
        &[("power_w", 399.2), ("voltage_v", 240.8), ("current_a", 1.886), ("energy_total_kwh", 2574.466629)],
        &[("power_w", -350.0), ("energy_total_kwh", 10.0), ("energy_export_kwh", 4.0)],
        &[("energy_total_kwh", 4.0), ("energy_export_kwh", 4.0)],
    ];
    assert_eq!(lines.len(), expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        let taken = take("shelly-gen2-em/berlin/dev/status/switch:0", line);
        taken.is(expected);
        assert!(taken.readings.heads()[0].quality.has(Quality::RECEIVE_TIME));
    }
    for line in samples("connection_test.go").unwrap() {
        assert_eq!(take("shelly-gen2-em/berlin/dev/status/switch:0", &line).readings.len(), 1);
    }
}

#[test]
fn what_no_decoder_here_reads_is_rejected_for_its_reason() {
    // Generation 1 speaks another language: nothing in it is where the mapping looks.
    for line in samples("gen1_test.go").into_iter().flatten() {
        assert_eq!(take("shelly-gen2-em/berlin/dev/status", &line).codes(), ["no_value"]);
    }
    for heading in ["valid HJ212 frame", "looks valid but is NOT"] {
        for line in samples(heading).into_iter().flatten() {
            let taken = take("submeter/v1/berlin/dev/reading", &line);
            assert_eq!(taken.codes(), ["not_json"]);
            assert!(taken.rejects[0].to_string().contains("HJ 212"), "{}", taken.rejects[0]);
        }
    }
    for line in samples("SDM630").into_iter().flatten() {
        assert_eq!(take("submeter/v1/berlin/dev/reading", &line).codes(), ["not_json"], "{line}");
    }
    for text in ["Online", "Offline", "true", "init", "229.8"] {
        let codes = take("tasmota/berlin/dev/LWT", text).codes();
        assert!(codes == ["not_json"] || codes == ["shape"], "{text}: {codes:?}");
    }
}

#[test]
fn tasmota_telemetry_says_no_zone_and_its_site_does() {
    let payload = r#"{"Time":"2022-08-30T00:10:00","ENERGY":{"Total":10.32,"Yesterday":1.1,"Today":0.2,"Period":3,
        "Power":812,"ApparentPower":830,"ReactivePower":171,"Factor":0.98,"Voltage":229,"Current":3.6}}"#;
    let taken = take("tasmota/shanghai/dev/SENSOR", payload);
    assert_eq!(taken.time(), "2022-08-29T16:10:00Z");
    assert_eq!(take("tasmota/berlin/dev/SENSOR", payload).time(), "2022-08-29T22:10:00Z");
    taken.is(&[
        ("power_w", 812.0),
        ("apparent_power_va", 830.0),
        ("reactive_power_var", 171.0),
        ("power_factor", 0.98),
        ("voltage_v", 229.0),
        ("current_a", 3.6),
        ("energy_import_kwh", 10.32),
    ]);
}

#[test]
fn shelly_three_phase_meters_are_read_in_and_out_of_their_wrapper() {
    let inner = r#"{"id":0,"a_voltage":229.8,"a_current":3.1,"a_act_power":701.0,"a_aprt_power":712.0,"a_pf":0.98,
        "a_freq":50.0,"total_act_power":2100.4}"#;
    let expected = [
        ("power_w", 2100.4),
        ("power_l1_w", 701.0),
        ("apparent_power_l1_va", 712.0),
        ("voltage_l1_v", 229.8),
        ("current_l1_a", 3.1),
        ("power_factor_l1", 0.98),
        ("frequency_hz", 50.0),
    ];
    take("shelly-gen2-em/berlin/dev/status/em:0", inner).is(&expected);
    let wrapped = format!(
        r#"{{"src":"shellypro3em-1","dst":"x","method":"NotifyStatus","params":{{"ts":1661789400.12,"em:0":{inner}}}}}"#
    );
    let taken = take("shelly-gen2-em/berlin/dev/events/rpc", &wrapped);
    taken.is(&expected);
    assert_eq!(taken.time(), "2022-08-29T16:10:00.12Z");
    let energy = r#"{"id":0,"a_total_act_energy":1000,"total_act":3100.5,"total_act_ret":12}"#;
    take("shelly-gen2-em/berlin/dev/status/emdata:0", energy).is(&[
        ("energy_import_kwh", 3.1005),
        ("energy_export_kwh", 0.012),
        ("energy_import_l1_kwh", 1.0),
    ]);
}

#[test]
fn shelly_messages_complete_each_other() {
    let registry = registry();
    let decoders = Decoders::new(&registry);
    let (mut readings, mut rejects, mut merge) = (ReadingBatch::default(), Vec::new(), Merge::default());
    let steps = [
        ("em:0", r#"{"total_act_power":2100.4}"#, 0),
        ("emdata:0", r#"{"total_act":5000}"#, 15_000),
        ("em:0", r#"{"total_act_power":2000}"#, 700_000),
    ];
    for (what, payload, after_ms) in steps {
        let topic = format!("shelly-gen2-em/berlin/dev/status/{what}");
        let message = Message {
            kind: Kind::Mqtt,
            delivery: Delivery::PLAIN,
            received: RECEIVED.plus(after_ms),
            source: "b",
            topic: &topic,
            payload: payload.as_bytes(),
        };
        let partial = decoders
            .decode(&registry.meters, &message, 1, &mut readings, &mut rejects)
            .expect("it is partial");
        let index = readings.len() - 1;
        merge.complete(partial, &mut readings, index);
    }
    let seen: Vec<_> = readings
        .iter()
        .map(|(h, _)| (readings.value(h, Channel::POWER), readings.value(h, Channel::ENERGY)))
        .collect();
    assert_eq!(seen, [(Some(2100.4), None), (Some(2100.4), Some(5.0)), (Some(2000.0), None)]);
    assert!(readings.heads()[1].quality.has(Quality::MERGED));
    assert!(!readings.heads()[2].quality.has(Quality::MERGED), "eleven minutes later the energy is too old");
}

#[test]
fn zigbee2mqtt_has_no_time_and_its_power_factor_in_percent() {
    let payload = r#"{"power_a":701,"power_b":690,"power_c":705,"voltage_a":229.8,"voltage_phase_b":230,"current_a":3.1,
        "power":2096,"energy":1032.4,"produced_energy":0,"power_factor":98,"ac_frequency":50,"linkquality":120}"#;
    let taken = take("zigbee2mqtt/berlin/dev", payload);
    assert!(taken.readings.heads()[0].quality.has(Quality::RECEIVE_TIME));
    assert_eq!(taken.readings.heads()[0].time, RECEIVED);
    taken.is(&[
        ("power_w", 2096.0),
        ("power_l1_w", 701.0),
        ("power_l2_w", 690.0),
        ("power_l3_w", 705.0),
        ("voltage_l1_v", 229.8),
        ("voltage_l2_v", 230.0),
        ("current_l1_a", 3.1),
        ("energy_import_kwh", 1032.4),
        ("energy_export_kwh", 0.0),
        ("power_factor", 0.98),
        ("frequency_hz", 50.0),
    ]);
}

#[test]
fn neuron_names_its_meter_by_group_and_leaves_failed_tags_out() {
    let payload = r#"{"timestamp":1661789400123,"node":"rs485-1","group":"meter-07","values":{"ua":229.8,"p":35.2},
        "errors":{"ep":3002},"metas":{}}"#;
    let taken = take("neuron/shanghai", payload);
    taken.is(&[("voltage_l1_v", 229.8), ("power_w", 35_200.0)]);
    assert_eq!((taken.time().as_str(), taken.readings.heads()[0].meter), ("2022-08-29T16:10:00.123Z", 2));
    assert_eq!(
        take("neuron/shanghai", r#"{"group":"meter-08","values":{"p":1}}"#).codes(),
        ["unknown_meter"]
    );
}

#[test]
fn thingsboard_with_and_without_time_and_as_a_list() {
    let one =
        take("thingsboard/berlin/dev", r#"{"ts":1661789400123,"values":{"power":35.5,"voltageL1":"229.8"}}"#);
    one.is(&[("power_w", 35.5), ("voltage_l1_v", 229.8)]);
    assert_eq!(one.time(), "2022-08-29T16:10:00.123Z");
    let bare = take("thingsboard/berlin/dev", r#"{"power":35.5,"firmware":"1.2"}"#);
    bare.is(&[("power_w", 35.5)]);
    assert!(bare.readings.heads()[0].quality.has(Quality::RECEIVE_TIME));
    let list = take(
        "thingsboard/berlin/dev",
        r#"[{"ts":1661789400000,"values":{"power":1}},{"ts":1661789460000,"values":{}},{"ts":1661789520000,"values":{"power":3}}]"#,
    );
    assert_eq!((list.readings.len(), list.codes()), (2, vec!["no_value"]));
}

#[test]
fn the_suggested_native_message() {
    let payload = r#"{"ts":1661789400000,"seq":1234,"q":"good","backfill":false,"u":[229.8,230.1,229.5],
        "i":[52.1,51.7,52.4],"p":35.2,"pf":0.97,"ep":103245.67,"er":0.0,"meter":"12345678"}"#;
    let taken = take("submeter/v1/berlin/dev/reading", payload);
    taken.is(&[
        ("voltage_l1_v", 229.8),
        ("voltage_l2_v", 230.1),
        ("voltage_l3_v", 229.5),
        ("current_l1_a", 52.1),
        ("current_l2_a", 51.7),
        ("current_l3_a", 52.4),
        ("power_w", 35_200.0),
        ("power_factor", 0.97),
        ("energy_import_kwh", 103_245.67),
        ("energy_export_kwh", 0.0),
    ]);
    assert_eq!((taken.readings.heads()[0].meter, taken.time().as_str()), (0, "2022-08-29T16:10:00Z"));
}
