//! R4 and R5: treatment that runs, and draws less than it usually does; and that all rules are judged alike however time is
//! cut.

use proptest::prelude::*;

use super::plant::{
    FAN, Minute, OFF, ON, REORDER_MS, START, alerts_by, alerts_of, figure, judge_by, observations, plant,
    stretch, told,
};
use crate::alerts::figure::Fact;
use crate::alerts::finding::{AlertFinding, Change};
use crate::detection::finding::Finding;
use crate::detection::site::{SiteContext, SiteJudge};
use crate::model::baseline::Baseline;
use crate::model::meter::Meter;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::site::{Basis, Site};
use crate::model::time::{DAY_MS, MINUTE_MS};
use crate::model::working_time::{Shift, WorkingTime};

/// The fan usually draws 5 kW at half load and more, 3 kW below a quarter; in between nobody knows.
fn with_baseline(basis: Basis) -> (Site, Vec<Meter>) {
    let mut plant = plant();
    let median_w = [Some(3_000.0), None, Some(5_000.0), Some(5_000.0)];
    let baseline = Baseline { point: FAN, median_w, power_factor: None, basis, version: 4 };
    plant.0.processes[0].baselines = vec![baseline];
    plant
}

fn underload(minutes: &[Minute]) -> Vec<AlertFinding> {
    alerts_by(&with_baseline(Basis::Commissioned), Rule::TreatmentUnderload, minutes)
}

/// 45 % of 5 kW are 2.25 kW.
const LOW: Option<f64> = Some(2_200.0);

#[test]
fn treatment_far_below_its_usual_power_is_told_rises_and_clears() {
    let day = [stretch((ON, ON), 10), stretch((ON, LOW), 150), stretch((ON, ON), 10)].concat();
    let found = underload(&day);
    assert_eq!(
        told(&found),
        [
            (Rule::TreatmentUnderload, Change::Raised, 40, 10, Level::Warning),
            (Rule::TreatmentUnderload, Change::Escalated, 130, 10, Level::Alarm),
            (Rule::TreatmentUnderload, Change::Cleared, 165, 10, Level::Alarm),
        ]
    );
    assert_eq!(figure(&found[2], Fact::UsualPower), Some(5_000.0));
    assert!((figure(&found[2], Fact::UsualShare).unwrap() - 0.44).abs() < 1e-9);
    assert_eq!(
        (figure(&found[0], Fact::ProductionLevel), figure(&found[0], Fact::BaselineVersion)),
        (Some(0.5), Some(4.0))
    );
    let fan = found[2].tallies.iter().find(|t| t.point == FAN).unwrap();
    assert_eq!((fan.mean_w(), fan.n_samples), (Some(2_200.0), 150));
}

#[test]
fn what_a_legal_drive_does_is_none() {
    assert!(underload(&stretch((ON, Some(2_300.0)), 300)).is_empty(), "above 45 %");
    assert!(
        underload(&stretch((Some(1_500.0), Some(1_400.0)), 300)).is_empty(),
        "less is produced, less is usual"
    );
    let cleaning = [stretch((ON, LOW), 25), stretch((ON, ON), 5)].concat();
    assert!(underload(&cleaning.repeat(5)).is_empty(), "cleaned in less than half an hour");
    assert!(underload(&stretch((OFF, LOW), 300)).is_empty(), "nothing is produced");
    assert!(
        alerts_by(&plant(), Rule::TreatmentUnderload, &stretch((ON, LOW), 300)).is_empty(),
        "no usual power"
    );
}

#[test]
fn at_a_level_without_a_usual_power_it_waits_and_unknown_time_begins_afresh() {
    let between = Some(3_000.0);
    let day = [stretch((ON, LOW), 20), stretch((between, LOW), 60), stretch((ON, LOW), 20)].concat();
    assert_eq!(told(&underload(&day)), [(Rule::TreatmentUnderload, Change::Raised, 90, 0, Level::Warning)]);
    assert!(underload(&stretch((between, LOW), 300)).is_empty());
    let day = [stretch((ON, LOW), 20), stretch((ON, None), 30), stretch((ON, LOW), 20)].concat();
    assert!(underload(&day).is_empty());
    let day = [stretch((ON, LOW), 20), stretch((None, LOW), 30), stretch((ON, LOW), 20)].concat();
    assert!(underload(&day).is_empty());
}

