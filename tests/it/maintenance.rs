//! Maintenance and suppressed alerts on the command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use submeterd::engine::replay::Replay;
use submeterd::sources::mqtt::recorded;
use submeterd::store::schema::STORE_FILE;
use submeterd::store::write::Store;

use crate::harness::program::Program;

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// A program with the site of a case.
fn program(name: &str) -> Program {
    let site = fs::read_to_string(case(name).join("sites/plant.toml")).unwrap();
    Program::new("sites_dir = \"sites\"\n", &[("plant".to_owned(), site)])
}

fn refused(program: &Program, args: &[&str]) -> String {
    let output = program.try_ask(args);
    assert!(!output.status.success(), "{args:?} was taken");
    String::from_utf8(output.stderr).unwrap()
}

fn file<'a>(scope: &[&'a str], from: &'a str, to: &'a str) -> Vec<&'a str> {
    let head =
        ["maintenance", "file", "plant", "--from", from, "--to", to, "--who", "li", "--note", "bearings"];
    [&head[..], scope].concat()
}

#[test]
fn maintenance_is_filed_listed_and_withdrawn_and_is_there_after_a_restart() {
    let mut program = program("treatment_off_for_forty_minutes");
    program.start();
    program.await_ready();
    let ahead = ("2099-01-01 08:00", "2099-01-02 08:00");
    let filed: Value = program.json(&file(&["--point", "fan"], ahead.0, ahead.1));
    assert_eq!(filed["counts"], true, "{filed}");
    assert!(filed["who"].as_str().unwrap().starts_with("li (uid "), "{filed}");
    let id = filed["id"].as_str().unwrap().to_owned();
    let late = program.ask(&file(&[], "2020-01-01 08:00", "2020-01-02 08:00"));
    assert!(late.contains("declared afterwards: suppresses nothing"), "{late}");

    let error = refused(&program, &file(&[], "2099-01-01", "2099-02-02"));
    assert!(error.contains("32 days are more than the 31") && error.contains("hint:"), "{error}");
    let error = refused(&program, &file(&["--process", "oven"], ahead.0, ahead.1));
    assert!(error.contains("the site plant has no process \"oven\"") && error.contains("line"), "{error}");
    let error = refused(&program, &file(&[], ahead.1, ahead.0));
    assert!(error.contains("the end is not after the begin"), "{error}");
    let error = refused(&program, &["maintenance", "withdraw", "m999999", "--who", "wang"]);
    assert!(error.contains("m999999"), "{error}");

    let withdrawn = program.ask(&["maintenance", "withdraw", &id, "--who", "wang"]);
    assert!(
        withdrawn.contains("filed beforehand; withdrawn") && withdrawn.contains("wang (uid "),
        "{withdrawn}"
    );
    let error = refused(&program, &["maintenance", "withdraw", &id, "--who", "wang"]);
    assert!(error.contains("was withdrawn already"), "{error}");

    let listed = program.ask(&["maintenance", "list", "plant"]);
    assert!(listed.contains("whole site") && listed.contains("2099-01-01 08:00:00"), "{listed}");
    let chinese = program.ask(&["maintenance", "list", "--lang", "zh"]);
    assert!(chinese.contains("事后申报") && chinese.contains("已撤销"), "{chinese}");
    program.kill();
    program.start();
    program.await_ready();
    assert_eq!(program.ask(&["maintenance", "list", "plant"]), listed);
    program.stop();
    let error = refused(&program, &file(&[], ahead.0, ahead.1));
    assert!(error.contains("only while the daemon runs"), "{error}");
}

#[test]
fn alerts_say_why_nobody_is_told_of_them_and_are_listed_with_and_without() {
    let name = "commissioning_suppresses";
    let program = program(name);
    fs::create_dir_all(program.data()).unwrap();
    let loaded = submeterd::config::load(Some(&case(name).join("config.toml")), BTreeMap::new()).unwrap();
    let text = fs::read_to_string(case(name).join("input.jsonl")).unwrap();
    let lines: Vec<_> = text.lines().map(|l| (recorded::received_at(l.as_bytes()).unwrap(), l)).collect();
    let store = Store::open(&program.data().join(STORE_FILE)).unwrap();
    let mut replay = Replay::begin(store, &loaded.config.registry, lines[0].0).unwrap();
    for (received, line) in lines {
        replay.message(received, line.as_bytes()).unwrap();
    }
    drop(replay.finish().unwrap());

    let count = |args: &[&str]| program.json::<Vec<Value>>(&[&["alerts", "list"], args].concat()).len();
    assert_eq!((count(&[]), count(&["--suppressed"]), count(&["--no-suppressed"])), (1, 1, 0));
    let listed = program.ask(&["alerts", "list"]);
    assert!(listed.contains("cleared, suppressed: commissioning"), "{listed}");
    let alerts: Vec<Value> = program.json(&["alerts", "list"]);
    let id = alerts[0]["id"].as_str().unwrap();
    let shown = program.ask(&["alerts", "show", id]);
    assert!(shown.contains("suppressed: commissioning until 2022-08-31 00:00:00"), "{shown}");
    let chinese = program.ask(&["alerts", "show", id, "--lang", "zh"]);
    assert!(chinese.contains("不通知：调试"), "{chinese}");
}
