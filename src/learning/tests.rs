//! Levels, thresholds and commissioning tests of made-up units.

use super::acceptance::Failed;
use super::adopt::{NeedsPerson, needs_person, thresholds};
use super::commission::{Refusal, Test, record};
use super::confirm::{Denied, may_confirm};
use super::minute::Minute;
use super::split::{Needs, Outcome, Refused, learn};
use crate::model::baseline::Baseline;
use crate::model::basis::Basis;
use crate::model::commissioning::{Phase, PhaseKind};
use crate::model::site::{Point, PointKind, Process, RuleLimits, Thresholds, TreatmentGroup};
use crate::model::thresholds::fallback;
use crate::model::time::{MINUTE_MS, UtcMs};

pub const PRESS: u16 = 0;
pub const FAN: u16 = 1;

/// A unit judged by the shares of its rated power.
pub fn point(kind: PointKind, rated_w: f64) -> Point {
    let powers = fallback(kind).map(|share| share * rated_w);
    let thresholds = Thresholds::new(powers, 120_000, 180_000, Basis::Fallback);
    Point {
        id: kind.name().into(),
        name: kind.name().into(),
        kind,
        rated_w,
        meter: 0,
        thresholds,
        commissioning: None,
    }
}

/// A press of 20 kW and its fan of 7.5 kW.
pub fn plant() -> (Vec<Point>, Process) {
    let process = Process {
        id: "printing".into(),
        name: "Printing".into(),
        production: vec![PRESS],
        treatment: vec![TreatmentGroup { points: vec![FAN], need: 1 }],
        lead_ms: 0,
        lag_ms: 0,
        rules: RuleLimits::DEFAULT,
        baselines: Vec::new(),
        working_time: None,
    };
    (vec![point(PointKind::Production, 20e3), point(PointKind::Treatment, 7.5e3)], process)
}

/// A minute of each power, over and over, a level an hour, for 15 days.
fn hours(levels_w: &[f64]) -> Vec<Minute> {
    let level = |m: i64| levels_w[usize::try_from(m / 60).unwrap() % levels_w.len()];
    // A few percent up and down, the same every time.
    let wobble = |m: i64| 1.0 + 0.03 * ((m * 7_919 % 101) as f64 / 50.0 - 1.0);
    (0..15 * 1_440).map(|m| Minute::new(m, level(m) * wobble(m))).collect()
}

fn refused(outcome: Outcome) -> Refused {
    let Outcome::Refused(refused) = outcome else { panic!("accepted: {outcome:?}") };
    refused
}

#[test]
fn two_levels_give_thresholds_between_them() {
    let split = *learn(&hours(&[0.0, 10e3]), 15e3, Needs::default()).accepted().unwrap();
    // 0 W is taken for 0.1 % of rated, 15 W; 10 kW wobbles down to 9.7.
    let near = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.02;
    assert!(near(split.running.on_w, 15_f64.powf(0.4) * 9.75e3_f64.powf(0.6)), "{split:?}");
    assert!(near(split.running.off_w, 15_f64.powf(0.6) * 9.75e3_f64.powf(0.4)), "{split:?}");
    assert_eq!(split.idle, None);

    let press = point(PointKind::Production, 15e3);
    let learned = thresholds(&split, &press);
    assert_eq!((learned.basis, learned.on_for_ms, learned.off_for_ms), (Basis::Learned, 120_000, 180_000));
    assert!(near(learned.idle_above_w, 0.3 * learned.running_below_w), "in the proportion of the fallback");
    assert!(near(learned.off_below_w, 0.2 * learned.running_below_w));
}

#[test]
fn an_idle_level_is_told_and_is_not_running() {
    let split = *learn(&hours(&[0.0, 4e3, 60e3, 62e3]), 75e3, Needs::default()).accepted().unwrap();
    let idle = split.idle.unwrap();
    assert!(split.running.off_w > 4.2e3 && split.running.on_w < 58e3, "{split:?}");
    assert!(idle.off_w > 75.0 && idle.on_w < 3.8e3, "{split:?}");
    let learned = thresholds(&split, &point(PointKind::Production, 75e3));
    let powers =
        [learned.running_above_w, learned.running_below_w, learned.idle_above_w, learned.off_below_w];
    assert!(powers.is_sorted_by(|a, b| a > b), "{powers:?}");
    let why = needs_person(&split, &learned, &learned);
    let [NeedsPerson::IdleLevel { median_w, begins_w, .. }] = why[..] else { panic!("{why:?}") };
    assert!((median_w - 4e3).abs() < 50.0 && begins_w.to_bits() == idle.on_w.to_bits());
}

