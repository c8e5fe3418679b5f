//! Thresholds as an operator and an electrician meet them: learned from history, listed, confirmed, refused, commissioned,
//! with the real program.

use serde_json::Value;
use submeterd::history;
use submeterd::model::quantity::Channel;
use submeterd::model::reading::{Quality, ReadingBatch};
use submeterd::model::time::{Clock, MINUTE_MS, UtcMs};
use submeterd::store::schema::STORE_FILE;
use submeterd::store::write::Store;

use crate::harness::program::Program;

pub const SITE: &str = "id = \"plant\"\nname = \"Plant\"\n\
[[meters]]\nid = \"press\"\n[[meters]]\nid = \"fan\"\n\
[[points]]\nid = \"press\"\nkind = \"production\"\nrated_kw = 20\nmeter = \"press\"\n\
[[points]]\nid = \"fan\"\nkind = \"treatment\"\nrated_kw = 5\nmeter = \"fan\"\n\
[[processes]]\nid = \"line\"\nproduction = [\"press\"]\ntreatment = [{ points = [\"fan\"] }]\n";

pub const CONFIG: &str = "[log]\nformat = \"text\"\n[[mqtt.brokers]]\nname = \"city\"\nhost = \"127.0.0.1\"\nport = 9\n\
[[mqtt.brokers.subscriptions]]\npattern = \"submeter/v1/{site}/{meter}/reading\"\n";

pub const DAYS: i64 = 16;

/// Days up to `now` in which press (0) and fan (1) draw this power, W, by hour and minute since the first.
pub fn fill(program: &Program, now: UtcMs, power_w: impl Fn(usize, i64, i64) -> f64) {
    std::fs::create_dir_all(program.data()).unwrap();
    let mut store = Store::open(&program.data().join(STORE_FILE)).unwrap();
    let tx = store.begin().unwrap();
    let keys = ["plant/press", "plant/fan"].map(|id| history::meters::key(tx.conn(), id).unwrap());
    let first = now.plus(-DAYS * 1_440 * MINUTE_MS);
    for hour in 0..DAYS * 24 {
        let mut batch = ReadingBatch::default();
        for minute in 0..60 {
            let at = first.plus((hour * 60 + minute) * MINUTE_MS);
            let noise = 1.0 + 0.02 * ((minute * 7 % 11) as f64 - 5.0) / 5.0;
            for meter in [0, 1] {
                batch.begin(u32::try_from(meter).unwrap(), at, at, 0, Quality::GOOD);
                batch.push_value(Channel::POWER, noise * power_w(meter, hour, minute));
            }
        }
        history::batch::append(tx.conn(), &batch, &keys).unwrap();
    }
    tx.commit(0).unwrap();
}

fn ready(now: UtcMs, fan_w: f64) -> Program {
    let mut program = Program::new(CONFIG, &[("plant".into(), SITE.into())]);
    // Days begin with ten hours of standstill; then both units work.
    fill(&program, now, |meter, hour, _| {
        [[60.0, 8.0], [18_000.0, fan_w]][usize::from(hour % 24 >= 10)][meter]
    });
    program.start();
    program.await_ready();
    program
}

/// So many minutes of the last day but one, counted from its begin.
fn span(now: UtcMs, from_minute: i64, minutes: i64) -> String {
    let from = now.plus((from_minute - 2 * 1_440) * MINUTE_MS);
    format!("{}..{}", from.iso(), from.plus(minutes * MINUTE_MS).iso())
}

fn point<'a>(judged_by: &'a Value, id: &str) -> &'a Value {
    judged_by["points"].as_array().unwrap().iter().find(|p| p["id"] == id).unwrap()
}

