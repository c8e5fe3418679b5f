//! The journal against a list: what was appended is read back, in order, whatever happens in between.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::error::{AppendError, JournalError};
use super::handle::{Journal, JournalThread};
use super::read::Reader;
use super::schema;
use super::writer::{Ageing, Retention};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::reading::Offset;
use crate::model::time::{Clock, UtcMs};

const ROOMY: Retention = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };

fn message(payload: &[u8]) -> Message<'_> {
    Message {
        kind: Kind::Mqtt,
        delivery: Delivery::PLAIN,
        received: UtcMs(1_661_789_400_000),
        source: "city",
        topic: "submeter/v1/plant/press/reading",
        payload,
    }
}

fn open(folder: &Path, retention: Retention) -> (Journal, JournalThread) {
    Journal::open(folder, retention, Clock::System).unwrap()
}

fn all(folder: &Path) -> Vec<(Offset, Vec<u8>)> {
    let mut reader = Reader::open(folder).unwrap();
    let (mut seen, mut after) = (Vec::new(), 0);
    while let Some(batch) = reader.next(after).unwrap() {
        seen.extend(batch.messages().map(|(o, m)| (o, m.payload.to_vec())));
        after = batch.last();
    }
    seen
}

async fn until_durable(journal: &Journal, offset: Offset) {
    let mut durable = journal.durable();
    let reached = durable.wait_for(|d| *d >= offset);
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap().unwrap();
}

#[derive(Clone, Debug)]
enum Act {
    Append(Vec<u8>),
    AwaitDurable,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(Act::Append),
        2 => Just(Act::AwaitDurable),
        1 => Just(Act::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_was_appended_is_read_back_in_order(acts in proptest::collection::vec(act(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut journal, mut thread) = open(folder.path(), ROOMY);
        let mut model: Vec<(Offset, Vec<u8>)> = Vec::new();
        for act in acts {
            match act {
                Act::Append(payload) => {
                    let offset = journal.append(&message(&payload)).unwrap();
                    prop_assert_eq!(offset, model.len() as u64 + 1);
                    model.push((offset, payload));
                }
                Act::AwaitDurable => {
                    runtime.block_on(until_durable(&journal, model.len() as u64));
                    prop_assert_eq!(&all(folder.path()), &model);
                }
                Act::Reopen => {
                    thread.finish().unwrap();
                    (journal, thread) = open(folder.path(), ROOMY);
                }
            }
        }
        thread.finish().unwrap();
        prop_assert_eq!(&all(folder.path()), &model);
        let (last, _) = Reader::open(folder.path()).unwrap().verify().unwrap();
        prop_assert_eq!(last, model.len() as u64);
    }
}

#[tokio::test]
async fn a_message_is_durable_only_once_it_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, thread) = open(folder.path(), ROOMY);
    for n in 1..=100_u64 {
        let offset = journal.append_durable(&message(&n.to_be_bytes())).await.unwrap();
        assert_eq!(offset, n);
        let on_disk = all(folder.path());
        assert_eq!(on_disk.last(), Some(&(n, n.to_be_bytes().to_vec())));
    }
    thread.finish().unwrap();
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, thread) = open(folder.path(), ROOMY);
    let second = Journal::open(folder.path(), ROOMY, Clock::System);
    assert!(matches!(second, Err(JournalError::Locked { .. })));
    thread.finish().unwrap();
    let (_, thread) = open(folder.path(), ROOMY);
    thread.finish().unwrap();
}

#[test]
fn a_closed_journal_refuses_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, thread) = open(folder.path(), ROOMY);
    thread.finish().unwrap();
    assert!(matches!(journal.append(&message(b"x")), Err(AppendError::Closed { .. })));
}

fn noise(n: u64) -> Vec<u8> {
    let mut state = n;
    let step = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(step).take(4_096).collect()
}

#[tokio::test]
async fn at_the_size_bound_it_refuses_until_the_engine_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, thread) = open(folder.path(), Retention { max_bytes: 1 << 20, ..ROOMY });
    let mut appended = 0;
    let full = loop {
        match journal.append_durable(&message(&noise(appended))).await {
            Ok(_) => appended += 1,
            Err(error) => break error,
        }
        assert!(appended < 20_000, "never full");
    };
    assert!(matches!(full, AppendError::Full { .. }), "{full:?}");
    assert_eq!(all(folder.path()).len() as u64, appended, "nothing was dropped");

    journal.set_keep_from(appended + 1);
    tokio::time::timeout(Duration::from_secs(20), journal.room()).await.unwrap();
    assert_eq!(journal.append_durable(&message(b"again")).await.unwrap(), appended + 1);
    thread.finish().unwrap();
    let mut reader = Reader::open(folder.path()).unwrap();
    assert!(reader.stats().unwrap().first > 1, "old rows are gone");
    reader.verify().expect("the chain holds from the anchor on");
}

