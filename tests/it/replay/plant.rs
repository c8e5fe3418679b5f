//! A plant of a press and a fan with three days behind it, and the program that replays them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use submeterd::config;
use submeterd::engine::replay;
use submeterd::journal::writer::Retention;
use submeterd::journal::{Journal, Reader};
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::time::{Clock, MINUTE_MS, UtcMs};
use submeterd::store::schema::STORE_FILE;
use submeterd::store::write::Store;
use tempfile::TempDir;

use crate::harness::program::command;

/// 2026-11-01 00:00 in Shanghai.
pub const BEGIN: UtcMs = UtcMs(1_793_462_400_000);

/// When the fan stands while the press runs: day, minute of the day, minutes.
const STOPS: [(i64, i64, i64); 4] = [(0, 600, 25), (1, 600, 12), (1, 900, 7), (2, 600, 40)];

pub const N_MINUTES: i64 = 3 * 24 * 60;

/// The minute whose readings come late, and when that of the fan does.
const LATE: i64 = 700;
const ARRIVES: i64 = 1_440 + 700;

/// Powers of press and fan in a minute, kW: the press runs from eight to eight, the fan from a little before.
pub fn powers(minute: i64) -> (f64, f64) {
    let (day, of_day) = (minute / 1_440, minute % 1_440);
    let stands = STOPS.iter().any(|(d, from, n)| *d == day && (*from..from + n).contains(&of_day));
    let press = if (480..1_200).contains(&of_day) { 50.0 } else { 0.1 };
    let fan = if (475..1_205).contains(&of_day) && !stands { 12.0 } else { 0.1 };
    (press, fan)
}

pub fn at(minute: i64) -> UtcMs {
    BEGIN.plus(minute * MINUTE_MS)
}

pub fn put(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A configuration of the plant in a folder of its own; `rules` are keys of its process.
pub fn configured(folder: &Path, name: &str, rules: &str) -> String {
    let site = format!(
        "id = \"plant\"\nname = \"Plant & Co\"\ntime_zone = \"Asia/Shanghai\"\n\
         [[meters]]\nid = \"press\"\n[[meters]]\nid = \"fan\"\n\
         [[points]]\nid = \"press\"\nname = \"Press\"\nkind = \"production\"\nrated_kw = 60\nmeter = \"press\"\n\
         [[points]]\nid = \"fan\"\nname = \"Fan\"\nkind = \"treatment\"\nrated_kw = 15\nmeter = \"fan\"\n\
         [[processes]]\nid = \"line\"\nproduction = [\"press\"]\ntreatment = [{{ points = [\"fan\"] }}]\n{rules}"
    );
    put(folder, &format!("{name}/sites/plant.toml"), &site);
    let main = "[daemon]\nsites_dir = \"sites\"\n[[mqtt.brokers]]\nname = \"city\"\nhost = \"127.0.0.1\"\n\
                [[mqtt.brokers.subscriptions]]\npattern = \"submeter/v1/{site}/{meter}/reading\"\n";
    put(folder, &format!("{name}/submeterd.toml"), main)
}

/// The data folder a daemon would leave: its journal, and the store the engine makes of it.
fn data_folder(folder: &Path, config: &str) -> PathBuf {
    let data = folder.join("data");
    fs::create_dir(&data).unwrap();
    let registry = config::load(Some(Path::new(config)), config::Environment::new()).unwrap().config.registry;
    let kept = Retention { max_age_days: 100_000, max_bytes: 1 << 40 };
    let (journal, thread) = Journal::open(&data, kept, Clock::System).unwrap();
    let append = |kind, received, topic: &str, payload: &[u8]| {
        let source = if kind == Kind::Mqtt { "city" } else { "" };
        let delivery = Delivery::PLAIN;
        journal.append(&Message { kind, delivery, received, source, topic, payload }).unwrap();
    };
    append(Kind::Registry, at(-1), "", &serde_json::to_vec(&registry).unwrap());
    for minute in 0..N_MINUTES {
        append(Kind::Tick, at(minute), "", &[]);
        let (press, fan) = powers(minute);
        // One of the fan's comes a day later than it was measured.
        let fan_minute = match minute {
            LATE => continue,
            ARRIVES => LATE,
            own => own,
        };
        for (meter, measured, kw) in [("press", minute, press), ("fan", fan_minute, fan)] {
            let payload = json!({ "ts": at(measured).0, "p": kw }).to_string();
            let topic = format!("submeter/v1/plant/{meter}/reading");
            append(Kind::Mqtt, at(minute).plus(2_000), &topic, payload.as_bytes());
        }
    }
    drop(journal);
    thread.finish().unwrap();
    let store = Store::open(&data.join(STORE_FILE)).unwrap();
    let mut engine = replay::journal(store, &mut Reader::open(&data).unwrap(), |_| {}).unwrap();
    engine.save().unwrap();
    while engine.fold().unwrap() {}
    data
}

/// A plant with three days behind it.
pub struct Plant {
    pub folder: TempDir,
    pub config: String,
    pub data: String,
}

pub fn plant() -> Plant {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), "now", "");
    let data = data_folder(folder.path(), &config).to_str().unwrap().to_owned();
    Plant { folder, config, data }
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub fn run(args: &[&str]) -> String {
    let output = command(&[&["replay"], args].concat()).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    said(&output)
}

pub fn run_json(args: &[&str]) -> Value {
    let output = command(&[&["replay", "--json"], args].concat()).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn refused(args: &[&str]) -> (Option<i32>, String) {
    let output = command(&[&["replay"], args].concat()).output().unwrap();
    assert!(!output.status.success(), "{args:?}: {}", said(&output));
    (output.status.code(), said(&output))
}

/// Begins and certain minutes of alerts, in minutes after [`BEGIN`].
pub fn minutes(alerts: &Value) -> Vec<(i64, i64)> {
    let minute = |ms: i64| (ms - BEGIN.0) / MINUTE_MS;
    let of =
        |a: &Value| (minute(a["first"].as_i64().unwrap()), a["certain_ms"].as_i64().unwrap() / MINUTE_MS);
    alerts.as_array().unwrap().iter().map(of).collect()
}
