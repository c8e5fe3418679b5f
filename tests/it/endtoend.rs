//! The real binary between a real mosquitto and a real VictoriaMetrics: bad messages, an outage of the database, and
//! what people do with an alert.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use submeterd::model::time::Clock;

use crate::harness::program::Program;
use crate::harness::servers::{self, Server};
use crate::harness::wait::wait_for_blocking;

const WITHIN: Duration = Duration::from_secs(60);

/// How long the database is away.
const OUTAGE: Duration = Duration::from_secs(60);

/// Messages a second while it is.
const N_PER_SECOND: usize = 1_000;

const N_SITES: usize = 50;

pub const BROKER: &str = "allow_anonymous true
max_queued_messages 0
max_queued_bytes 0
log_type error";

pub fn config(broker: &Server, influx: Option<&Server>) -> String {
    let mut text = format!(
        "[log]\nformat = \"text\"\n
[[mqtt.brokers]]
name = \"city\"
host = \"127.0.0.1\"
port = {}
packet_bytes_max = \"64KiB\"
backoff_max = \"1s\"
[[mqtt.brokers.subscriptions]]
pattern = \"submeter/v1/{{site}}/{{meter}}/reading\"
",
        broker.port()
    );
    if let Some(influx) = influx {
        write!(
            text,
            "[influx]\nurl = \"{}\"\norg = \"bureau\"\nbucket = \"submeter\"\nbackoff_max = \"2s\"\n",
            influx.url()
        )
        .unwrap();
    }
    text
}

pub fn site(index: usize) -> (String, String) {
    let id = format!("plant-{index}");
    let mut text =
        format!("id = \"{id}\"\nname = \"Plant {index}\"\nreorder = \"2s\"\nstep = \"1s\"\ngap = \"10s\"\n");
    for (name, kind) in [("press", "production"), ("fan", "treatment")] {
        write!(
            text,
            "[[meters]]\nid = \"{name}\"\nperiod = \"1s\"\n[[points]]\nid = \"{name}\"\nname = \"{name}\"\nkind = \"{kind}\"\n\
             rated_kw = 10\nmeter = \"{name}\"\non_for = \"1s\"\noff_for = \"1s\"\n"
        )
        .unwrap();
    }
    text.push_str(
        "[[processes]]\nid = \"line\"\nname = \"Line\"\nproduction = [\"press\"]\ntreatment = [{ points = [\"fan\"] }]\n\
         raise = \"3s\"\nclear = \"2s\"\n",
    );
    (id, text)
}

fn ready(config: &str, n_sites: usize) -> Program {
    let sites: Vec<_> = (0..n_sites).map(site).collect();
    let mut program = Program::new(config, &sites);
    program.start();
    program.await_ready();
    wait_for_blocking("the subscription", WITHIN, || {
        let status: Value = program.json(&["status"]);
        (status["brokers"][0][1]["subscribed"] == true).then_some(())
    });
    program
}

/// Publishes on a thread of its own until `more` says no more; returns once the broker has taken everything.
fn publish(
    port: u16,
    mut more: impl FnMut(usize) -> Option<(String, bool, Vec<u8>)> + Send + 'static,
) -> std::thread::JoinHandle<usize> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let mut options = MqttOptions::new("plants", "127.0.0.1", port);
            options.set_max_packet_size(1 << 20, 1 << 20);
            options.set_keep_alive(Duration::from_secs(5));
            let (client, mut events) = AsyncClient::new(options, 10_000);
            let mut n = 0;
            let mut pace = tokio::time::interval(Duration::from_millis(10));
            let mut n_acknowledged = 0;
            let mut done = false;
            while !done || n_acknowledged < n {
                tokio::select! {
                    _ = pace.tick(), if !done => {
                        for _ in 0..N_PER_SECOND / 100 {
                            let Some((topic, retain, body)) = more(n) else {
                                done = true;
                                break;
                            };
                            client.try_publish(topic, QoS::AtLeastOnce, retain, body).unwrap();
                            n += 1;
                        }
                    }
                    event = events.poll() => {
                        if let Event::Incoming(Packet::PubAck(_)) = event.unwrap() {
                            n_acknowledged += 1;
                        }
                    }
                }
            }
            n
        })
    })
}

fn topic(site: usize, meter: &str) -> String {
    format!("submeter/v1/plant-{site}/{meter}/reading")
}

