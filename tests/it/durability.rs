//! The real binary on a real mosquitto at QoS 1, killed in the middle, again and again.
//!
//! Whatever the moment of the kill: every reading the broker took is in history once, the alerts are those of a run
//! without kills, and the journal gives the same alerts a second time.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::Value;
use submeterd::history::read;
use submeterd::model::time::{Clock, UtcMs};
use submeterd::store::views::Views;

use crate::harness::program::{Program, command};
use crate::harness::servers;
use crate::harness::wait::wait_for_blocking;

/// Offered load, messages a second.
const N_PER_SECOND: usize = 20_000;
const N_KILLS: u32 = 20;
const N_SITES: usize = 100;

/// Messages go out in bursts of this many milliseconds.
const BURST_MS: i64 = 50;

/// The longest part of the daemon's life between two kills, ms.
const LIFE_MS_MAX: u64 = 1_500;

/// How long the backlog may take to drain after the last kill.
const DRAINED_WITHIN: Duration = Duration::from_secs(120);

const BROKER: &str = "allow_anonymous true
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 4000
persistence false
log_type error";

fn config(port: u16) -> String {
    format!(
        "[log]\nformat = \"text\"\n
[[mqtt.brokers]]
name = \"city\"
host = \"127.0.0.1\"
port = {port}
backoff_max = \"1s\"
[[mqtt.brokers.subscriptions]]
pattern = \"submeter/v1/{{site}}/{{meter}}/reading\"
qos = 1
"
    )
}

/// A press and its fan. The window is wide enough for the longest time in which nothing is taken.
fn site(index: usize) -> (String, String) {
    let id = format!("plant-{index:03}");
    let mut text =
        format!("id = \"{id}\"\nname = \"Plant {index}\"\nreorder = \"20s\"\nstep = \"1s\"\ngap = \"30s\"\n");
    for meter in ["press", "fan"] {
        writeln!(text, "[[meters]]\nid = \"{meter}\"\nperiod = \"1s\"").unwrap();
    }
    for (point, kind) in [("press", "production"), ("fan", "treatment")] {
        writeln!(
            text,
            "[[points]]\nid = \"{point}\"\nname = \"{point}\"\nkind = \"{kind}\"\nrated_kw = 10\nmeter = \"{point}\"\n\
             on_for = \"1s\"\noff_for = \"1s\""
        )
        .unwrap();
    }
    text.push_str(
        "[[processes]]\nid = \"line\"\nname = \"Line\"\nproduction = [\"press\"]\ntreatment = [{ points = [\"fan\"] }]\n\
         raise = \"2s\"\nclear = \"1s\"\nalarm = \"4s\"\n",
    );
    (id, text)
}

/// The fan of every plant stands for some seconds, each plant at its own times.
fn power_kw(site: usize, meter: &str, elapsed_ms: i64) -> f64 {
    let turn = (elapsed_ms / 1_000 + site as i64) % 10;
    if meter == "fan" && turn < 5 { 0.0 } else { 5.0 }
}

/// What was published: topic parts and measuring time make a reading; the lines are for a replay.
#[derive(Default)]
struct Published {
    lines: String,
    n: usize,
}

/// Publishes at the offered load until told to stop, and waits until the broker has taken everything.
fn publish(port: u16, stop: &AtomicBool) -> Published {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut options = MqttOptions::new("plants", "127.0.0.1", port);
        options.set_inflight(4_000);
        // An event comes at least so often, by which the end is seen.
        options.set_keep_alive(Duration::from_secs(5));
        let (client, events) = AsyncClient::new(options, N_PER_SECOND);
        let n_published = AtomicUsize::new(usize::MAX);
        let loaded = async {
            let published = load(&client, stop).await;
            n_published.store(published.n, Ordering::Release);
            published
        };
        tokio::join!(loaded, drain(events, &n_published)).0
    })
}

