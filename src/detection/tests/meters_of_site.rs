//! Rules about all meters of a site together, and meters that are changed.

use super::plant::{REORDER_MS, START};
use super::wall::{Said, alerts, lines, observations, sound, told, wall};
use crate::alerts::figure::Fact;
use crate::alerts::finding::{Change, Subject};
use crate::detection::meters::meter::MeterState;
use crate::detection::site::{Offer, SiteContext, SiteJudge};
use crate::model::meter::{Counting, Meter};
use crate::model::rule::{Level, Rule};
use crate::model::time::MINUTE_MS;

use Change::{Cleared, Raised};

const FAN: u16 = 1;
const TOTAL: u16 = 2;

/// All three meters: the total draws what both others do, and `more` kW, in the minutes it is asked for.
fn all(minutes: std::ops::Range<i64>, more: impl Fn(i64) -> f64) -> Vec<Said> {
    let mut total_kwh = 5_000.0;
    let mut said = Vec::new();
    for minute in minutes {
        let kw = 12.0 + more(minute);
        let total = Said {
            point: TOTAL,
            kw,
            kwh: Some((total_kwh * 100.0_f64).round() / 100.0),
            ..sound(TOTAL, minute)
        };
        said.extend([sound(0, minute), sound(FAN, minute), total]);
        total_kwh += kw / 60.0;
    }
    said
}

#[test]
fn what_no_sub_meter_shows_is_told_once_it_is_far_above_what_is_usual() {
    const LEARNED: i64 = 170 * 60;
    let mut site = wall();
    site.0.points[usize::from(TOTAL)].rated_w = 30_000.0;
    // 2 kW of lights and offices always; later something of 8 kW for six hours.
    let said =
        all(
            0..LEARNED + 12 * 60,
            |minute| {
                if (LEARNED..LEARNED + 6 * 60).contains(&minute) { 10.0 } else { 2.0 }
            },
        );
    let found = told(&site, &said, MINUTE_MS);
    let own: Vec<_> = found.iter().filter(|a| a.rule == Rule::Bypass).collect();
    assert_eq!(own.len(), 2, "{:?}", lines(&found));
    assert_eq!((own[0].change, own[0].subject, own[0].level), (Raised, Subject::Site, Level::Warning));
    // Full hours; START lies at ten past one.
    let hour = |at: crate::model::time::UtcMs| at.since(START) / (60 * MINUTE_MS);
    assert_eq!((hour(own[0].first), hour(own[0].at)), (169, 173));
    assert_eq!(own[1].change, Cleared);
    let figure = |what| own[0].figures.iter().find(|f| f.what == what).unwrap().value;
    assert!((figure(Fact::UnmeteredShare) - 10.0 / 22.0).abs() < 0.01);
    assert!((figure(Fact::UnmeteredUsual) - 2.0 / 14.0).abs() < 0.01);
    // A sub-meter that is silent leaves the hours unknown.
    let missing: Vec<_> = said.iter().filter(|s| s.point != FAN || s.minute < LEARNED).cloned().collect();
    assert!(told(&site, &missing, MINUTE_MS).iter().all(|a| a.rule != Rule::Bypass));
    // A week is not over yet.
    let young: Vec<_> = said.iter().filter(|s| s.minute > 10 * 60).cloned().collect();
    assert!(told(&site, &young, MINUTE_MS).iter().all(|a| a.rule != Rule::Bypass));
}

/// Everything stands still from minute 60 to 120, as registers show when data are back.
fn cut(kwh_in_the_gap: f64) -> Vec<Said> {
    let mut said = all(0..180, |_| 0.0);
    said.retain(|s| !(60..120).contains(&s.minute));
    for own in said.iter_mut().filter(|s| s.minute >= 120) {
        let per_minute = if own.point == TOTAL { 0.2 } else { 0.1 };
        own.kwh = own.kwh.map(|kwh| kwh - per_minute * 60.0 + kwh_in_the_gap);
    }
    said
}

