//! An alert over its life.

use super::alert::Alert;
use super::finding::{AlertFinding, Change, Subject, Tally};
use crate::model::press_and_fan;
use crate::model::rule::{Level, Rule};
use crate::model::site::Site;
use crate::model::time::UtcMs;

/// A site of a fan alone.
fn site(running_above_w: f64, version: u32) -> Site {
    let mut site = press_and_fan::site();
    site.points.remove(0);
    site.processes.clear();
    let thresholds = &mut site.points[0].thresholds;
    (thresholds.running_above_w, thresholds.version) = (running_above_w, version);
    site
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
