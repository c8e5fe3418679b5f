//! What a daemon has stored, judged again: its history, parts of its journal, the difference, a picture.

use std::fs;

use serde_json::{Value, json};

use super::plant::{at, configured, minutes, plant, refused, run, run_json};
use crate::harness::program::command;

const ALL_DAYS: [&str; 4] = ["--from", "2026-11-01", "--to", "2026-11-04"];

#[test]
fn history_judged_by_the_same_rules_has_the_same_alerts() {
    let plant = plant();
    let history = ["--history", &plant.data];
    let alerts = run_json(&[&history[..], &ALL_DAYS].concat());
    assert_eq!(minutes(&alerts), [(600, 25), (1_440 + 600, 12), (2 * 1_440 + 600, 40)]);
    let against = [&history[..], &ALL_DAYS, &["--against", &plant.data]].concat();
    let text = run(&against);
    assert!(
        text.contains("0 opened (only in the replay), 0 gone (only stored), 0 moved, 3 the same"),
        "{text}"
    );
    assert_eq!(run_json(&against)["same"], 3);
    // One day of it: what lies before and after is read along, and not told.
    let day = [
        "--from",
        "2026-11-02",
        "--to",
        "2026-11-03T00:00+08:00",
        "--against",
        &plant.data,
        "--site",
        "plant",
    ];
    let one = run_json(&[&history[..], &day].concat());
    assert_eq!((&one["same"], one["gone"].as_array().unwrap().len()), (&json!(1), 0), "{one}");
}

