//! An alert over its life.

use super::alert::Alert;
use super::finding::{AlertFinding, Change, Subject, Tally};
use crate::model::rule::{Level, Rule};
use crate::model::site::{Basis, Category, Grade, Point, PointKind, Site, Thresholds};
use crate::model::time::UtcMs;

fn site(running_above_w: f64, version: u32) -> Site {
    let thresholds = Thresholds {
        running_above_w,
        running_below_w: 500.0,
        idle_above_w: 300.0,
        off_below_w: 200.0,
        on_for_ms: 120_000,
        off_for_ms: 180_000,
        basis: Basis::Configured,
        version,
    };
    Site {
        id: "plant".into(),
        name: "Plant".into(),
        region: "".into(),
        industry: "".into(),
        category: Category::General,
        positive_list: false,
        grade: Grade::Ungraded,
        time_zone: "Asia/Shanghai".into(),
        reorder_ms: 0,
        step_ms: 60_000,
        gap_ms: 300_000,
        points: vec![Point {
            id: "fan".into(),
            name: "Fan".into(),
            kind: PointKind::Treatment,
            rated_w: 10_000.0,
            meter: 0,
            thresholds,
            commissioning: None,
        }],
        processes: Vec::new(),
        rules: crate::model::param::Settings::DEFAULT,
        working_time: None,
    }
}

fn finding(change: Change, minute: i64) -> AlertFinding {
    AlertFinding {
        rule: Rule::TreatmentOff,
        subject: Subject::Process(0),
        change,
        at: UtcMs(minute * 60_000),
        first: UtcMs(0),
        last_certain: UtcMs(minute * 60_000),
        level: Level::Warning,
        certain_ms: minute * 60_000,
        unknown_ms: 0,
        tallies: vec![Tally { point: 0, n_samples: 1, ..Tally::default() }],
        fragments: Vec::new(),
        figures: Vec::new(),
        instants: Vec::new(),
    }
}

/// Thresholds are lowered while an alert is open: what it was raised by stays in its evidence.
#[test]
fn thresholds_that_change_within_an_alert_are_all_in_its_evidence() {
    let mut alert = Alert::raise(&site(1_000.0, 1), &[], &finding(Change::Raised, 10), 7);
    alert.apply(&site(1_000.0, 1), &finding(Change::Escalated, 30), 8);
    assert!(alert.evidence.points[0].thresholds_before.is_empty(), "nothing changed so far");
    alert.apply(&site(700.0, 2), &finding(Change::Escalated, 240), 9);
    alert.apply(&site(600.0, 3), &finding(Change::Cleared, 245), 10);
    let fan = &alert.evidence.points[0];
    let versions: Vec<u32> = fan.thresholds_before.iter().map(|t| t.version).collect();
    assert_eq!((versions, fan.thresholds.version), (vec![1, 2], 3));
    assert_eq!(fan.thresholds_before[0].running_above_w, 1_000.0);
}
