//! A site that is configured anew while it is judged: what stays is judged as if nothing had happened.

use super::plant::{
    FAN, Minute, OFF, ON, PRESS, REORDER_MS, START, alerts_of, observations, plant, stretch, told,
};
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::observe::Observation;
use crate::detection::site::{SiteContext, SiteJudge};
use crate::model::meter::Meter;
use crate::model::rule::{Level, Rule};
use crate::model::site::{Point, Process, Site, TreatmentGroup};
use crate::model::time::{MINUTE_MS, UtcMs};

/// Judges the minutes, by another configuration from minute `at` on.
fn alerts(
    minutes: &[Minute],
    before: &(Site, Vec<Meter>),
    at: usize,
    after: &(Site, Vec<Meter>),
) -> Vec<AlertFinding> {
    let (mut site, mut context) = (&before.0, SiteContext::new(&before.0, &before.1));
    let mut judge = SiteJudge::new(site, &context, START.plus(-1));
    let mut out = Vec::new();
    let seen = observations(minutes);
    for minute in 0..=minutes.len() {
        let now = START.plus(minute as i64 * MINUTE_MS);
        if minute == at {
            let new = SiteContext::new(&after.0, &after.1);
            let fresh = SiteJudge::new(&after.0, &new, now);
            judge = judge.carry_over((site, &context), (&after.0, &new), fresh);
            (site, context) = (&after.0, new);
        }
        seen.iter().filter(|o| o.at == now).for_each(|o| {
            judge.offer(*o);
        });
        judge.advance(site, &context, now.plus(-i64::from(REORDER_MS)), &mut |f| out.push(f));
    }
    alerts_of(out)
}

fn last(minutes: &[Minute]) -> UtcMs {
    START.plus(minutes.len() as i64 * MINUTE_MS)
}

#[test]
fn the_same_again_changes_nothing() {
    let day =
        [stretch((ON, ON), 10), stretch((ON, OFF), 40), stretch((None, None), 50), stretch((ON, ON), 20)]
            .concat();
    let undisturbed = told(&alerts(&day, &plant(), day.len() + 1, &plant()));
    assert!(undisturbed.len() >= 5, "{undisturbed:?}");
    for at in 1..day.len() {
        assert_eq!(
            told(&alerts(&day, &plant(), at, &plant())),
            undisturbed,
            "configured anew at minute {at}"
        );
    }
}

#[test]
fn a_silent_gateway_is_heard_again_after_a_new_configuration() {
    let day = [stretch((ON, ON), 10), stretch((None, None), 60), stretch((ON, ON), 15)].concat();
    let mut after = plant();
    after.0.processes[0].rules.raise_ms = 900_000;
    let found = alerts(&day, &plant(), 60, &after);
    assert!(found.iter().all(|a| a.subject == Subject::Gateway(0)), "{found:?}");
    let changes: Vec<_> = found.iter().map(|a| (a.rule, a.change)).collect();
    assert_eq!(changes, [(Rule::DataMissing, Change::Raised), (Rule::DataMissing, Change::Cleared)]);
}

/// Whoever configures anew every quarter of an hour does not silence the alert of a silent meter.
#[test]
fn silence_counts_through_a_new_configuration() {
    let day = [stretch((ON, ON), 10), stretch((ON, None), 40)].concat();
    let found = alerts(&day, &plant(), 30, &plant());
    let missing: Vec<_> = found.into_iter().filter(|a| a.rule == Rule::DataMissing).collect();
    assert_eq!(told(&missing), [(Rule::DataMissing, Change::Raised, 39, 9, Level::Warning)]);
}

#[test]
fn a_process_that_comes_later_knows_what_its_units_do() {
    let day = [stretch((ON, OFF), 40)].concat();
    let (mut before, after) = (plant(), plant());
    before.0.processes.clear();
    let found = alerts(&day, &before, 15, &after);
    let told = told(&found);
    // It is judged from the moment it exists, less the wait for readings that are late.
    assert_eq!(told, [(Rule::TreatmentOff, Change::Raised, 23, 13, Level::Warning)]);
}