#[test]
fn other_rules_tried_on_history_say_what_would_have_changed() {
    let plant = plant();
    let quick = configured(plant.folder.path(), "quick", "raise = \"5min\"\nalarm = \"20min\"\n");
    let slow = configured(plant.folder.path(), "slow", "raise = \"20min\"\nalarm = \"30min\"\n");
    let with = |config: &str, more: &[&str]| -> Vec<String> {
        let args = ["--history", &plant.data, "--config", config, "--against", &plant.data];
        [&args[..], &ALL_DAYS, more].concat().iter().map(ToString::to_string).collect()
    };
    let as_str = |args: &[String]| run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let found = run_json(&with(&quick, &[]).iter().map(String::as_str).collect::<Vec<_>>());
    let at_minute = |minute: i64| json!(at(minute).0);
    assert_eq!(found["opened"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["opened"][0]["begin"], at_minute(1_440 + 900), "seven minutes are enough now");
    assert_eq!((&found["same"], &found["gone"]), (&json!(2), &json!([])), "{found}");
    assert_eq!(found["moved"][0]["changed"], json!(["level"]));
    assert_eq!(found["moved"][0]["stored"]["level"], "warning");
    assert_eq!(found["moved"][0]["replayed"]["level"], "alarm");
    let text = as_str(&with(&quick, &[]));
    assert!(
        text.contains("opened") && text.contains("2026-11-02 15:00") && text.contains("→ !! alarm"),
        "{text}"
    );
    let found = run_json(&with(&slow, &[]).iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(found["gone"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["gone"][0]["begin"], at_minute(1_440 + 600), "twelve minutes are not enough");
    for lang in ["en", "zh"] {
        let text = as_str(&with(&slow, &["--lang", lang]));
        let table = text.lines().take_while(|line| !line.contains(" readings, "));
        let widest = table.map(console_width).max().unwrap();
        assert!(widest <= 100, "{widest}:\n{text}");
        assert!(text.contains(if lang == "en" { "gone" } else { "消失" }), "{text}");
    }
}

/// Columns of a terminal that a line takes: Chinese is two wide.
fn console_width(line: &str) -> usize {
    line.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

#[test]
fn a_part_of_a_journal_has_its_alerts_with_the_messages_they_rest_on() {
    let plant = plant();
    let journal = ["--journal", &plant.data];
    let whole = run_json(&journal);
    assert_eq!(minutes(&whole).len(), 3);
    let part = run_json(&[&journal[..], &["--from", "2026-11-03", "--to", "2026-11-03T18:00"]].concat());
    assert_eq!(part.as_array().unwrap(), &whole.as_array().unwrap()[2..], "alike, to the message numbers");
    let same = run_json(&[&journal[..], &["--against", &plant.data]].concat());
    assert_eq!((&same["same"], &same["moved"]), (&json!(3), &json!([])));
}

#[test]
fn a_journal_is_judged_by_a_named_configuration_and_not_by_one_of_the_environment() {
    let plant = plant();
    let slow = configured(plant.folder.path(), "slow", "raise = \"20min\"\n");
    let named = run_json(&["--journal", &plant.data, "--config", &slow]);
    assert_eq!(minutes(&named), [(600, 25), (2 * 1_440 + 600, 40)]);
    let mut by_environment = command(&["replay", "--json", "--journal", &plant.data]);
    let output = by_environment.env("SUBMETERD_CONFIG", &slow).output().unwrap();
    let alerts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(minutes(&alerts).len(), 3, "a journal is proof by the registries in it");
}

#[test]
fn a_picture_shows_the_process_with_its_alerts() {
    let plant = plant();
    let file = plant.folder.path().join("week.svg");
    let file = file.to_str().unwrap();
    let args = ["--history", &plant.data, "--picture", file, "--process", "plant/line"];
    let text = run(&[&args[..], &ALL_DAYS].concat());
    assert!(text.contains("week.svg is drawn"), "{text}");
    let svg = fs::read_to_string(file).unwrap();
    assert!(svg.starts_with("<?xml") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("class=\"alert\"").count(), 3, "one over all rows each");
    assert!(svg.contains("Plant &amp; Co") && svg.contains(">2026-11-01 10:00 – 10:25<"), "{svg}");
    // Sixty hours of seventy-two the fan does what it should: its states are there from the begin on.
    assert!(svg.contains("class=\"running\"") && svg.contains("class=\"off\""));
    let (_, told) = refused(&[&args[..4], &["--process", "plant/lin"], &ALL_DAYS].concat());
    assert!(
        told.contains("no process \"plant/lin\" is known") && told.contains("did you mean \"plant/line\"")
    );
}

#[test]
fn mistakes_of_time_and_place_are_told_before_the_work_begins() {
    let plant = plant();
    let history = ["--history", &*plant.data];
    let (code, _) = refused(&history);
    assert_eq!(code, Some(2), "history wants a begin and an end");
    let with = |more: &[&str]| refused(&[&history[..], more].concat()).1;
    let told = with(&["--from", "2026-11-03", "--to", "2026-11-01"]);
    assert!(told.contains("--to must be later than --from"), "{told}");
    let told = with(&["--from", "2026-11-01", "--to", "2026-11-04", "--site", "plnt"]);
    assert!(told.contains("no site \"plnt\" is known") && told.contains("did you mean \"plant\""), "{told}");
    let told = with(&["--from", "2020-11-01", "--to", "2020-11-04"]);
    assert!(told.contains("history has no readings of these meters"), "{told}");
    let elsewhere = plant.folder.path().to_str().unwrap();
    let (_, told) = refused(&["--history", elsewhere, "--from", "2026-11-01", "--to", "2026-11-02"]);
    assert!(told.contains("is not the data folder of a daemon"), "{told}");
    let args = ["--config", &plant.config, "--journal", &plant.data, "--against", elsewhere];
    let (_, told) = refused(&args);
    assert!(told.contains("is not the data folder of a daemon"), "{told}");
}

#[test]
fn help_teaches_each_way_with_an_example() {
    let help = run(&["--help"]);
    for part in [
        "--history /var",
        "--journal /var",
        "--csv readings.csv",
        "--against /var",
        "--picture week.svg",
        "quantity_column",
    ] {
        assert!(help.contains(part), "{part}\n{help}");
    }
    let long = help.lines().find(|line| line.chars().count() > 100 && !line.starts_with("Usage:"));
    assert_eq!(long, None);
}