#[test]
fn a_power_cut_is_found_when_data_are_back_and_registers_stood_still() {
    let found = told(&wall(), &cut(0.05), MINUTE_MS);
    let line = |change| (Rule::PowerCut, change, 120, 59, Level::Notice);
    assert_eq!(lines(&found), [line(Raised), line(Cleared)]);
    assert_eq!(found[0].certain_ms, 61 * MINUTE_MS);
    assert!(told(&wall(), &cut(3.0), MINUTE_MS).is_empty(), "they counted on: the gateway was away");
    let mut one_lives = cut(0.05);
    one_lives.extend((60..120).map(|minute| sound(FAN, minute)));
    one_lives.sort_by_key(|s| (s.minute, s.point));
    let found = told(&wall(), &one_lives, MINUTE_MS);
    assert!(found.iter().all(|a| a.rule != Rule::PowerCut));
    let mut idle = cut(0.0);
    idle.iter_mut().for_each(|s| (s.kw, s.kwh) = (0.0, Some(1_000.25)));
    assert!(told(&wall(), &idle, MINUTE_MS).is_empty(), "nothing ran: nothing is proven");
}

/// The fan's register begins at nothing at minute 20.
fn new_register() -> Vec<Said> {
    (0..60)
        .map(|minute| {
            let own = sound(FAN, minute);
            Said { kwh: own.kwh.map(|kwh| if minute < 20 { kwh } else { kwh - 1_002.0 }), ..own }
        })
        .collect()
}

#[test]
fn a_meter_that_was_replaced_resets_nothing() {
    let site = wall();
    let context = SiteContext::new(&site.0, &site.1);
    let counted = |replaced_at: Option<i64>| {
        let mut judge = SiteJudge::new(&site.0, &context, START.plus(-1));
        let mut out = Vec::new();
        if let Some(minute) = replaced_at {
            judge.replaced(FAN, START.plus(minute * MINUTE_MS));
        }
        observations(&site, &new_register())
            .into_iter()
            .for_each(|o| assert_eq!(judge.offer(o), Offer::Accepted));
        judge.advance(&site.0, &context, START.plus(90 * MINUTE_MS), &mut |f| out.push(f));
        alerts(out).len()
    };
    assert_eq!(counted(None), 2, "raised and cleared");
    assert_eq!(counted(Some(20)), 0);
    assert_eq!(counted(Some(40)), 2, "that was another time");
}

#[test]
fn another_meter_in_the_config_is_a_replacement_and_the_same_again_is_not() {
    let site = wall();
    let seen = observations(&site, &new_register());
    let counted = |after: &(crate::model::site::Site, Vec<Meter>)| {
        let (old, new) = (SiteContext::new(&site.0, &site.1), SiteContext::new(&after.0, &after.1));
        let mut judge = SiteJudge::new(&site.0, &old, START.plus(-1));
        let mut out = Vec::new();
        let changed = START.plus(20 * MINUTE_MS - 1);
        for own in seen.iter().filter(|o| o.at <= changed) {
            judge.offer(*own);
        }
        judge.advance(&site.0, &old, changed.plus(-i64::from(REORDER_MS)), &mut |f| out.push(f));
        let fresh = SiteJudge::new(&after.0, &new, changed);
        let mut judge = judge.carry_over((&site.0, &old), (&after.0, &new), fresh);
        for own in seen.iter().filter(|o| o.at > changed) {
            judge.offer(*own);
        }
        judge.advance(&after.0, &new, START.plus(90 * MINUTE_MS), &mut |f| out.push(f));
        alerts(out).len()
    };
    assert_eq!(counted(&site), 2);
    let mut other = site.clone();
    other.1[1].id = "plant/fan-2".into();
    assert_eq!(counted(&other), 0);
    let mut modulus = site.clone();
    modulus.1[1].counting = Counting { modulus_kwh: Some(1e6), ..Counting::default() }.boxed();
    assert_eq!(counted(&modulus), 0);
}

#[test]
fn a_meter_that_is_sound_takes_little_room() {
    assert!(size_of::<MeterState>() <= 104, "{}", size_of::<MeterState>());
}
