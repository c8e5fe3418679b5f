//! The engine over a store: whatever the rows, the saves and the restarts, the same outcome, each thing once.

use std::path::Path;

use proptest::prelude::*;

use super::audience::Subscriber;
use super::replay::Replay;
use super::step::{Engine, Sinks};
use crate::alerts::alert::Alert;
use crate::config::receivers::Policy;
use crate::config::settings::History;
use crate::history::read;
use crate::model::command::Command;
use crate::model::mapping::{Decoder, Subscription};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::press_and_fan;
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::rule::Rule;
use crate::model::site::PointKind;
use crate::model::time::{MINUTE_MS, UtcMs};
use crate::notices::notice::Notice;
use crate::store::queue::{self, Entry, Lane};
use crate::store::schema::STORE_FILE;
use crate::store::views::{AlertFilter, Views};
use crate::store::write::Store;

pub(super) const START: UtcMs = UtcMs(1_661_789_400_000);
pub(super) const KEEP_ALL: History = History { days_max: u32::MAX, bytes_max: u64::MAX };
/// So often a run is killed, at most: rows are taken again each time.
const N_KILLS_MAX: u32 = 6;

const METERS: [&str; 2] = ["plant/press", "plant/fan"];

pub(super) fn registry() -> Registry {
    Registry {
        meters: press_and_fan::meters(),
        sites: vec![press_and_fan::site()],
        subscriptions: vec![Subscription {
            broker: "city".into(),
            pattern: "submeter/v1/{site}/{meter}/reading".into(),
            qos: 1,
            decoder: Decoder::Native,
        }],
        ..Registry::default()
    }
}

/// A message as the test holds it.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) kind: Kind,
    pub(super) received: UtcMs,
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
}

impl Owned {
    pub(super) fn message(&self) -> Message<'_> {
        Message {
            kind: self.kind,
            delivery: Delivery::PLAIN,
            received: self.received,
            source: "city",
            topic: &self.topic,
            payload: &self.payload,
        }
    }
}

fn reading(meter: &str, minute: i64, power_kw: f64) -> Owned {
    let at = START.plus(minute * MINUTE_MS);
    let payload = format!(r#"{{"ts":{},"p":{power_kw},"ep":{}}}"#, at.0, 1_000 + minute);
    let (site, name) = meter.split_once('/').unwrap();
    let topic = format!("submeter/v1/{site}/{name}/reading");
    Owned { kind: Kind::Mqtt, received: at.plus(700), topic, payload: payload.into_bytes() }
}

/// What people ask so many minutes after the begin.
pub(super) fn asked(minute: i64, command: &Command) -> Owned {
    let (received, payload) = (START.plus(minute * MINUTE_MS), serde_json::to_vec(command).unwrap());
    Owned { kind: Kind::Command, received, topic: String::new(), payload }
}

pub(super) fn bare(kind: Kind, at: UtcMs, payload: Vec<u8>) -> Owned {
    Owned { kind, received: at, topic: String::new(), payload }
}

/// A day of a press and its fan, as the journal holds it: registry, readings, ticks, an acknowledgement.
pub(super) fn messages(minutes: &[(bool, bool, bool)]) -> Vec<Owned> {
    let mut all = vec![bare(Kind::Registry, START.plus(-1), serde_json::to_vec(&registry()).unwrap())];
    for (minute, (press, fan, heard)) in (0_i64..).zip(minutes) {
        let kw = |on: bool| if on { 5.0 } else { 0.0 };
        all.push(reading(METERS[0], minute, kw(*press)));
        if *heard {
            all.push(reading(METERS[1], minute, kw(*fan)));
        }
        if minute % 17 == 3 {
            all.push(Owned { payload: b"{\"ts\":".to_vec(), ..reading(METERS[0], minute, 0.0) });
        }
        all.push(bare(Kind::Tick, START.plus(minute * MINUTE_MS + 30_000), Vec::new()));
    }
    let command = Command::Acknowledge { alert: "none".into(), who: "li".into(), note: "seen".into() };
    all.push(bare(Kind::Command, START, serde_json::to_vec(&command).unwrap()));
    all
}

pub(super) fn open(folder: &Path) -> Engine {
    let store = Store::open(&folder.join(STORE_FILE)).unwrap();
    let policy = Policy { wait_ms: 2 * MINUTE_MS, repeat_ms: [Some(11 * MINUTE_MS); 4], ..Policy::default() };
    let notices = vec![Subscriber { name: "duty".into(), policy }];
    let sinks = Sinks { outbox: vec!["influx".into()], notices, notices_after: 0 };
    Engine::restore(store, sinks, KEEP_ALL).unwrap()
}

/// What a receiver is told, in order.
pub(super) fn notices(folder: &Path, receiver: &str) -> Vec<Notice> {
    let views = Views::open(&folder.join(STORE_FILE)).unwrap();
    let sink = format!("notice-{receiver}");
    let queued = queue::next(views.conn(), &sink, Lane::ALL, 0, u32::MAX).unwrap().into_iter();
    let notice = |queued: queue::Queued| match queued.entry.unwrap() {
        Entry::Notice(notice) => *notice,
        other => panic!("{other:?}"),
    };
    queued.map(notice).collect()
}

/// Everything that came of it, in words.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) alerts: Vec<Alert>,
    states: String,
    pub(super) rejects: usize,
    pub(super) readings: Vec<String>,
    outbox: Vec<String>,
    n_outbox_readings: usize,
    notices: Vec<Notice>,
}

