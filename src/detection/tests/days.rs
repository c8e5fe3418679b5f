//! Days of a site: how much of each could be told.

use super::plant::{
    FAN, Minute, OFF, ON, PRESS, REORDER_MS, START, alerts_of, judge, judge_by, observations, plant, stretch,
    told,
};
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::observe::Observation;
use crate::detection::site::{SiteContext, SiteJudge};
use crate::model::rule::{Level, Rule};
use crate::model::time::{MINUTE_MS, UtcMs};

/// The site's first midnight, and the next: it is supervised from ten past midnight on.
const MIDNIGHT: i64 = 24 * 60 - 10;
const NEXT_MIDNIGHT: i64 = MIDNIGHT + 24 * 60;

fn last(minutes: i64) -> UtcMs {
    START.plus(minutes * MINUTE_MS)
}

/// Two days and an hour; in the first, from the minute 600 on, `outage` of so many minutes.
fn days(outage: Minute, n: usize) -> Vec<Minute> {
    [stretch((ON, ON), 600), stretch(outage, n), stretch((ON, ON), 2_940 - 600 - n)].concat()
}

fn incomplete(seen: &[Observation], tick_ms: i64) -> Vec<AlertFinding> {
    let all = alerts_of(judge(seen, tick_ms, last(2_940)));
    all.into_iter().filter(|a| a.rule == Rule::IncompleteDay).collect()
}

#[test]
fn a_day_known_for_less_than_nine_tenths_is_an_alarm_until_a_day_is_whole() {
    assert!(incomplete(&observations(&days((ON, None), 120)), MINUTE_MS).is_empty(), "92 % is enough");
    let found = incomplete(&observations(&days((ON, None), 160)), MINUTE_MS);
    assert_eq!(
        told(&found),
        [
            (Rule::IncompleteDay, Change::Raised, MIDNIGHT, 0, Level::Alarm),
            (Rule::IncompleteDay, Change::Cleared, NEXT_MIDNIGHT, 0, Level::Alarm),
        ]
    );
    assert!(found.iter().all(|a| a.subject == Subject::Point(FAN)));
    // From the last sample before to the first after; and the millisecond between supervision and the first sample.
    assert_eq!(found[0].unknown_ms, 161 * MINUTE_MS + 1);
}

#[test]
fn a_gateway_that_lost_a_day_is_one_alarm_however_it_is_judged() {
    let seen = observations(&days((None, None), 300));
    let found = incomplete(&seen, MINUTE_MS);
    let subjects: Vec<_> = found.iter().map(|a| (a.subject, a.change)).collect();
    assert_eq!(subjects, [(Subject::Gateway(0), Change::Raised), (Subject::Gateway(0), Change::Cleared)]);
    assert_eq!(found, incomplete(&seen, 170_000), "ticks change nothing");
}

/// A meter that says neither power nor energy, or a power below zero, is not silent, and whether its unit runs is never known.
#[test]
fn a_meter_that_speaks_and_says_no_state_is_told_of() {
    for power_w in [None, Some(-5_000.0)] {
        let mut seen = observations(&stretch((ON, ON), 2_940));
        seen.iter_mut().filter(|o| o.point == FAN).for_each(|own| own.power_w = power_w.into());
        let all = alerts_of(judge(&seen, MINUTE_MS, last(2_940)));
        let rules: Vec<_> = all.iter().map(|a| (a.rule, a.change)).collect();
        let both = [(Rule::GapWhileProducing, Change::Raised), (Rule::GapWhileProducing, Change::Escalated)];
        assert_eq!(rules[..2], both, "{power_w:?}");
        assert_eq!(rules[2..], [(Rule::IncompleteDay, Change::Raised)], "never silent: {power_w:?}");
        let fan = all[2].tallies.iter().find(|t| t.point == FAN);
        assert!(fan.is_none() && all[2].subject == Subject::Point(FAN));
    }
}

#[test]
fn what_nobody_listened_to_is_not_asked_for() {
    let (site, meters) = plant();
    let context = SiteContext::new(&site, &meters);
    let mut judge = SiteJudge::new(&site, &context, START.plus(-1));
    let mut out = Vec::new();
    let away = 600..900;
    for minute in 0..2_940 {
        if away.contains(&minute) {
            continue;
        }
        if minute == away.end {
            judge.excuse(last(away.start - 1), last(minute));
        }
        for point in [PRESS, FAN] {
            judge.offer(Observation::plain(point, last(minute), ON, None, 1));
        }
        judge.advance(&site, &context, last(minute).plus(-i64::from(REORDER_MS)), &mut |f| out.push(f));
    }
    assert!(alerts_of(out).is_empty());
}

/// An off-period that went on when supervision began is dated to the first that was seen of it.
#[test]
fn nothing_is_said_of_the_time_before_the_first_reading() {
    let found = alerts_of(judge(&observations(&stretch((ON, OFF), 15)), MINUTE_MS, last(15)));
    assert_eq!(told(&found), [(Rule::TreatmentOff, Change::Raised, 10, 0, Level::Warning)]);
}

#[test]
fn turned_off_neither_silence_nor_incomplete_days_are_told() {
    let mut plant = plant();
    plant.0.rules.turn(Rule::IncompleteDay, false);
    let seen = observations(&days((None, None), 300));
    let rules = |plant: &_| -> Vec<_> {
        let all = alerts_of(judge_by(plant, &seen, MINUTE_MS, last(2_940)));
        all.into_iter().map(|a| (a.rule, a.change)).collect()
    };
    let silence = [(Rule::DataMissing, Change::Raised), (Rule::DataMissing, Change::Cleared)];
    assert_eq!(rules(&plant), silence);
    plant.0.rules.turn(Rule::DataMissing, false);
    assert_eq!(rules(&plant), []);
}