#[test]
fn thresholds_that_move_far_or_would_replace_a_persons_need_a_person() {
    let split = *learn(&hours(&[0.0, 10e3]), 15e3, Needs::default()).accepted().unwrap();
    let learned = thresholds(&split, &point(PointKind::Production, 15e3));
    let scaled = |by: f64, basis| {
        let powers =
            [learned.running_above_w, learned.running_below_w, learned.idle_above_w, learned.off_below_w];
        Thresholds::new(powers.map(|p| p * by), 120_000, 180_000, basis)
    };
    for by in [0.51, 1.0, 1.99] {
        assert_eq!(needs_person(&split, &learned, &scaled(by, Basis::Fallback)), [], "{by}");
    }
    for by in [0.49, 2.01] {
        let why = needs_person(&split, &learned, &scaled(by, Basis::Learned));
        assert!(matches!(why[..], [NeedsPerson::Moves { .. }, NeedsPerson::Moves { .. }]), "{why:?}");
    }
    for basis in [Basis::Configured, Basis::Commissioned, Basis::Confirmed] {
        let why = needs_person(&split, &learned, &scaled(1.0, basis));
        assert_eq!(why, [NeedsPerson::MoreCertain { in_force: basis }]);
    }
}

#[test]
fn a_refusal_names_every_test_with_its_figure() {
    let few: Vec<Minute> = hours(&[6e3, 9e3]).into_iter().take(1_000).collect();
    let told = refused(learn(&few, 10e3, Needs::default()));
    let [
        Failed::Window { days: 1, days_min: 14 },
        Failed::FewMinutes { clean: 1_000, .. },
        Failed::Range { range },
        Failed::Medians { medians },
        Failed::LowOfRated { low_of_rated },
    ] = told.failed[..]
    else {
        panic!("{told:?}")
    };
    assert!((low_of_rated - 0.6).abs() < 0.01);
    assert!((medians - 1.5).abs() < 0.01 && range > medians, "{told:?}");
    assert_eq!(
        told.failed[4].to_string(),
        "the lower level is 60 % of rated power, over 35 %: it runs at both levels"
    );
}

#[test]
fn nothing_at_all_and_the_same_all_the_time_are_refused() {
    assert_eq!(refused(learn(&[], 10e3, Needs::default())).failed.len(), 2);
    let off: Vec<Minute> = (0..30_000).map(|m| Minute::new(m, 0.0)).collect();
    assert_eq!(refused(learn(&off, 10e3, Needs::default())).failed, [Failed::Range { range: 1.0 }]);
    let reversed: Vec<Minute> = hours(&[0.0, -9e3]);
    let told = refused(learn(&reversed, 10e3, Needs::default()));
    assert_eq!(told.failed, [Failed::Range { range: 1.0 }], "what a reversed meter says is not off");
}

#[test]
fn a_missing_minute_is_no_neighbour() {
    // Two minutes on, two off: none keeps its level, but for the first and the last, of which one neighbour is all there is.
    // With every other minute missing each stands for itself.
    let toggling: Vec<Minute> =
        (0..40_000).map(|m| Minute::new(m, if m % 4 < 2 { 10e3 } else { 0.0 })).collect();
    let told = refused(learn(&toggling, 15e3, Needs::default()));
    assert_eq!(told.failed[0], Failed::FewMinutes { clean: 2, minutes_min: 2_000 });
    let apart: Vec<Minute> = toggling.into_iter().filter(|m| m.at % 2 == 0).collect();
    assert_eq!(learn(&apart, 15e3, Needs::default()).accepted().unwrap().clean_minutes, 20_000);
}

#[test]
fn a_mean_of_five_minutes_stands_for_five() {
    let five = |m: &Minute| Minute { lasts: 5, ..*m };
    let fives: Vec<Minute> = hours(&[0.0, 10e3]).iter().filter(|m| m.at % 5 == 0).map(five).collect();
    let split = *learn(&fives, 15e3, Needs::default()).accepted().unwrap();
    // Of the twelve in an hour the first and the last touch a change; the first of all and the last have none before or after.
    assert_eq!(split.clean_minutes, 15 * 24 * 50 + 10);
}

