//! Notices, from the queue to those who are told.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use submeterd::alerts::alert::Status;
use submeterd::config::receivers::{Alertmanager, Mail, MailSecurity, Mqtt, Receiver, Via, Webhook};
use submeterd::config::secret::Secret;
use submeterd::config::settings::Broker;
use submeterd::model::rule::Level;
use submeterd::model::time::{Clock, UtcMs};
use submeterd::notices::item::What;
use submeterd::outbox::signature;
use submeterd::outbox::status::{SinkKind, SinkState};

use crate::endtoend;
use crate::harness::hook::Hook;
use crate::harness::notice_store::{NoticeStore, WITHIN, alert};
use crate::harness::program::Program;
use crate::harness::servers;
use crate::harness::smtp::Smtp;
use crate::harness::wait::{wait_for, wait_for_blocking};

const NOW: UtcMs = UtcMs(1_795_521_790_000);

fn webhook(hook: &Hook) -> Receiver {
    let own = Webhook { url: hook.url().into(), secret: Some(Secret::new("s3cret\n")), ca_file: None };
    NoticeStore::receiver(Via::Webhook(own))
}

/// The same without repetitions: what a receiver keeps that goes by ids.
fn once(ids: &[String]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    ids.iter().filter(|id| seen.insert((*id).clone())).cloned().collect()
}

#[tokio::test]
async fn a_webhook_gets_a_signed_cloud_event() {
    let hook = Hook::start().await;
    let mut store = NoticeStore::at(NOW);
    let sent = store.raise(1);
    let mut sender = store.send(webhook(&hook));
    store.emptied().await;
    let [posted] = &hook.posted()[..] else { panic!("one request") };
    assert_eq!(posted.header("content-type"), "application/cloudevents+json; charset=utf-8");
    let timestamp: i64 = posted.header("x-submeterd-timestamp").parse().unwrap();
    assert_eq!(timestamp, NOW.0 / 1_000);
    let signed = posted.header("x-submeterd-signature");
    assert_eq!(signed, signature::of("s3cret", timestamp, &posted.body));
    assert_ne!(signed, signature::of("another", timestamp, &posted.body));
    let event = posted.json();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], *sent[0]);
    assert_eq!(event["source"], "/submeterd/notices/duty");
    assert_eq!(event["type"], "submeterd.notice.v1");
    assert_eq!((&event["subject"], &event["time"]), (&"plant".into(), &NOW.iso().into()));
    let data = &event["data"];
    assert_eq!(
        (&data["alerts"][0]["what"], &data["alerts"][0]["alert"]["id"]),
        (&"raised".into(), &"alert-0".into())
    );
    assert_eq!(data["title"], "[报警] 印刷厂：生产期间治污设施停运，新告警");
    let status = sender.until("the delivery", |s| s.n_lines_delivered == 1).await;
    assert_eq!((status.kind, status.state, status.n_backlog), (SinkKind::Notices, SinkState::Ok, 0));
    sender.stop().await;
}

#[tokio::test]
async fn a_receiver_that_was_away_gets_every_notice_once_and_in_order_whatever_was_killed() {
    let mut hook = Hook::start().await;
    let mut store = NoticeStore::at(NOW);
    let mut sent = store.raise(3);
    let sender = store.send(webhook(&hook));
    store.emptied().await;
    hook.stop().await;
    for _ in 0..4 {
        sent.extend(store.raise(10));
    }
    let mut sender = sender;
    let away = sender.until("a pause", |s| s.state == SinkState::BackingOff && s.n_backlog == 40).await;
    assert!(away.last_error.is_some(), "{away:?}");
    sender.kill().await;
    hook.script([500, 429, 204, 204, 503, 408]);
    hook.resume().await;
    // Killed in the middle of it, again and again.
    for n in [8, 20, 33] {
        let sender = store.send(webhook(&hook));
        wait_for("some of them", WITHIN, async || (hook.taken().len() >= n).then_some(())).await;
        sender.kill().await;
    }
    sent.extend(store.raise(5));
    let sender = store.send(webhook(&hook));
    store.emptied().await;
    let taken = hook.taken();
    assert_eq!(once(&taken), sent, "every one, in order");
    assert!(taken.len() <= sent.len() + 3, "at most the one that was on its way at each kill comes twice");
    sender.stop().await;
}