#[test]
fn thresholds_are_learned_listed_confirmed_and_commissioned() {
    let now = UtcMs(Clock::System.now().0.div_euclid(MINUTE_MS) * MINUTE_MS);
    let mut program = ready(now, 4_200.0);
    let learned: Value = program.json(&["thresholds", "learn", "plant"]);
    // Thresholds would move by more than x2 and wait; that the fan has a usual power at all is new, and in force.
    let verdicts: Vec<_> =
        learned["decided"].as_array().unwrap().iter().map(|d| &d["decided"]["verdict"]).collect();
    assert_eq!(verdicts, ["waits", "waits", "in_force"], "{learned}");
    let again: Value = program.json(&["thresholds", "learn", "plant"]);
    assert_eq!(again["decided"], serde_json::json!([]), "no news: {again}");

    let confirmed = program.try_ask(&["thresholds", "confirm", "plant", "--who", "li", "--json"]);
    let said: Value = serde_json::from_slice(&confirmed.stdout).unwrap();
    let denied = said["decided"].as_array().unwrap();
    let denied: Vec<_> = denied.iter().filter(|d| d["decided"]["verdict"] == "denied").collect();
    assert_eq!(denied.len(), 1, "{said}");
    assert!(
        denied[0]["decided"]["why"].as_str().unwrap().contains("no recorded commissioning test"),
        "{said}"
    );
    let in_force = &point(&said["judged_by"], "press")["thresholds"];
    assert_eq!(in_force["basis"], "confirmed", "{said}");
    assert!(said["judged_by"]["points"][0]["who"].as_str().unwrap().starts_with("li (uid "), "{said}");

    // Too short a phase is refused with every reason; a good test is recorded.
    let (off, full) = (span(now, 60, 20), span(now, 660, 40));
    let short = span(now, 660, 20);
    let args = |full| ["commission", "plant", "--off", &off, "--full", full, "--who", "wang", "--yes"];
    let refused = program.try_ask(&args(&short));
    assert!(!refused.status.success());
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("20 whole minutes, fewer than 30"), "{why}");
    let refused = program.try_ask(&[&args(&short)[..], &["--lang", "zh"]].concat());
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("“满负荷”阶段仅 20 个整分钟，少于 30 个"), "{why}");
    let text = program.ask(&args(&full));
    assert!(text.contains("The test is accepted") && text.contains("measured in the test"), "{text}");
    let listed: Value = program.json(&["thresholds", "list", "plant"]);
    assert_eq!(point(&listed[0], "fan")["thresholds"]["basis"], "commissioned");
    assert_eq!(listed[0]["tests"][0]["process"], "line");

    // What was learned is now held against the test, and completes it.
    program.json::<Value>(&["thresholds", "learn", "plant"]);
    let chinese = program.ask(&["thresholds", "list", "--lang", "zh"]);
    assert!(chinese.contains("调试验收 line") && chinese.contains("调试验收, wang"), "{chinese}");
    let shown = program.ask(&["sites", "show", "plant"]);
    assert!(shown.contains("(commissioned, v"), "{shown}");
    let changes: Value = program.json(&["alerts", "list", "--rule", "config_change"]);
    assert!(changes.as_array().unwrap().len() >= 2, "{changes}");
    let text = program.ask(&["alerts", "show", changes[0]["id"].as_str().unwrap()]);
    assert!(text.contains("thresholds of fan") && text.contains("by wang"), "{text}");

    program.stop();
    program.start();
    program.await_ready();
    let after: Value = program.json(&["thresholds", "list", "plant"]);
    assert_eq!(point(&after[0], "fan")["thresholds"], point(&listed[0], "fan")["thresholds"]);
    program.stop();
    let files: Value = program.json(&["thresholds", "list", "plant"]);
    assert_eq!(files[0]["tests"], listed[0]["tests"], "the files say the same");
}

#[test]
fn a_label_that_looks_swapped_is_told_where_it_is_listed() {
    let now = UtcMs(Clock::System.now().0.div_euclid(MINUTE_MS) * MINUTE_MS);
    let mut program = ready(now, 9_000.0);
    program.json::<Value>(&["thresholds", "learn", "plant"]);
    let text = program.ask(&["sites", "show", "plant"]);
    assert!(text.contains("fan: draws 9.2 kW for long, rated 5.0 kW: check the rated power"), "{text}");
    let nobody = program.try_ask(&["thresholds", "confirm", "plant", "--point", "nobody", "--who", "li"]);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("there is no point \"nobody\""));
    program.stop();
}