#[test]
fn a_proposed_usual_power_is_worth_a_warning_and_no_more() {
    let found = alerts_by(&with_baseline(Basis::Learned), Rule::TreatmentUnderload, &stretch((ON, LOW), 300));
    assert_eq!(told(&found), [(Rule::TreatmentUnderload, Change::Raised, 30, 0, Level::Warning)]);
}

/// Days of four hours of production, each with its fan's power; a reading every ten minutes.
fn ratios(fans: &[Minute], change: impl Fn(&mut Site)) -> Vec<AlertFinding> {
    let mut plant = plant();
    plant.0.step_ms = 600_000;
    plant.1.iter_mut().for_each(|meter| meter.period_ms = 600_000);
    change(&mut plant.0);
    let mut minutes = Vec::new();
    for day in fans {
        let produces = |minute: usize| (8 * 60..12 * 60).contains(&minute);
        minutes.extend((0..24 * 60).map(|m| match m % 10 {
            0 if produces(m) => *day,
            0 => (day.0.and(OFF), day.1.and(OFF)),
            _ => (None, None),
        }));
    }
    let end = START.plus(minutes.len() as i64 * MINUTE_MS);
    let all = alerts_of(judge_by(&plant, &observations(&minutes), 10 * MINUTE_MS, end));
    all.into_iter().filter(|a| a.rule == Rule::EnergyRatio).collect()
}

fn days(usual: usize, then: &[Minute]) -> Vec<Minute> {
    let like = |i: usize| (ON, Some(4_900.0 + 50.0 * (i % 5) as f64));
    (0..usual).map(like).chain(then.iter().copied()).collect()
}

/// The midnight that ends that day: the first begins at ten past.
fn midnight(day: i64) -> i64 {
    (day + 1) * DAY_MS / MINUTE_MS - 10
}

const HALF: Minute = (ON, Some(2_500.0));

#[test]
fn two_days_of_little_treatment_energy_are_told_until_a_day_is_as_usual() {
    // The first day begins at ten past midnight and is known for nine tenths all the same.
    let found = ratios(&days(14, &[HALF, HALF, HALF, (ON, ON), (ON, ON)]), |_| {});
    assert_eq!(
        told(&found),
        [
            (Rule::EnergyRatio, Change::Raised, midnight(15), midnight(13), Level::Warning),
            (Rule::EnergyRatio, Change::Cleared, midnight(17), midnight(13), Level::Warning),
        ]
    );
    assert!((figure(&found[0], Fact::Ratio).unwrap() - 0.5).abs() < 0.01);
    assert!((figure(&found[0], Fact::RatioMedian).unwrap() - 1.0).abs() < 0.01);
    assert_eq!(figure(&found[0], Fact::RatioDays), Some(14.0));
    assert_eq!(figure(&found[0], Fact::RatioDeviation), Some(0.05), "days so alike have the least there is");
    let shown = found[0].figures.iter().filter(|f| f.what == Fact::DayRatio).count();
    assert_eq!(shown, 16, "every day that was compared, and the two");
}

#[test]
fn days_that_do_not_count_neither_add_nor_clear() {
    let (holiday, silent) = ((OFF, OFF), (ON, None));
    let found = ratios(&days(14, &[HALF, holiday, silent, HALF, holiday, holiday, (ON, ON)]), |_| {});
    let moments: Vec<_> = told(&found).iter().map(|t| (t.1, t.2)).collect();
    assert_eq!(moments, [(Change::Raised, midnight(17)), (Change::Cleared, midnight(20))]);
}

#[test]
fn one_day_and_few_days_and_a_little_less_are_none() {
    assert!(ratios(&days(14, &[HALF, (ON, ON), HALF, (ON, ON)]), |_| {}).is_empty(), "not running");
    assert!(ratios(&days(13, &[HALF]), |_| {}).is_empty(), "the fourteenth day is learned from");
    let little = (ON, Some(3_500.0));
    assert!(ratios(&days(14, &[little, little]), |_| {}).is_empty(), "not below six tenths");
    let partial = (Some(2_500.0), Some(2_500.0));
    assert!(ratios(&days(14, &[partial, partial]), |_| {}).is_empty(), "half the load, half the air");
    assert!(
        ratios(&days(14, &[HALF, HALF]), |site| {
            site.processes[0].rules.settings.set(Param::RatioProduction, 5.0 * 60.0 * MINUTE_MS as f64);
        })
        .is_empty()
    );
}

