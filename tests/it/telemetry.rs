//! What the daemon says of itself, as a real Prometheus reads it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;

use crate::harness::program::Program;
use crate::harness::servers;
use crate::harness::wait::wait_for;

const WITHIN: Duration = Duration::from_secs(60);

const SITE: &str = "id = \"plant\"\nname = \"Plant\"\n[[meters]]\nid = \"press\"\n[[points]]\nid = \"press\"\n\
                    kind = \"production\"\nrated_kw = 10\nmeter = \"press\"\n";

/// Readings and messages that are none.
const N_GOOD: usize = 40;
const N_BAD: usize = 3;

async fn publish(port: u16) {
    let (client, mut events) = AsyncClient::new(MqttOptions::new("plant", "127.0.0.1", port), 100);
    for n in 0..N_GOOD + N_BAD {
        let body = if n < N_GOOD { format!("{{\"p\":{n}}}") } else { "garbage".to_owned() };
        client.try_publish("submeter/v1/plant/press/reading", QoS::AtLeastOnce, false, body).unwrap();
    }
    let mut n_acknowledged = 0;
    while n_acknowledged < N_GOOD + N_BAD {
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
    publish(broker.port()).await;
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

    let rules = reqwest::get(format!("{url}/api/v1/rules")).await.unwrap().text().await.unwrap();
    let rules: Value = serde_json::from_str(&rules).unwrap();
    let loaded = rules["data"]["groups"][0]["rules"].as_array().unwrap();
    assert!(loaded.len() > 10 && loaded.iter().all(|rule| rule["health"] != "err"), "{rules:#}");

    let health = reqwest::get(format!("http://127.0.0.1:{port}/health")).await.unwrap();
    assert!(health.status().is_success(), "{health:?}");
    program.stop();
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