async fn load(client: &AsyncClient, stop: &AtomicBool) -> Published {
    let mut published = Published::default();
    let begin = Clock::System.now();
    let mut next_ms = 0;
    let mut turn = 0;
    while !stop.load(Ordering::Acquire) {
        let now = Clock::System.now();
        if now.since(begin) < next_ms {
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        for _ in 0..N_PER_SECOND * BURST_MS as usize / 1_000 {
            // A meter speaks every 10 ms: 200 meters make 20,000 messages a second.
            let (site, meter) = (turn / 2 % N_SITES, ["press", "fan"][turn % 2]);
            let at = begin.plus((turn / (2 * N_SITES)) as i64 * 10);
            let body =
                format!(r#""ts":{},"p":{},"ep":{}.5"#, at.0, power_kw(site, meter, at.since(begin)), turn);
            let topic = format!("submeter/v1/plant-{site:03}/{meter}/reading");
            client.publish(topic, QoS::AtLeastOnce, false, format!("{{{body}}}")).await.unwrap();
            writeln!(published.lines, r#"{{"site":"plant-{site:03}","meter":"{meter}",{body}}}"#).unwrap();
            published.n += 1;
            turn += 1;
        }
        next_ms += BURST_MS;
    }
    published
}

/// Runs the publisher's connection until everything that was published is acknowledged.
async fn drain(mut events: EventLoop, n_published: &AtomicUsize) {
    let mut n_acknowledged = 0;
    while n_acknowledged < n_published.load(Ordering::Acquire) {
        match events.poll().await {
            Ok(Event::Incoming(Packet::PubAck(_))) => n_acknowledged += 1,
            Ok(_) => {}
            Err(error) => {
                panic!("the publisher lost its broker after {n_acknowledged} acknowledgements: {error}")
            }
        }
    }
}

/// What makes an alert this alert, and what a restart must not change.
fn told(alerts: &[Value]) -> BTreeSet<String> {
    let keys =
        ["id", "site", "rule", "status", "level", "first", "raised", "cleared", "certain_ms", "unknown_ms"];
    alerts.iter().map(|a| keys.map(|k| a[k].to_string()).join(" ")).collect()
}

#[test]
fn killed_twenty_times_under_load_nothing_is_lost_and_nothing_is_double() {
    let Some(broker) = servers::mosquitto(BROKER) else { return };
    let sites: Vec<_> = (0..N_SITES).map(site).collect();
    let mut program = Program::new(&config(broker.port()), &sites);
    program.start();
    program.await_ready();
    wait_for_blocking("the subscription", Duration::from_secs(20), || {
        let status: Value = program.json(&["status"]);
        (status["brokers"][0][1]["subscribed"] == true).then_some(())
    });

    let stop = Arc::new(AtomicBool::new(false));
    let (port, its_stop) = (broker.port(), Arc::clone(&stop));
    let publisher = std::thread::spawn(move || publish(port, &its_stop));
    let begin = Instant::now();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..N_KILLS {
        // The moment of the kill is the point of the test: nothing to wait for.
        std::thread::sleep(Duration::from_millis(random.u64(100..LIFE_MS_MAX)));
        program.kill();
        program.start();
    }
    program.await_ready();
    let took = begin.elapsed();
    stop.store(true, Ordering::Release);
    let published = publisher.join().unwrap();
    let rate = published.n as f64 / took.as_secs_f64();
    println!("{} messages in {:.1} s ({rate:.0}/s), {N_KILLS} kills", published.n, took.as_secs_f64());

    let last = wait_for_blocking("the drained backlog", DRAINED_WITHIN, || {
        let status: Value = program.json(&["status"]);
        let (passed, end) = (status["progress"]["passed"].as_u64()?, status["journal"]["last"].as_u64()?);
        let readings = status["progress"]["counts"]["readings"].as_u64()?;
        (readings >= published.n as u64 && end.saturating_sub(passed) < 50).then(|| Clock::System.now())
    });
    // All that was received is judged once time has passed it by the window.
    wait_for_blocking("the last judgement", Duration::from_secs(60), || {
        let status: Value = program.json(&["status"]);
        (status["progress"]["now"].as_i64()? > last.plus(22_000).0).then_some(())
    });
    let status: Value = program.json(&["status"]);
    assert_eq!(status["progress"]["counts"]["late"], 0, "the window was too narrow for this machine");
    let alerts: Vec<Value> = program.json(&["alerts", "list", "--limit", "1000000"]);
    program.stop();

    every_reading_once(&program, published.n);
    let ids: BTreeSet<String> = alerts.iter().map(|a| a["id"].to_string()).collect();
    assert_eq!(ids.len(), alerts.len(), "every alert once");
    assert!(alerts.len() >= N_SITES / 2, "only {} alerts: the load tells no story", alerts.len());

    let data = program.data();
    let again: Vec<Value> =
        serde_json::from_slice(&run(&["replay", "--json", "--journal", data.to_str().unwrap()])).unwrap();
    let sorted = |mut alerts: Vec<Value>| {
        alerts.sort_by_key(|a| a["id"].to_string());
        alerts
    };
    assert_eq!(sorted(alerts.clone()), sorted(again), "the journal tells the same a second time");

    let lines = program.folder().join("published.jsonl");
    std::fs::write(&lines, &published.lines).unwrap();
    let ideal: Vec<Value> = program.json(&["replay", "--input", lines.to_str().unwrap()]);
    let only_off = |alerts: &[Value]| {
        alerts
            .iter()
            .filter(|a| a["rule"] == "treatment_off" && a["status"] == "cleared")
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&only_off(&alerts)), told(&only_off(&ideal)), "the alerts of a run without kills");
}

fn run(args: &[&str]) -> Vec<u8> {
    let output = command(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Each meter's readings: as many as were published, each measuring time once.
fn every_reading_once(program: &Program, n_published: usize) {
    let views = Views::open(&program.data().join("store.db")).unwrap();
    let mut n = 0;
    for site in 0..N_SITES {
        for meter in ["press", "fan"] {
            let id = format!("plant-{site:03}/{meter}");
            let query = read::Query::new(&id, UtcMs::MIN, UtcMs(i64::MAX / 4));
            let mut times = BTreeSet::new();
            read::visit(views.conn(), &query, &mut |reading| {
                assert!(times.insert(reading.time), "{id} at {} is there twice", reading.time);
            })
            .unwrap();
            n += times.len();
        }
    }
    assert_eq!(n, n_published, "every reading is in history once");
}