const T0: UtcMs = UtcMs(1_661_788_800_000);

/// A test of 20 min off, 20 min idle and 40 min of full load, one after the other; powers of press and fan in each.
fn tested(press_w: [f64; 3], fan_w: [f64; 3]) -> (Vec<Phase>, Vec<Vec<Minute>>) {
    let at = |minutes: i64| T0.plus(minutes * MINUTE_MS);
    let phase = |kind, from, to| Phase { kind, from: at(from), to: at(to) };
    let phases = vec![
        phase(PhaseKind::Off, 0, 20),
        phase(PhaseKind::Idle, 20, 40),
        phase(PhaseKind::FullLoad, 40, 80),
    ];
    let first = T0.0 / MINUTE_MS;
    let of = |powers_w: [f64; 3]| {
        let power = |m: i64| powers_w[usize::try_from(m / 20).unwrap().min(2)];
        (0..80).map(|m| Minute { power_factor: Some(0.8), ..Minute::new(first + m, power(m)) }).collect()
    };
    (phases, vec![of(press_w), of(fan_w)])
}

fn recorded(
    phases: &[Phase],
    minutes: &[Vec<Minute>],
) -> Result<crate::model::commissioning::CommissioningRecord, Vec<Refusal>> {
    let (points, process) = plant();
    let at = T0.plus(90 * MINUTE_MS);
    record(&Test { who: "inspector", at, phases, process: &process, points: &points, minutes })
}

#[test]
fn a_good_test_gives_thresholds_and_baselines_and_survives_json() {
    let (phases, minutes) = tested([20.0, 2e3, 16e3], [7.0, 6e3, 6e3]);
    let record = recorded(&phases, &minutes).unwrap();
    let [press, fan] = &record.points[..] else { panic!("{record:?}") };
    assert!(press.thresholds.running_below_w > 2e3 && press.thresholds.running_above_w < 16e3);
    assert!(press.thresholds.off_below_w > 20.0 && press.thresholds.idle_above_w < 2e3);
    // The fan ran in the idle phase already: it runs from between off (taken for 7.5 W) and 6 kW.
    assert!((fan.thresholds.running_above_w - 7.5_f64.powf(0.4) * 6e3_f64.powf(0.6)).abs() < 1.0);
    assert_eq!(record.remarks, [Box::from("treatment: drew 6000 W in the idle phase, taken for running")]);
    assert_eq!(fan.thresholds.basis, Basis::Commissioned);
    assert_eq!(
        record.baselines,
        [Baseline::new(FAN, [None, None, None, Some(6e3)], Some(0.8), Basis::Commissioned)]
    );
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(
        serde_json::from_str::<crate::model::commissioning::CommissioningRecord>(&json).unwrap(),
        record
    );
}

#[test]
fn a_plant_that_runs_sham_from_the_first_day_learns_it_but_nobody_can_confirm_it() {
    let (points, process) = plant();
    let unit = |power_w: f64| (0..20 * 1_440).map(|m| Minute::new(m, power_w)).collect::<Vec<_>>();
    let of = |fan_w| {
        let learned = super::running::baselines(&process, &points, &[unit(16e3), unit(fan_w)]);
        let [baseline] = &learned[..] else { panic!("{learned:?}") };
        baseline.clone()
    };
    let (sham, honest) = (of(1.8e3), of(5.7e3));
    assert_eq!(sham.median_w[3], Some(1.8e3));
    for baseline in [&sham, &honest] {
        assert!(baseline.basis.is_proposal(), "good for a warning until somebody confirms it");
        assert_eq!(may_confirm(baseline, None), Err(Denied::NoRecord));
    }
    let (phases, minutes) = tested([20.0, 2e3, 16e3], [7.0, 7.0, 6e3]);
    let record = recorded(&phases, &minutes).unwrap();
    let denied = Denied::Sham { level: 3, learned_w: 1.8e3, commissioned_w: 6e3 };
    assert_eq!(may_confirm(&sham, Some(&record)), Err(denied));
    assert_eq!(may_confirm(&honest, Some(&record)), Ok(()));
}

