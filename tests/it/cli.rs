//! The command line, as people type it.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::harness::fake_meter::{FakeMeter, Framing, Reply};
use crate::harness::program::command;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn run(args: &[&str]) -> String {
    let output = command(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    said(&output)
}

fn put(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn help_teaches_what_to_do_first() {
    let help = run(&["--help"]);
    let all = [
        "run",
        "check",
        "probe",
        "sites",
        "alerts",
        "readings",
        "rejects",
        "status",
        "replay",
        "maintenance",
    ];
    for command in all.into_iter().chain(["thresholds", "commission", "trail", "users", "tokens"]) {
        assert!(help.contains(&format!("\n  {command} ")), "{command}\n{help}");
        assert!(run(&[command, "--help"]).lines().count() > 5);
    }
    assert!(help.contains("Begin here:"), "{help}");
}

#[test]
fn mistakes_are_told_at_once_with_a_hint_and_exit_78() {
    let folder = tempfile::tempdir().unwrap();
    let config = put(folder.path(), "submeterd.toml", "[daemon]\ntik = \"1s\"\nstop_within = \"soon\"\n");
    let output = command(&["check", "--config", &config]).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(78), "{text}");
    assert!(text.contains("daemon.tik") && text.contains("daemon.stop_within"), "{text}");
    assert!(text.contains("hint: did you mean \"tick\"?"), "{text}");
    let output = command(&["check", "--json", "--config", &config]).output().unwrap();
    let problems: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(problems["errors"].as_array().unwrap().len(), 2, "{problems}");
    // The daemon does not start on it either, and systemd will not try again.
    assert_eq!(command(&["run", "--config", &config]).output().unwrap().status.code(), Some(78));
}

#[test]
fn check_says_when_a_bus_cannot_keep_its_period() {
    let folder = tempfile::tempdir().unwrap();
    let config = put(
        folder.path(),
        "submeterd.toml",
        "[[modbus.links]]\nname = \"bus-1\"\ntransport = \"rtu_over_tcp\"\nhost = \"127.0.0.1\"\nport = 4001\nbaud = 9600\n",
    );
    let mut site = "id = \"plant\"\nname = \"Plant\"\n".to_owned();
    for unit in 1..=30 {
        site.push_str(&format!(
            "[[meters]]\nid = \"m{unit}\"\nperiod = \"1s\"\n\
             modbus = {{ link = \"bus-1\", unit = {unit}, profile = \"eastron-sdm630\" }}\n"
        ));
    }
    put(folder.path(), "sites/plant.toml", &site);
    let text = run(&["check", "--config", &config]);
    assert!(
        text.contains("link bus-1: 30 meters") && text.contains("the wanted period cannot be kept"),
        "{text}"
    );
}

#[test]
fn a_spreadsheet_becomes_site_files_that_load() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(&["sites", "import", "--help"]);
    assert!(help.contains("CSV") && help.contains("rated_kw"), "{help}");
    let csv = put(
        folder.path(),
        "sites.csv",
        "site_id,site_name,point_id,kind,rated_kw,meter,process\n\
         plant-a,宏达家具,press,production,60,m1,line\n\
         plant-a,宏达家具,fan,treatment,15,m2,line\n",
    );
    let into = folder.path().join("sites");
    let into = into.to_str().unwrap();
    let text = run(&["sites", "import", &csv, "--into", into]);
    assert!(text.contains("1 site files written"), "{text}");
    let again = command(&["sites", "import", &csv, "--into", into]).output().unwrap();
    assert!(!again.status.success() && said(&again).contains("hint: --force"), "{}", said(&again));
    let config = put(folder.path(), "submeterd.toml", "[daemon]\nsites_dir = \"sites\"\n");
    let text = run(&["check", "--config", &config]);
    assert!(text.contains("1 sites, 2 meters"), "{text}");
}

#[test]
fn every_rule_is_listed_with_what_can_be_set_about_it() {
    let text = run(&["sites", "rules"]);
    for said in ["R4 treatment_underload", "45%", "night_from", "22:00", "R18 config_change"] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let keys: Value = serde_json::from_str(&run(&["sites", "rules", "--json"])).unwrap();
    assert!(keys.as_array().unwrap().iter().any(|k| k["rule"] == "frozen" && k["key"] == "samples_min"));
}

#[test]
fn a_replay_prints_its_alerts_as_a_table_in_both_languages() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/treatment_off_for_forty_minutes");
    let (config, input) = (case.join("config.toml"), case.join("input.jsonl"));
    let args = ["replay", "--config", config.to_str().unwrap(), "--input", input.to_str().unwrap()];
    let english = run(&args);
    assert!(english.contains("treatment_off") && english.contains("2022-08-30 10:40:00"), "{english}");
    assert!(english.contains("40 min") && english.contains("cleared"), "{english}");
    let chinese = run(&[&args[..], &["--lang", "zh"]].concat());
    assert!(chinese.contains("生产期间治污设施停运") && chinese.contains("已解除"), "{chinese}");
    let bad = put(tempfile::tempdir().unwrap().path(), "bad.jsonl", "{\"p\":1}\n");
    let output =
        command(&["replay", "--config", config.to_str().unwrap(), "--input", &bad]).output().unwrap();
    assert!(!output.status.success());
}

#[test]
fn without_daemon_and_files_a_question_is_answered_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    let config = put(
        folder.path(),
        "submeterd.toml",
        &format!("[daemon]\ndata_dir = \"{here}/data\"\nsocket = \"{here}/s\"\n"),
    );
    let output = command(&["alerts", "list", "--config", &config]).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error: no daemon answers") && text.contains("hint: start the daemon"), "{text}");
}

/// The registers of an SDM630, as far as this test looks at them.
fn float_at(address: u16) -> f32 {
    match address {
        0 | 2 | 4 => 229.8,
        52 => 35_200.0,
        70 => 50.0,
        72 => 103_245.67,
        _ => 1.0,
    }
}

#[tokio::test]
async fn a_probe_shows_every_quantity_with_its_unit_and_finds_slaves() {
    let meter = FakeMeter::listen(Framing::Tcp, |asked| {
        if asked.unit != 3 {
            return Reply::Silence;
        }
        let words = (asked.address..asked.address + asked.count).map(|a| {
            let bits = float_at(a & !1).to_bits();
            if a % 2 == 0 { (bits >> 16) as u16 } else { bits as u16 }
        });
        Reply::Words(words.collect())
    })
    .await;
    let address = format!("127.0.0.1:{}", meter.port());
    let text = tokio::task::spawn_blocking({
        let address = address.clone();
        move || run(&["probe", "--tcp", &address, "--unit", "3", "--profile", "eastron-sdm630"])
    })
    .await
    .unwrap();
    assert!(text.contains("power_w") && text.contains("35200.000"), "{text}");
    assert!(text.contains("103245.67") && text.contains("kWh"), "{text}");
    let found = tokio::task::spawn_blocking(move || {
        run(&["probe", "--tcp", &address, "--scan", "--units", "2-4", "--timeout-ms", "200", "--json"])
    })
    .await
    .unwrap();
    assert!(found.contains("\"unit\": 3") && !found.contains("\"unit\": 2"), "{found}");
}
