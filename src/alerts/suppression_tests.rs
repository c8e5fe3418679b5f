//! Which reasons apply to an alert, and until when.

use proptest::prelude::*;

use super::alert::{Alert, Status};
use super::evidence::Evidence;
use super::reason::{Suppression, Why};
use super::suppression::{About, Unit, Window, reasons};
use crate::model::maintenance::Scope;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

fn at(minute: i64) -> UtcMs {
    UtcMs(minute * 60_000)
}

/// Certain from `first` to `last`.
fn alert(rule: Rule, first: i64, last: i64, status: Status) -> Alert {
    Alert {
        id: "a1".into(),
        site: "plant".into(),
        rule,
        rule_version: 1,
        subject_kind: "process".into(),
        subject: "line".into(),
        status,
        level: Level::Warning,
        first: at(first),
        raised: at((first + 10).min(last)),
        raised_before: None,
        last_certain: at(last),
        cleared: (status == Status::Cleared).then(|| at(last + 5)),
        certain_ms: 0,
        unknown_ms: 0,
        evidence: Evidence::default(),
        acknowledged: None,
        deeds: Vec::new(),
        history: Vec::new(),
        said: 0,
        retroactive: false,
        revisions: Vec::new(),
        suppressed: Vec::new(),
    }
}

fn window(why: Why, from: i64, to: Option<i64>, points: &[&str], processes: &[&str]) -> Window {
    let ids = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    let scope = Scope { points: ids(points), processes: ids(processes) };
    Window { why, scope, from: at(from), to: to.map(at), by: None, reference: None }
}

fn line() -> About<'static> {
    About::Process("line", vec!["press", "fan"])
}

/// Of the whole site: `None` where it does not apply, else whether it was outlasted.
fn applies(why: Why, (from, to): (i64, i64), alert: &Alert, now: i64) -> Option<bool> {
    let found = reasons(alert, &line(), &[window(why, from, Some(to), &[], &[])], at(now));
    found.first().map(|s| s.outlasted)
}

#[test]
fn only_what_begins_within_a_window_is_suppressed_by_it() {
    let own = alert(Rule::TreatmentOff, 10, 40, Status::Cleared);
    let maintenance = |window| applies(Why::Maintenance, window, &own, 0);
    assert_eq!(maintenance((10, 40)), Some(false), "from the first certain moment on");
    assert_eq!(maintenance((11, 60)), None, "it began before: it goes on being told");
    assert_eq!(maintenance((0, 10)), None, "a window holds up to its end, not with it");
    assert_eq!(maintenance((0, 39)), Some(true), "it outlasts the window, and is told again");
}

#[test]
fn an_open_alert_is_told_again_once_its_window_is_over_and_stays_so() {
    let mut own = alert(Rule::TreatmentOff, 10, 30, Status::Open);
    let windows = [window(Why::Maintenance, 0, Some(60), &[], &[])];
    own.suppressed = reasons(&own, &line(), &windows, at(59));
    assert!(own.is_suppressed());
    own.suppressed = reasons(&own, &line(), &windows, at(60));
    assert!(!own.is_suppressed() && own.suppressed.len() == 1, "the reason is kept");
    // A finding tells of minute 50, later.
    own.last_certain = at(50);
    own.suppressed = reasons(&own, &line(), &windows, UtcMs::MIN);
    assert!(!own.is_suppressed());
    let ended = Alert { status: Status::Cleared, ..own };
    let found = reasons(&ended, &line(), &windows, at(99));
    assert_eq!(found.iter().map(|s| s.outlasted).collect::<Vec<_>>(), [false], "it did end within it");
}

#[test]
fn a_power_cut_explains_missing_data_alone_and_only_what_lies_in_it_whole() {
    let missing = alert(Rule::DataMissing, 10, 40, Status::Cleared);
    assert_eq!(applies(Why::PowerCut, (9, 40), &missing, 0), Some(false));
    assert_eq!(applies(Why::PowerCut, (9, 39), &missing, 0), None, "it goes on after the cut");
    let off = alert(Rule::TreatmentOff, 10, 40, Status::Cleared);
    assert_eq!(applies(Why::PowerCut, (9, 40), &off, 0), None);
    let gap = alert(Rule::GapWhileProducing, 10, 40, Status::Cleared);
    assert_eq!(applies(Why::PowerCut, (9, 40), &gap, 0), Some(false));
    assert_eq!(applies(Why::OutsideWorkingTime, (9, 40), &gap, 0), None, "it says that production ran");
    assert_eq!(applies(Why::OutsideWorkingTime, (9, 40), &missing, 0), Some(false));
    let cut = alert(Rule::PowerCut, 10, 40, Status::Cleared);
    assert_eq!(applies(Why::Maintenance, (0, 60), &cut, 0), None, "a power cut is nobody's to hide");
}

