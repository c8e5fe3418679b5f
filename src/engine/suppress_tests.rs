//! Alerts that nobody is told of: judged and kept as all others, and the same after any restart.

use std::path::Path;

use proptest::prelude::*;

use super::tests::{Outcome, Owned, START, asked, messages, open, outcome, registry, run_rows};
use crate::alerts::alert::{Alert, Status};
use crate::alerts::reason::Why;
use crate::model::command::Command;
use crate::model::maintenance::{Filing, Scope};
use crate::model::message::Kind;
use crate::model::reading::Offset;
use crate::model::rule::Rule;
use crate::model::site::Commissioning;
use crate::model::time::{MINUTE_MS, UtcMs};
use crate::store::schema::STORE_FILE;
use crate::store::suppressing;
use crate::store::views::Views;

fn at(minute: i64) -> UtcMs {
    START.plus(minute * MINUTE_MS)
}

/// The fan stands from minute 10 to 40, while the press runs.
fn hour() -> Vec<Owned> {
    let minutes = [vec![(true, true, true); 10], vec![(true, false, true); 30], vec![(true, true, true); 30]];
    messages(&minutes.concat())
}

/// What is asked in a minute comes before its readings.
fn with(mut all: Vec<Owned>, asked: Owned) -> Vec<Owned> {
    let place = all.iter().position(|m| m.received >= asked.received && m.kind != Kind::Command);
    all.insert(place.unwrap_or(all.len()), asked);
    all
}

fn filing(from: i64, to: i64) -> Filing {
    Filing {
        site: "plant".into(),
        scope: Scope { points: vec!["fan".into()], ..Scope::default() },
        from: at(from),
        to: at(to),
        who: "li".into(),
        note: "new bearings".into(),
    }
}

fn filed(minute: i64, from: i64, to: i64) -> Owned {
    asked(minute, &Command::FileMaintenance(filing(from, to)))
}

fn played(folder: &Path, all: &[Owned]) -> Outcome {
    let mut engine = open(folder);
    let numbered = (1..).zip(all).map(|(offset, m): (Offset, &Owned)| (offset, m.message()));
    engine.step(numbered).unwrap();
    engine.settle_past().unwrap();
    drop(engine);
    outcome(folder)
}

fn treatment_off(outcome: &Outcome) -> &Alert {
    let mut found = outcome.alerts.iter().filter(|a| a.rule == Rule::TreatmentOff);
    let alert = found.next().unwrap();
    assert!(found.next().is_none());
    alert
}

fn of(all: &[Owned]) -> Alert {
    treatment_off(&played(tempfile::tempdir().unwrap().path(), all)).clone()
}

/// All but the reason, and the numbers of messages.
fn judged(alert: &Alert) -> Alert {
    let mut own = Alert { suppressed: Vec::new(), ..alert.clone() };
    own.history.iter_mut().for_each(|step| step.offset = 0);
    own.evidence.offsets = None;
    own
}

#[test]
fn maintenance_filed_beforehand_suppresses_and_changes_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = played(folder.path(), &with(hour(), filed(5, 8, 50)));
    let alert = treatment_off(&outcome);
    let [reason] = &alert.suppressed[..] else { panic!("{:?}", alert.suppressed) };
    assert_eq!((reason.why, reason.from, reason.to), (Why::Maintenance, at(8), Some(at(50))));
    assert_eq!(reason.by.as_deref(), Some("li"));
    assert!(alert.is_suppressed());
    assert_eq!(judged(alert), judged(&of(&hour())));
    let views = Views::open(&folder.path().join(STORE_FILE)).unwrap();
    let kept = suppressing::list(views.conn(), Some("plant")).unwrap();
    let [own] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!(reason.reference.as_deref(), Some(&*own.id));
    assert!(own.counts && own.filed == at(5) && own.filing == filing(8, 50));
}

#[test]
fn maintenance_filed_afterwards_is_a_declaration_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = played(folder.path(), &with(hour(), filed(20, 8, 50)));
    assert_eq!(judged(treatment_off(&outcome)), judged(&of(&hour())));
    assert_eq!(treatment_off(&outcome).suppressed, []);
    let views = Views::open(&folder.path().join(STORE_FILE)).unwrap();
    assert!(!suppressing::list(views.conn(), None).unwrap()[0].counts);
    // Nor does one that begins when the alert is there already.
    assert_eq!(of(&with(hour(), filed(20, 25, 60))).suppressed, []);
}

#[test]
fn an_alert_that_outlasts_its_maintenance_is_told_from_then_on() {
    let all = with(hour(), filed(5, 8, 25));
    let until = |minute: i64| {
        let upto = all.iter().position(|m| m.received > at(minute)).unwrap();
        of(&all[..upto])
    };
    assert!(until(24).is_suppressed(), "raised in minute 20, and nobody is told");
    let open = until(26);
    assert_eq!((open.status, open.is_suppressed()), (Status::Open, false));
    assert!(!until(60).is_suppressed(), "it stays so when it ends");
}

