//! The MQTT session against a scripted broker: what is acknowledged, when, and where.

use std::time::Duration;

use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{ConnAck, ConnectReturnCode, Packet, SubAck, SubscribeReasonCode};
use submeterd::config::secret::Secret;
use submeterd::config::settings::Credentials;
use submeterd::journal::writer::Retention;
use submeterd::model::message::Delivery;
use submeterd::sources::mqtt::session::SessionError;

use crate::harness::mqtt_broker::{Broker, publish};
use crate::harness::mqtt_session::{Running, WITHIN, settings};
use crate::harness::wait::wait_for;

/// Long enough for a wrong packet to come.
const QUIET: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_message_is_acknowledged_only_once_it_is_on_disk_and_in_order() {
    let broker = Broker::start().await;
    let running = Running::start(settings(broker.port()));
    let mut peer = broker.serve(false).await;
    let held = running.hold_commits();
    let packets = (1..=25).map(|n| Packet::Publish(publish(n, "a/x", n.to_string().as_bytes())));
    peer.send_all(packets).await;
    running.until("25 messages", |s| (s.counts.received == 25).then_some(())).await;
    assert_eq!(peer.next_within(QUIET).await, None, "nothing is on disk yet");
    assert_eq!(running.status.borrow().unacknowledged, 25);

    drop(held);
    for n in 1..=25 {
        assert_eq!(peer.ack().await, n);
        assert!(running.kept().len() >= usize::from(n), "{n} was acknowledged before it was on disk");
    }
    let kept = running.kept();
    assert_eq!(kept[24].payload, b"25");
    assert_eq!((&*kept[0].topic, kept[0].delivery), ("a/x", Delivery::PLAIN));
    running
        .until("all counted", |s| (s.counts.acknowledged == 25 && s.unacknowledged == 0).then_some(()))
        .await;
    running.stopped().await;
}

#[tokio::test]
async fn qos_0_is_journaled_and_not_acknowledged_and_flags_are_kept() {
    let broker = Broker::start().await;
    let running = Running::start(settings(broker.port()));
    let mut peer = broker.serve(false).await;
    peer.publish(0, "b/x/y", b"zero").await;
    let mut again = publish(7, "a/x", b"again");
    (again.dup, again.retain) = (true, true);
    peer.send(Packet::Publish(again)).await;
    assert_eq!(peer.ack().await, 7, "and nothing for the first");
    let kept = running.kept();
    let seen: Vec<_> = kept.iter().map(|k| (&k.payload[..], k.delivery)).collect();
    assert_eq!(
        seen,
        [(&b"zero"[..], Delivery::PLAIN), (b"again", Delivery::DUPLICATE.with(Delivery::RETAINED))]
    );
    let counts = running.until("both", |s| (s.counts.received == 2).then_some(s.counts)).await;
    assert_eq!((counts.duplicates, counts.retained, counts.bytes), (1, 1, 5 + 4 + 3 + 5));
    running.stopped().await;
}

#[tokio::test]
async fn nothing_of_an_old_connection_is_acknowledged_on_a_new_one() {
    let broker = Broker::start().await;
    let running = Running::start(settings(broker.port()));
    let mut first = broker.serve(false).await;
    let held = running.hold_commits();
    first.publish(5, "a/x", b"before").await;
    running.until("the message", |s| (s.counts.received == 1).then_some(())).await;
    drop(first);

    let mut second = broker.serve(true).await;
    drop(held);
    let journal = &running.journal;
    wait_for("the commit", WITHIN, async || (*journal.durable().borrow() >= 1).then_some(())).await;
    assert_eq!(second.next_within(QUIET).await, None, "5 means nothing here yet");

    let mut again = publish(5, "a/x", b"before");
    again.dup = true;
    second.send(Packet::Publish(again)).await;
    assert_eq!(second.ack().await, 5, "now it does");
    assert_eq!(running.status.borrow().generation, 2);
    running.stopped().await;
}

#[tokio::test]
async fn every_connection_is_subscribed_anew_even_where_the_session_was_kept() {
    let broker = Broker::start().await;
    let running = Running::start(settings(broker.port()));
    for generation in 1..=4 {
        let (mut peer, connect) = broker.greet(generation > 1).await;
        assert_eq!((&*connect.client_id, connect.clean_session), ("submeterd-test", false));
        let asked = peer.subscribe().await;
        let filters: Vec<_> = asked.filters.iter().map(|f| (&*f.path, f.qos)).collect();
        assert_eq!(filters, [("a/+", QoS::AtLeastOnce), ("b/#", QoS::AtMostOnce)]);
        assert!(!running.status.borrow().subscribed, "asked is not granted");
        peer.grant(&asked).await;
        running.until("granted", |s| (s.subscribed && s.generation == generation).then_some(())).await;
        drop(peer);
        let error =
            running.until("the loss", |s| if s.connected { None } else { s.last_error.clone() }).await;
        assert!(error.contains("lost"), "{error}");
    }
    running.stopped().await;
}