#[test]
fn the_scope_decides_what_is_meant() {
    let own = alert(Rule::TreatmentOff, 10, 40, Status::Cleared);
    let is = |about: &About<'_>, points: &[&str], processes: &[&str]| {
        let windows = [window(Why::Maintenance, 0, Some(60), points, processes)];
        !reasons(&own, about, &windows, at(0)).is_empty()
    };
    assert!(is(&line(), &[], &["line"]) && is(&line(), &["fan"], &[]) && is(&line(), &[], &[]));
    assert!(!is(&line(), &["dryer"], &["other"]));
    let fan = Unit { point: "fan", processes: vec!["line", "other"] };
    let press = Unit { point: "press", processes: vec!["line"] };
    let of_fan = About::Units(vec![fan.clone()]);
    assert!(is(&of_fan, &["fan"], &[]) && is(&of_fan, &[], &["other"]) && !is(&of_fan, &["press"], &[]));
    let gateway = About::Units(vec![fan, press]);
    assert!(!is(&gateway, &["fan"], &[]), "all behind a gateway must be meant");
    assert!(is(&gateway, &["fan", "press"], &[]) && is(&gateway, &[], &["line"]));
    assert!(!is(&About::Site, &["fan", "press"], &["line"]) && is(&About::Site, &[], &[]));
}

#[test]
fn behind_a_gateway_every_unit_has_its_own_reason_and_the_first_to_end_ends_them_all() {
    let own = alert(Rule::DataMissing, 10, 40, Status::Open);
    let unit = |point| Unit { point, processes: Vec::new() };
    let gateway = About::Units(vec![unit("fan"), unit("press")]);
    let fan = window(Why::Commissioning, 0, None, &["fan"], &[]);
    let press = window(Why::Commissioning, 0, Some(60), &["press"], &[]);
    let found = |windows: &[Window], now| -> Vec<bool> {
        reasons(&own, &gateway, windows, at(now)).iter().map(|s| s.outlasted).collect()
    };
    assert_eq!(found(std::slice::from_ref(&fan), 50), Vec::<bool>::new());
    assert_eq!(found(&[fan.clone(), press.clone()], 50), [false, false]);
    assert_eq!(found(&[fan, press], 60), [true, true]);
}

fn any_window() -> impl Strategy<Value = Window> {
    let why = prop_oneof![
        Just(Why::Maintenance),
        Just(Why::Commissioning),
        Just(Why::PowerCut),
        Just(Why::OutsideWorkingTime)
    ];
    let point = prop_oneof![Just(None), Just(Some("fan")), Just(Some("dryer"))];
    (why, -20_i64..60, proptest::option::of(1_i64..60), point).prop_map(|(why, from, length, point)| {
        let points: Vec<&str> = point.into_iter().collect();
        window(why, from, length.map(|ms| from + ms), &points, &[])
    })
}

proptest! {
    #[test]
    fn windows_come_in_any_order_and_no_window_hides_what_began_before_it_or_outlasted_it(
        windows in proptest::collection::vec(any_window(), 0..5),
        rule in proptest::sample::select(Rule::ALL),
        (first, length) in (0_i64..60, 0_i64..60),
        is_open: bool,
        now in 0_i64..200,
    ) {
        let status = if is_open { Status::Open } else { Status::Cleared };
        let own = alert(rule, first, first + length, status);
        let mut found = reasons(&own, &line(), &windows, at(now));
        for s in &found {
            prop_assert!(s.from <= own.first && s.to.is_none_or(|to| own.first < to));
            let is_over = s.to.is_some_and(|to| own.reached() > to || is_open && at(now) >= to);
            prop_assert_eq!(s.outlasted, is_over);
        }
        let mut reversed = reasons(&own, &line(), &windows.iter().rev().cloned().collect::<Vec<_>>(), at(now));
        let key = |s: &Suppression| (s.why, s.from, s.to);
        found.sort_by_key(key);
        reversed.sort_by_key(key);
        prop_assert_eq!(found, reversed);
    }
}
