//! Cases of the rules, a folder each: `config.toml` and its sites, `input.jsonl`, `expected.jsonl`. `UPDATE=1` writes the
//! expectation anew; look at what changed before you keep it. Every case is played a second time with a restart in the
//! middle, and must end the same. `baselines.json`, where it is there, has the usual powers of a process's treatment, which
//! no configuration can hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use submeterd::config::settings::History;
use submeterd::engine::step::{Engine, Sinks};
use submeterd::model::baseline::Baseline;
use submeterd::model::mapping::{Decoder, Subscription};
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::time::UtcMs;
use submeterd::sources::mqtt::recorded;
use submeterd::store::schema::STORE_FILE;
use submeterd::store::views::{AlertFilter, Views};
use submeterd::store::write::Store;

use crate::harness::program::command;

fn folders() -> Vec<PathBuf> {
    let all = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// What a case holds of an alert: all that is judged, and nothing of how a journal happens to count its messages.
fn judged(alert: &Value) -> Value {
    let steps: Vec<String> = alert["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            format!("{} {} {}", step["at"], step["what"].as_str().unwrap(), step["level"].as_str().unwrap())
        })
        .collect();
    let points: Vec<Value> = alert["evidence"]["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| json!({ "point": p["point"], "mean_kw": p["mean_kw"], "energy_kwh": p["energy_kwh"] }))
        .collect();
    let figures: Vec<String> =
        alert["evidence"]["figures"].as_array().into_iter().flatten().map(figure).collect();
    let mut judged = json!({
        "rule": alert["rule"], "subject": alert["subject"], "status": alert["status"], "level": alert["level"],
        "first": alert["first"], "last_certain": alert["last_certain"], "certain_ms": alert["certain_ms"],
        "unknown_ms": alert["unknown_ms"], "steps": steps, "points": points,
    });
    if !figures.is_empty() {
        judged["figures"] = json!(figures);
    }
    if alert["retroactive"] == true {
        judged["retroactive"] = json!(true);
    }
    let revisions: Vec<String> =
        alert["revisions"].as_array().into_iter().flatten().flat_map(changes).collect();
    if !revisions.is_empty() {
        judged["revisions"] = json!(revisions);
    }
    let suppressed: Vec<String> = alert["suppressed"].as_array().into_iter().flatten().map(reason).collect();
    if !suppressed.is_empty() {
        judged["suppressed"] = json!(suppressed);
    }
    judged
}

/// `status: open → retracted`
fn changes(revision: &Value) -> Vec<String> {
    let word = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    let changes = revision["changes"].as_array().into_iter().flatten();
    changes.map(|c| format!("{}: {} → {}", word(c, "field"), word(c, "from"), word(c, "to"))).collect()
}

/// `maintenance until 1661789700000`, `commissioning until 1661789700000, outlasted`
fn reason(own: &Value) -> String {
    let until = own["to"].as_i64().map(|to| format!(" until {to}")).unwrap_or_default();
    let outlasted = if own["outlasted"] == true { ", outlasted" } else { "" };
    format!("{}{until}{outlasted}", own["why"].as_str().unwrap())
}

/// `lateness 300000`, `treatment_edge fan 1661789700000`
fn figure(figure: &Value) -> String {
    let words = [&figure["what"], &figure["point"]].into_iter().filter_map(Value::as_str);
    let value = figure["value"].as_f64().map(|v| format!("{}", (v * 1e6).round() / 1e6));
    words.map(str::to_owned).chain(value).collect::<Vec<_>>().join(" ")
}

fn expected_of<'a>(alerts: impl IntoIterator<Item = &'a Value>) -> String {
    alerts.into_iter().map(|alert| format!("{}\n", judged(alert))).collect()
}

