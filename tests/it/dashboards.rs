//! The dashboards for Grafana ask for what there is, and a real database understands every question.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use submeterd::alerts::alert::{Alert, Status};
use submeterd::alerts::evidence::{Evidence, PointEvidence};
use submeterd::model::quantity::Channel;
use submeterd::model::reading::Quality;
use submeterd::model::rule::{Level, Rule};
use submeterd::model::site::{Basis, PointKind, Thresholds};
use submeterd::model::state::State;
use submeterd::model::time::{HOUR_MS, MINUTE_MS, UtcMs};
use submeterd::outbox::line::{Lines, Series};

use crate::harness::servers;

/// When the sample begins.
const BEGIN: UtcMs = UtcMs(1_700_000_000_000);

/// How long it goes on, ms.
const LENGTH_MS: i64 = 4 * HOUR_MS;

fn grafana(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A dashboard that is shipped.
pub fn dashboard(name: &str) -> Value {
    serde_json::from_str(&grafana(&format!("{name}.json"))).unwrap()
}

/// All questions of a dashboard's panels: title of the panel, and the text under `key`.
pub fn questions(dashboard: &Value, key: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let question = target[key].as_str().unwrap_or_else(|| panic!("no {key} in {target:#}"));
            found.push((panel["title"].as_str().unwrap().to_owned(), question.to_owned()));
        }
    }
    assert!(found.len() > 8, "{found:?}");
    found
}

const NAMES: [(&str, &str); 2] = [("submeterd-plants", "influxdb"), ("submeterd-daemon", "prometheus")];

#[test]
fn every_panel_says_what_it_shows_in_which_unit_and_from_where() {
    let sources = grafana("provisioning/datasources.yml");
    for (name, kind) in NAMES {
        let board = dashboard(name);
        assert_eq!(board["uid"], name, "links to it and updates go by its uid");
        assert!(board["schemaVersion"].as_u64().unwrap() >= 39);
        let variables = board["templating"]["list"].as_array().unwrap();
        assert_eq!((&variables[0]["type"], &variables[0]["query"]), (&json!("datasource"), &json!(kind)));
        assert!(sources.contains(&format!("type: {kind}\n")), "{kind} is provisioned");
        let mut ids = BTreeSet::new();
        let mut titles = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: two panels of one id: {title}");
            assert!(titles.insert(title), "{name}: two panels of one title: {title}");
            if panel["type"] == "row" {
                continue;
            }
            assert!(panel["description"].as_str().is_some_and(|d| d.len() > 20), "{name}: {title}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{name}: {title} has no unit");
            let source = json!({"type": kind, "uid": "${datasource}"});
            assert_eq!(panel["datasource"], source, "{name}: {title}");
            for target in panel["targets"].as_array().unwrap() {
                assert_eq!(target["datasource"], source, "{name}: {title}");
            }
        }
    }
}

/// What the daemon writes in four hours of a press and its fan, with an open alert and one that is over.
fn sample() -> Lines {
    let mut lines = Lines::default();
    for (point, kind) in [("press", PointKind::Production), ("fan", PointKind::Treatment)] {
        let series = Series::of_meter("plant", point, Some((point, kind)));
        for minute in 0..LENGTH_MS / MINUTE_MS {
            let kwh = minute as f64 * 0.5;
            let values = [(Channel::POWER, 5_000.0), (Channel::ENERGY, kwh)];
            let quality = if minute % 9 == 0 { Quality::LATE } else { Quality::GOOD };
            lines.reading(&series, &values, quality, BEGIN.plus(minute * MINUTE_MS));
        }
        for (hour, state) in [(0, State::Unknown), (1, State::Running), (2, State::Off), (3, State::Idle)] {
            lines.state(("plant", point), kind, state, BEGIN.plus(hour * HOUR_MS));
        }
    }
    lines.alert(&alert("line-1", None));
    lines.alert(&alert("line-2", Some(BEGIN.plus(3 * HOUR_MS))));
    lines
}