#[test]
fn a_clock_that_leaps_ages_nothing_at_once() {
    let begun = std::time::Instant::now();
    let (newest, year_ms) = (UtcMs(1_661_789_400_000), 365 * 24 * 3_600_000);
    let after = |s: u64| begun + Duration::from_secs(s);
    let mut ageing = Ageing { now: Some(newest), looked: begun };
    assert_eq!(ageing.pass(newest.plus(1_000), after(1)), newest.plus(1_000), "it goes with the clock");
    assert_eq!(ageing.pass(newest.plus(year_ms), after(3_601)), newest.plus(1_000 + 24 * 3_600_000));
    assert_eq!(ageing.pass(newest.plus(7_000), after(3_602)), newest.plus(7_000), "back at once");
    let mut ageing = Ageing { now: None, looked: begun };
    assert_eq!(ageing.pass(newest, begun), newest, "an empty journal");
}

#[tokio::test]
async fn files_are_for_owner_and_group_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (journal, thread) = open(folder.path(), ROOMY);
    journal.append_durable(&message(b"x")).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0, "{:?} {mode:o}", entry.path());
    }
    thread.finish().unwrap();
}

fn damage(folder: &Path, statement: &str) {
    rusqlite::Connection::open(folder.join(schema::FILE)).unwrap().execute_batch(statement).unwrap();
}

async fn three_rows(folder: &Path) {
    let (journal, thread) = open(folder, ROOMY);
    for payload in [b"one", b"two", b"six"] {
        journal.append_durable(&message(payload)).await.unwrap();
    }
    thread.finish().unwrap();
}

#[tokio::test]
async fn every_kind_of_damage_is_named_by_its_message() {
    let cases = [
        ("UPDATE batch SET committed_ms = committed_ms + 1 WHERE first = 2", "Chain { first: 2 }"),
        ("UPDATE batch SET hash = zeroblob(32) WHERE first = 3", "Chain { first: 3 }"),
        ("DELETE FROM batch WHERE first = 2", "Hole { expected: 2, found: 3 }"),
        ("UPDATE batch SET body = zeroblob(9) WHERE first = 1", "Chain { first: 1 }"),
    ];
    for (statement, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        three_rows(folder.path()).await;
        damage(folder.path(), statement);
        let error = Reader::open(folder.path()).unwrap().verify().unwrap_err();
        assert_eq!(format!("{error:?}"), expected);
    }
}

#[tokio::test]
async fn a_damaged_row_is_an_error_to_its_reader_and_never_skipped() {
    for (statement, expected, sound) in [
        ("UPDATE batch SET body = zeroblob(9) WHERE first = 2", "Unpack", 1),
        ("UPDATE batch SET raw_bytes = raw_bytes + 1 WHERE first = 2", "Damaged", 1),
        ("UPDATE batch SET last = 9 WHERE first = 3", "Damaged", 2),
        ("DELETE FROM batch WHERE first = 2", "Hole", 1),
        ("UPDATE batch SET body = zeroblob(9) WHERE first = 1", "Unpack", 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        three_rows(folder.path()).await;
        damage(folder.path(), statement);
        let mut reader = Reader::open(folder.path()).unwrap();
        let mut after = 0;
        let error = loop {
            match reader.next(after) {
                Ok(Some(batch)) => after = batch.last(),
                Ok(None) => panic!("{statement}: the damage was passed over"),
                Err(error) => break error,
            }
        };
        assert!(format!("{error:?}").starts_with(expected), "{statement}: {error:?}");
        assert_eq!(after, sound, "{statement}: what lies before it is given out");
    }
}

#[tokio::test]
async fn rows_are_handed_out_together_from_any_message_on() {
    let folder = tempfile::tempdir().unwrap();
    three_rows(folder.path()).await;
    let mut reader = Reader::open(folder.path()).unwrap();
    for after in 0..3 {
        let batch = reader.next(after).unwrap().unwrap();
        assert_eq!((batch.first(), batch.last()), (after + 1, 3));
        let last = batch.messages().last().unwrap();
        assert_eq!((last.0, last.1.payload), (3, &b"six"[..]));
    }
    assert!(reader.next(3).unwrap().is_none());
}

#[tokio::test]
async fn a_registry_may_be_longer_than_any_message() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, thread) = open(folder.path(), ROOMY);
    let long = vec![b' '; super::frame::PART_BYTES_MAX + 1];
    let refused = journal.append(&message(&long)).unwrap_err();
    assert!(matches!(refused, AppendError::TooLong { .. }), "{refused:?}");
    journal.append_durable(&Message { kind: Kind::Registry, ..message(&long) }).await.unwrap();
    thread.finish().unwrap();
    assert_eq!(all(folder.path())[0].1.len(), long.len());
}