#[tokio::test]
async fn one_that_is_refused_is_set_aside_and_a_wrong_configuration_holds_all() {
    let hook = Hook::start().await;
    let mut store = NoticeStore::at(NOW);
    let sent = store.raise(4);
    hook.script([204, 400, 401, 404, 403, 204]);
    let mut sender = store.send(webhook(&hook));
    store.emptied().await;
    let taken = hook.taken();
    assert_eq!(taken, [&sent[0], &sent[2], &sent[3]].map(String::clone), "the others in order");
    let [aside] = &store.set_aside()[..] else { panic!("one") };
    assert!(
        aside.status == 400 && aside.why.contains("words of the far side") && aside.line.contains(&sent[1])
    );
    let status = sender.until("all of it", |s| s.n_lines_delivered == 3 && s.n_set_aside == 1).await;
    assert!(status.last_error.is_some_and(|why| why.contains("403")));

    hook.otherwise(401);
    let more = store.raise(1);
    let held = sender.until("a hold", |s| s.state == SinkState::Holding && s.n_backlog == 1).await;
    assert!(held.last_error.unwrap().contains("401"));
    hook.otherwise(204);
    store.emptied().await;
    assert_eq!(hook.taken().last(), more.last());
    // An address that refuses everything is the wrong one: not everything is set aside without a pause.
    hook.script(vec![400; 10]);
    store.raise(10);
    let held = sender.until("doubts", |s| s.state == SinkState::Holding && s.n_set_aside == 11).await;
    assert!(held.last_error.unwrap().contains("in a row"));
    sender.stop().await;
}

fn alertmanager(url: &str) -> Receiver {
    let own = Alertmanager {
        url: url.into(),
        token: None,
        ca_file: None,
        keep_alive: Duration::from_millis(200),
        hold: Duration::from_secs(3_600),
    };
    NoticeStore::receiver(Via::Alertmanager(own))
}

/// Alerts an Alertmanager has, by id and severity.
async fn active(url: &str) -> Option<Vec<(String, String, Value)>> {
    let text = reqwest::get(format!("{url}/api/v2/alerts")).await.ok()?.text().await.ok()?;
    let all: Vec<Value> = serde_json::from_str(&text).ok()?;
    let text = |own: &Value, key: &str| own["labels"][key].as_str().unwrap().to_owned();
    let mut all: Vec<_> =
        all.into_iter().map(|own| (text(&own, "alert"), text(&own, "severity"), own)).collect();
    all.sort_by_key(|(alert, severity, _)| (alert.clone(), severity.clone()));
    Some(all)
}

#[tokio::test]
async fn an_alertmanager_receives_groups_keeps_and_resolves() {
    let hook = Hook::start().await;
    let conf = format!(
        "route:\n  receiver: duty\n  group_by: [site]\n  group_wait: 1s\n  group_interval: 1s\n  repeat_interval: 1h\n\
         receivers:\n  - name: duty\n    webhook_configs:\n      - url: {:?}\n        send_resolved: true\n",
        hook.url()
    );
    let Some(mut server) = servers::alertmanager(&conf) else { return };
    let url = server.url();
    let now = Clock::System.now();
    let mut store = NoticeStore::new(Clock::System);
    let begin = now.plus(-3_600_000);
    let one = alert(1, Status::Open, Level::Warning, begin);
    store.tell(What::Raised, &[Level::Warning], &one);
    store.tell(What::Raised, &[Level::Alarm], &alert(2, Status::Open, Level::Alarm, begin));
    let mut sender = store.send(alertmanager(&url));
    let names = |all: &[(String, String, Value)]| {
        all.iter().map(|(alert, severity, _)| format!("{alert} {severity}")).collect::<Vec<_>>()
    };
    let has = async |expected: &[&str]| {
        let expected: Vec<String> = expected.iter().map(|e| (*e).to_owned()).collect();
        wait_for("the Alertmanager's alerts", WITHIN, async || {
            active(&url).await.filter(|all| names(all) == expected)
        })
        .await
    };
    let all = has(&["alert-1 warning", "alert-2 alarm"]).await;
    let (labels, own) = (&all[0].2["labels"], &all[0].2);
    assert_eq!((&labels["alertname"], &labels["site"]), (&"treatment_off".into(), &"plant".into()));
    assert_eq!(own["startsAt"].as_str().unwrap()[..19], begin.iso()[..19]);
    let ends: jiff::Timestamp = own["endsAt"].as_str().unwrap().parse().unwrap();
    assert!(ends.as_millisecond() > now.0 + 3_500_000, "silence ends nothing for an hour: {own}");
    // Both come in one notification of their group.
    let told = wait_for("a notification", WITHIN, async || hook.posted().first().cloned()).await.json();
    assert_eq!((&told["status"], told["alerts"].as_array().unwrap().len()), (&"firing".into(), 2), "{told}");

    // One that rises stands at both levels; nothing "resolves" by it.
    store.tell(
        What::Escalated,
        &[Level::Warning, Level::Critical],
        &alert(1, Status::Open, Level::Critical, begin),
    );
    has(&["alert-1 critical", "alert-1 warning", "alert-2 alarm"]).await;
    // An Alertmanager that was killed is told again of what stands, though nothing waits for it.
    store.emptied().await;
    server.kill();
    server.start();
    has(&["alert-1 critical", "alert-1 warning", "alert-2 alarm"]).await;

    let cleared = alert(1, Status::Cleared, Level::Critical, begin);
    store.tell(What::Cleared, &[Level::Warning, Level::Critical], &cleared);
    has(&["alert-2 alarm"]).await;
    let resolved = |posted: &[crate::harness::hook::Posted]| {
        let events = posted.iter().map(|p| p.json());
        let alerts = events.flat_map(|e| e["alerts"].as_array().unwrap().clone());
        alerts.filter(|a| a["status"] == "resolved").map(|a| a["labels"]["alert"].clone()).collect::<Vec<_>>()
    };
    wait_for("the end to be told", WITHIN, async || (resolved(&hook.posted()).len() >= 2).then_some(()))
        .await;
    let resolved = resolved(&hook.posted());
    assert!(resolved.iter().all(|alert| *alert == "alert-1"), "{resolved:?}");
    sender.until("all of it", |s| s.n_backlog == 0 && s.state == SinkState::Ok).await;
    sender.stop().await;
}