fn alert(subject: &str, cleared: Option<UtcMs>) -> Alert {
    let point = |kind| PointEvidence {
        point: "p".into(),
        name: "P".into(),
        kind,
        mean_kw: Some(5.0),
        max_kw: None,
        energy_first_kwh: None,
        energy_last_kwh: None,
        energy_kwh: Some(12.5),
        n_samples: 3,
        thresholds: Thresholds::new([2.0, 1.0, 0.5, 0.25], 0, 0, Basis::Configured),
        thresholds_before: Vec::new(),
    };
    Alert {
        id: subject.into(),
        site: "plant".into(),
        rule: Rule::TreatmentOff,
        rule_version: 1,
        subject_kind: "process".into(),
        subject: subject.into(),
        status: if cleared.is_some() { Status::Cleared } else { Status::Open },
        level: Level::Warning,
        first: BEGIN.plus(HOUR_MS),
        raised: BEGIN.plus(2 * HOUR_MS),
        last_certain: BEGIN.plus(2 * HOUR_MS),
        cleared,
        certain_ms: HOUR_MS,
        unknown_ms: 0,
        evidence: Evidence {
            points: vec![point(PointKind::Production), point(PointKind::Treatment)],
            data_share: 1.0,
            offsets: Some((1, 2)),
            fragments: Vec::new(),
            figures: Vec::new(),
            readings: Vec::new(),
            changes: Vec::new(),
        },
        acknowledged: None,
        deeds: Vec::new(),
        history: Vec::new(),
        said: 0,
        raised_before: None,
        retroactive: false,
        revisions: Vec::new(),
        suppressed: Vec::new(),
    }
}

/// Names of measurements, tags and fields that lines carry.
fn written(lines: &Lines) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in (0..lines.len()).map(|n| lines.text(n)) {
        let (series, rest) = line.split_once(' ').unwrap();
        let (fields, _) = rest.rsplit_once(' ').unwrap();
        let mut tags = series.split(',');
        names.insert(tags.next().unwrap().to_owned());
        names.extend(tags.chain(fields.split(',')).map(|pair| pair.split('=').next().unwrap().to_owned()));
    }
    names
}

/// Names a question makes itself: `AS "name"`.
fn own_names(question: &str) -> BTreeSet<String> {
    question.split(" AS \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn the_plants_dashboard_asks_for_names_that_are_written() {
    let there = written(&sample());
    assert!(there.contains("treatment_kw") && there.contains("cleared_ms"), "{there:?}");
    let board = dashboard("submeterd-plants");
    let variables = board["templating"]["list"].as_array().unwrap();
    let of_variables = variables.iter().skip(1).map(|v| v["query"].as_str().unwrap().to_owned());
    let of_panels = questions(&board, "query").into_iter().map(|(_, question)| question);
    for question in of_panels.chain(of_variables) {
        let own = own_names(&question);
        let asked: Vec<&str> = question.split('"').skip(1).step_by(2).collect();
        assert!(!asked.is_empty(), "{question}");
        for name in asked {
            assert!(there.contains(name) || own.contains(name), "{name} is not written: {question}");
        }
    }
}

/// A question as Grafana sends it, for the sample's four hours and everything in it.
fn filled_in(question: &str) -> String {
    let end = BEGIN.plus(LENGTH_MS);
    question
        .replace("$timeFilter", &format!("time >= {}ms AND time <= {}ms", BEGIN.0, end.0))
        .replace("$__interval", "5m")
        .replace("$site", ".*")
        .replace("$kind", ".*")
}

#[tokio::test]
async fn a_real_influxdb_answers_every_question_of_the_plants_dashboard() {
    let Some(server) = servers::influxdb() else { return };
    let client = reqwest::Client::new();
    let ask = async |question: &str| -> Value {
        let body = serde_urlencoded::to_string([("db", "submeter"), ("q", question)]).unwrap();
        let request = client.post(format!("{}/query", server.url())).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    };
    ask("CREATE DATABASE submeter").await;
    let lines = sample();
    let url = format!("{}/write?db=submeter&precision=ms", server.url());
    let taken = client.post(url).body(lines.body(0..lines.len()).to_vec()).send().await.unwrap();
    assert_eq!(taken.status(), 204, "{:?}", taken.text().await);

    let board = dashboard("submeterd-plants");
    for (title, question) in questions(&board, "query") {
        let answer = ask(&filled_in(&question)).await;
        let rows = answer["results"][0]["series"].as_array().map_or(0, Vec::len);
        assert!(rows > 0, "{title}: {question}\n{answer:#}");
    }
    for variable in &board["templating"]["list"].as_array().unwrap()[1..] {
        let answer = ask(variable["query"].as_str().unwrap()).await;
        assert!(answer["results"][0]["series"].is_array(), "{variable:#}\n{answer:#}");
    }
    let only = |title: &str| {
        let found = questions(&board, "query").into_iter().find(|(own, _)| own.starts_with(title));
        filled_in(&found.unwrap().1)
    };
    let open = ask(&only("Open alerts, one by one")).await;
    let rows = open["results"][0]["series"][0]["values"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "what is over is not open: {open:#}");
    let energy = ask(&only("Energy in the chosen time")).await;
    assert_eq!(energy["results"][0]["series"][0]["values"][0][1], json!(119.5), "{energy:#}");
}
