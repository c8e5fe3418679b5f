//! One unit: its states from samples, a minute each.

use crate::detection::sample::Sample;
use crate::detection::state::{Edge, UnitLimits, UnitState};
use crate::model::site::{Basis, Thresholds};
use crate::model::state::State;
use crate::model::time::UtcMs;

const FAN: Thresholds = Thresholds {
    running_above_w: 800.0,
    running_below_w: 500.0,
    idle_above_w: 300.0,
    off_below_w: 200.0,
    on_for_ms: 120_000,
    off_for_ms: 180_000,
    basis: Basis::Fallback,
    version: 1,
};

/// One power a minute from minute 0 (`None` = no sample); the edges as (minute, state).
fn edges(powers: &[Option<f64>]) -> Vec<(i64, State)> {
    edges_by(1, powers)
}

/// The same of a meter that may be silent for so many minutes while nothing changes.
fn edges_by(heartbeat: i64, powers: &[Option<f64>]) -> Vec<(i64, State)> {
    let heartbeat_ms = heartbeat * 60_000;
    let limits = UnitLimits { thresholds: &FAN, period_ms: 60_000, heartbeat_ms, gap_ms: 300_000 };
    let mut unit = UnitState::unknown(UtcMs(0));
    let mut out = Vec::new();
    for (minute, power) in (0_i64..).zip(powers) {
        let at = UtcMs(minute * 60_000);
        let mut edge = |e: Edge| out.push((e.at.0 / 60_000, e.state));
        match power {
            Some(_) => unit.offer(&sample(minute, *power), &limits, &mut edge),
            None => unit.pass(at, limits.gap_ms, &mut edge),
        }
    }
    out
}

fn sample(minute: i64, power_w: Option<f64>) -> Sample {
    let at = UtcMs(minute * 60_000);
    Sample { at, until: at, last: at.plus(50_000), power_w, offset: 1, ..Sample::default() }
}

#[test]
fn an_edge_lies_between_the_last_sample_of_the_old_state_and_the_last_reading_of_the_first_of_the_new() {
    let limits = UnitLimits { thresholds: &FAN, period_ms: 60_000, heartbeat_ms: 60_000, gap_ms: 300_000 };
    let mut unit = UnitState::unknown(UtcMs(0));
    let mut edges = Vec::new();
    // A minute at 11 that proves nothing: the change may lie before it as well as after it.
    let negative = Some(-900.0);
    let day = [
        (8, Some(0.0)),
        (9, Some(0.0)),
        (10, Some(0.0)),
        (11, negative),
        (12, Some(900.0)),
        (13, Some(900.0)),
    ];
    for (minute, power_w) in day {
        unit.offer(&sample(minute, power_w), &limits, &mut |e| edges.push(e));
    }
    let minute = |m: i64| UtcMs(m * 60_000);
    let on =
        Edge { after: minute(10), at: minute(12), until: minute(12).plus(50_000), state: State::Running };
    let lost = Edge { after: minute(11), at: minute(11), until: minute(11), state: State::Unknown };
    assert_eq!(edges[1..], [lost, on]);
    assert_eq!(on.uncertainty_ms(), 170_000);
}

fn at(power_w: f64, minutes: usize) -> Vec<Option<f64>> {
    vec![Some(power_w); minutes]
}

#[test]
fn an_edge_is_dated_to_the_first_sample_of_the_run_that_decides_it() {
    let day = [at(0.0, 5), at(900.0, 5), at(10.0, 5)].concat();
    assert_eq!(edges(&day), [(0, State::Off), (5, State::Running), (10, State::Off)]);
}

#[test]
fn a_blip_shorter_than_the_duration_changes_nothing() {
    let day = [at(900.0, 5), at(0.0, 2), at(900.0, 5)].concat();
    assert_eq!(edges(&day), [(0, State::Running)]);
}

#[test]
fn between_the_thresholds_the_state_is_kept_and_from_unknown_nothing_is_guessed() {
    assert_eq!(edges(&[at(900.0, 3), at(600.0, 9)].concat()), [(0, State::Running)]);
    assert_eq!(edges(&at(600.0, 9)), []);
}

#[test]
fn silence_is_unknown_since_the_last_sample_and_never_off() {
    let day = [at(900.0, 5), vec![None; 10], at(0.0, 4)].concat();
    assert_eq!(edges(&day), [(0, State::Running), (4, State::Unknown), (15, State::Off)]);
}

#[test]
fn what_is_missing_between_two_states_is_unknown() {
    let day = [at(900.0, 5), vec![None; 3], at(0.0, 4)].concat();
    assert_eq!(edges(&day), [(0, State::Running), (5, State::Unknown), (8, State::Off)]);
    assert_eq!(edges_by(4, &day), [(0, State::Running), (8, State::Off)], "its silence says that it runs");
}

#[test]
fn what_is_missing_within_a_state_is_unknown_where_another_may_have_lasted_there() {
    for (power_w, state, enough) in [(0.0, State::Off, 2), (900.0, State::Running, 3)] {
        let day = |missing| edges(&[at(power_w, 5), vec![None; missing], at(power_w, 4)].concat());
        assert_eq!(day(enough - 1), [(0, state)]);
        let again = 5 + i64::try_from(enough).unwrap();
        assert_eq!(day(enough), [(0, state), (5, State::Unknown), (again, state)]);
    }
}

#[test]
fn silence_after_an_undecided_run_is_unknown_since_the_run_began() {
    let day = [at(900.0, 5), at(0.0, 2), vec![None; 10]].concat();
    assert_eq!(edges(&day), [(0, State::Running), (5, State::Unknown)]);
}

#[test]
fn a_negative_power_proves_no_state() {
    let day = [at(900.0, 5), at(-900.0, 9)].concat();
    assert_eq!(edges(&day), [(0, State::Running), (4, State::Unknown)]);
}

#[test]
fn a_change_within_a_mean_is_unknown_until_the_end_of_that_mean() {
    let limits = UnitLimits { thresholds: &FAN, period_ms: 60_000, heartbeat_ms: 60_000, gap_ms: 3_600_000 };
    let mut unit = UnitState::unknown(UtcMs(0));
    let mut out = Vec::new();
    for (from, until, power) in [(0, 10, 900.0), (10, 20, 900.0), (20, 30, 5.0), (30, 40, 5.0)] {
        let (at, until) = (UtcMs(from * 60_000), UtcMs(until * 60_000));
        let mean = Sample { at, until, last: until, power_w: Some(power), ..Sample::default() };
        unit.offer(&mean, &limits, &mut |edge| out.push((edge.at.0 / 60_000, edge.state)));
    }
    assert_eq!(out, [(10, State::Running), (20, State::Unknown), (30, State::Off)]);
}

#[test]
fn a_sample_of_another_state_is_passed_over_alone_but_not_beside_missing_ones() {
    let alone = [at(0.0, 5), at(900.0, 1), at(0.0, 5)].concat();
    assert_eq!(edges(&alone), [(0, State::Off)]);
    for beside in [[vec![None], at(900.0, 1)].concat(), [at(900.0, 1), vec![None]].concat()] {
        let day = [at(0.0, 5), beside, at(0.0, 5)].concat();
        let edges = edges(&day);
        assert_eq!((edges.len(), edges[1].1, edges[2]), (3, State::Unknown, (7, State::Off)), "{edges:?}");
    }
}

#[test]
fn idle_and_off_are_told_apart() {
    let day = [at(350.0, 3), at(250.0, 3), at(100.0, 3), at(250.0, 3)].concat();
    assert_eq!(edges(&day), [(0, State::Idle), (6, State::Off)]);
}