#[tokio::test]
async fn a_refused_filter_is_shown_and_asked_for_again() {
    let broker = Broker::start().await;
    let running = Running::start(settings(broker.port()));
    let (mut peer, _) = broker.greet(false).await;
    let asked = peer.subscribe().await;
    let codes = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce), SubscribeReasonCode::Failure];
    peer.send(Packet::SubAck(SubAck::new(asked.pkid, codes))).await;
    let refused = running.until("the refusal", |s| s.refused.first().cloned()).await;
    assert_eq!((&*refused, running.status.borrow().subscribed), ("b/#", false));
    let again = peer.subscribe().await;
    let paths: Vec<_> = again.filters.iter().map(|f| &*f.path).collect();
    assert_eq!(paths, ["b/#"], "only what was refused");
    peer.grant(&again).await;
    running.until("granted", |s| (s.subscribed && s.refused.is_empty()).then_some(())).await;
    running.stopped().await;
}

#[tokio::test]
async fn an_oversized_message_is_kept_marked_and_acknowledged_without_losing_the_connection() {
    let broker = Broker::start().await;
    let running = Running::start(settings(broker.port()));
    let mut peer = broker.serve(false).await;
    let (large, huge) = (vec![b'x'; 2 << 20], vec![b'y'; 17 << 20]);
    peer.publish(1, "a/large", &large).await;
    peer.publish(2, "a/huge", &huge).await;
    peer.publish(3, "a/small", b"small").await;
    assert_eq!(peer.acks(3).await, [1, 2, 3]);
    let kept = running.kept();
    assert!(kept[0].payload == large, "whole, as every message");
    assert!(kept[0].delivery.has(Delivery::OVERSIZED) && kept[1].delivery.has(Delivery::OVERSIZED));
    assert_eq!(kept[1].payload.len(), 64 << 10, "the journal could not take it: its begin is kept");
    assert_eq!((&kept[2].payload[..], kept[2].delivery), (&b"small"[..], Delivery::PLAIN));
    let status = running.status.borrow().clone();
    assert_eq!((status.generation, status.counts.oversized), (1, 2));
    running.stopped().await;
}

#[tokio::test]
async fn above_the_bound_of_unacknowledged_messages_the_socket_is_not_read() {
    let broker = Broker::start().await;
    let mut few = settings(broker.port());
    few.unacknowledged_max = 7;
    few.keep_alive = Duration::from_secs(1);
    let running = Running::start(few);
    let mut peer = broker.serve(false).await;
    let held = running.hold_commits();
    peer.send_all((1..=40).map(|n| Packet::Publish(publish(n, "a/x", b"p")))).await;
    running.until("held back", |s| s.held_back.then_some(())).await;
    // Longer than the broker would wait for a ping: they go on, and the connection stands.
    assert_eq!(peer.next_within(Duration::from_secs(2)).await, None);
    assert_eq!(running.status.borrow().counts.received, 7);
    drop(held);
    assert_eq!(peer.acks(40).await, (1..=40).collect::<Vec<_>>());
    running.until("free", |s| (!s.held_back && s.generation == 1).then_some(())).await;
    running.stopped().await;
}

#[tokio::test]
async fn a_full_journal_stops_acknowledging_and_goes_on_when_there_is_room() {
    let broker = Broker::start().await;
    let small = Retention { max_age_days: 10_000, max_bytes: 400 << 10 };
    let running = Running::start_with(settings(broker.port()), small);
    let mut peer = broker.serve(false).await;
    let mut random = fastrand::Rng::with_seed(1);
    // Not to be compressed.
    let payload: Vec<u8> = (0..50 << 10).map(|_| random.u8(..)).collect();
    let (mut sent, mut acknowledged) = (0_u16, 0);
    while !running.status.borrow().held_back {
        sent += 1;
        assert!(sent < 1000, "the journal never fills");
        peer.publish(sent, "a/x", &payload).await;
        while peer.next_within(Duration::from_millis(20)).await.is_some() {
            acknowledged += 1;
        }
    }
    // What was committed before it was full is still acknowledged; after that nothing is.
    while peer.next_within(QUIET).await.is_some() {
        acknowledged += 1;
    }
    sent += 1;
    peer.publish(sent, "a/x", &payload).await;
    assert_eq!(peer.next_within(QUIET).await, None, "it is full");

    running.journal.set_keep_from(u64::from(sent));
    let open = peer.acks(usize::from(sent) - acknowledged).await;
    assert_eq!(open.last(), Some(&sent));
    running.until("free", |s| (!s.held_back && s.generation == 1).then_some(())).await;
    running.stopped().await;
}

