//! R2 and R3: treatment that starts after production, or stops before it.

use super::plant::{FAN, Minute, OFF, ON, PRESS, START, alerts_by, figure, plant, stretch, told};
use crate::alerts::figure::Fact;
use crate::alerts::finding::{AlertFinding, Change};
use crate::model::meter::Meter;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::site::Site;
use crate::model::time::MINUTE_MS;

const LEVEL: Level = Level::Warning;

/// Minutes by press and fan.
fn day(pieces: &[(Option<f64>, Option<f64>, usize)]) -> Vec<Minute> {
    pieces.iter().flat_map(|&(press, fan, n)| stretch((press, fan), n)).collect()
}

fn late(pieces: &[(Option<f64>, Option<f64>, usize)]) -> Vec<AlertFinding> {
    alerts_by(&plant(), Rule::LateStart, &day(pieces))
}

/// The same plant, where the fan must run before and after the press.
fn with(lead_minutes: u32, lag_minutes: u32) -> (Site, Vec<Meter>) {
    let mut plant = plant();
    let process = &mut plant.0.processes[0];
    (process.lead_ms, process.lag_ms) = (lead_minutes * 60_000, lag_minutes * 60_000);
    plant
}

#[test]
fn what_starts_too_late_is_told_once_it_runs_with_the_lateness_that_is_certain() {
    let found = late(&[(OFF, OFF, 10), (ON, OFF, 6), (ON, ON, 10)]);
    assert_eq!(
        told(&found),
        [(Rule::LateStart, Change::Raised, 16, 10, LEVEL), (Rule::LateStart, Change::Cleared, 16, 10, LEVEL)]
    );
    // Production ran at minute 10 and the fan did not at 15: it started later than that.
    assert_eq!(figure(&found[1], Fact::Lateness), Some(5.0 * MINUTE_MS as f64));
    assert_eq!((found[0].certain_ms, found[0].last_certain), (5 * MINUTE_MS, START.plus(15 * MINUTE_MS)));
    assert_eq!(figure(&found[0], Fact::EdgeUncertainty), Some(MINUTE_MS as f64));
    let minute = |m: i64| START.plus(m * MINUTE_MS);
    assert_eq!(
        found[0].instants,
        [(PRESS, minute(9)), (PRESS, minute(10)), (FAN, minute(15)), (FAN, minute(16))]
    );
}

#[test]
fn a_start_within_the_tolerance_and_one_that_is_not_certainly_later_are_none() {
    assert!(late(&[(OFF, OFF, 10), (ON, OFF, 3), (ON, ON, 10)]).is_empty(), "between two and three minutes");
    assert_eq!(late(&[(OFF, OFF, 10), (ON, OFF, 4), (ON, ON, 10)]).len(), 2, "more than three");
    assert!(late(&[(OFF, ON, 10), (ON, ON, 10)]).is_empty());
}

#[test]
fn what_r1_has_raised_is_its_matter() {
    let pieces = [(OFF, OFF, 10), (ON, OFF, 10), (ON, ON, 10)];
    assert!(late(&pieces).is_empty());
    assert_eq!(alerts_by(&plant(), Rule::TreatmentOff, &day(&pieces)).len(), 2);
    assert_eq!(late(&[(OFF, OFF, 10), (ON, OFF, 9), (ON, ON, 10)]).len(), 2);
}

#[test]
fn what_cannot_be_told_in_between_is_no_violation() {
    assert!(late(&[(OFF, OFF, 10), (ON, OFF, 1), (ON, None, 6), (ON, OFF, 2), (ON, ON, 10)]).is_empty());
    assert!(late(&[(None, OFF, 10), (ON, OFF, 6), (ON, ON, 10)]).is_empty(), "nobody saw production start");
    assert!(late(&[(OFF, OFF, 9), (None, OFF, 6), (ON, OFF, 6), (ON, ON, 9)]).is_empty());
    assert!(late(&[(OFF, None, 10), (ON, None, 3), (ON, OFF, 4), (ON, ON, 10)]).is_empty());
}

