//! Users, tokens, deeds about alerts and the trail on the command line, with the real program.

use std::process::Output;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::program::Program;
use crate::harness::wait::wait_for_blocking;
use crate::page::visitor::{House, encoded, json, sites};

const WITHIN: Duration = Duration::from_secs(30);
const FIRST: &str = "a long sentence of hers";
const SECOND: &str = "another sentence, later";

fn errors(output: &Output) -> String {
    assert!(!output.status.success(), "it was taken: {output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn refused(program: &Program, args: &[&str]) -> String {
    errors(&program.try_ask(args))
}

fn told(program: &Program, args: &[&str], input: &str) {
    let output = program.tell(args, input);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn add<'a>(name: &'a str, role: &'a str) -> Vec<&'a str> {
    vec!["users", "add", name, "--role", role, "--scope", "all", "--who", "root"]
}

#[tokio::test]
async fn a_user_from_the_command_line_logs_in_and_a_new_password_ends_the_old_session() {
    let house = House::open("").await;
    let program = &house.program;
    told(program, &add("chen", "admin"), &format!("{FIRST}\n"));
    assert!(errors(&program.tell(&add("CHEN", "viewer"), FIRST)).contains("already"));
    assert!(errors(&program.tell(&add("li", "viewer"), "short")).contains("hint:"));
    assert!(errors(&program.tell(&add("li", "viewer"), "")).contains("--password-file"));
    assert!(errors(&program.tell(&add("li", "boss"), FIRST)).contains("auditor"), "roles are told");
    let file = program.folder().join("li.password");
    std::fs::write(&file, format!("{FIRST}\n")).unwrap();
    program.ask(&[&add("li", "operator")[..], &["--password-file", file.to_str().unwrap()]].concat());

    let chen = house.log_in("chen", FIRST).await;
    assert_eq!(chen.get("/api/v1/users").await.status(), StatusCode::OK);
    told(program, &["users", "password", "Chen", "--who", "root"], SECOND);
    assert_eq!(chen.get("/api/v1/users").await.status(), StatusCode::UNAUTHORIZED, "the old session");
    let old = house.form("/log-in", encoded(&[("name", "chen"), ("password", FIRST)])).await;
    assert_eq!(old.status(), StatusCode::FORBIDDEN);
    house.log_in("chen", SECOND).await;

    let li = house.log_in("li", FIRST).await;
    let changed: Value = program.json(&["users", "change", "li", "--role", "auditor", "--who", "root"]);
    assert_eq!((&changed["role"], &changed["scope"]), (&json!("auditor"), &json!("all")), "{changed}");
    assert_eq!(li.get("/api/v1/trail").await.status(), StatusCode::OK, "from the next request on");
    program.ask(&["users", "change", "li", "--disable", "--who", "root"]);
    assert_eq!(li.get("/api/v1/trail").await.status(), StatusCode::UNAUTHORIZED);
    let last = refused(program, &["users", "change", "chen", "--disable", "--who", "root"]);
    assert!(last.contains("the last who can administer"), "{last}");
    assert!(
        refused(program, &["users", "change", "li", "--who", "root"]).contains("--role"),
        "nothing is changed"
    );
    let listed = program.ask(&["users", "list", "--lang", "zh"]);
    assert!(listed.contains("管理员") && listed.contains("已停用"), "{listed}");

    let trail: Vec<Value> = program.json(&["trail", "--subject", "chen"]);
    let what: Vec<&str> = trail.iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert!(what.contains(&"add_user") && what.contains(&"set_password"), "{what:?}");
    let own = trail.iter().find(|entry| entry["what"] == "set_password").unwrap();
    assert!(own["who"].as_str().unwrap().starts_with("root (uid "), "{own}");
    assert_eq!(own["origin"], "socket");
    let everything = format!("{} {}", program.log(), program.ask(&["trail"]));
    assert!(!everything.contains(FIRST) && !everything.contains(SECOND), "passwords are nowhere");
}

#[tokio::test]
async fn a_token_from_the_command_line_lets_a_program_in_until_it_is_revoked() {
    let house = House::open("").await;
    let program = &house.program;
    let args = ["tokens", "add", "grafana", "--role", "auditor", "--scope", "all", "--who", "root"];
    let over = refused(program, &[&args[..], &["--expires", "2020-01-01"]].concat());
    assert!(over.contains("expired already"), "{over}");
    let made: Value = program.json(&[&args[..], &["--expires", "90d"]].concat());
    let secret = made["secret"].as_str().unwrap();
    let status =
        async || house.with_token(secret, Method::GET, "/api/v1/trail").send().await.unwrap().status();
    assert_eq!(status().await, StatusCode::OK);
    let listed = program.ask(&["tokens", "list"]);
    assert!(listed.contains("grafana") && !listed.contains(secret), "{listed}");
    let id = made["token"]["id"].to_string();
    assert!(program.ask(&["tokens", "revoke", &id, "--who", "root"]).contains(&id));
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
    assert!(refused(program, &["tokens", "revoke", &id, "--who", "root"]).contains("there is no token"));
}

#[test]
fn where_nothing_is_served_there_are_no_accounts_and_that_is_said() {
    let mut program = Program::new("", &sites());
    program.start();
    program.await_ready();
    for args in [&["users", "list"][..], &["tokens", "list"], &add("chen", "admin")] {
        let error = refused(&program, args);
        assert!(error.contains("there are no users and no tokens") && error.contains("[web]"), "{error}");
    }
    program.stop();
    assert!(refused(&program, &["users", "list"]).contains("only while the daemon runs"));
}

#[tokio::test]
async fn deeds_from_the_command_line_are_told_by_the_alert_and_stand_in_the_trail() {
    let mut house = House::open("").await;
    // A press with another rating is an alert of its own: what is judged by was changed.
    house.program.stop();
    let site = house.program.folder().join("sites/plant-1.toml");
    let text = std::fs::read_to_string(&site).unwrap();
    std::fs::write(&site, text.replace("rated_kw = 100", "rated_kw = 150")).unwrap();
    house.program.start();
    house.program.await_ready();
    let program = &house.program;
    let id = wait_for_blocking("the alert", WITHIN, || {
        let alerts: Vec<Value> = program.json(&["alerts", "list"]);
        Some(alerts.first()?["id"].as_str()?.to_owned())
    });
    let by = |args: &[&str]| {
        program.json::<Value>(&[&["alerts", args[0], &id[..8], "--who", "li"], &args[1..]].concat())
    };
    by(&["acknowledge", "--note", "seen"]);
    by(&["comment", "--note", "new motor"]);
    by(&["assign", "--to", "wang"]);
    by(&["declare", "--cause", "maintenance", "--note", "motor replaced"]);
    let shown = program.ask(&["alerts", "show", &id]);
    assert!(shown.contains("declared maintenance (not judged yet): \"motor replaced\""), "{shown}");
    by(&["confirm", "--note", "photo seen"]);
    let again = refused(program, &["alerts", "refuse", &id, "--who", "li"]);
    assert!(again.contains("no declaration") && again.contains("--declaration"), "{again}");
    let other = ["alerts", "declare", &id, "--cause", "other", "--who", "li"];
    assert!(refused(program, &other).contains("another cause is told in the note"));

    let trail: Vec<Value> = program.json(&["trail", "--site", "plant-1", "--subject", &id]);
    let what: Vec<&str> = trail.iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["confirm", "declare", "assign", "comment", "acknowledge"]);
    assert!(trail.iter().all(|entry| entry["who"].as_str().unwrap().starts_with("li (uid ")), "{trail:?}");
    let chinese = program.ask(&["alerts", "show", &id, "--lang", "zh"]);
    for said in ["申报原因 检修（已认可）：“motor replaced”", "指派给 wang", "负责人: wang"]
    {
        assert!(chinese.contains(said), "{said}: {chinese}");
    }
    let two = program.ask(&["trail", "--limit", "2", "--lang", "zh"]);
    assert!(two.contains("认可申报") && two.contains("申报原因") && !two.contains("指派"), "{two}");
    let told = (program.ask(&["alerts", "show", &id]), program.ask(&["trail"]));
    house.program.stop();
    let program = &house.program;
    assert_eq!(
        (program.ask(&["alerts", "show", &id]), program.ask(&["trail"])),
        told,
        "without a daemon too"
    );
}

#[tokio::test]
async fn whoever_may_not_come_in_by_the_page_is_let_in_again_over_the_socket() {
    let house = House::open("").await;
    let _lost = house.set_up().await;
    told(&house.program, &["users", "password", "chen", "--who", "root"], SECOND);
    let chen = house.log_in("chen", SECOND).await;
    let users = json(chen.get("/api/v1/users").await).await;
    assert_eq!(users[0]["name"], "chen");
}
