//! The printing plant's recording as its owner has it, a CSV, replayed by the program.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use submeterd::model::time::HOUR_MS;

use super::recording::path;
use crate::harness::program::command;

#[test]
fn a_real_plants_csv_has_the_alerts_its_messages_have() {
    const PRESS: &str = "r707lv_f4034_powder_extract_label";
    let csv = path("clemap_print_5min_to_12Oct.csv");
    if !csv.exists() {
        eprintln!("SKIPPED: {} is not there; replay was NOT tried on a real CSV", csv.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let units = [
        (PRESS, "production", 45, "12 kW", "11.5 kW"),
        ("xl106_press", "production", 15, "4 kW", "3.8 kW"),
        ("main_ventilation", "treatment", 12, "1.55 kW", "1.5 kW"),
    ];
    let mut site =
        "id = \"plant\"\nname = \"Printing\"\ntime_zone = \"Europe/Zurich\"\nstep = \"5min\"\n".to_owned();
    let mut map = "[time]\ncolumn = \"timestamp_utc\"\nzone = \"UTC\"\n".to_owned();
    for (id, kind, rated_kw, above, below) in units {
        write!(
            site,
            "[[meters]]\nid = \"{id}\"\nperiod = \"5min\"\n[[points]]\nid = \"{id}\"\nmeter = \"{id}\"\n\
             kind = \"{kind}\"\nrated_kw = {rated_kw}\nrunning_above = \"{above}\"\nrunning_below = \"{below}\"\n"
        )
        .unwrap();
        write!(
            map,
            "[[column]]\nname = \"{id}\"\nmeter = \"plant/{id}\"\nquantity = \"power_w\"\nunit = \"kW\"\n"
        )
        .unwrap();
    }
    write!(
        site,
        "[[processes]]\nid = \"printing\"\nproduction = [\"{PRESS}\", \"xl106_press\"]\n\
         treatment = [{{ points = [\"main_ventilation\"] }}]\n"
    )
    .unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("sites")).unwrap();
    fs::write(at("sites/plant.toml"), &site).unwrap();
    fs::write(at("submeterd.toml"), "[daemon]\nsites_dir = \"sites\"\n").unwrap();
    fs::write(at("map.toml"), &map).unwrap();
    let judged = |more: &[&str]| -> Vec<Value> {
        let mut replay = command(&["replay", "--json", "--config"]);
        replay.arg(at("submeterd.toml")).arg("--csv").arg(&csv).arg("--columns").arg(at("map.toml"));
        let output = replay.args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let alerts = judged(&[]);
    assert_eq!(alerts.len(), 11, "as many as from its messages: {alerts:#?}");
    assert!(alerts.iter().all(|a| a["rule"] == "treatment_off" && a["status"] == "cleared"));
    let hours: i64 = alerts.iter().map(|a| a["certain_ms"].as_i64().unwrap()).sum::<i64>() / HOUR_MS;
    assert_eq!(hours, 11);
    // The two days before it are read along: the same alerts, but for the numbers of their messages.
    let monday = judged(&["--from", "2021-10-11", "--to", "2021-10-12"]);
    let told = |a: &Value| [&a["id"], &a["certain_ms"], &a["cleared"], &a["level"]].map(Value::clone);
    assert_eq!(
        monday.iter().map(told).collect::<Vec<_>>(),
        alerts[3..6].iter().map(told).collect::<Vec<_>>()
    );
}
