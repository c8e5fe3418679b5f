//! A meter that was exchanged: told in time, told afterwards, told in any steps and over any restarts, it is the same.

use super::replay::Replay;
use super::tests::{Outcome, Owned, START, asked, messages, open, outcome, registry, run_rows};
use crate::alerts::alert::{Alert, Status};
use crate::model::command::Command;
use crate::model::exchange::Exchange;
use crate::model::message::Kind;
use crate::model::rule::{Level, Rule};
use crate::model::time::{MINUTE_MS, UtcMs};
use crate::store::exchanges;
use crate::store::schema::STORE_FILE;
use crate::store::views::Views;
use crate::store::write::Store;

/// The press gets another meter at this minute, while its treatment is off.
const EXCHANGED: i64 = 25;

fn minute(minute: i64) -> UtcMs {
    START.plus(minute * MINUTE_MS)
}

fn told(at: UtcMs) -> Exchange {
    Exchange {
        meter: "plant/press".into(),
        at,
        old_register_kwh: Some(1_025.0),
        new_register_kwh: Some(5_000.0),
        serial: Some("B7".into()),
        who: "li (uid 7)".into(),
        note: "order 12".into(),
    }
}

/// A day on which the press's register goes on from another one; told at a minute, of a moment.
fn day(said: Option<(i64, UtcMs)>) -> Vec<Owned> {
    let minutes = [vec![(true, true, true); 10], vec![(true, false, true); 30], vec![(true, true, true); 40]];
    let mut all = messages(&minutes.concat());
    for own in all.iter_mut().filter(|m| m.topic.contains("press") && m.received > minute(EXCHANGED)) {
        let text = String::from_utf8(own.payload.clone()).unwrap();
        own.payload = text.replace("\"ep\":1", "\"ep\":5").into_bytes();
    }
    if let Some((at, moment)) = said {
        let place = all.iter().position(|m| m.received > minute(at)).unwrap();
        all.insert(place, asked(at, &Command::ExchangeMeter(told(moment))));
    }
    all
}

fn run(all: &[Owned], rows: &[usize], acts: &[u8]) -> (Outcome, Vec<exchanges::Exchanged>) {
    let folder = tempfile::tempdir().unwrap();
    let came = run_rows(folder.path(), all, rows, acts);
    let views = Views::open(&folder.path().join(STORE_FILE)).unwrap();
    (came, exchanges::list(views.conn(), Some("plant")).unwrap())
}

fn standing(outcome: &Outcome) -> Vec<(Rule, Level, UtcMs, Option<UtcMs>, i64)> {
    let stands = outcome.alerts.iter().filter(|a| a.status != Status::Retracted);
    let mut all: Vec<_> = stands.map(|a| (a.rule, a.level, a.first, a.cleared, a.certain_ms)).collect();
    all.sort_unstable();
    all
}

fn of(rule: Rule, outcome: &Outcome) -> Option<&Alert> {
    outcome.alerts.iter().find(|a| a.rule == rule)
}

#[test]
fn told_in_time_nobody_is_accused_and_no_energy_is_worked_out_across_it() {
    let (untold, _) = run(&day(None), &[7], &[9]);
    assert_eq!(of(Rule::Counter, &untold).unwrap().first, minute(EXCHANGED));
    let (came, kept) = run(&day(Some((EXCHANGED, minute(EXCHANGED)))), &[7], &[9]);
    assert!(of(Rule::Counter, &came).is_none(), "{:?}", came.alerts);
    let off = of(Rule::TreatmentOff, &came).unwrap();
    assert_eq!(off.first, minute(10), "what it does is known as before");
    let press = off.evidence.points.iter().find(|p| &*p.point == "press").unwrap();
    assert_eq!(press.energy_kwh, None, "{press:?}");
    assert_eq!((press.mean_kw, press.n_samples), (Some(5.0), 30));
    let [own] = &kept[..] else { panic!("one: {kept:?}") };
    assert_eq!((&*own.site, &*own.point, own.said), ("plant", "press", minute(EXCHANGED)));
    assert_eq!(own.exchange, told(minute(EXCHANGED)));
}

