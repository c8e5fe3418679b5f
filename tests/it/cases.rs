//! Cases of the rules, a folder each: `config.toml` and its sites, `input.jsonl`, `expected.jsonl`. `UPDATE=1` writes the
//! expectation anew; look at what changed before you keep it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

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
    let figures: serde_json::Map<String, Value> = alert["evidence"]["figures"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|f| (f["what"].as_str().unwrap().to_owned(), f["value"].clone()))
        .collect();
    let mut judged = json!({
        "rule": alert["rule"], "subject": alert["subject"], "status": alert["status"], "level": alert["level"],
        "first": alert["first"], "last_certain": alert["last_certain"], "certain_ms": alert["certain_ms"],
        "unknown_ms": alert["unknown_ms"], "steps": steps, "points": points,
    });
    if !figures.is_empty() {
        judged["figures"] = figures.into();
    }
    judged
}

#[test]
fn every_case_ends_as_it_is_written() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for folder in folders() {
        let at = |name: &str| folder.join(name);
        let output = command(&["replay", "--json", "--config"])
            .arg(at("config.toml"))
            .arg("--input")
            .arg(at("input.jsonl"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
        let alerts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let found: String = alerts.iter().map(|alert| format!("{}\n", judged(alert))).collect();
        if update {
            fs::write(at("expected.jsonl"), &found).unwrap();
        } else if fs::read_to_string(at("expected.jsonl")).unwrap() != found {
            wrong.push(format!("{}:\n{found}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