#[test]
fn production_that_stops_again_before_treatment_starts_is_none() {
    assert!(late(&[(OFF, OFF, 10), (ON, OFF, 4), (OFF, OFF, 4), (OFF, ON, 5), (ON, ON, 5)]).is_empty());
}

#[test]
fn where_there_is_a_lead_treatment_must_run_by_then() {
    let plant = with(30, 0);
    let late = |pieces: &[_]| alerts_by(&plant, Rule::LateStart, &day(pieces));
    assert!(late(&[(OFF, OFF, 10), (OFF, ON, 33), (ON, ON, 5)]).is_empty());
    assert!(late(&[(OFF, OFF, 10), (OFF, ON, 28), (ON, ON, 5)]).is_empty(), "within the tolerance");
    // On since minute 50 at the earliest 49, where 30 minutes before 60 it was due.
    let found = late(&[(OFF, OFF, 50), (OFF, ON, 10), (ON, ON, 5)]);
    assert_eq!(told(&found)[0], (Rule::LateStart, Change::Raised, 60, 30, LEVEL));
    assert_eq!(figure(&found[0], Fact::Lateness), Some(19.0 * MINUTE_MS as f64));
    // It ran when it had to, and was taken off for some minutes: not late.
    assert!(late(&[(OFF, OFF, 5), (OFF, ON, 30), (OFF, OFF, 6), (OFF, ON, 10), (ON, ON, 5)]).is_empty());
    // What is still missing when production starts is due from the lead on.
    let found = late(&[(OFF, OFF, 60), (ON, OFF, 4), (ON, ON, 5)]);
    assert_eq!(told(&found)[0], (Rule::LateStart, Change::Raised, 64, 30, LEVEL));
}

#[test]
fn the_third_within_a_week_is_an_alarm() {
    let once = [(OFF, OFF, 10), (ON, OFF, 6), (ON, ON, 10), (OFF, ON, 5)];
    let found = late(&once.repeat(3));
    let levels: Vec<_> = found.iter().filter(|a| a.change == Change::Raised).map(|a| a.level).collect();
    assert_eq!(levels, [Level::Warning, Level::Warning, Level::Alarm]);
    assert_eq!(figure(&found[5], Fact::Repeats), Some(3.0));
    let mut plant = plant();
    plant.0.processes[0].rules.settings.set(Param::LateWithin, 60.0 * MINUTE_MS as f64);
    let found = alerts_by(&plant, Rule::LateStart, &day(&once.repeat(3)));
    assert!(found.iter().all(|a| a.level == Level::Warning), "two within an hour: {found:?}");
}

#[test]
fn a_rule_that_is_off_says_nothing() {
    let mut plant = with(0, 5);
    for rule in [Rule::LateStart, Rule::EarlyStop] {
        plant.0.processes[0].rules.settings.turn(rule, false);
    }
    let day = day(&[(OFF, OFF, 10), (ON, OFF, 6), (ON, ON, 10), (OFF, OFF, 20)]);
    for rule in [Rule::LateStart, Rule::EarlyStop] {
        assert!(alerts_by(&plant, rule, &day).is_empty());
    }
}

fn early(lag: u32, pieces: &[(Option<f64>, Option<f64>, usize)]) -> Vec<AlertFinding> {
    alerts_by(&with(0, lag), Rule::EarlyStop, &day(pieces))
}

#[test]
fn what_stops_with_production_is_told_when_the_tolerance_is_over_and_ends_with_the_lag() {
    let found = early(5, &[(OFF, ON, 5), (ON, ON, 10), (OFF, OFF, 20)]);
    // Production stopped after minute 14, so the lag ends at 19 at the earliest.
    assert_eq!(
        told(&found),
        [(Rule::EarlyStop, Change::Raised, 17, 15, LEVEL), (Rule::EarlyStop, Change::Cleared, 19, 15, LEVEL)]
    );
    assert_eq!(figure(&found[1], Fact::Earliness), Some(4.0 * MINUTE_MS as f64));
    assert_eq!((found[0].certain_ms, found[1].certain_ms), (2 * MINUTE_MS, 4 * MINUTE_MS));
    assert_eq!(found[1].unknown_ms, 0);
}