/// What the command says of a case.
fn replayed(folder: &Path) -> Vec<Value> {
    let output = command(&["replay", "--json", "--config"])
        .arg(folder.join("config.toml"))
        .arg("--input")
        .arg(folder.join("input.jsonl"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_case_ends_as_it_is_written() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for folder in folders() {
        let by_itself = !folder.join(BASELINES).exists();
        let alerts = if by_itself { replayed(&folder) } else { restarted(&journal_of(&folder), 1) };
        let found = expected_of(&alerts);
        let at = folder.join("expected.jsonl");
        if update {
            fs::write(at, &found).unwrap();
        } else if fs::read_to_string(at).unwrap() != found {
            wrong.push(format!("{}:\n{found}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const BASELINES: &str = "baselines.json";
/// Source, pattern and topic of what is played: site and meter are in the message itself.
const SOURCE: &str = "played";
const KEEP_ALL: History = History { days_max: u32::MAX, bytes_max: u64::MAX };

/// A message of a case, by when it was received.
struct Played {
    kind: Kind,
    received: UtcMs,
    payload: Vec<u8>,
}

impl Played {
    fn message(&self) -> Message<'_> {
        Message {
            kind: self.kind,
            delivery: Delivery::PLAIN,
            received: self.received,
            source: SOURCE,
            topic: SOURCE,
            payload: &self.payload,
        }
    }
}

/// What the treatment of a process usually draws.
fn baselines(folder: &Path, process: &str) -> Vec<Baseline> {
    let Ok(text) = fs::read_to_string(folder.join(BASELINES)) else { return Vec::new() };
    let mut all: BTreeMap<String, Vec<Baseline>> = serde_json::from_str(&text).unwrap();
    all.remove(process).unwrap_or_default()
}

/// What the journal of a daemon would hold: the registry, the readings, a tick every half minute.
fn journal_of(folder: &Path) -> Vec<Played> {
    let config = submeterd::config::load(Some(&folder.join("config.toml")), BTreeMap::new()).unwrap().config;
    let mut registry = config.registry;
    let (broker, pattern) = (SOURCE.into(), SOURCE.into());
    registry.subscriptions.push(Subscription { broker, pattern, qos: 0, decoder: Decoder::Native });
    for site in &mut registry.sites {
        for process in &mut site.processes {
            process.baselines = baselines(folder, &process.id);
        }
    }
    let waits_ms =
        registry.sites.iter().map(|s| i64::from(s.reorder_ms) + i64::from(s.step_ms)).max().unwrap();

    let text = fs::read_to_string(folder.join("input.jsonl")).unwrap();
    let mut readings: Vec<(UtcMs, &str)> =
        text.lines().map(|line| (recorded::received_at(line.as_bytes()).unwrap(), line)).collect();
    readings.sort_by_key(|(received, _)| *received);
    let (begin, end) = (readings[0].0, readings[readings.len() - 1].0.plus(waits_ms));
    let payload = serde_json::to_vec(&registry).unwrap();
    let mut all = vec![Played { kind: Kind::Registry, received: begin, payload }];
    let mut now = begin;
    for (received, line) in readings.into_iter().chain([(end, "")]) {
        while now < received {
            now = now.plus(30_000.min(received.since(now)));
            all.push(Played { kind: Kind::Tick, received: now, payload: Vec::new() });
        }
        if !line.is_empty() {
            all.push(Played { kind: Kind::Mqtt, received, payload: line.into() });
        }
    }
    all
}

/// Alerts after a daemon took the first messages, saved, was started again and took the others.
fn restarted(all: &[Played], at: usize) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(STORE_FILE);
    for (first, half) in [(1, &all[..at]), (1 + at as u64, &all[at..])] {
        let mut engine = Engine::restore(Store::open(&path).unwrap(), Sinks::default(), KEEP_ALL).unwrap();
        assert_eq!(engine.taken(), first - 1, "it goes on from where it was saved");
        engine.step((first..).zip(half.iter().map(Played::message))).unwrap();
        engine.save().unwrap();
    }
    let mut alerts = Views::open(&path).unwrap().alerts(&AlertFilter::default()).unwrap();
    alerts.sort_by(|a, b| (a.first, &a.id).cmp(&(b.first, &b.id)));
    alerts.iter().map(|alert| serde_json::to_value(alert).unwrap()).collect()
}

#[test]
fn every_case_ends_the_same_with_a_restart_in_the_middle() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let all = journal_of(&folder);
        let expected = fs::read_to_string(folder.join("expected.jsonl")).unwrap();
        for at in [all.len() / 3, all.len() / 2, all.len() - all.len() / 3] {
            let found = expected_of(&restarted(&all, at));
            if found != expected {
                wrong.push(format!("{}, restarted after {at} of {}:\n{found}", folder.display(), all.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