#[test]
fn a_record_finds_its_points_again_when_they_are_rearranged() {
    let (phases, minutes) = tested([20.0, 2e3, 16e3], [7.0, 6e3, 6e3]);
    let record = recorded(&phases, &minutes).unwrap();
    let (mut points, _) = plant();
    points.reverse();
    let moved = record.reindexed(&points);
    let indices: Vec<_> = moved.points.iter().map(|p| (&*p.id, p.point)).collect();
    assert_eq!((indices, moved.baselines[0].point), (vec![("production", 1), ("treatment", 0)], 0));
    points.remove(0);
    let without = record.reindexed(&points);
    assert_eq!((without.points.len(), without.baselines.len()), (1, 0));
}

#[test]
fn a_test_that_proves_nothing_is_refused_with_every_reason() {
    let (phases, minutes) = tested([20.0, 2e3, 16e3], [7.0, 7.0, 10.0]);
    let refusals = recorded(&phases, &minutes).unwrap_err();
    let [Refusal::NotClear { point, off_w, full_w }] = &refusals[..] else { panic!("{refusals:?}") };
    assert_eq!((&**point, off_w.round(), full_w.round()), ("treatment", 8.0, 10.0));

    let (phases, minutes) = tested([20.0, 2e3, 9e3], [7.0, 6e3, 6e3]);
    assert_eq!(recorded(&phases, &minutes), Err(vec![Refusal::NotAtFullLoad { share: 0.45 }]));

    let (phases, mut minutes) = tested([20.0, 2e3, 16e3], [7.0, 6e3, 6e3]);
    let full = minutes[usize::from(FAN)][40].at;
    minutes[usize::from(FAN)].retain(|m| !(full..full + 5).contains(&m.at));
    let unknown =
        Refusal::MinutesUnknown { point: "treatment".into(), kind: PhaseKind::FullLoad, known: 35, of: 40 };
    assert_eq!(recorded(&phases, &minutes), Err(vec![unknown]));
}

#[test]
fn phases_that_are_short_missing_repeated_or_overlap_are_refused() {
    let (phases, minutes) = tested([20.0, 2e3, 16e3], [7.0, 6e3, 6e3]);
    let [off, idle, full] = phases[..] else { panic!() };
    // From half a minute to half a minute: only whole minutes count.
    let short = Phase { from: full.from.plus(30_000), to: full.from.plus(30 * MINUTE_MS + 30_000), ..full };
    let too_short = Refusal::PhaseTooShort { kind: PhaseKind::FullLoad, minutes: 29, minutes_min: 30 };
    assert_eq!(recorded(&[off, idle, short], &minutes), Err(vec![too_short]));
    let missing = Refusal::PhaseMissing { kind: PhaseKind::Off };
    assert_eq!(recorded(&[idle, full], &minutes), Err(vec![missing]));
    assert!(recorded(&[full, off], &minutes).is_ok(), "idle may be left out, and the order is free");
    let overlapping = Phase { to: full.from.plus(MINUTE_MS), ..idle };
    let both = Refusal::PhasesOverlap { first: PhaseKind::Idle, second: PhaseKind::FullLoad };
    assert_eq!(recorded(&[off, overlapping, full], &minutes), Err(vec![both]));
    let twice = recorded(&[off, off, full], &minutes).unwrap_err();
    assert_eq!(twice[0], Refusal::PhaseRepeated { kind: PhaseKind::Off });
}

#[test]
fn a_standby_unit_may_stand_still_as_long_as_enough_run() {
    let (mut points, mut process) = plant();
    points.push(Point { id: "standby".into(), ..point(PointKind::Treatment, 7.5e3) });
    process.treatment = vec![TreatmentGroup { points: vec![FAN, 2], need: 1 }];
    let (phases, mut minutes) = tested([20.0, 2e3, 16e3], [7.0, 6e3, 6e3]);
    minutes.push(minutes[usize::from(FAN)].iter().map(|m| Minute { power_w: 0.0, ..*m }).collect());
    let test = |process: &Process| {
        record(&Test {
            who: "inspector",
            at: T0,
            phases: &phases,
            process,
            points: &points,
            minutes: &minutes,
        })
    };
    let record = test(&process).unwrap();
    assert_eq!((record.points.len(), record.baselines.len()), (2, 1));
    assert!(record.remarks.iter().any(|r| r.contains("standby")), "{:?}", record.remarks);
    process.treatment[0].need = 2;
    assert!(matches!(test(&process).unwrap_err()[..], [Refusal::NotClear { .. }]));
}
