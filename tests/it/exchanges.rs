//! Meters that were exchanged, on the command line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::program::Program;

fn program() -> Program {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/treatment_off_for_forty_minutes");
    let site = fs::read_to_string(case.join("sites/plant.toml")).unwrap();
    Program::new("sites_dir = \"sites\"\n", &[("plant".to_owned(), site)])
}

fn refused(program: &Program, args: &[&str]) -> String {
    let output = program.try_ask(args);
    assert!(!output.status.success(), "{args:?} was taken");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_exchanged_meter_is_told_listed_and_shown_and_is_there_after_a_restart() {
    let mut program = program();
    program.start();
    program.await_ready();
    let site: Value = program.json(&["sites", "show", "plant"]);
    let meter = site["points"][0]["meter"].as_str().unwrap().to_owned();
    let told = |at: &'static str| {
        let head = ["meters", "replaced", &meter, "--at", at, "--by", "li", "--old-register", "81234.5"];
        [&head[..], &["--new-register", "0.2", "--serial", "B7", "--note", "order 12"]].concat()
    };
    let own: Value = program.json(&told("1h"));
    assert!(own["exchange"]["who"].as_str().unwrap().starts_with("li (uid "), "{own}");
    assert_eq!((&own["site"], &own["point"]), (&"plant".into(), &site["points"][0]["id"]));

    let error = refused(&program, &told("2099-01-01"));
    assert!(error.contains("is not exchanged yet") && error.contains("hint:"), "{error}");
    let error = refused(&program, &["meters", "replaced", "plant/none", "--at", "now", "--who", "li"]);
    assert!(error.contains("there is no meter \"plant/none\""), "{error}");
    let below = ["meters", "replaced", &meter, "--at", "now", "--who", "li", "--new-register=-3"];
    assert!(refused(&program, &below).contains("a number of kWh from 0 up"));

    let listed = program.ask(&["meters", "list", "plant"]);
    for said in [&*meter, "81234.5 → 0.2", "B7", "li (uid ", "order 12"] {
        assert!(listed.contains(said), "{said}: {listed}");
    }
    let shown = program.ask(&["sites", "show", "plant", "--lang", "zh"]);
    assert!(shown.contains("换表时间") && shown.contains("81234.5 → 0.2"), "{shown}");
    assert!(program.ask(&["meters", "list", "elsewhere"]).contains("No meter was exchanged."));
    program.kill();
    program.start();
    program.await_ready();
    assert_eq!(program.ask(&["meters", "list"]), listed);
    program.stop();
    assert_eq!(program.ask(&["meters", "list"]), listed, "from the files");
    let error = refused(&program, &told("1h"));
    assert!(error.contains("only while the daemon runs"), "{error}");
}