#[tokio::test]
async fn what_was_read_before_the_connection_was_lost_is_journaled() {
    let broker = Broker::start().await;
    let running = Running::start(settings(broker.port()));
    let mut peer = broker.serve(false).await;
    // A publish, and with the same write something no broker may send.
    peer.send_all([Packet::Publish(publish(0, "b/x", b"last words")), Packet::PingReq]).await;
    running.until("the loss", |s| (!s.connected && s.last_error.is_some()).then_some(())).await;
    wait_for("the message", WITHIN, async || (running.kept().len() == 1).then_some(())).await;
    running.stopped().await;
}

#[tokio::test]
async fn a_broker_that_refuses_is_tried_again_and_again_with_pauses() {
    let broker = Broker::start().await;
    let mut login = settings(broker.port());
    login.credentials = Some(Credentials { username: "plant".into(), password: Secret::new("wrong\n") });
    login.backoff_max = Duration::from_millis(200);
    let running = Running::start(login);
    let begun = std::time::Instant::now();
    for _ in 0..5 {
        let mut peer = broker.accept().await.unwrap();
        let Packet::Connect(connect) = peer.next().await else { panic!("no CONNECT") };
        let login = connect.login.unwrap();
        assert_eq!((&*login.username, &*login.password), ("plant", "wrong"));
        peer.send(Packet::ConnAck(ConnAck::new(ConnectReturnCode::BadUserNamePassword, false))).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(400), "four pauses of at least half of 200 ms");
    let error = running.until("the refusal", |s| s.last_error.clone()).await;
    assert!(error.contains("BadUserNamePassword") && !error.contains("wrong"), "{error}");
    drop(broker);
    running.stopped().await;
}

#[tokio::test]
async fn silence_on_a_standing_connection_is_told_and_taken_back() {
    let broker = Broker::start().await;
    let mut impatient = settings(broker.port());
    impatient.silent_after = Duration::from_millis(300);
    let running = Running::start(impatient);
    let mut peer = broker.serve(false).await;
    running.until("silence", |s| (s.silent && s.connected).then_some(())).await;
    peer.publish(1, "a/x", b"p").await;
    running.until("a message", |s| (!s.silent && s.last_message.is_some()).then_some(())).await;
    running.stopped().await;
}

#[tokio::test]
async fn a_broker_that_answers_no_ping_is_left() {
    let broker = Broker::start().await;
    let mut brisk = settings(broker.port());
    brisk.keep_alive = Duration::from_secs(1);
    let running = Running::start(brisk);
    let mut peer = broker.serve(false).await;
    peer.publish(1, "a/x", b"p").await;
    assert_eq!(peer.ack().await, 1);
    // Nobody reads at the other end from here on.
    let error = running.until("the loss", |s| s.last_error.clone()).await;
    assert!(error.contains("ping"), "{error}");
    drop(peer);
    broker.serve(true).await;
    running.stopped().await;
}

#[tokio::test]
async fn a_stop_is_prompt_wherever_it_comes() {
    // Nobody listens.
    let free = Broker::start().await.port();
    let running = Running::start(settings(free));
    running.until("a failure", |s| s.last_error.clone()).await;
    assert!(running.stopped().await < Duration::from_secs(2));

    // Connected, with a message that is not on disk yet: it is acknowledged, and leave is taken.
    let broker = Broker::start().await;
    let running = Running::start(settings(broker.port()));
    let mut peer = broker.serve(false).await;
    let held = running.hold_commits();
    peer.publish(9, "a/x", b"p").await;
    running.until("the message", |s| (s.counts.received == 1).then_some(())).await;
    running.stop.cancel();
    drop(held);
    assert_eq!(peer.ack().await, 9);
    assert_eq!(peer.until_closed().await, [Packet::Disconnect]);
    assert!(running.stopped().await < Duration::from_secs(2));

    // While it waits for the broker's answer.
    let running = Running::start(settings(broker.port()));
    let _mute = broker.accept().await.unwrap();
    assert!(running.stopped().await < Duration::from_secs(2));
}

#[tokio::test]
async fn only_the_end_of_the_journal_ends_a_session() {
    let broker = Broker::start().await;
    let mut running = Running::start(settings(broker.port()));
    let mut peer = broker.serve(false).await;
    running.break_journal().await;
    peer.publish(1, "a/x", b"p").await;
    let error = running.ended().await.unwrap_err();
    assert!(matches!(error, SessionError::Journal { .. }), "{error}");
    assert!(peer.until_closed().await.is_empty(), "and nothing was acknowledged");
}

#[tokio::test]
async fn a_session_that_is_to_be_kept_needs_a_name() {
    let mut nameless = settings(1);
    nameless.client_id = "".into();
    let mut running = Running::start(nameless);
    assert!(matches!(running.ended().await, Err(SessionError::Setup { .. })));
}
