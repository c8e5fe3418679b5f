//! History against a plain list: whatever is folded when, the same readings come back.

use std::collections::HashMap;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;

use super::buckets::{Bucket, buckets};
use super::fold::{fold, fold_in_haste};
use super::read::{Query, last, range};
use super::{Retention, SCHEMA, batch, meters, retain};
use crate::model::quantity::Channel;
use crate::model::reading::{Quality, ReadingBatch};
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};

const START: i64 = 1_790_000_000_000 / HOUR_MS * HOUR_MS;
const METERS: [&str; 3] = ["a/1", "a/2", "b/1"];
/// The last one is in a bucket of its own.
const KEYS: [u32; 3] = [1, 2, 700];

/// A reading with all that must come back; ordered as it is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Plain {
    time: i64,
    offset: u64,
    mask: u64,
    lag: i64,
    quality: u8,
    values: Vec<(u8, u64)>,
}

fn plain(readings: &ReadingBatch, meter: Option<u32>) -> Vec<Plain> {
    let of_meter = readings.iter().filter(|(head, _)| meter.is_none_or(|m| m == head.meter));
    of_meter
        .map(|(head, values)| {
            let mut values: Vec<_> = values.iter().map(|(c, v)| (c.0, v.to_bits())).collect();
            values.sort_unstable();
            let mask = values.iter().fold(0, |mask, (c, _)| mask | 1 << c);
            let (time, lag) = (head.time.0, head.received.since(head.time));
            Plain { time, offset: head.offset, mask, lag, quality: head.quality.0, values }
        })
        .collect()
}

/// In reading order, copies out, as the contract says it.
fn settled(mut all: Vec<Plain>) -> Vec<Plain> {
    all.sort();
    let mut seen = HashMap::new();
    all.retain(|r| seen.insert((r.time, r.values.clone()), ()).is_none());
    all
}

fn open(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "synchronous", "OFF").unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    for (key, id) in KEYS.iter().zip(METERS) {
        conn.execute("INSERT OR IGNORE INTO history_meter VALUES (?1, ?2)", rusqlite::params![key, id])
            .unwrap();
    }
    conn
}

#[derive(Clone, Debug)]
struct Given {
    meter: u32,
    at: i64,
    lag: i64,
    quality: u8,
    values: Vec<(u8, f64)>,
}

#[derive(Clone, Debug)]
enum Act {
    Append(Vec<Given>),
    /// Rows of so many appends ago stay named.
    Fold {
        keep: Option<usize>,
    },
    Pass {
        minutes: i64,
    },
    RollBack,
    Reopen,
}

