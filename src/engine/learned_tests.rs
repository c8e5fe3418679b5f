//! What was learned, confirmed and commissioned, on its way into what is judged by: in the order of the journal, over
//! restarts, configurations that come later and replays.

use std::path::Path;
use std::sync::Arc;

use super::book::Page;
use super::decide::{Decided, Verdict};
use super::step::Engine;
use super::tests::{Outcome, Owned, START, bare, messages, open, outcome, registry, run_rows};
use crate::alerts::alert::{Alert, Status};
use crate::alerts::evidence::Aspect;
use crate::model::baseline::Baseline;
use crate::model::basis::Basis;
use crate::model::command::{Command, Said};
use crate::model::commissioning::{CommissioningRecord, TestedPoint};
use crate::model::message::Kind;
use crate::model::proposal::{BaselineProposal, Idle, PointProposal, Proposal};
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::rule::{Level, Rule};
use crate::model::site::{Site, Thresholds};
use crate::model::time::{MINUTE_MS, UtcMs};
use crate::store::learned;
use crate::store::schema::STORE_FILE;
use crate::store::views::Views;

/// The plant with thresholds nobody has set.
fn fallback() -> Registry {
    let mut registry = registry();
    for point in &mut registry.sites[0].points {
        point.thresholds.basis = Basis::Fallback;
    }
    registry
}

/// Production runs, its fan does not for half an hour.
fn day(registry: &Registry) -> Vec<Owned> {
    let minutes = [vec![(true, true, true); 20], vec![(true, false, true); 30], vec![(true, true, true); 20]];
    let mut all = messages(&minutes.concat());
    all[0].payload = serde_json::to_vec(registry).unwrap();
    all
}

/// Puts a command in, received at that minute, before the message of that place.
fn put(all: &mut Vec<Owned>, place: usize, minute: i64, command: &Command) {
    let payload = serde_json::to_vec(command).unwrap();
    all.insert(place, bare(Kind::Command, START.plus(minute * MINUTE_MS), payload));
}

fn append(all: &mut Vec<Owned>, minute: i64, command: &Command) {
    let place = all.len();
    put(all, place, minute, command);
}

fn learned_point(point: &str, powers_w: [f64; 4]) -> PointProposal {
    PointProposal {
        point: point.into(),
        minutes: 20_000,
        powers_w: Some(powers_w),
        idle: None,
        refused: Vec::new(),
        remarks: Vec::new(),
    }
}

const FAN_W: [f64; 4] = [1_500.0, 900.0, 300.0, 200.0];

fn proposal() -> Proposal {
    Proposal {
        site: "plant".into(),
        from: UtcMs(0),
        to: START,
        points: vec![learned_point("fan", FAN_W)],
        baselines: Vec::new(),
    }
}

fn sham() -> Proposal {
    let baseline = BaselineProposal {
        process: "printing".into(),
        point: "fan".into(),
        median_w: [None, None, Some(1_600.0), Some(1_700.0)],
        power_factor: None,
    };
    Proposal { baselines: vec![baseline], ..proposal() }
}

fn said(points: &[&str]) -> Said {
    let points = points.iter().map(|p| (*p).into()).collect();
    Said { site: "plant".into(), points, who: "li".into(), note: "looked at".into() }
}

fn commission(median_w: f32) -> Command {
    let thresholds = Thresholds::new([2_500.0, 2_000.0, 300.0, 200.0], 1, 1, Basis::Commissioned);
    let record = CommissioningRecord {
        who: "wang".into(),
        at: START,
        phases: Vec::new(),
        points: vec![TestedPoint { point: 1, id: "fan".into(), thresholds }],
        baselines: vec![Baseline::new(1, [None, None, None, Some(median_w)], None, Basis::Commissioned)],
        remarks: Vec::new(),
    };
    Command::Commission { site: "plant".into(), process: "printing".into(), record }
}

fn take(engine: &mut Engine, all: &[Owned]) {
    let taken = usize::try_from(engine.taken()).unwrap();
    let numbered = (1..).zip(all).skip(taken).map(|(offset, m): (Offset, _)| (offset, m.message()));
    engine.step(numbered).unwrap();
}

fn after(all: &[Owned]) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = open(folder.path());
    take(&mut engine, all);
    (folder, engine)
}