#[test]
fn bad_messages_are_counted_and_kept_and_stop_nothing() {
    let Some(broker) = servers::mosquitto(BROKER) else { return };
    let mut program = ready(&config(&broker, None), 1);
    let now = Clock::System.now().0;
    let good = format!(r#"{{"ts":{now},"p":5.0,"ep":10.0}}"#);
    let messages: Vec<(String, bool, Vec<u8>)> = vec![
        (topic(0, "press"), false, good.clone().into_bytes()),
        // The same again, and as a retained copy.
        (topic(0, "press"), false, good.clone().into_bytes()),
        (topic(0, "press"), true, good.clone().into_bytes()),
        (topic(0, "press"), false, vec![b'['; 100_000]),
        (topic(0, "press"), false, vec![0xff, 0x00, 0x80, b'{']),
        (topic(0, "press"), false, b"{\"ts\":1661789400000,\"p\":NaN}".to_vec()),
        (topic(0, "press"), false, format!(r#"{{"ts":{now},"p":1e999}}"#).into_bytes()),
        (topic(0, "press"), false, format!(r#"{{"ts":{},"p":5.0}}"#, now + 3_600_000).into_bytes()),
        (topic(0, "press"), false, Vec::new()),
        (topic(0, "nobody"), false, good.clone().into_bytes()),
        (topic(0, "fan"), false, good.into_bytes()),
    ];
    let all = messages.clone();
    let n = publish(broker.port(), move |i| all.get(i).cloned()).join().unwrap();
    assert_eq!(n, messages.len());
    let status = wait_for_blocking("every message", WITHIN, || {
        let status: Value = program.json(&["status"]);
        let received = status["brokers"][0][1]["counts"]["acknowledged"].as_u64()?;
        let passed = status["progress"]["passed"] == status["journal"]["last"];
        (received == n as u64 && passed).then_some(status)
    });
    let counts = &status["brokers"][0][1]["counts"];
    assert_eq!((&counts["received"], &counts["oversized"]), (&Value::from(n), &Value::from(1)), "{counts}");
    assert_eq!(status["brokers"][0][1]["generation"], 1, "no message cost the connection");

    let mut rejected: Vec<String> = program
        .json::<Vec<Value>>(&["rejects"])
        .iter()
        .map(|reject| reject["code"].as_str().unwrap().to_owned())
        .collect();
    rejected.sort();
    assert_eq!(
        rejected,
        ["future", "not_json", "not_json", "not_json", "not_json", "oversized", "unknown_meter"],
        "{}",
        program.ask(&["rejects"])
    );
    let readings: Vec<Value> = program.json(&["readings", "plant-0/press"]);
    assert_eq!(readings.len(), 1, "three copies are one reading: {readings:?}");
    assert_eq!(
        program.json::<Vec<Value>>(&["readings", "plant-0/fan"]).len(),
        1,
        "what came last came through"
    );
    program.stop();
    // The files tell the same without a daemon.
    assert_eq!(program.json::<Vec<Value>>(&["rejects"]).len(), 7);
    assert!(program.ask(&["status"]).contains("not running"));
}

#[test]
fn a_database_that_is_away_for_a_minute_under_load_misses_nothing_and_delays_nothing() {
    let Some(broker) = servers::mosquitto(BROKER) else { return };
    let Some(mut influx) = servers::victoria_metrics() else { return };
    let mut program = ready(&config(&broker, Some(&influx)), N_SITES);
    let begin = Clock::System.now();
    let end = OUTAGE + Duration::from_secs(8);
    let started = Instant::now();
    let publisher = publish(broker.port(), move |i| {
        // A meter speaks ten times a second; every fan stands for the first half.
        let (site, meter) = (i / 2 % N_SITES, ["press", "fan"][i % 2]);
        let at = begin.plus((i / (2 * N_SITES)) as i64 * 100);
        let power = if meter == "fan" && at.since(begin) < 30_000 { 0.0 } else { 5.0 };
        let body = format!(r#"{{"ts":{},"p":{power},"ep":{i}.5}}"#, at.0);
        (started.elapsed() < end).then(|| (topic(site, meter), false, body.into_bytes()))
    });
    wait_for_blocking("the first lines in the database", WITHIN, || (count(&influx) > 0).then_some(()));
    influx.stop();
    let away = Instant::now();
    let mut n_open = 0;
    let status = wait_for_blocking("the end of the outage", OUTAGE + WITHIN, || {
        let status: Value = program.json(&["status"]);
        n_open = n_open.max(status["open_alerts"].as_array()?.iter().filter_map(Value::as_u64).sum::<u64>());
        (away.elapsed() >= OUTAGE).then_some(status)
    });
    let sink = &status["sinks"][0][1];
    assert_eq!(sink["state"], "backing_off", "{sink}");
    let behind = status["journal"]["last"].as_u64().unwrap() - status["progress"]["passed"].as_u64().unwrap();
    assert!(behind < 5 * N_PER_SECOND as u64, "the engine waits for nobody: {behind} behind");
    assert_eq!(n_open as usize, N_SITES, "alerts come while the database is away");

    influx.start();
    let n = publisher.join().unwrap() as u64;
    wait_for_blocking("every reading in the database", Duration::from_secs(90), || {
        (count(&influx) == n).then_some(())
    });
    let status: Value = program.json(&["status"]);
    assert_eq!(status["sinks"][0][1]["n_set_aside"], 0, "{status}");
    acknowledge_one(&program);
    program.stop();
}

/// Readings of power in the database.
fn count(influx: &Server) -> u64 {
    let query = "sum(count_over_time(reading_power_w[1h]))";
    let Ok(body) = ask(&format!("{}/api/v1/query?query={query}", influx.url())) else { return 0 };
    let answer: Value = serde_json::from_str(&body).unwrap_or_default();
    answer["data"]["result"][0]["value"][1].as_str().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn ask(url: &str) -> Result<String, reqwest::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { reqwest::get(url).await?.text().await })
}

/// An operator lists, shows and acknowledges an alert.
fn acknowledge_one(program: &Program) {
    let alerts: Vec<Value> = program.json(&["alerts", "list", "--rule", "treatment_off"]);
    assert_eq!(alerts.len(), N_SITES);
    let id = alerts[0]["id"].as_str().unwrap();
    assert!(program.ask(&["alerts", "show", &id[..8]]).contains("treatment_off"));
    let acknowledged: Value =
        program.json(&["alerts", "ack", id, "--note", "filter changed, fan was stopped", "--who", "Li Wei"]);
    assert!(
        acknowledged["acknowledged"]["who"].as_str().unwrap().starts_with("Li Wei (uid "),
        "{acknowledged}"
    );
    let left: Vec<Value> = program.json(&["alerts", "list", "--unacknowledged", "--rule", "treatment_off"]);
    assert_eq!(left.len(), N_SITES - 1);
    let none = program.try_ask(&["alerts", "ack", "ffffffffffff", "--note", "x", "--who", "y"]);
    assert!(!none.status.success() && String::from_utf8_lossy(&none.stderr).contains("no alert"), "{none:?}");
}
