//! R15: what happens at night, and outside working time.

use super::plant::{
    FAN, Minute, OFF, ON, START, alerts_by, alerts_of, figure, judge_by, observations, plant, stretch, told,
};
use crate::alerts::figure::Fact;
use crate::alerts::finding::{AlertFinding, Change};
use crate::model::meter::Meter;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::site::{Basis, Site};
use crate::model::time::MINUTE_MS;
use crate::model::working_time::{Shift, WorkingTime};

/// The plant, whose night is from so many minutes after the start to so many: it starts at ten past midnight.
fn with_night(from: i64, to: i64) -> (Site, Vec<Meter>) {
    let mut plant = plant();
    let settings = &mut plant.0.processes[0].rules.settings;
    let clock = |minute: i64| ((minute + 10).rem_euclid(24 * 60) * MINUTE_MS) as f64;
    settings.set(Param::NightFrom, clock(from));
    settings.set(Param::NightTo, clock(to));
    plant
}

/// Changes of R1 as minute and level.
fn r1(night: (i64, i64), minutes: &[Minute]) -> Vec<(i64, Change, Level)> {
    let found = alerts_by(&with_night(night.0, night.1), Rule::TreatmentOff, minutes);
    told(&found).iter().map(|t| (t.2, t.1, t.4)).collect()
}

#[test]
fn at_night_it_is_raised_sooner_and_a_level_higher() {
    let day = [stretch((ON, ON), 10), stretch((ON, OFF), 40), stretch((ON, ON), 10)].concat();
    assert_eq!(
        r1((-60, 200), &day),
        [
            (15, Change::Raised, Level::Alarm),
            (40, Change::Escalated, Level::Critical),
            (55, Change::Cleared, Level::Critical)
        ]
    );
    assert!(r1((-60, 200), &[stretch((ON, OFF), 4), stretch((ON, ON), 9)].concat()).is_empty());
    let by_day = [(20, Change::Raised, Level::Warning), (40, Change::Escalated, Level::Alarm)];
    assert_eq!(r1((100, 200), &day)[..2], by_day);
}

#[test]
fn what_begins_by_day_rises_once_it_has_held_in_the_night_for_long_enough() {
    let day = [stretch((ON, ON), 10), stretch((ON, OFF), 60)].concat();
    // Raised by day, night falls at 25.
    let found = alerts_by(&with_night(25, 300), Rule::TreatmentOff, &day);
    assert_eq!(told(&found)[1], (Rule::TreatmentOff, Change::Escalated, 30, 10, Level::Alarm));
    assert_eq!(figure(&found[0], Fact::Night), None, "so far it is all by day");
    assert_eq!(figure(&found[1], Fact::Night), Some(0.25), "five minutes of twenty");
    assert_eq!(told(&found)[2], (Rule::TreatmentOff, Change::Escalated, 40, 10, Level::Critical));
    // Night falls at 16: four minutes of it and six by day are the ten that are asked for by day.
    let found = r1((16, 300), &day);
    assert_eq!(found[..2], [(20, Change::Raised, Level::Warning), (21, Change::Escalated, Level::Alarm)]);
    // Night falls at 12: five minutes in it come sooner.
    assert_eq!(r1((12, 300), &day)[0], (17, Change::Raised, Level::Alarm));
}

#[test]
fn what_it_reaches_by_day_it_reaches_as_by_day() {
    let day = [stretch((ON, ON), 10), stretch((ON, OFF), 400)].concat();
    // Day breaks at 20.
    let found = r1((-60, 20), &day);
    assert_eq!(
        found,
        [(15, Change::Raised, Level::Alarm), (120, Change::Escalated, Level::Critical)],
        "half an hour by day is an alarm, which it is already; most of two hours of production is critical"
    );
}

#[test]
fn in_its_second_night_it_rises_at_nightfall() {
    let unseen = |n| stretch((ON, None), n);
    let off = |n| stretch((ON, OFF), n);
    // Night from an hour before the start to twenty minutes after it, and so again a day later.
    let day = [off(15), unseen(85), off(12), unseen(1_258), off(30)].concat();
    let found = alerts_by(&with_night(-60, 20), Rule::TreatmentOff, &day);
    let nightfall = 24 * 60 - 60;
    assert_eq!(
        told(&found).iter().map(|t| (t.2, t.4)).collect::<Vec<_>>(),
        [(5, Level::Alarm), (nightfall, Level::Critical)],
        "half an hour, reached by day, is an alarm by day, and more at night"
    );
}

#[test]
fn of_proposed_thresholds_nothing_is_worth_more_than_a_warning() {
    let mut plant = with_night(-60, 200);
    plant.0.points[usize::from(FAN)].thresholds.basis = Basis::Learned;
    let found = alerts_by(&plant, Rule::TreatmentOff, &stretch((ON, OFF), 300));
    assert_eq!(told(&found), [(Rule::TreatmentOff, Change::Raised, 5, 0, Level::Warning)]);
    plant.0.points[usize::from(FAN)].thresholds.basis = Basis::Confirmed;
    assert!(alerts_by(&plant, Rule::TreatmentOff, &stretch((ON, OFF), 300)).len() > 1);
}