fn site(engine: &Engine) -> &Site {
    &engine.world().registry().sites[0]
}

fn fan(engine: &Engine) -> (Basis, f64) {
    let thresholds = &site(engine).points[1].thresholds;
    (thresholds.basis, thresholds.running_above_w)
}

fn verdicts(folder: &Path) -> Vec<(String, Verdict, String)> {
    let views = Views::open(&folder.join(STORE_FILE)).unwrap();
    let all = learned::decisions(views.conn(), "plant", None, 100).unwrap();
    let body = |d: &learned::Decision| serde_json::from_str::<Decided>(&d.body).unwrap();
    let all = all.iter().rev().map(|d| (d.command.clone(), body(d).verdict, body(d).why.into()));
    all.collect()
}

fn changes(outcome: &Outcome) -> Vec<&Alert> {
    outcome.alerts.iter().filter(|a| a.rule == Rule::ConfigChange).collect()
}

#[test]
fn what_was_learned_takes_the_place_of_a_share_of_rated_power_from_its_message_on() {
    let mut all = day(&fallback());
    put(&mut all, 40, 16, &Command::Propose(proposal()));
    let (folder, engine) = after(&all);
    assert_eq!(fan(&engine), (Basis::Learned, 1_500.0));
    assert_eq!(site(&engine).points[1].thresholds.on_for_ms, 120_000, "durations stay those of the config");
    assert_eq!(engine.world().version(0), 41);
    let outcome = outcome(folder.path());
    let off = outcome.alerts.iter().find(|a| a.rule == Rule::TreatmentOff).unwrap();
    assert_eq!(off.level, Level::Warning, "nobody has confirmed what it rests on");
    let [change] = changes(&outcome)[..] else { panic!("{:?}", outcome.alerts) };
    assert_eq!((change.level, change.status, change.said), (Level::Notice, Status::Cleared, 0));
    let [changed] = &change.evidence.changes[..] else { panic!("{change:?}") };
    assert_eq!((changed.what, &*changed.of, &*changed.who), (Aspect::Thresholds, "fan", "learning"));
    assert!(changed.from.contains("1 kW") && changed.to.contains("1.5 kW"), "{changed:?}");
}

#[test]
fn what_moves_far_has_an_idle_level_or_stands_over_something_certain_waits_for_a_person() {
    let far = Proposal { points: vec![learned_point("fan", [2_001.0, 1_000.0, 3.0, 2.0])], ..proposal() };
    let mut idle = proposal();
    idle.points[0].idle = Some(Idle { median_w: 700.0, begins_w: 500.0 });
    let configured = registry();
    for (registry, proposal, why) in [
        (fallback(), far, "by more than x2"),
        (fallback(), idle, "level between off and running"),
        (configured, proposal(), "configured"),
    ] {
        let before = registry.sites[0].points[1].thresholds.basis;
        let mut all = day(&registry);
        put(&mut all, 40, 16, &Command::Propose(proposal));
        let (folder, engine) = after(&all);
        assert_eq!(fan(&engine), (before, 1_000.0));
        assert_eq!(
            engine.world().book().page("plant").unwrap().waiting.as_ref().unwrap().thresholds.len(),
            1
        );
        let [(_, Verdict::Waits, said)] = &verdicts(folder.path())[..] else { panic!("{why}") };
        assert!(said.contains(why), "{said}");
        assert!(changes(&outcome(folder.path())).is_empty());
        drop(engine);
    }
}

#[test]
fn a_person_confirms_and_refuses_and_the_refused_does_not_come_back_by_itself() {
    let mut all = day(&fallback());
    let mut proposed = proposal();
    proposed.points[0].idle = Some(Idle { median_w: 700.0, begins_w: 500.0 });
    put(&mut all, 40, 16, &Command::Propose(proposed));
    put(&mut all, 41, 16, &Command::Confirm(said(&[])));
    let (_folder, mut engine) = after(&all);
    assert_eq!(fan(&engine), (Basis::Confirmed, 1_500.0));
    append(&mut all, 90, &Command::Reject(said(&["fan"])));
    append(&mut all, 91, &Command::Propose(proposal()));
    append(&mut all, 91, &Command::Propose(proposal()));
    take(&mut engine, &all);
    assert_eq!(fan(&engine), (Basis::Fallback, 1_000.0));
    let other = Proposal { points: vec![learned_point("fan", [1_200.0, 800.0, 300.0, 200.0])], ..proposal() };
    append(&mut all, 92, &Command::Propose(other));
    take(&mut engine, &all);
    assert_eq!(fan(&engine), (Basis::Fallback, 1_000.0), "nothing by itself any more");
    append(&mut all, 93, &Command::Confirm(said(&["fan"])));
    take(&mut engine, &all);
    assert_eq!(fan(&engine), (Basis::Confirmed, 1_200.0));
}

