//! The outbox, from the store to the far side.

use std::time::Duration;

use submeterd::history;
use submeterd::model::quantity::Channel;
use submeterd::model::reading::{Quality, ReadingBatch};
use submeterd::outbox::desk::SINK;
use submeterd::outbox::influx::InfluxError;
use submeterd::outbox::status::SinkState;
use submeterd::store::queue::{self, Entry};

use crate::harness::fake_influx::{Answer, FakeInflux};
use crate::harness::outbox_store::{NOW, OutboxStore, WITHIN, powers};
use crate::harness::servers;
use crate::harness::wait::wait_for;

#[tokio::test]
async fn a_huge_row_leaves_in_order_in_bounded_compressed_requests() {
    let fake = FakeInflux::start().await;
    // Some say 200 or 202 where InfluxDB says 204.
    fake.script([Answer::Take(200), Answer::Take(202)]);
    let mut store = OutboxStore::new();
    store.push_readings(2_000, NOW);
    store.push_state(NOW);
    let mut sender = store.send(OutboxStore::settings(&fake.url(), 300));
    store.emptied().await;

    let taken = fake.taken();
    assert_eq!(powers(&taken), (0..2_000).collect::<Vec<_>>());
    assert_eq!(
        taken[7],
        "reading,site=cement-1,meter=m1,point=kiln,kind=production power_w=7.0 1700000007000"
    );
    let state = r#"state,site=cement-1,point=kiln,kind=production state="off",code=0i 1700000000000"#;
    assert_eq!(taken[2_000..], [state]);
    let requests = fake.requests();
    assert!(requests.iter().all(|r| r.lines.len() <= 300 && r.gzip), "{requests:?}");
    assert_eq!(requests[0].query, "bucket=plants&org=bureau&precision=ms");
    assert_eq!(requests[0].authorization.as_deref(), Some("Token t0ken"));
    let status = sender.until("an empty queue", |s| s.n_backlog == 0 && s.n_lines_delivered == 2_001).await;
    assert_eq!((status.state, status.n_set_aside, status.lag_ms), (SinkState::Ok, 0, 0));
    assert_eq!(status.last_ok, Some(NOW));
    sender.stop().await;
}

#[tokio::test]
async fn every_kind_of_refusal_under_load_loses_nothing_and_keeps_the_order() {
    for refusal in [400, 422] {
        let fake = FakeInflux::start().await;
        // 17, 117, 217, … are bad, and the far side takes 70 lines at most.
        fake.refuse("17.0 ", refusal);
        fake.limit(70);
        fake.script([
            Answer::Say(503, "overloaded"),
            Answer::Say(400, "for no line's sake"),
            Answer::Judge,
            Answer::Say(429, "too many requests"),
            Answer::Say(404, "bucket not found"),
            Answer::Judge,
            Answer::Say(401, "unauthorized"),
            Answer::Say(413, "too large"),
            Answer::JudgeAndHang,
            Answer::Say(422, "for no line's sake"),
            Answer::Say(500, "internal error"),
            Answer::Say(403, "forbidden"),
            Answer::Say(302, "elsewhere"),
            Answer::Say(200, "<html>log in</html>"),
        ]);
        let mut store = OutboxStore::new();
        store.push_readings(450, NOW);
        let mut settings = OutboxStore::settings(&fake.url(), 500);
        settings.timeout = Duration::from_millis(100);
        settings.gzip = refusal == 400;
        let mut sender = store.send(settings);
        for _ in 0..15 {
            store.push_readings(30, NOW);
            tokio::task::yield_now().await;
        }
        store.emptied().await;

        assert_eq!(fake.n_scripted(), 0, "every answer was given");
        let bad: Vec<u32> = (0..9).map(|n| 100 * n + 17).collect();
        let good: Vec<u32> = (0..900).filter(|n| !bad.contains(n)).collect();
        assert_eq!(powers(&fake.taken()), good, "{refusal}");
        let aside = store.set_aside();
        let lines: Vec<String> = aside.iter().map(|b| b.line.clone()).collect();
        assert_eq!(powers(&lines), bad);
        assert_eq!(lines.len(), bad.len(), "each once");
        assert!(aside.iter().all(|b| b.status == refusal && b.why.contains("field type conflict")));
        let status = sender.until("the count", |s| s.n_set_aside == 9 && s.n_backlog == 0).await;
        assert_eq!(status.state, SinkState::Ok);
        assert!(status.last_error.is_some());
        sender.stop().await;
    }
}