#[test]
fn maintenance_withdrawn_counts_no_longer() {
    let withdrawn = |minute: i64| {
        let all = with(hour(), filed(5, 8, 60));
        let place = all.iter().position(|m| m.kind == Kind::Command).unwrap();
        let id = format!("m{}", place + 1);
        of(&with(all, asked(minute, &Command::WithdrawMaintenance { id, who: "wang".into() })))
    };
    assert_eq!(withdrawn(7).suppressed, [], "before its begin");
    let open = withdrawn(30);
    assert_eq!((open.suppressed[0].to, open.is_suppressed()), (Some(at(30)), false), "in the middle");
    let over = withdrawn(55);
    assert_eq!((over.suppressed[0].to, over.is_suppressed()), (Some(at(55)), true), "after the alert's end");
}

#[test]
fn maintenance_that_cannot_be_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let commands = [
        filing(9, 8),
        filing(8, 8 + 32 * 24 * 60),
        Filing { site: "none".into(), ..filing(8, 50) },
        Filing { note: " ".into(), ..filing(8, 50) },
        Filing { scope: Scope { points: vec!["oven".into()], ..Scope::default() }, ..filing(8, 50) },
    ];
    let all =
        commands.into_iter().fold(hour(), |all, own| with(all, asked(5, &Command::FileMaintenance(own))));
    assert_eq!(treatment_off(&played(folder.path(), &all)).suppressed, []);
    let views = Views::open(&folder.path().join(STORE_FILE)).unwrap();
    assert_eq!(suppressing::list(views.conn(), None).unwrap(), []);
}

#[test]
fn what_late_readings_show_is_suppressed_as_if_they_had_been_on_time() {
    let mut all = with(hour(), filed(5, 8, 50));
    // The fan's readings of the half hour in which it stood come at the end, as its gateway kept them.
    let is_kept = |m: &Owned| m.topic.contains("fan") && (at(12)..at(38)).contains(&m.received);
    let (late, mut rest): (Vec<_>, Vec<_>) = all.drain(..).partition(is_kept);
    assert!(late.len() > 20);
    let end = rest.iter().rposition(|m| m.kind == Kind::Tick).unwrap();
    let known = rest.len();
    rest.splice(end..end, late);
    assert!(rest.len() > known);
    let alert = of(&rest);
    assert!(alert.retroactive || !alert.revisions.is_empty());
    // The command is the same message in both.
    assert_eq!(alert.suppressed, of(&with(hour(), filed(5, 8, 50))).suppressed);
    assert!(alert.is_suppressed());
}

fn configured(until: Option<UtcMs>) -> Vec<u8> {
    let mut registry = registry();
    registry.sites[0].points[1].commissioning = Some(Commissioning { until });
    serde_json::to_vec(&registry).unwrap()
}

#[test]
fn a_point_in_commissioning_suppresses_what_begins_from_then_on() {
    let mut from_the_first = hour();
    from_the_first[0].payload = configured(Some(at(120)));
    let alert = of(&from_the_first);
    assert_eq!(alert.suppressed.iter().map(|s| s.why).collect::<Vec<_>>(), [Why::Commissioning]);
    assert!(alert.is_suppressed());
    assert_eq!(judged(&alert), judged(&of(&hour())));

    from_the_first[0].payload = configured(Some(at(20)));
    assert!(!of(&from_the_first).is_suppressed(), "its end comes by itself");

    // Set only while the alert is open, it hides nothing.
    let later = Owned { kind: Kind::Registry, payload: configured(None), ..asked(20, &command()) };
    assert_eq!(of(&with(hour(), later)).suppressed, []);
    // Taken away while the alert is open, it hides nothing any more.
    let mut taken = hour();
    taken[0].payload = configured(None);
    let plain = serde_json::to_vec(&registry()).unwrap();
    let away = Owned { kind: Kind::Registry, payload: plain, ..asked(30, &command()) };
    let alert = of(&with(taken, away));
    assert_eq!((alert.suppressed[0].to, alert.is_suppressed()), (Some(at(30)), false));
}

fn command() -> Command {
    Command::Acknowledge { alert: "none".into(), who: "li".into(), note: "seen".into() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn filings_in_any_rows_with_restarts_come_to_the_same_and_no_judged_field_changes(
        filings in proptest::collection::vec((0_i64..60, -5_i64..40, 1_i64..60), 1..5),
        withdrawn in proptest::option::of((1_usize..120, 0_i64..65)),
        rows in proptest::collection::vec(1_usize..40, 1..12),
        acts in proptest::collection::vec(0_u8..6, 1..12),
    ) {
        let mut all = hour();
        for (minute, ahead, length) in filings {
            all = with(all, filed(minute, minute + ahead, minute + ahead + length));
        }
        if let Some((offset, minute)) = withdrawn {
            let ids: Vec<_> = (1..).zip(&all).filter(|(_, m)| m.kind == Kind::Command).map(|(n, _)| n).collect();
            let id = format!("m{}", ids[offset % ids.len()] as usize);
            all = with(all, asked(minute, &Command::WithdrawMaintenance { id, who: "wang".into() }));
        }
        let (plain, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let whole = run_rows(plain.path(), &all, &[all.len()], &[9]);
        prop_assert_eq!(&whole, &run_rows(other.path(), &all, &rows, &acts));
        let bare = tempfile::tempdir().unwrap();
        let without = run_rows(bare.path(), &hour(), &[7], &[9]);
        let all_judged = |o: &Outcome| o.alerts.iter().map(judged).collect::<Vec<_>>();
        prop_assert_eq!(all_judged(&whole), all_judged(&without));
    }
}