pub(super) fn outcome(folder: &Path) -> Outcome {
    let views = Views::open(&folder.join(STORE_FILE)).unwrap();
    let queued = queue::next(views.conn(), "influx", Lane::ALL, 0, u32::MAX).unwrap();
    let mut outbox = Vec::new();
    let mut n_outbox_readings = 0;
    for queued in queued {
        match queued.entry.unwrap() {
            Entry::Readings { row } => {
                let mut readings = crate::model::reading::ReadingBatch::default();
                assert!(crate::history::batch::read(views.conn(), row, &mut readings).unwrap());
                n_outbox_readings += readings.len();
            }
            other => outbox.push(format!("{other:?}")),
        }
    }
    let mut readings = Vec::new();
    for meter in METERS {
        let query = read::Query::new(meter, UtcMs::MIN, UtcMs(i64::MAX / 4));
        read::visit(views.conn(), &query, &mut |point| readings.push(format!("{point:?}"))).unwrap();
    }
    Outcome {
        alerts: views.alerts(&AlertFilter::default()).unwrap(),
        states: format!("{:?}", views.states("plant").unwrap()),
        rejects: views.rejects(None, u32::MAX).unwrap().len(),
        readings,
        outbox,
        n_outbox_readings,
        notices: notices(folder, "duty"),
    }
}