#[tokio::test]
async fn what_a_person_must_see_to_holds_everything_until_it_is_seen_to() {
    for (status, words) in [(401, "unauthorized"), (403, "forbidden"), (404, "bucket not found")] {
        let fake = FakeInflux::start().await;
        fake.otherwise(Answer::Say(status, words));
        let mut store = OutboxStore::new();
        store.push_readings(10, NOW);
        let mut sender = store.send(OutboxStore::settings(&fake.url(), 100));
        let held = sender.until("a hold", |s| s.state == SinkState::Holding).await;
        assert!(held.last_error.unwrap().contains(words));
        wait_for("more tries", WITHIN, async || (fake.requests().len() > 3).then_some(())).await;
        assert_eq!((store.n_waiting(), store.set_aside().len()), (1, 0), "nothing is dropped");

        fake.otherwise(Answer::Judge);
        store.emptied().await;
        assert_eq!(powers(&fake.taken()), (0..10).collect::<Vec<_>>());
        sender.until("all well", |s| s.state == SinkState::Ok && s.n_set_aside == 0).await;
        sender.stop().await;
    }
}

#[tokio::test]
async fn a_far_side_that_refuses_everything_does_not_empty_the_queue_into_what_is_set_aside() {
    let fake = FakeInflux::start().await;
    fake.refuse("reading", 400);
    let mut store = OutboxStore::new();
    store.push_readings(400, NOW);
    let mut settings = OutboxStore::settings(&fake.url(), 500);
    settings.backoff_max = Duration::from_secs(2);
    let mut sender = store.send(settings);
    sender.until("a hold", |s| s.state == SinkState::Holding).await;
    fake.refuse("nothing", 400);
    store.emptied().await;
    assert_eq!(store.set_aside().len(), 100);
    assert_eq!(powers(&fake.taken()), (100..400).collect::<Vec<_>>());
    sender.stop().await;
}

#[tokio::test]
async fn an_absent_far_side_is_waited_for_and_what_gathered_meanwhile_leaves_in_order() {
    let mut fake = FakeInflux::start().await;
    fake.stop().await;
    let mut store = OutboxStore::new();
    let mut sender = store.send(OutboxStore::settings(&fake.url(), 50));
    for _ in 0..40 {
        store.push_readings(10, NOW);
    }
    store.set_now(NOW.plus(60_000));
    let status = sender.until("a backlog", |s| s.n_backlog == 40 && s.lag_ms == 60_000).await;
    assert_eq!(status.state, SinkState::BackingOff);
    assert!(status.last_error.unwrap().contains("refused"));

    fake.resume().await;
    store.emptied().await;
    assert_eq!(powers(&fake.taken()), (0..400).collect::<Vec<_>>());
    sender.until("no lag", |s| s.lag_ms == 0 && s.n_backlog == 0 && s.state == SinkState::Ok).await;
    sender.stop().await;
}

#[tokio::test]
async fn the_present_does_not_wait_behind_the_past() {
    let fake = FakeInflux::start().await;
    fake.otherwise(Answer::After(Duration::from_millis(3)));
    let mut store = OutboxStore::new();
    for _ in 0..100 {
        store.push_readings(20, NOW.plus(-60_000));
    }
    let sender = store.send(OutboxStore::settings(&fake.url(), 20));
    wait_for("the backlog to move", WITHIN, async || (fake.taken().len() > 100).then_some(())).await;
    for _ in 0..5 {
        store.push_readings(20, NOW);
        store.push_state(NOW);
    }
    store.emptied().await;
    sender.stop().await;

    let taken = fake.taken();
    let (past, present): (Vec<_>, Vec<_>) = powers(&taken).into_iter().partition(|p| *p < 2_000);
    assert_eq!(past, (0..2_000).collect::<Vec<_>>(), "the past in order");
    assert_eq!(present, (2_000..2_100).collect::<Vec<_>>(), "the present in order");
    let at = |text: &str| taken.iter().rposition(|l| l.contains(text)).unwrap();
    let end_of_past = at("power_w=1999.0");
    assert!(at("power_w=2099.0") < end_of_past, "the present is served beside the past");
    assert!(at("state,") < end_of_past, "so are events");
}

#[tokio::test]
async fn a_sender_stopped_in_the_middle_goes_on_where_it_was() {
    let fake = FakeInflux::start().await;
    let mut store = OutboxStore::new();
    for _ in 0..30 {
        store.push_readings(20, NOW);
    }
    for n in [5, 11, 17] {
        // The last of these is taken and not answered: nobody can know, and it is sent again.
        fake.script(vec![Answer::Judge; 5]);
        fake.otherwise(Answer::JudgeAndHang);
        let sender = store.send(OutboxStore::settings(&fake.url(), 20));
        wait_for("a request that hangs", WITHIN, async || (fake.requests().len() > n).then_some(())).await;
        sender.stop().await;
    }
    fake.otherwise(Answer::Judge);
    let sender = store.send(OutboxStore::settings(&fake.url(), 20));
    store.emptied().await;
    sender.stop().await;
    let taken = fake.taken();
    assert_eq!(powers(&taken), (0..600).collect::<Vec<_>>());
    assert_eq!(taken.len(), 600 + 3 * 20, "only what was not answered is sent twice");
}

