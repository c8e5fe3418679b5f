//! Plants of six metered units each, and what their meters say: a registry and payloads in the native JSON.

use submeterd::model::mapping::{Decoder, Subscription};
use submeterd::model::meter::{Input, Meter};
use submeterd::model::registry::Registry;
use submeterd::model::site::{
    Basis, Category, Grade, Point, PointKind, Process, RuleLimits, Site, Thresholds, TreatmentGroup,
};
use submeterd::model::time::UtcMs;

/// The first measuring time: a whole hour, with as many digits as today's times have.
pub const START: UtcMs = UtcMs(1_790_002_800_000);

/// The broker that all messages come from.
pub const BROKER: &str = "city";

/// The units of every plant.
pub const UNITS: [(&str, PointKind); 6] = [
    ("press", PointKind::Production),
    ("oven", PointKind::Production),
    ("fan", PointKind::Treatment),
    ("burner", PointKind::Treatment),
    ("scrubber", PointKind::Treatment),
    ("total", PointKind::Total),
];

/// A registry with that many points (made whole plants of), each heard of every `period_ms`.
pub fn registry(n_points: usize, period_ms: u32) -> Registry {
    let n_sites = n_points.div_ceil(UNITS.len());
    let mut registry = Registry::default();
    for site in (0_u32..).take(n_sites) {
        let first = site * 6;
        let id = site_id(first);
        registry.meters.extend(UNITS.iter().map(|(unit, _)| Meter {
            id: format!("{id}/{unit}").into(),
            site,
            gateway: id.as_str().into(),
            period_ms,
            heartbeat_ms: 0,
            ct: 1.0,
            pt: 1.0,
            input: Input::Mqtt { device: None },
            counting: None,
        }));
        registry.sites.push(plant(&id, first, period_ms));
    }
    for pattern in ["submeter/v1/{site}/{meter}/reading", "submeter/v1/batch"] {
        let decoder = Decoder::Native;
        let (broker, pattern) = (BROKER.into(), pattern.into());
        registry.subscriptions.push(Subscription { broker, pattern, qos: 1, decoder });
    }
    registry
}

fn plant(id: &str, first: u32, step_ms: u32) -> Site {
    Site {
        id: id.into(),
        name: format!("Plant {id}").into(),
        region: "Yuhua".into(),
        industry: "coating".into(),
        category: Category::General,
        positive_list: false,
        grade: Grade::Ungraded,
        time_zone: "Asia/Shanghai".into(),
        reorder_ms: 120_000,
        step_ms,
        gap_ms: 300_000,
        points: (first..).zip(UNITS).map(|(meter, (unit, kind))| point(unit, kind, meter)).collect(),
        rules: submeterd::model::param::Settings::DEFAULT,
        working_time: None,
        processes: vec![Process {
            id: "coating".into(),
            name: "Coating".into(),
            production: vec![0, 1],
            treatment: vec![
                TreatmentGroup { points: vec![2, 3], need: 1 },
                TreatmentGroup { points: vec![4], need: 1 },
            ],
            lead_ms: 0,
            lag_ms: 0,
            rules: RuleLimits::DEFAULT,
            baselines: Vec::new(),
            working_time: None,
        }],
    }
}

fn point(unit: &str, kind: PointKind, meter: u32) -> Point {
    let thresholds = Thresholds {
        running_above_w: 9_000.0,
        running_below_w: 6_000.0,
        idle_above_w: 3_000.0,
        off_below_w: 1_800.0,
        on_for_ms: 120_000,
        off_for_ms: 180_000,
        basis: Basis::Configured,
        version: 1,
    };
    Point {
        id: unit.into(),
        name: unit.into(),
        kind,
        rated_w: 60_000.0,
        meter,
        thresholds,
        commissioning: None,
    }
}

fn site_id(meter: u32) -> String {
    format!("plant-{:05}", meter / 6)
}

/// The topic of a meter's single readings.
pub fn topic(meter: u32) -> String {
    format!("submeter/v1/{}/{}/reading", site_id(meter), UNITS[meter as usize % 6].0)
}

/// Ten values of a meter, in the order of [`COLUMNS`]: a running unit at that minute or so of its life.
pub fn values(meter: u32, minute: u32) -> [f64; 10] {
    // A number that looks random and is the same every time.
    let noise = |salt: u32, span: u32| {
        let x = (meter.wrapping_mul(2_654_435_761) ^ minute.wrapping_mul(40_503) ^ salt)
            .wrapping_mul(2_246_822_519);
        f64::from((x ^ x >> 15) % span)
    };
    let load = 20_000.0 + f64::from(meter % 97) * 300.0;
    let round = |x: f64, digits: f64| (x * digits).round() / digits;
    let volts = |salt| round(229.0 + noise(salt, 25) / 10.0, 10.0);
    let amps = |salt| round(load / 660.0 + noise(salt, 40) / 100.0, 100.0);
    let kw = round(load / 1_000.0 + noise(7, 300) / 1_000.0, 1_000.0);
    let kwh = round(100_000.0 + f64::from(meter % 977) * 37.11 + f64::from(minute) * load / 60_000.0, 100.0);
    [
        volts(1),
        volts(2),
        volts(3),
        amps(4),
        amps(5),
        amps(6),
        kw,
        round(0.95 + noise(8, 30) / 1_000.0, 1_000.0),
        kwh,
        0.0,
    ]
}

/// Names of the values.
pub const COLUMNS: [&str; 10] = ["u1", "u2", "u3", "i1", "i2", "i3", "p", "pf", "ep", "er"];

/// A single reading.
pub fn single(meter: u32, minute: u32, ts: UtcMs) -> String {
    format!(
        r#"{{"ts":{},"seq":{},"q":"good","backfill":false,{},"meter":"{:08}"}}"#,
        ts.0,
        1_000_000 + minute,
        named(meter, minute),
        20_000_000 + meter
    )
}

/// Readings of those meters in one message, as rows under columns.
pub fn rows(meters: std::ops::Range<u32>, minute: u32, ts: UtcMs) -> String {
    let columns: Vec<String> = COLUMNS.iter().map(|c| format!("\"{c}\"")).collect();
    let rows: Vec<String> = meters
        .map(|m| {
            let values: Vec<String> = values(m, minute).iter().map(ToString::to_string).collect();
            format!("[\"{}\",{}]", id(m), values.join(","))
        })
        .collect();
    format!(r#"{{"ts":{},"columns":["meter",{}],"rows":[{}]}}"#, ts.0, columns.join(","), rows.join(","))
}

/// Readings of those meters in one message, each an object.
pub fn readings(meters: std::ops::Range<u32>, minute: u32, ts: UtcMs) -> String {
    let all: Vec<String> =
        meters.map(|m| format!(r#"{{"meter":"{}",{}}}"#, id(m), named(m, minute))).collect();
    format!(r#"{{"ts":{},"readings":[{}]}}"#, ts.0, all.join(","))
}

/// The id of a meter.
pub fn id(meter: u32) -> String {
    format!("{}/{}", site_id(meter), UNITS[meter as usize % 6].0)
}

fn named(meter: u32, minute: u32) -> String {
    let [u1, u2, u3, i1, i2, i3, p, pf, ep, er] = values(meter, minute);
    format!(r#""u":[{u1},{u2},{u3}],"i":[{i1},{i2},{i3}],"p":{p},"pf":{pf},"ep":{ep},"er":{er:.1}"#)
}