pub(super) fn run_rows(folder: &Path, all: &[Owned], rows: &[usize], acts: &[u8]) -> Outcome {
    let mut engine = open(folder);
    let numbered: Vec<(Offset, &Owned)> = (1..).zip(all).collect();
    let mut lengths = rows.iter().cycle();
    let mut acts = acts.iter().cycle();
    // Rows, as the journal cut them: the same before and after a restart.
    let mut begins = vec![0];
    while let Some(next) = begins.last().map(|b| b + lengths.next().unwrap()).filter(|n| *n < all.len()) {
        begins.push(next);
    }
    begins.push(all.len());
    let (mut row, mut n_kills, mut n_together) = (0, 0, 1);
    while row + 1 < begins.len() {
        let next = (row + n_together).min(begins.len() - 1);
        let messages = &numbered[begins[row]..begins[next]];
        engine.step(messages.iter().map(|(offset, m)| (*offset, m.message()))).unwrap();
        (row, n_together) = (next, 1);
        match acts.next().unwrap() {
            0 => {
                engine.save().unwrap();
            }
            1 => {
                engine.fold().unwrap();
            }
            2 if n_kills < N_KILLS_MAX => {
                n_kills += 1;
                // Killed: the engine goes back to its snapshot and takes the rows since then again.
                drop(engine);
                engine = open(folder);
                row = begins.iter().position(|b| *b as Offset >= engine.taken()).unwrap();
                // What was written before and what was not may come in one step.
                n_together = 3;
            }
            3 => n_together = 2,
            _ => {}
        }
    }
    outcome(folder)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn rows_saves_and_restarts_change_nothing(
        pieces in proptest::collection::vec((any::<bool>(), any::<bool>(), prop_oneof![4 => Just(true), 1 => Just(false)], 1_usize..40), 1..8),
        rows in proptest::collection::vec(1_usize..60, 1..12),
        acts in proptest::collection::vec(0_u8..6, 1..12),
    ) {
        let minutes: Vec<_> = pieces.iter().flat_map(|&(p, f, h, n)| vec![(p, f, h); n]).collect();
        let all = messages(&minutes);
        let (plain, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        prop_assert_eq!(
            run_rows(plain.path(), &all, &[all.len()], &[9]),
            run_rows(other.path(), &all, &rows, &acts)
        );
    }
}

#[test]
fn treatment_off_becomes_an_alert_with_its_proof() {
    let folder = tempfile::tempdir().unwrap();
    let minutes = [vec![(true, true, true); 10], vec![(true, false, true); 30], vec![(true, true, true); 20]];
    let outcome = run_rows(folder.path(), &messages(&minutes.concat()), &[7], &[9]);
    let [alert] = &outcome.alerts[..] else { panic!("one alert: {:?}", outcome.alerts) };
    assert_eq!((alert.rule, alert.first), (Rule::TreatmentOff, START.plus(10 * MINUTE_MS)));
    assert_eq!(alert.cleared, Some(START.plus(45 * MINUTE_MS)));
    assert_eq!(alert.certain_ms, 30 * MINUTE_MS);
    let evidence = &alert.evidence;
    assert_eq!(evidence.mean_kw(PointKind::Production), Some(5.0));
    assert_eq!(evidence.data_share, 1.0);
    let press = evidence.points.iter().find(|p| &*p.point == "press").unwrap();
    assert_eq!(press.energy_kwh, Some(30.0), "the register counts one kWh a minute");
    assert_eq!(evidence.mean_kw(PointKind::Treatment), Some(0.0));
    assert!(evidence.offsets.is_some());
    assert_eq!(outcome.rejects, 4);
    assert_eq!((outcome.readings.len(), outcome.n_outbox_readings), (120, 120));
    assert!(outcome.outbox.iter().any(|entry| entry.starts_with("Alert")), "{:?}", outcome.outbox);
}

#[test]
fn a_replay_of_native_messages_gives_the_same_alerts() {
    let minutes = [vec![(true, true, true); 10], vec![(true, false, true); 30], vec![(true, true, true); 20]];
    let all = messages(&minutes.concat());
    let folder = tempfile::tempdir().unwrap();
    let journaled = run_rows(folder.path(), &all, &[all.len()], &[9]);

    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join(STORE_FILE)).unwrap();
    let mut replay = Replay::begin(store, &registry(), START).unwrap();
    for owned in all.iter().filter(|m| m.kind == Kind::Mqtt && m.payload.len() > 10) {
        let meter = owned.topic.split('/').nth(3).unwrap();
        let text = String::from_utf8(owned.payload.clone()).unwrap();
        let line = text.replacen('{', &format!(r#"{{"site":"plant","meter":"{meter}","#), 1);
        replay.message(owned.received, line.as_bytes()).unwrap();
    }
    drop(replay.finish().unwrap());
    let replayed = outcome(folder.path());
    let told = |alerts: &[Alert]| -> Vec<_> {
        alerts.iter().map(|a| (a.id.clone(), a.level, a.first, a.cleared, a.certain_ms)).collect()
    };
    assert_eq!(told(&journaled.alerts), told(&replayed.alerts));
    assert_eq!(journaled.states, replayed.states);
}