#[tokio::test]
async fn a_far_side_too_slow_for_large_requests_gets_small_ones() {
    let fake = FakeInflux::start().await;
    fake.script(vec![Answer::JudgeAndHang; 3]);
    let mut store = OutboxStore::new();
    store.push_readings(400, NOW);
    let mut settings = OutboxStore::settings(&fake.url(), 400);
    settings.timeout = Duration::from_millis(250);
    let mut sender = store.send(settings);
    let status = sender.until("a pause", |s| s.state == SinkState::BackingOff).await;
    assert!(status.last_error.unwrap().contains("no answer within 250ms"));
    store.emptied().await;
    sender.stop().await;
    let sizes: Vec<usize> = fake.requests().iter().map(|r| r.lines.len()).collect();
    assert_eq!(sizes[..5], [400, 200, 100, 50, 50]);
    assert_eq!(powers(&fake.taken()), (0..400).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_trickle_is_gathered() {
    let fake = FakeInflux::start().await;
    let mut store = OutboxStore::new();
    let mut sender = store.send(OutboxStore::settings(&fake.url(), 100));
    for _ in 0..60 {
        store.push_readings(1, NOW);
        // The pace of the trickle; nothing is waited for.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    sender.until("all lines", |s| s.n_lines_delivered == 60).await;
    assert!(fake.requests().len() < 20, "{}", fake.requests().len());
    sender.stop().await;
}

#[tokio::test]
async fn what_cannot_be_made_a_line_is_set_aside_and_blocks_nothing() {
    let fake = FakeInflux::start().await;
    let mut store = OutboxStore::new();
    let conn = store.conn();
    store.push_state(NOW);
    conn.execute("UPDATE outbox SET body = '{cut'", []).unwrap();
    queue::push(&conn, SINK, &Entry::Readings { row: 9_999 }).unwrap();
    let mut strange = ReadingBatch::default();
    strange.begin(0, NOW, NOW, 1, Quality::GOOD);
    strange.push_value(Channel::POWER, 5.0);
    let row = history::batch::append(&conn, &strange, &[77]).unwrap();
    queue::push(&conn, SINK, &Entry::Readings { row }).unwrap();
    store.push_readings(3, NOW);
    let damaged = store.push_readings(1, NOW);
    conn.execute("UPDATE history_row SET body = x'00' WHERE id = ?1", [damaged]).unwrap();
    store.push_readings(1, NOW);
    let sender = store.send(OutboxStore::settings(&fake.url(), 100));
    store.emptied().await;
    sender.stop().await;
    assert_eq!(powers(&fake.taken()), [0, 1, 2, 4]);
    let aside = store.set_aside();
    let lines: Vec<(u16, &str)> = aside.iter().map(|b| (b.status, &*b.line)).collect();
    let unnamed = "reading,meter_key=77 power_w=5.0 1700000000000";
    let row = format!("readings of history row {damaged}");
    assert_eq!(lines, [(0, "{cut"), (0, "readings of history row 9999"), (0, unnamed), (0, &row)]);
    assert!(aside[0].why.contains("column"), "{aside:?}");
}

#[tokio::test]
async fn an_address_that_cannot_work_is_told_at_once() {
    let store = OutboxStore::new();
    let error = store.send(OutboxStore::settings("influx:8086", 10)).ended().await.unwrap_err();
    let InfluxError::Settings { source } = error else { panic!("{error:?}") };
    assert!(source.to_string().contains("influx:8086"), "{source}");
}

#[tokio::test]
async fn a_real_victoria_metrics_holds_what_was_sent_over_an_outage() {
    let Some(mut server) = servers::victoria_metrics() else { return };
    let mut store = OutboxStore::new();
    let mut sender = store.send(OutboxStore::settings(&server.url(), 500));
    store.push_readings(1_000, NOW);
    store.emptied().await;
    server.stop();
    store.push_readings(1_000, NOW);
    sender.until("a backlog", |s| s.state == SinkState::BackingOff && s.n_backlog == 1).await;
    server.start();
    store.emptied().await;
    sender.stop().await;

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let query = format!("{}/api/v1/export?match[]=reading_power_w&start=0", server.url());
    let exported = async || {
        http.get(format!("{}/internal/force_flush", server.url())).send().await.ok()?;
        let text = http.get(&query).send().await.ok()?.text().await.ok()?;
        let series: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
        (series["values"].as_array()?.len() == 2_000).then_some(series)
    };
    let series = wait_for("all values", WITHIN, exported).await;
    for n in 0_u32..2_000 {
        let at = n as usize;
        assert_eq!(series["values"][at].as_f64(), Some(f64::from(n)));
        assert_eq!(series["timestamps"][at].as_i64(), Some(NOW.0 + i64::from(n) * 1_000));
    }
    for (tag, value) in [("site", "cement-1"), ("meter", "m1"), ("point", "kiln"), ("kind", "production")] {
        assert_eq!(series["metric"][tag], value);
    }
}