#[test]
fn what_runs_on_for_the_lag_or_nearly_is_none() {
    assert!(early(5, &[(ON, ON, 10), (OFF, ON, 5), (OFF, OFF, 20)]).is_empty());
    assert!(early(5, &[(ON, ON, 10), (OFF, ON, 2), (OFF, OFF, 20)]).is_empty(), "missing for two minutes");
    let found = early(5, &[(ON, ON, 10), (OFF, ON, 1), (OFF, OFF, 20)]);
    assert_eq!(told(&found)[0], (Rule::EarlyStop, Change::Raised, 13, 11, LEVEL), "missing for three");
}

#[test]
fn treatment_that_comes_back_at_once_was_changed_over() {
    let mut plant = with(0, 10);
    plant.0.processes[0].rules.settings.set(Param::EarlyTolerance, 4.0 * MINUTE_MS as f64);
    let early = |n| alerts_by(&plant, Rule::EarlyStop, &day(&[(ON, ON, 10), (OFF, OFF, n), (OFF, ON, 20)]));
    assert!(early(4).is_empty());
    let found = early(6);
    assert_eq!(told(&found)[0], (Rule::EarlyStop, Change::Raised, 14, 10, LEVEL));
    assert_eq!(told(&found)[1], (Rule::EarlyStop, Change::Cleared, 16, 10, LEVEL), "it runs again");
}

#[test]
fn production_that_ran_on_without_treatment_is_told_with_figures_until_it_is_r1s_matter() {
    let found = early(5, &[(ON, ON, 10), (ON, OFF, 8), (OFF, OFF, 20)]);
    assert_eq!(told(&found)[0], (Rule::EarlyStop, Change::Raised, 18, 10, LEVEL));
    assert_eq!(told(&found)[1].2, 22);
    assert_eq!(figure(&found[0], Fact::Earliness), Some(12.0 * MINUTE_MS as f64));
    assert!(early(5, &[(ON, ON, 10), (ON, OFF, 10), (OFF, OFF, 20)]).is_empty());
}

#[test]
fn without_a_lag_only_what_stops_before_production_is_told() {
    assert!(early(0, &[(ON, ON, 10), (OFF, OFF, 20)]).is_empty());
    assert!(early(0, &[(ON, ON, 10), (ON, OFF, 3), (OFF, OFF, 20)]).is_empty());
    let found = early(0, &[(ON, ON, 10), (ON, OFF, 4), (OFF, OFF, 20)]);
    // The last minute in which production was seen is 13; that is when the fan was no longer due.
    assert_eq!(told(&found)[0], (Rule::EarlyStop, Change::Raised, 14, 10, LEVEL));
    assert_eq!((told(&found)[1].2, figure(&found[0], Fact::Earliness)), (14, Some(3.0 * MINUTE_MS as f64)));
}

#[test]
fn a_stop_that_nobody_saw_is_none() {
    assert!(early(5, &[(ON, ON, 10), (None, None, 10), (OFF, OFF, 20)]).is_empty());
    assert!(early(5, &[(ON, ON, 10), (OFF, None, 10), (OFF, OFF, 20)]).is_empty());
    assert!(early(5, &[(ON, ON, 10), (ON, OFF, 3), (None, OFF, 8), (OFF, OFF, 20)]).is_empty());
}

#[test]
fn readings_every_quarter_of_an_hour_are_too_seldom_for_edges() {
    let mut plant = with(0, 5);
    plant.0.step_ms = 900_000;
    plant.1.iter_mut().for_each(|meter| meter.period_ms = 900_000);
    let seldom: Vec<Minute> =
        day(&[(OFF, OFF, 30), (ON, OFF, 15), (ON, ON, 60), (ON, OFF, 15), (OFF, OFF, 60)])
            .into_iter()
            .enumerate()
            .map(|(minute, both)| if minute % 15 == 5 { both } else { (None, None) })
            .collect();
    for rule in [Rule::LateStart, Rule::EarlyStop] {
        assert!(alerts_by(&plant, rule, &seldom).is_empty(), "{rule:?}");
    }
    assert!(!alerts_by(&plant, Rule::TreatmentOff, &seldom).is_empty(), "it can still be told what lasts");
}
