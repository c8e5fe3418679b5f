//! The plant of most tests: a press, and the fan that must run with it.

use super::meter::{Input, Meter};
use super::param::Settings;
use super::site::{
    Basis, Category, Grade, Point, PointKind, Process, RuleLimits, Site, Thresholds, TreatmentGroup,
};

/// Running from `running_w` up, and all else in proportion.
pub fn thresholds(running_w: f64) -> Thresholds {
    Thresholds {
        running_above_w: running_w,
        running_below_w: running_w * 0.6,
        idle_above_w: running_w * 0.3,
        off_below_w: running_w * 0.2,
        on_for_ms: 120_000,
        off_for_ms: 180_000,
        basis: Basis::Configured,
        version: 1,
    }
}

/// A unit of 10 kW that runs from 1 kW up.
pub fn point(id: &str, kind: PointKind, meter: u32) -> Point {
    let thresholds = thresholds(1_000.0);
    Point { id: id.into(), name: id.into(), kind, rated_w: 10_000.0, meter, thresholds, commissioning: None }
}

/// The plant: its press is point 0, its fan point 1.
pub fn site() -> Site {
    Site {
        id: "plant".into(),
        name: "Plant".into(),
        region: "".into(),
        industry: "".into(),
        category: Category::General,
        positive_list: false,
        grade: Grade::Ungraded,
        time_zone: "Asia/Shanghai".into(),
        reorder_ms: 120_000,
        step_ms: 60_000,
        gap_ms: 300_000,
        points: vec![point("press", PointKind::Production, 0), point("fan", PointKind::Treatment, 1)],
        rules: Settings::DEFAULT,
        working_time: None,
        processes: vec![Process {
            id: "printing".into(),
            name: "Printing".into(),
            production: vec![0],
            treatment: vec![TreatmentGroup { points: vec![1], need: 1 }],
            lead_ms: 0,
            lag_ms: 0,
            rules: RuleLimits::DEFAULT,
            baselines: Vec::new(),
            working_time: None,
        }],
    }
}

/// Its meters: `plant/press` and `plant/fan`, behind one gateway, once a minute over MQTT.
pub fn meters() -> Vec<Meter> {
    let meter = |id: &str| Meter {
        id: format!("plant/{id}").into(),
        site: 0,
        gateway: "gateway".into(),
        period_ms: 60_000,
        heartbeat_ms: 0,
        ct: 1.0,
        pt: 1.0,
        input: Input::Mqtt { device: None },
        counting: None,
    };
    vec![meter("press"), meter("fan")]
}