fn broker(port: u16, client_id: &str) -> Broker {
    Broker {
        name: "notices".into(),
        host: "127.0.0.1".into(),
        port,
        client_id: client_id.into(),
        clean_session: true,
        keep_alive: Duration::from_secs(30),
        credentials: None,
        tls: None,
        packet_bytes_max: 1 << 20,
        unacknowledged_max: 16,
        backoff_max: Duration::from_millis(20),
        silent_after: Duration::from_secs(600),
    }
}

#[tokio::test]
async fn a_broker_that_was_away_gets_every_notice_in_order() {
    let Some(mut server) = servers::mosquitto("allow_anonymous true\npersistence true\nuser root") else {
        return;
    };
    let mut options = MqttOptions::new("listener", "127.0.0.1", server.port());
    options.set_clean_session(false).set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut events) = AsyncClient::new(options, 16);
    client.subscribe("submeter/notices/#", QoS::AtLeastOnce).await.unwrap();
    wait_for("the subscription", WITHIN, async || {
        matches!(events.poll().await, Ok(Event::Incoming(Packet::SubAck(_)))).then_some(())
    })
    .await;
    let mut store = NoticeStore::at(NOW);
    let mut sent = store.raise(3);
    let topic = "submeter/notices/{site}".into();
    let via = Via::Mqtt(Mqtt { broker: broker(server.port(), "sender"), topic, retain: false });
    let sender = store.send(NoticeStore::receiver(via));
    store.emptied().await;
    server.stop();
    sent.extend(store.raise(5));
    server.start();
    store.emptied().await;
    let mut heard = Vec::new();
    while once(&heard).len() < sent.len() {
        let event = tokio::time::timeout(WITHIN, events.poll()).await.expect("a message");
        // The listener itself comes back after the broker did.
        let Ok(event) = event else { continue };
        if let Event::Incoming(Packet::Publish(message)) = event {
            assert_eq!(message.topic, "submeter/notices/plant");
            let event: Value = serde_json::from_slice(&message.payload).unwrap();
            heard.push(event["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(once(&heard), sent);
    sender.stop().await;
}

#[tokio::test]
async fn mails_go_to_everybody_named_and_a_bad_one_holds_up_no_other() {
    let server = Smtp::start().await;
    let own = Mail {
        host: "127.0.0.1".into(),
        port: server.port(),
        security: MailSecurity::None,
        ca_file: None,
        login: None,
        from: "submeterd <submeterd@example.org>".into(),
        to: vec!["officer@example.org".into(), "Deputy <deputy@example.org>".into()],
    };
    server.script(["451 try again", "250 queued", "554 spam", "550 no such user", "250 queued"]);
    let mut store = NoticeStore::at(NOW);
    let sent = store.raise(3);
    let sender = store.send(NoticeStore::receiver(Via::Mail(own)));
    store.emptied().await;
    let mails = server.mails();
    let taken: Vec<_> = mails.iter().filter(|m| m.answer == "250 queued").collect();
    assert_eq!((mails.len(), taken.len()), (5, 2));
    for (mail, id) in taken.iter().zip([&sent[0], &sent[2]]) {
        assert_eq!(mail.to.len(), 2, "{mail:?}");
        assert!(mail.text.contains(&format!("Message-ID: <{id}.submeterd@example.org>")), "{}", mail.text);
        assert!(mail.text.contains("Subject: =?utf-8?b?"), "{}", mail.text);
    }
    let [aside] = &store.set_aside()[..] else { panic!("one") };
    assert!(aside.status == 554 && aside.why.contains("spam"), "{aside:?}");
    sender.stop().await;
}

#[test]
fn the_example_for_an_alertmanager_is_one() {
    let Some(amtool) = servers::amtool() else { return };
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/alertmanager/alertmanager.yml");
    let checked = Command::new(amtool).arg("check-config").arg(&file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let text = std::fs::read_to_string(file).unwrap();
    for level in [Level::Warning, Level::Alarm, Level::Critical] {
        assert!(text.contains(level.name()));
    }
}

/// A press that runs and a fan that runs while `fan` says so, until the task is dropped.
async fn plant(port: u16, fan: Arc<AtomicBool>) {
    let mut options = MqttOptions::new("plant", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 64);
    let mut pace = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            _ = pace.tick() => {
                let now = Clock::System.now().0;
                let kw = if fan.load(Ordering::Acquire) { "5.0" } else { "0.0" };
                for (meter, power) in [("press", "5.0"), ("fan", kw)] {
                    let topic = format!("submeter/v1/plant-0/{meter}/reading");
                    let body = format!(r#"{{"ts":{now},"p":{power}}}"#);
                    // A queue that is full is a moment lost, as with a real gateway.
                    drop(client.try_publish(topic, QoS::AtLeastOnce, false, body));
                }
            }
            event = events.poll() => drop(event.unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_program_tells_each_change_once_though_it_is_killed_and_the_receiver_is_away() {
    let Some(broker) = servers::mosquitto(endtoend::BROKER) else { return };
    let mut hook = Hook::start().await;
    let config = format!(
        "{}\n[[notices.webhook]]\nname = \"duty\"\nurl = {:?}\nsecret_file = \"hook.secret\"\nwait = \"0s\"\n\
         backoff_max = \"1s\"\nlanguage = \"zh\"\nfilter = {{ rules = [\"treatment_off\"] }}\n",
        endtoend::config(&broker, None),
        hook.url()
    );
    let mut program = Program::new(&config, &[endtoend::site(0)]);
    std::fs::write(program.folder().join("hook.secret"), "s3cret\n").unwrap();
    program.start();
    program.await_ready();
    let fan = Arc::new(AtomicBool::new(false));
    let mut plant_task = tokio::task::JoinSet::new();
    plant_task.spawn(plant(broker.port(), Arc::clone(&fan)));
    let what = |hook: &Hook| -> Vec<String> {
        let taken = hook.posted().into_iter().filter(|p| p.status == 204);
        taken.map(|p| p.json()["data"]["alerts"][0]["what"].as_str().unwrap().to_owned()).collect()
    };
    wait_for("the alert to be told", WITHIN * 2, async || (what(&hook) == ["raised"]).then_some(())).await;
    // Killed between an answer and its record it would tell it again, under the same id: at least once.
    wait_for_blocking("an empty queue", WITHIN, || {
        let status: Value = program.json(&["status"]);
        (status["sinks"][0][1]["n_backlog"] == 0).then_some(())
    });
    hook.stop().await;
    program.kill();
    fan.store(true, Ordering::Release);
    program.start();
    program.await_ready();
    let said = wait_for_blocking("a notice that waits", WITHIN * 2, || {
        let status: Value = program.json(&["status"]);
        (status["sinks"][0][1]["n_backlog"] == 1).then(|| program.ask(&["status"]))
    });
    assert!(said.contains("notices to duty: BACKING OFF"), "{said}");
    program.kill();
    program.start();
    program.await_ready();
    hook.resume().await;
    wait_for("its end to be told", WITHIN * 2, async || (what(&hook).len() >= 2).then_some(())).await;
    let status = wait_for_blocking("an empty queue", WITHIN, || {
        let status: Value = program.json(&["status"]);
        (status["sinks"][0][1]["n_backlog"] == 0).then_some(status)
    });
    assert_eq!(status["sinks"][0][1]["kind"], "notices", "{status}");
    assert_eq!(what(&hook), ["raised", "cleared"]);
    for posted in hook.posted() {
        let timestamp = posted.header("x-submeterd-timestamp").parse().unwrap();
        assert_eq!(posted.header("x-submeterd-signature"), signature::of("s3cret", timestamp, &posted.body));
    }
    program.stop();
}