#[test]
fn told_afterwards_what_was_said_of_the_register_is_taken_back() {
    let (in_time, _) = run(&day(Some((EXCHANGED, minute(EXCHANGED)))), &[7], &[9]);
    let (late, kept) = run(&day(Some((50, minute(EXCHANGED)))), &[7], &[9]);
    let accused = of(Rule::Counter, &late).unwrap();
    assert_eq!((accused.status, accused.revisions.len()), (Status::Retracted, 1), "{accused:?}");
    assert_eq!(
        (accused.revisions[0].late.n_readings, accused.revisions[0].late.from),
        (0, minute(EXCHANGED))
    );
    assert_eq!(standing(&late), standing(&in_time));
    assert_eq!((kept.len(), kept[0].said), (1, minute(50)));
    // Of a moment at which nothing was exchanged it explains nothing.
    let (wrong, _) = run(&day(Some((50, minute(EXCHANGED + 10)))), &[7], &[9]);
    assert_eq!(of(Rule::Counter, &wrong).unwrap().status, Status::Cleared);
}

#[test]
fn steps_saves_and_restarts_change_nothing_of_it() {
    for said in [EXCHANGED - 1, EXCHANGED + 1, 50] {
        let all = day(Some((said, minute(EXCHANGED))));
        let expected = run(&all, &[all.len()], &[9]);
        for (rows, acts) in [(&[5, 13, 1][..], &[0, 2, 1, 3][..]), (&[3], &[4, 2]), (&[40, 2], &[2, 0, 2])] {
            assert_eq!(run(&all, rows, acts), expected, "told at minute {said}");
        }
    }
}

#[test]
fn late_readings_of_the_time_before_are_judged_with_it() {
    let all = day(Some((EXCHANGED, minute(EXCHANGED))));
    let (expected, _) = run(&all, &[7], &[9]);
    // What the fan sent in twenty minutes around the exchange comes when all is over.
    let is_kept_back = |m: &Owned| {
        m.topic.contains("fan") && m.received > minute(15) && m.received < minute(35) && m.payload.len() > 10
    };
    let (mut late, mut rest): (Vec<Owned>, Vec<Owned>) = all.into_iter().partition(is_kept_back);
    late.iter_mut().for_each(|m| m.received = minute(60));
    let place = rest.iter().position(|m| m.received > minute(60)).unwrap();
    rest.splice(place..place, late);
    let (came, _) = run(&rest, &[7], &[9]);
    assert_eq!(standing(&came), standing(&expected));
    let off = of(Rule::TreatmentOff, &came).unwrap();
    assert!(off.evidence.points.iter().any(|p| &*p.point == "press" && p.energy_kwh.is_none()), "{off:?}");
}

#[test]
fn a_meter_that_measures_no_point_is_told_of_in_vain() {
    let mut all = day(None);
    let other = Exchange { meter: "plant/pump".into(), ..told(minute(EXCHANGED)) };
    all.push(asked(90, &Command::ExchangeMeter(other)));
    let (came, kept) = run(&all, &[7], &[9]);
    assert!(kept.is_empty() && of(Rule::Counter, &came).unwrap().status == Status::Cleared);
}

#[test]
fn a_replay_is_told_of_it_beforehand() {
    let counted = |is_told: bool| {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join(STORE_FILE)).unwrap();
        let mut replay = Replay::begin(store, &registry(), START.plus(-1)).unwrap();
        if is_told {
            replay.exchange(START.plus(-1), &told(minute(EXCHANGED))).unwrap();
        }
        for own in day(None).iter().filter(|m| m.kind == Kind::Mqtt && m.payload.len() > 10) {
            let text = String::from_utf8(own.payload.clone()).unwrap();
            let meter = own.topic.split('/').nth(3).unwrap();
            let line = text.replacen('{', &format!(r#"{{"site":"plant","meter":"{meter}","#), 1);
            replay.message(own.received, line.as_bytes()).unwrap();
        }
        drop(replay.finish().unwrap());
        outcome(folder.path()).alerts.iter().filter(|a| a.rule == Rule::Counter).count()
    };
    assert_eq!((counted(false), counted(true)), (1, 0));
}

#[test]
fn the_journal_alone_makes_the_record_again() {
    let all = day(Some((50, minute(EXCHANGED))));
    let folder = tempfile::tempdir().unwrap();
    let mut engine = open(folder.path());
    engine.step((1..).zip(&all).map(|(offset, m)| (offset, m.message()))).unwrap();
    let first = exchanges::list(engine.into_store().conn(), None).unwrap();
    assert_eq!(first, run(&all, &[9], &[9]).1);
}
