//! What the daemon says of itself, as a real Prometheus reads it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use submeterd::journal::Reader;
use submeterd::model::message::Kind;
use tokio::task::JoinSet;

use crate::dashboards::{dashboard, questions};
use crate::harness::program::Program;
use crate::harness::servers;
use crate::harness::wait::wait_for;

const WITHIN: Duration = Duration::from_secs(60);

const SITE: &str = "id = \"plant\"\nname = \"Plant\"\n[[meters]]\nid = \"press\"\n[[points]]\nid = \"press\"\n\
                    kind = \"production\"\nrated_kw = 10\nmeter = \"press\"\n";

/// Readings and messages that are none.
const N_GOOD: usize = 40;
const N_BAD: usize = 3;

async fn publish(port: u16, n_good: usize, n_bad: usize) {
    let mut options = MqttOptions::new("plant", "127.0.0.1", port);
    options.set_inflight(1_000);
    let (client, mut events) = AsyncClient::new(options, n_good + n_bad);
    for n in 0..n_good + n_bad {
        let body = if n < n_good { format!("{{\"p\":{}}}", n % 10) } else { "garbage".to_owned() };
        client.try_publish("submeter/v1/plant/press/reading", QoS::AtLeastOnce, false, body).unwrap();
    }
    let mut n_acknowledged = 0;
    while n_acknowledged < n_good + n_bad {
        if let Event::Incoming(Packet::PubAck(_)) = events.poll().await.unwrap() {
            n_acknowledged += 1;
        }
    }
}