#[test]
fn attack_sham_from_the_first_day_is_not_confirmed_without_a_commissioning_record() {
    let mut all = day(&fallback());
    put(&mut all, 40, 16, &Command::Propose(sham()));
    put(&mut all, 41, 16, &Command::Confirm(said(&["fan"])));
    let (folder, mut engine) = after(&all);
    let baseline = |engine: &Engine| site(engine).processes[0].baselines[0].clone();
    assert_eq!(baseline(&engine).basis, Basis::Learned, "good for a warning and no more");
    let last = |folder: &Path| verdicts(folder).into_iter().next_back().unwrap();
    let (command, verdict, why) = last(folder.path());
    assert_eq!((&*command, verdict), ("confirm", Verdict::Denied));
    assert!(why.contains("no recorded commissioning test"), "{why}");

    // The record tells what the fan draws when it works; what was learned of the sham is far below.
    append(&mut all, 90, &commission(6_000.0));
    append(&mut all, 91, &Command::Propose(sham()));
    append(&mut all, 92, &Command::Confirm(said(&["fan"])));
    take(&mut engine, &all);
    let (_, verdict, why) = last(folder.path());
    assert_eq!(verdict, Verdict::Denied);
    assert!(why.contains("27 % of the 6000 W"), "{why}");
    let in_force = baseline(&engine);
    assert_eq!((in_force.basis, in_force.median_w[3]), (Basis::Commissioned, Some(6_000.0)));
    assert_eq!(fan(&engine), (Basis::Commissioned, 2_500.0));

    // An honest one completes what the test did not reach.
    let mut honest = sham();
    honest.baselines[0].median_w = [None, None, Some(5_000.0), Some(5_500.0)];
    append(&mut all, 93, &Command::Propose(honest));
    append(&mut all, 94, &Command::Confirm(said(&["fan"])));
    take(&mut engine, &all);
    let in_force = baseline(&engine);
    assert_eq!(in_force.median_w, [None, None, Some(5_000.0), Some(6_000.0)]);
    assert_eq!(in_force.basis, Basis::Confirmed);
    assert_eq!(fan(&engine), (Basis::Commissioned, 2_500.0), "what was tested stays");
}

/// A later registry, received at that minute.
fn put_registry(all: &mut Vec<Owned>, minute: i64, change: impl Fn(&mut Registry)) {
    let mut registry = fallback();
    change(&mut registry);
    let payload = serde_json::to_vec(&registry).unwrap();
    all.push(bare(Kind::Registry, START.plus(minute * MINUTE_MS), payload));
}

#[test]
fn a_configuration_that_comes_later_loses_nothing_unless_it_sets_thresholds_itself() {
    let mut all = day(&fallback());
    put(&mut all, 40, 16, &commission(6_000.0));
    let (folder, mut engine) = after(&all);
    // Points change places, so that indices mean others; the lag is new.
    put_registry(&mut all, 90, |r| {
        r.sites[0].points.swap(0, 1);
        r.sites[0].processes[0].production = vec![1];
        r.sites[0].processes[0].treatment[0].points = vec![0];
        r.sites[0].processes[0].lag_ms = 60_000;
    });
    take(&mut engine, &all);
    let own = &site(&engine).points[0];
    assert_eq!(
        (&*own.id, own.thresholds.basis, own.thresholds.running_above_w),
        ("fan", Basis::Commissioned, 2_500.0)
    );
    let baseline = &site(&engine).processes[0].baselines[0];
    assert_eq!((baseline.point, baseline.median_w[3]), (0, Some(6_000.0)));
    put_registry(&mut all, 91, |r| r.sites[0].points[1].thresholds.basis = Basis::Configured);
    take(&mut engine, &all);
    assert_eq!(fan(&engine), (Basis::Configured, 1_000.0));
    put_registry(&mut all, 92, |_| {});
    take(&mut engine, &all);
    assert_eq!(fan(&engine), (Basis::Commissioned, 2_500.0), "it was not forgotten");
    let outcome = outcome(folder.path());
    let told: Vec<_> = changes(&outcome).iter().rev().map(|a| a.evidence.changes.clone()).collect();
    let whats: Vec<Vec<Aspect>> = told.iter().map(|c| c.iter().map(|c| c.what).collect()).collect();
    assert_eq!(whats[0], [Aspect::Thresholds, Aspect::Baseline]);
    assert_eq!(whats[1], [Aspect::Other], "the lag: {:?}", told[1]);
    assert_eq!((&*told[0][0].who, &*told[1][0].who), ("wang", "config"));
}