fn given() -> impl Strategy<Value = Given> {
    // Few times and values, so that copies and contradictions are common.
    let time = prop_oneof![8 => (0_i64..240).prop_map(|m| m / 3 * MINUTE_MS), 1 => -9_000_000_i64..9_000_000];
    let value =
        prop_oneof![Just(0.0), Just(-0.0), Just(1.5), Just(230.1 * 0.1), any::<f32>().prop_map(f64::from)];
    let value = value.prop_filter("finite", |v| v.is_finite());
    let shape = prop::sample::select(vec![vec![], vec![8], vec![8, 28], vec![28, 8], vec![1, 2, 3]]);
    (0_u32..3, time, 0_i64..3, 0_u8..2, shape, prop::collection::vec(value, 3)).prop_map(
        |(meter, at, lag, quality, shape, values)| Given {
            meter,
            at,
            lag,
            quality,
            values: shape.into_iter().zip(values).collect(),
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => prop::collection::vec(given(), 1..30).prop_map(Act::Append),
        4 => prop::option::of(0_usize..5).prop_map(|keep| Act::Fold { keep }),
        2 => (1_i64..200).prop_map(|minutes| Act::Pass { minutes }),
        1 => Just(Act::RollBack),
        1 => Just(Act::Reopen),
    ]
}

fn check(conn: &Connection, all: &[ReadingBatch]) {
    let (from, to) = (UtcMs(START - 10 * DAY_MS), UtcMs(START + 10 * DAY_MS));
    for (index, id) in (0..).zip(METERS) {
        let expected = settled(all.iter().flat_map(|b| plain(b, Some(index))).collect());
        let found = range(conn, &Query::new(id, from, to)).unwrap();
        assert!(found.heads().iter().all(|h| h.meter == KEYS[index as usize]));
        assert_eq!(plain(&found, None), expected, "all of {id}");

        let (from, to) = (START + 17 * MINUTE_MS, START + HOUR_MS + 3 * MINUTE_MS);
        let only = [Channel::POWER];
        let query = Query { meter: id, from: UtcMs(from), to: UtcMs(to), only: Some(&only) };
        let mut part: Vec<Plain> = expected.clone();
        part.retain(|r| (from..to).contains(&r.time) && r.mask & 1 << Channel::POWER.0 != 0);
        part.iter_mut().for_each(|r| {
            r.values.retain(|(c, _)| *c == Channel::POWER.0);
            r.mask = 1 << Channel::POWER.0;
        });
        assert_eq!(plain(&range(conn, &query).unwrap(), None), part, "power of {id}");
        let newest = last(conn, id).unwrap();
        assert_eq!(plain(&newest, None), expected.last().cloned().into_iter().collect::<Vec<_>>());
    }
}

fn batch_of(given: &[Given], offset: &mut u64) -> ReadingBatch {
    let mut readings = ReadingBatch::default();
    for (i, g) in given.iter().enumerate() {
        // Some messages carry several readings.
        *offset += u64::from(i % 3 != 2);
        let time = UtcMs(START + g.at);
        readings.begin(g.meter, time, time.plus(g.lag), *offset, Quality(g.quality));
        for (channel, value) in &g.values {
            readings.push_value(Channel(*channel), *value);
        }
    }
    readings
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_folded_when_the_same_readings_come_back(acts in prop::collection::vec(act(), 1..25)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut conn = open(&path);
        let (mut all, mut rows, mut named_from) = (Vec::<ReadingBatch>::new(), Vec::new(), 0);
        let (mut offset, mut now) = (0, UtcMs(START));
        for act in acts {
            match act {
                Act::Append(given) => {
                    let readings = batch_of(&given, &mut offset);
                    rows.push(batch::append(&conn, &readings, &KEYS).unwrap());
                    all.push(readings);
                }
                Act::Fold { keep } => {
                    // What was delivered is never named again.
                    named_from = keep.map_or(rows.len(), |n| rows.len().saturating_sub(n).max(named_from));
                    let kept = (named_from < rows.len()).then_some(named_from);
                    let kept_row = kept.map(|i| rows[i]);
                    let in_haste = rows.len() % 2 == 1;
                    for _ in 0..50 {
                        let tx = conn.transaction().unwrap();
                        let piece = if in_haste { fold_in_haste } else { fold };
                        let more = piece(&tx, now, kept_row).unwrap();
                        tx.commit().unwrap();
                        if !more {
                            break;
                        }
                    }
                    for i in kept.into_iter().flat_map(|i| i..rows.len()) {
                        let mut back = ReadingBatch::default();
                        prop_assert!(batch::read(&conn, rows[i], &mut back).unwrap(), "row {i} is still named");
                        let mut expected = plain(&all[i], None);
                        let mut found = plain(&back, None);
                        expected.sort();
                        found.sort();
                        prop_assert_eq!(found, expected);
                    }
                }
                Act::Pass { minutes } => now = now.plus(minutes * MINUTE_MS),
                Act::RollBack => {
                    let tx = conn.transaction().unwrap();
                    fold(&tx, now.plus(DAY_MS), None).unwrap();
                    tx.rollback().unwrap();
                }
                Act::Reopen => conn = open(&path),
            }
            check(&conn, &all);
        }
        while fold(&conn, now.plus(30 * DAY_MS), None).unwrap() {
            check(&conn, &all);
        }
        check(&conn, &all);
        let left = |table: &str| -> i64 {
            conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        prop_assert_eq!((left("history_row"), left("history_part"), left("history_place")), (0, 0, 0));
        let (counted, real): (i64, i64) = conn.query_row(
            "SELECT block_bytes, (SELECT coalesce(sum(length(body)), 0) FROM history_block) FROM history_mark",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        ).unwrap();
        prop_assert_eq!(counted, real);
    }
}

#[test]
fn a_busy_hour_is_closed_in_pieces_and_a_stuck_clock_costs_no_more_than_it_must() {
    let folder = tempfile::tempdir().unwrap();
    let conn = open(&folder.path().join("store.db"));
    let mut all = Vec::new();
    for step in 0..9_u64 {
        let mut readings = ReadingBatch::default();
        for i in 0..10_000_u32 {
            let offset = step * 10_000 + u64::from(i) + 1;
            // Meter 0 ten times a second, meter 1 always at the same moment.
            let time = if i % 2 == 0 { START + i64::try_from(offset).unwrap() * 100 } else { START };
            readings.begin(i % 2, UtcMs(time), UtcMs(time + 40), offset, Quality::GOOD);
            readings.push_value(Channel::POWER, f64::from(i) * 0.5);
        }
        batch::append(&conn, &readings, &KEYS).unwrap();
        all.push(readings);
        for _ in 0..20 {
            if !fold(&conn, UtcMs(START), None).unwrap() {
                break;
            }
        }
    }
    let blocks: i64 = conn.query_row("SELECT count(*) FROM history_block", [], |row| row.get(0)).unwrap();
    assert!(blocks > 0, "closed although the hour is not over");
    check(&conn, &all);
    while fold(&conn, UtcMs(START + DAY_MS), None).unwrap() {}
    check(&conn, &all);
}

#[test]
fn retention_takes_the_oldest_blocks_and_nothing_that_is_not_folded() {
    let folder = tempfile::tempdir().unwrap();
    let conn = open(&folder.path().join("store.db"));
    let hours = |id: &str| -> Vec<i64> {
        let found = range(&conn, &Query::new(id, UtcMs::MIN, UtcMs(i64::MAX))).unwrap();
        let mut hours: Vec<i64> = found.heads().iter().map(|h| (h.time.0 - START) / HOUR_MS).collect();
        hours.dedup();
        hours
    };
    let append = |hour: i64, offset: u64| {
        let mut readings = ReadingBatch::default();
        for meter in 0..3 {
            let time = UtcMs(START + hour * HOUR_MS);
            readings.begin(meter, time, time, offset, Quality::GOOD);
            readings.push_value(Channel::POWER, f64::from(meter));
        }
        batch::append(&conn, &readings, &KEYS).unwrap();
    };
    // Offsets of one length, so that every hour takes the same bytes.
    (0..72).for_each(|hour| append(hour, 20_000 + hour.unsigned_abs()));
    let now = UtcMs(START + 72 * HOUR_MS);
    while fold(&conn, now.plus(HOUR_MS), None).unwrap() {}
    append(1, 20_100);

    let roomy = Retention { days_max: 400, bytes_max: 1 << 40 };
    assert!(!retain(&conn, roomy, now).unwrap());
    let two_days = Retention { days_max: 2, ..roomy };
    while retain(&conn, two_days, now).unwrap() {}
    assert_eq!(hours("b/1"), std::iter::once(1).chain(24..72).collect::<Vec<_>>());

    let bytes: i64 = conn.query_row("SELECT block_bytes FROM history_mark", [], |row| row.get(0)).unwrap();
    let half = Retention { bytes_max: bytes.unsigned_abs() / 2, ..roomy };
    while retain(&conn, half, now).unwrap() {}
    for id in METERS {
        assert_eq!(hours(id), std::iter::once(1).chain(48..72).collect::<Vec<_>>());
    }
    let nothing = Retention { bytes_max: 0, ..roomy };
    while retain(&conn, nothing, now).unwrap() {}
    assert_eq!(hours("a/1"), [1], "a row waits to be folded");
}

#[test]
fn a_meter_keeps_its_number_and_an_unknown_one_has_no_readings() {
    let folder = tempfile::tempdir().unwrap();
    let conn = open(&folder.path().join("store.db"));
    assert_eq!(meters::key(&conn, "b/1").unwrap(), 700);
    let new = meters::key(&conn, "c/9").unwrap();
    assert_eq!(meters::key(&conn, "c/9").unwrap(), new);
    assert_eq!(meters::names(&conn).unwrap()[&new].as_ref(), "c/9");
    assert!(range(&conn, &Query::new("d/1", UtcMs::MIN, UtcMs(i64::MAX))).unwrap().is_empty());
    assert!(last(&conn, "d/1").unwrap().is_empty());
}

#[test]
fn damage_is_named_and_not_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let conn = open(&folder.path().join("store.db"));
    let mut readings = ReadingBatch::default();
    readings.begin(0, UtcMs(START), UtcMs(START), 1, Quality::GOOD);
    readings.push_value(Channel::POWER, 1.0);
    let row = batch::append(&conn, &readings, &KEYS).unwrap();
    conn.execute("UPDATE history_row SET body = substr(body, 1, length(body) - 1)", []).unwrap();
    let error = batch::read(&conn, row, &mut readings).unwrap_err();
    assert_eq!(error.to_string(), format!("history's row {row} is damaged"));
    assert!(fold(&conn, UtcMs(START + DAY_MS), None).is_err());
    assert!(range(&conn, &Query::new("a/1", UtcMs::MIN, UtcMs(i64::MAX))).is_err());
}

#[test]
fn buckets_tell_least_mean_and_most_and_leave_silence_out() {
    let folder = tempfile::tempdir().unwrap();
    let conn = open(&folder.path().join("store.db"));
    let mut readings = ReadingBatch::default();
    for (minute, power_w) in [(0, 4.0), (1, 2.0), (4, 9.0), (31, -1.0), (45, 7.0)] {
        let time = UtcMs(START + minute * MINUTE_MS);
        readings.begin(0, time, time, 1, Quality::GOOD);
        readings.push_value(Channel::ENERGY, 1e9);
        readings.push_value(Channel::POWER, power_w);
    }
    batch::append(&conn, &readings, &KEYS).unwrap();
    let (from, to) = (UtcMs(START), UtcMs(START + 45 * MINUTE_MS));
    let found = buckets(&conn, "a/1", Channel::POWER, (from, to), 10 * MINUTE_MS).unwrap();
    let first = Bucket { from, n: 3, min: 2.0, mean: 5.0, max: 9.0 };
    let second = Bucket { from: from.plus(30 * MINUTE_MS), n: 1, min: -1.0, mean: -1.0, max: -1.0 };
    assert_eq!(found, [first, second]);
}
