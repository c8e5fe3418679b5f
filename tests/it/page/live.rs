//! What happens is told as it happens, and after a break what was missed.

use std::time::Duration;

use reqwest::{Method, Response};
use rumqttc::{AsyncClient, MqttOptions, QoS};
use serde_json::json;
use submeterd::model::time::{Clock, MINUTE_MS};

use super::visitor::{House, json};
use crate::harness::servers;

const WITHIN: Duration = Duration::from_secs(40);

/// Reads the stream until an event has that text in it; the event.
async fn hear(stream: &mut Response, what: &str) -> String {
    let heard = async {
        let mut text = String::new();
        loop {
            let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some((event, rest)) = text.clone().split_once("\n\n") {
                if event.contains(what) {
                    return event.to_owned();
                }
                text = rest.to_owned();
            }
        }
    };
    tokio::time::timeout(WITHIN, heard).await.unwrap_or_else(|_| panic!("no event with {what}"))
}

/// A press that runs and says so twice a second, for as long as somebody listens.
async fn run_press(port: u16, site: &str) {
    let (client, mut events) = AsyncClient::new(MqttOptions::new(site, "127.0.0.1", port), 100);
    let mut every = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            _ = every.tick() => {
                let body = format!("{{\"ts\":{},\"p\":80}}", Clock::System.now().0);
                let topic = format!("submeter/v1/{site}/press/reading");
                client.try_publish(topic, QoS::AtLeastOnce, false, body).unwrap();
            }
            event = events.poll() => drop(event.unwrap()),
        }
    }
}

/// What is heard while the press of a site runs.
async fn hear_of(stream: &mut Response, what: &str, port: u16, site: &str) -> String {
    tokio::select! {
        event = hear(stream, what) => event,
        () = run_press(port, site) => unreachable!("it runs on"),
    }
}

fn id_of(event: &str) -> String {
    event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned()
}

#[tokio::test]
async fn a_stream_that_broke_off_goes_on_where_it_was_within_what_is_seen() {
    let Some(broker) = servers::mosquitto("allow_anonymous true\nlog_type error") else { return };
    let config = format!(
        "[[mqtt.brokers]]\nname = \"city\"\nhost = \"127.0.0.1\"\nport = {}\n\
         [[mqtt.brokers.subscriptions]]\npattern = \"submeter/v1/{{site}}/{{meter}}/reading\"\n",
        broker.port()
    );
    let house = House::open(&config).await;
    let admin = house.set_up().await;
    let all = admin.token("viewer", "all").await;
    let plant = admin.token("viewer", "site:plant-2").await;
    let listen = async |token: &str, last: Option<&str>| {
        let request = house.with_token(token, Method::GET, "/api/v1/stream");
        let request = last.iter().fold(request, |request, id| request.header("last-event-id", *id));
        request.send().await.unwrap()
    };
    let mut stream = listen(&all, None).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut own = listen(&plant, None).await;
    let running = hear_of(&mut stream, "\"running\"", broker.port(), "plant-1").await;
    assert!(running.contains("event: state") && running.contains("plant-1"), "{running}");
    drop(stream);
    let first = hear_of(&mut own, "event: state", broker.port(), "plant-2").await;
    let mut again = listen(&all, Some(&id_of(&running))).await;
    let missed = hear(&mut again, "plant-2").await;
    assert!(missed.contains("\"running\""), "{missed}");
    assert!(first.contains("plant-2"), "another plant's state is not told: {first}");

    let shown =
        json(admin.get("/api/v1/readings?site=plant-1&point=press&from=1&to=4000000000000&width=2").await)
            .await;
    assert!(shown["detail"].as_str().unwrap().contains("800 days"), "{shown}");
    let to = Clock::System.now().plus(MINUTE_MS).0;
    let from = to - 3_600_000;
    let path = format!("/api/v1/readings?site=plant-1&point=press&from={from}&to={to}&width=1");
    let shown = json(admin.get(&path).await).await;
    assert_eq!((&shown["mean"], &shown["step_ms"]), (&json!([80.0]), &json!(3_600_000)));
}