#[test]
fn a_change_while_treatment_is_off_is_a_warning() {
    let mut all = day(&fallback());
    put(&mut all, 130, 45, &Command::Propose(proposal()));
    let (folder, engine) = after(&all);
    let outcome = outcome(folder.path());
    let off = outcome.alerts.iter().find(|a| a.rule == Rule::TreatmentOff).unwrap();
    let [change] = changes(&outcome)[..] else { panic!("{:?}", outcome.alerts) };
    assert!(off.raised < change.raised && off.cleared.is_some_and(|at| at > change.raised), "{off:?}");
    assert_eq!(change.level, Level::Warning);
    assert_eq!(off.evidence.points[1].thresholds_before.len(), 1, "what was in force before is kept");
    drop(engine);
}

fn whole_story() -> Vec<Owned> {
    let mut all = day(&fallback());
    put(&mut all, 160, 55, &Command::Confirm(said(&[])));
    put(&mut all, 130, 45, &commission(6_000.0));
    put(&mut all, 90, 33, &Command::Reject(said(&["press"])));
    put(&mut all, 40, 16, &Command::Propose(sham()));
    put_registry(&mut all, 90, |r| r.sites[0].name = "Plant, renamed".into());
    all
}

#[test]
fn rows_saves_kills_and_replays_come_to_the_same() {
    let all = whole_story();
    let plain = tempfile::tempdir().unwrap();
    let expected = run_rows(plain.path(), &all, &[all.len()], &[9]);
    assert!(changes(&expected).len() >= 3, "{:?}", expected.alerts);
    for (rows, acts) in [
        (&[7_usize, 3][..], &[9_u8][..]),
        (&[5], &[0, 5, 2, 5, 5]),
        (&[1], &[5, 5, 0, 2, 3]),
        (&[11, 4], &[2]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(run_rows(folder.path(), &all, rows, acts), expected, "{rows:?} {acts:?}");
        assert_eq!(verdicts(folder.path()), verdicts(plain.path()));
    }
}

#[test]
fn a_restart_has_what_was_learned_and_a_lost_snapshot_too() {
    let all = whole_story();
    let (folder, mut engine) = after(&all);
    let (page, in_force) =
        (engine.world().book().page("plant").cloned().unwrap(), Arc::clone(engine.world().registry()));
    engine.save().unwrap();
    drop(engine);
    let engine = open(folder.path());
    assert_eq!((engine.world().book().page("plant"), engine.world().registry()), (Some(&page), &in_force));
    drop(engine);

    // The page lies in the store too, for when neither the snapshot nor the begin of the journal is there.
    let views = Views::open(&folder.path().join(STORE_FILE)).unwrap();
    let [(id, body)] = &learned::pages(views.conn(), None).unwrap()[..] else { panic!("one page") };
    assert_eq!((&**id, &serde_json::from_str::<Page>(body).unwrap()), ("plant", &page));
    rusqlite::Connection::open(folder.path().join(STORE_FILE))
        .unwrap()
        .execute_batch("UPDATE snapshot_piece SET body = x'00ff'")
        .unwrap();
    let mut engine = open(folder.path());
    assert_eq!(engine.taken(), 0);
    let kept = crate::journal::read::KeptRegistry {
        offset: 1,
        received: START,
        packed: all.last().unwrap().payload.clone(),
    };
    let after = all.len() as Offset;
    engine.begin_at(crate::journal::read::Begin { after, registry: Some(kept) }).unwrap();
    assert_eq!(fan(&engine), (Basis::Commissioned, 2_500.0));
}