#[test]
fn a_member_that_joins_a_process_brings_its_state_along() {
    let (mut before, mut after) = (plant(), plant());
    // The press is in the process from the begin; its fan joins it, first alone with a unit of which nothing is heard.
    let silent = Point { id: "spare".into(), meter: 2, ..before.0.points[usize::from(FAN)].clone() };
    for plant in [&mut before, &mut after] {
        plant.0.points.push(silent.clone());
        plant.1.push(Meter { id: "plant/spare".into(), ..plant.1[0].clone() });
    }
    let by = |points: Vec<u16>| vec![TreatmentGroup { need: 1, points }];
    before.0.processes[0].treatment = by(vec![2]);
    after.0.processes[0] =
        Process { production: vec![PRESS], treatment: by(vec![FAN]), ..after.0.processes[0].clone() };
    let found = alerts(&stretch((ON, OFF), 40), &before, 15, &after);
    // From where the process was judged to: two minutes of waiting for late readings, and the last whole step before.
    let off: Vec<_> = found.into_iter().filter(|a| a.rule == Rule::TreatmentOff).collect();
    assert_eq!(told(&off), [(Rule::TreatmentOff, Change::Raised, 21, 11, Level::Warning)]);
}

/// A step that began by the old length must end all the same, or a meter that falls silent in it is never missed.
#[test]
fn a_longer_step_does_not_keep_the_open_one_open() {
    let day = [stretch((ON, ON), 10), stretch((ON, None), 20)].concat();
    let mut after = plant();
    after.0.step_ms = 3_600_000;
    let (site, context) = (&after.0, SiteContext::new(&after.0, &after.1));
    let before = plant();
    let old = SiteContext::new(&before.0, &before.1);
    let mut judge = SiteJudge::new(&before.0, &old, START.plus(-1));
    for seen in observations(&day) {
        judge.offer(seen);
    }
    judge.advance(&before.0, &old, START.plus(9 * MINUTE_MS), &mut |_| {});
    let fresh = SiteJudge::new(site, &context, START.plus(10 * MINUTE_MS));
    let mut judge = judge.carry_over((&before.0, &old), (site, &context), fresh);
    judge.advance(site, &context, last(&day).plus(4 * 3_600_000), &mut |_| {});
    assert_eq!(judge.point(FAN).state, crate::model::state::State::Unknown);
}

/// Where nothing is known of a process a site is not visited with every tick: no one may tell from what is said.
#[test]
fn of_what_is_not_known_ticks_say_nothing_more_whatever_is_configured_then() {
    let (mut before, mut after) = (plant(), plant());
    for plant in [&mut before, &mut after] {
        let spare = Point { id: "spare".into(), meter: 2, ..plant.0.points[0].clone() };
        plant.0.points.push(spare);
        plant.1.push(Meter { id: "plant/spare".into(), ..plant.1[0].clone() });
    }
    // A spare press that runs on while press and fan are silent belongs to the process from within the 61st minute on.
    after.0.processes[0].production = vec![2];
    let configured = START.plus(60 * MINUTE_MS + 50_000);
    let mut seen = observations(&stretch((ON, OFF), 5));
    seen.extend((0..120).map(|minute| {
        let at = START.plus(minute * MINUTE_MS);
        Observation::plain(2, at, ON, None, 1_000 + minute.unsigned_abs())
    }));
    let said = |tick_ms: i64| {
        let contexts = [&before, &after].map(|(site, meters)| SiteContext::new(site, meters));
        let mut judge = SiteJudge::new(&before.0, &contexts[0], START.plus(-1));
        let (mut out, mut now) = (Vec::new(), START);
        while now < START.plus(120 * MINUTE_MS) {
            seen.iter().filter(|o| o.at == now).for_each(|o| {
                judge.offer(*o);
            });
            if now == configured || now.since(START) % tick_ms == 0 {
                let to = now.plus(-i64::from(REORDER_MS));
                let (plant, context) =
                    if now <= configured { (&before, &contexts[0]) } else { (&after, &contexts[1]) };
                judge.advance(&plant.0, context, to, &mut |f| out.push(f));
            }
            if now == configured {
                let fresh = SiteJudge::new(&after.0, &contexts[1], now);
                judge = judge.carry_over((&before.0, &contexts[0]), (&after.0, &contexts[1]), fresh);
            }
            now = now.plus(10_000);
        }
        alerts_of(out).into_iter().map(|a| (a.at, a.rule, a.change, a.first)).collect::<Vec<_>>()
    };
    let at = configured.plus(-i64::from(REORDER_MS));
    let found = said(10_000);
    assert!(
        found.iter().any(|(_, rule, _, first)| (*rule, *first) == (Rule::GapWhileProducing, at)),
        "{found:?}"
    );
    assert_eq!(found, said(30_000));
}