/// Works from ten past midnight for so many minutes, every day.
fn working(minutes: u32) -> (Site, Vec<Meter>) {
    let mut plant = with_night(40, 70);
    let from_ms = 10 * MINUTE_MS as u32;
    let shift = Shift { days: 0b111_1111, from_ms, to_ms: from_ms + minutes * MINUTE_MS as u32 };
    plant.0.working_time = Some(WorkingTime { shifts: vec![shift] });
    plant
}

#[test]
fn production_outside_working_time_is_told_and_rises_at_nightfall() {
    let found = alerts_by(
        &working(20),
        Rule::OutsideHours,
        &[stretch((ON, ON), 80), stretch((OFF, ON), 20)].concat(),
    );
    assert_eq!(
        told(&found),
        [
            (Rule::OutsideHours, Change::Raised, 30, 20, Level::Warning),
            (Rule::OutsideHours, Change::Escalated, 40, 20, Level::Alarm),
            (Rule::OutsideHours, Change::Cleared, 85, 20, Level::Alarm),
        ]
    );
    assert_eq!(found[2].certain_ms, 60 * MINUTE_MS);
    let within = stretch((ON, ON), 20);
    assert!(alerts_by(&working(20), Rule::OutsideHours, &within).is_empty());
    assert!(alerts_by(&plant(), Rule::OutsideHours, &stretch((ON, ON), 300)).is_empty(), "none is declared");
}

#[test]
fn outside_working_time_what_idles_or_is_not_known_is_no_production() {
    let idle = [stretch((ON, ON), 15), stretch((Some(500.0), ON), 100)].concat();
    assert!(alerts_by(&working(20), Rule::OutsideHours, &idle).is_empty());
    let silent = [stretch((ON, ON), 15), stretch((None, ON), 100)].concat();
    assert!(alerts_by(&working(20), Rule::OutsideHours, &silent).is_empty());
}

#[test]
fn it_ends_with_the_begin_of_working_time_and_a_process_may_say_otherwise() {
    let mut plant = working(20);
    let from_ms = 50 * MINUTE_MS as u32;
    let own = Shift { days: 0b111_1111, from_ms, to_ms: 86_400_000 };
    plant.0.processes[0].working_time = Some(WorkingTime { shifts: vec![own] });
    let found = alerts_by(&plant, Rule::OutsideHours, &stretch((ON, ON), 60));
    assert_eq!(
        told(&found).iter().map(|t| (t.1, t.2)).collect::<Vec<_>>(),
        [(Change::Raised, 10), (Change::Cleared, 45)],
        "from ten to one on it may produce; five minutes of that are waited for"
    );
}

const DAY: usize = 24 * 60;

/// Days that begin at ten past midnight: by night the fan runs as told by `nights`, by day as told by `by_day`.
fn days(nights: &[Minute], by_day: Minute) -> Vec<Minute> {
    let off = stretch((OFF, OFF), 60);
    let day = |night: &Minute| {
        [stretch(*night, 180), off.clone(), stretch(by_day, 300), stretch((OFF, OFF), DAY - 540)].concat()
    };
    nights.iter().flat_map(day).collect()
}

/// Night from midnight to five past three.
fn rests(days: &[Minute]) -> Vec<AlertFinding> {
    let plant = with_night(-10, 175);
    let end = START.plus(days.len() as i64 * MINUTE_MS);
    let all = alerts_of(judge_by(&plant, &observations(days), MINUTE_MS, end));
    all.into_iter().filter(|a| a.rule == Rule::Night).collect()
}

#[test]
fn treatment_that_rests_at_night_only_is_told_after_enough_nights_and_until_it_runs_again() {
    let nights = [vec![(ON, OFF); 7], vec![(OFF, OFF); 1], vec![(ON, ON); 4]].concat();
    let found = rests(&days(&nights, (ON, ON)));
    let dawn = |night: i64| night * DAY as i64 + 175;
    // Five nights and the days between them; the first night has no day before it.
    assert_eq!(
        told(&found),
        [
            (Rule::Night, Change::Raised, dawn(4), 0, Level::Warning),
            (Rule::Night, Change::Cleared, dawn(10), 0, Level::Warning),
        ]
    );
    assert_eq!(figure(&found[0], Fact::NightShare), Some(0.0));
    assert!(figure(&found[0], Fact::DayShare).unwrap() > 0.95);
    assert_eq!(figure(&found[1], Fact::NightShare), Some(0.6), "three of the last five");
    assert_eq!(found[0].certain_ms, 5 * 175 * MINUTE_MS);
}

#[test]
fn neither_four_nights_nor_treatment_that_rests_by_day_too_nor_unknown_nights_are_told() {
    assert!(rests(&days(&[(ON, OFF); 4], (ON, ON))).is_empty());
    assert!(rests(&days(&[(ON, OFF); 7], (ON, OFF))).is_empty(), "that is R1's matter");
    assert!(rests(&days(&[(ON, None); 7], (ON, ON))).is_empty(), "unknown is not off");
    assert!(rests(&days(&[(OFF, OFF); 7], (ON, ON))).is_empty(), "nothing is produced at night");
}