/// Everything at once: lead, lag, usual powers, a night in the middle, working time that ends.
fn busy() -> (Site, Vec<Meter>) {
    let mut plant = with_baseline(Basis::Commissioned);
    let process = &mut plant.0.processes[0];
    (process.lead_ms, process.lag_ms) = (300_000, 300_000);
    for (param, minutes) in [
        (Param::NightFrom, 60),
        (Param::NightTo, 130),
        (Param::UnderloadRaise, 15),
        (Param::UnderloadAlarm, 40),
    ] {
        process.rules.settings.set(param, (minutes * MINUTE_MS) as f64);
    }
    let shift = Shift { days: 0b111_1111, from_ms: 0, to_ms: 100 * MINUTE_MS as u32 };
    process.working_time = Some(WorkingTime { shifts: vec![shift] });
    plant
}

fn minutes() -> impl Strategy<Value = Vec<Minute>> {
    let power = || prop_oneof![4 => Just(ON), 3 => Just(OFF), 2 => Just(Some(1_800.0)), 1 => Just(Some(700.0)), 1 => Just(None)];
    let piece = (power(), power(), 1_usize..30).prop_map(|(press, fan, n)| vec![(press, fan); n]);
    proptest::collection::vec(piece, 1..16).prop_map(|pieces| pieces.concat())
}

fn by_time(findings: Vec<Finding>) -> Vec<String> {
    let mut all: Vec<_> = alerts_of(findings).into_iter().map(|a| (a.at, format!("{a:?}"))).collect();
    all.sort();
    all.into_iter().map(|(_, text)| text).collect()
}

proptest! {
    #[test]
    fn ticks_change_nothing(minutes in minutes(), tick_ms in 1_000_i64..400_000) {
        let end = START.plus(minutes.len() as i64 * MINUTE_MS + 1);
        let seen = observations(&minutes);
        let whole = judge_by(&busy(), &seen, MINUTE_MS, end);
        prop_assert_eq!(by_time(whole), by_time(judge_by(&busy(), &seen, tick_ms, end)));
    }

    /// Saved and restored, and configured anew by the same, at any moment.
    #[test]
    fn restarts_and_the_same_configuration_again_change_nothing(minutes in minutes(), at in 0_usize..200, anew: bool) {
        let end = START.plus(minutes.len() as i64 * MINUTE_MS + 1);
        let seen = observations(&minutes);
        let (site, meters) = busy();
        let context = SiteContext::new(&site, &meters);
        let mut judge = SiteJudge::new(&site, &context, START.plus(-1));
        let mut out = Vec::new();
        for minute in 0..minutes.len() {
            let now = START.plus(minute as i64 * MINUTE_MS);
            if minute == at && anew {
                let fresh = SiteJudge::new(&site, &context, now);
                judge = judge.carry_over((&site, &context), (&site, &context), fresh);
            } else if minute == at {
                judge = postcard::from_bytes(&postcard::to_stdvec(&judge).unwrap()).unwrap();
            }
            for observation in seen.iter().filter(|o| o.at == now) {
                judge.offer(*observation);
            }
            judge.advance(&site, &context, now.plus(-i64::from(REORDER_MS)), &mut |f| out.push(f));
        }
        judge.advance(&site, &context, end, &mut |f| out.push(f));
        prop_assert_eq!(by_time(out), by_time(judge_by(&(site, meters), &seen, MINUTE_MS, end)));
    }
}

#[test]
fn the_busy_plant_makes_every_rule_of_edges_and_hours_speak() {
    let day = [
        stretch((OFF, OFF), 10),
        stretch((ON, OFF), 4),
        stretch((ON, Some(1_800.0)), 60),
        stretch((ON, OFF), 20),
        stretch((ON, ON), 30),
        stretch((OFF, OFF), 30),
    ]
    .concat();
    let end = START.plus(day.len() as i64 * MINUTE_MS);
    let rules: std::collections::BTreeSet<_> =
        alerts_of(judge_by(&busy(), &observations(&day), MINUTE_MS, end)).iter().map(|a| a.rule).collect();
    let expected =
        [Rule::TreatmentOff, Rule::LateStart, Rule::EarlyStop, Rule::TreatmentUnderload, Rule::OutsideHours];
    assert_eq!(rules, expected.into_iter().collect(), "else the property tests would prove little");
}