/// The one value of an expression, once Prometheus has it.
async fn value(prometheus: &str, expression: &str) -> Option<f64> {
    let query = serde_urlencoded::to_string([("query", expression)]).unwrap();
    let answer = reqwest::get(format!("{prometheus}/api/v1/query?{query}")).await.ok()?.text().await.ok()?;
    let answer: Value = serde_json::from_str(&answer).ok()?;
    answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

/// Every expression of the dashboard is understood, and of what there is in this test there is an answer.
async fn every_panel_is_answered(prometheus: &str) {
    for (title, expression) in questions(&dashboard("submeterd-daemon"), "expr") {
        let expression = expression.replace("$instance", ".*").replace("$__rate_interval", "1m");
        let query = serde_urlencoded::to_string([("query", &expression)]).unwrap();
        let is_there = !expression.contains("_modbus_") && !expression.contains("_outbox_");
        // A rate takes two scrapes.
        wait_for(&format!("{title}: {expression}"), WITHIN, async || {
            let answer = reqwest::get(format!("{prometheus}/api/v1/query?{query}")).await.unwrap();
            let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert_eq!(answer["status"], "success", "{title}: {expression}\n{answer:#}");
            let n = answer["data"]["result"].as_array().unwrap().len();
            (n > 0 || !is_there).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_real_prometheus_reads_figures_that_add_up() {
    let Some(broker) = servers::mosquitto("allow_anonymous true\nlog_type error") else { return };
    let port = servers::free_port();
    let rules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/submeterd.rules.yml");
    let conf = format!(
        "global: {{scrape_interval: 1s}}\nrule_files: [{rules:?}]\nscrape_configs:\n  - job_name: submeterd\n    \
         static_configs:\n      - targets: [\"127.0.0.1:{port}\"]\n"
    );
    let Some(prometheus) = servers::prometheus(&conf) else { return };
    let config = format!(
        "[telemetry]\nlisten = \"127.0.0.1:{port}\"\n[[mqtt.brokers]]\nname = \"city\"\nhost = \"127.0.0.1\"\n\
         port = {}\n[[mqtt.brokers.subscriptions]]\npattern = \"submeter/v1/{{site}}/{{meter}}/reading\"\n",
        broker.port()
    );
    let mut program = Program::new(&config, &[("plant".to_owned(), SITE.to_owned())]);
    program.start();
    program.await_ready();
    let url = prometheus.url();
    let is = async |expression: &str, wanted: f64| {
        let what = format!("{expression} = {wanted}");
        wait_for(&what, WITHIN, async || (value(&url, expression).await? == wanted).then_some(())).await;
    };
    is("submeterd_mqtt_subscribed{broker=\"city\"}", 1.0).await;
    publish(broker.port(), N_GOOD, N_BAD).await;
    is("submeterd_readings_total", N_GOOD as f64).await;
    is("submeterd_rejects_total", N_BAD as f64).await;
    is("submeterd_mqtt_received_total", (N_GOOD + N_BAD) as f64).await;
    is(
        "submeterd_mqtt_received_total - submeterd_mqtt_acknowledged_total - submeterd_mqtt_unacknowledged",
        0.0,
    )
    .await;
    is("submeterd_journal_last_offset - submeterd_journal_passed_offset <= bool 1", 1.0).await;
    is("sum(submeterd_rejects_kept)", N_BAD as f64).await;

    is("sum(submeterd_source_received_total) - sum(submeterd_source_stored_total) - sum(submeterd_source_rejected_total) - sum(submeterd_source_pending)", 0.0).await;
    is("submeterd_journal_rows_written_total > bool 1", 1.0).await;
    every_panel_is_answered(&url).await;

    let rules = reqwest::get(format!("{url}/api/v1/rules")).await.unwrap().text().await.unwrap();
    let rules: Value = serde_json::from_str(&rules).unwrap();
    let loaded = rules["data"]["groups"][0]["rules"].as_array().unwrap();
    assert!(loaded.len() > 10 && loaded.iter().all(|rule| rule["health"] != "err"), "{rules:#}");

    let health = reqwest::get(format!("http://127.0.0.1:{port}/health")).await.unwrap();
    assert!(health.status().is_success(), "{health:?}");
    program.stop();
}

/// The figures of a scrape, by their names with labels.
async fn scrape(port: u16) -> BTreeMap<String, f64> {
    let text = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.unwrap().text().await.unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(k, v)| (k.to_owned(), v.parse().unwrap()))
        .collect()
}

/// What a scrape says of the broker: received, stored, rejected, pending. `None` while it is not known.
fn of_broker(figures: &BTreeMap<String, f64>) -> Option<[f64; 4]> {
    let of = |name: &str| {
        figures.get(&format!("submeterd_source_{name}{{kind=\"mqtt\",source=\"city\"}}")).copied()
    };
    let received = of("received_total")?;
    Some([received, of("stored_total").unwrap_or(0.0), of("rejected_total").unwrap_or(0.0), of("pending")?])
}

fn adds_up([received, stored, rejected, pending]: [f64; 4]) -> bool {
    pending >= 0.0 && received == stored + rejected + pending
}

#[tokio::test]
async fn what_a_broker_sent_is_accounted_for_also_right_after_a_kill() {
    const N_FLOOD: usize = 20_000;
    let conf = "allow_anonymous true\nlog_type error\nmax_queued_messages 0\nmax_inflight_messages 4000";
    let Some(broker) = servers::mosquitto(conf) else { return };
    let port = servers::free_port();
    let config = format!(
        "[telemetry]\nlisten = \"127.0.0.1:{port}\"\n[[mqtt.brokers]]\nname = \"city\"\nhost = \"127.0.0.1\"\n\
         port = {}\n[[mqtt.brokers.subscriptions]]\npattern = \"submeter/v1/{{site}}/{{meter}}/reading\"\n",
        broker.port()
    );
    let mut program = Program::new(&config, &[("plant".to_owned(), SITE.to_owned())]);
    program.start();
    program.await_ready();
    let subscribed = "submeterd_mqtt_subscribed{broker=\"city\"}";
    let is_subscribed = async || (scrape(port).await.get(subscribed) == Some(&1.0)).then_some(());
    wait_for("a subscription", WITHIN, is_subscribed).await;
    publish(broker.port(), N_GOOD, N_BAD).await;
    let (good, bad) = (N_GOOD as f64, N_BAD as f64);
    let all_judged = async || (of_broker(&scrape(port).await)? == [good + bad, good, bad, 0.0]).then_some(());
    wait_for("all of it judged", WITHIN, all_judged).await;

    let own_port = broker.port();
    let mut flood = JoinSet::new();
    flood.spawn(publish(own_port, N_FLOOD, N_BAD));
    let mut before = [0.0; 4];
    while before[0] < good + 2_000.0 {
        before = of_broker(&scrape(port).await).unwrap();
        assert!(adds_up(before), "{before:?}");
    }
    program.kill();
    program.start();
    program.await_ready();
    let after = wait_for("a first account", WITHIN, async || of_broker(&scrape(port).await)).await;
    assert!(adds_up(after), "{after:?}");
    for n in 0..3 {
        assert!(after[n] >= before[n], "a counter goes back: {before:?} {after:?}");
    }
    flood.join_all().await;
    let mut done = [0.0; 4];
    wait_for("all of it judged", WITHIN, async || {
        done = of_broker(&scrape(port).await)?;
        assert!(adds_up(done), "{done:?}");
        // What was not acknowledged before the kill came twice.
        (done[0] >= good + N_FLOOD as f64 + 2.0 * bad && done[3] == 0.0).then_some(())
    })
    .await;
    let figures = scrape(port).await;
    assert_eq!(figures["submeterd_readings_total"], done[1], "each message that was stored was one reading");
    assert_eq!(figures["submeterd_rejects_total"], done[2]);
    println!("before the kill {before:?}, right after {after:?}, in the end {done:?}");
    program.stop();

    let mut reader = Reader::open(&program.data()).unwrap();
    let (mut last, mut n_of_broker) = (0, 0);
    while let Some(batch) = reader.next(last).unwrap() {
        n_of_broker += batch.messages().filter(|(_, m)| m.kind == Kind::Mqtt).count();
        last = batch.last();
    }
    assert_eq!(n_of_broker as f64, done[0], "the journal holds just what was counted");
}

#[test]
fn the_rules_for_prometheus_say_what_they_should() {
    let Some(promtool) = servers::promtool() else { return };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus");
    for args in [&["check", "config", "submeterd.yml"][..], &["test", "rules", "submeterd.test.yml"]] {
        let done = Command::new(&promtool).args(args).current_dir(&folder).output().unwrap();
        let said =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{args:?}\n{said}");
    }
}
