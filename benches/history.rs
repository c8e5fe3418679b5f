//! History: how small it is, what folding costs, how fast a month is read. Minutes of ten slowly changing values.

mod figures;
#[expect(dead_code, reason = "another bench uses the rest")]
mod plants;

use std::time::Instant;

use anyhow::Context as _;
use rusqlite::Connection;
use submeterd::history::read::{Query, visit};
use submeterd::history::{batch, fold, meters};
use submeterd::model::quantity::{Channel, Phase, Quantity};
use submeterd::model::reading::{Quality, ReadingBatch};
use submeterd::model::time::{MINUTE_MS, UtcMs};
use submeterd::store::schema::{self, STORE_FILE};

use figures::{Scale, Stopwatch, median, short};

/// Two plants.
const N_METERS: u32 = 12;
const N_MONTH: usize = 30 * 1_440;

/// Minutes whose readings go into one row.
const N_ROW_MINUTES: usize = 80;

const CHANNELS: [Channel; 10] = [
    Channel::of(Quantity::Voltage, Phase::L1),
    Channel::of(Quantity::Voltage, Phase::L2),
    Channel::of(Quantity::Voltage, Phase::L3),
    Channel::of(Quantity::Current, Phase::L1),
    Channel::of(Quantity::Current, Phase::L2),
    Channel::of(Quantity::Current, Phase::L3),
    Channel::POWER,
    Channel::of(Quantity::PowerFactor, Phase::Total),
    Channel::ENERGY,
    Channel::of(Quantity::EnergyExport, Phase::Total),
];

/// Measuring time and values, eight bytes each.
const RAW_BYTES: f64 = 8.0 * 11.0;

/// What one run found.
#[derive(Default)]
struct Found {
    append_us: f64,
    fold_us: f64,
    plain_us: f64,
    bytes: f64,
    zstd_bytes: f64,
    meter_ms: f64,
    plant_ms: f64,
    meter_blobs_ms: f64,
}

fn main() -> anyhow::Result<()> {
    let scale = Scale::from_args();
    let n_runs = scale.n_runs.min(3);
    let runs = (0..n_runs).map(|_| run(scale.of(N_MONTH))).collect::<anyhow::Result<Vec<_>>>()?;
    let of = |f: fn(&Found) -> f64| median(runs.iter().map(f).collect());
    let row = |what: &str, ours: f64, limit: &str, theirs: f64| {
        vec![what.to_owned(), short(ours), limit.to_owned(), short(theirs), short(ours / theirs)]
    };
    let rows = [
        row("bytes a reading, in blocks", of(|f| f.bytes), "zstd -9, a month a column", of(|f| f.zstd_bytes)),
        row("the same", of(|f| f.bytes), "as they lie in memory", RAW_BYTES),
        row("append, CPU-µs a reading", of(|f| f.append_us), "rows of raw bytes", of(|f| f.plain_us)),
        row("fold, CPU-µs a reading", of(|f| f.fold_us), "rows of raw bytes", of(|f| f.plain_us)),
        row("month of a meter, ms", of(|f| f.meter_ms), "its blobs, not unpacked", of(|f| f.meter_blobs_ms)),
        row(
            "month of a plant (6), ms",
            of(|f| f.plant_ms),
            "its blobs, not unpacked",
            of(|f| 6.0 * f.meter_blobs_ms),
        ),
    ];
    let head = ["what", "history", "limit", "the limit's", "ratio"];
    figures::print("history: a reading a minute, ten values", &head, &rows);
    Ok(())
}

fn at(minute: usize) -> anyhow::Result<UtcMs> {
    Ok(plants::START.plus(i64::try_from(minute)? * MINUTE_MS))
}

fn run(n_minutes: usize) -> anyhow::Result<Found> {
    let folder = figures::folder()?;
    let conn = schema::open(&folder.path().join(STORE_FILE))?;
    let ids: Vec<String> = (0..N_METERS).map(|m| format!("plant/{m}")).collect();
    let keys: Vec<u32> = ids.iter().map(|id| meters::key(&conn, id)).collect::<Result<_, _>>()?;
    let mut found = Found::default();
    let n = n_minutes as f64 * f64::from(N_METERS);
    let rows = rows(n_minutes)?;
    let begun = Stopwatch::start()?;
    for row in &rows {
        transaction(&conn, || Ok(batch::append(&conn, row, &keys).map(|_| ())?))?;
    }
    found.append_us = begun.read()?.1 * 1e6 / n;
    drop(rows);
    let begun = Stopwatch::start()?;
    fold_all(&conn, at(n_minutes + 120)?)?;
    found.fold_us = begun.read()?.1 * 1e6 / n;
    found.plain_us = plain(&folder, n_minutes)? * 1e6 / n;
    let bytes: i64 = conn.query_row("SELECT sum(length(body)) FROM history_block", [], |row| row.get(0))?;
    found.bytes = bytes as f64 / n;
    found.zstd_bytes = zstd_bytes(n_minutes)? / n_minutes as f64;
    let end = at(n_minutes + 1)?;
    found.meter_ms = of_five(|| read(&conn, &ids[..1], n_minutes, end))?;
    found.plant_ms = of_five(|| read(&conn, &ids[..6], n_minutes, end))?;
    found.meter_blobs_ms = of_five(|| blobs(&conn, keys[0]))?;
    Ok(found)
}

/// The readings of all meters, as engine steps would bring them.
fn rows(n_minutes: usize) -> anyhow::Result<Vec<ReadingBatch>> {
    let mut rows = Vec::new();
    for first in (0..n_minutes).step_by(N_ROW_MINUTES) {
        let mut readings = ReadingBatch::default();
        for minute in first..(first + N_ROW_MINUTES).min(n_minutes) {
            for meter in 0..N_METERS {
                let time = at(minute)?.plus(i64::from(meter * 700));
                let received = time.plus(300 + i64::from(meter % 5));
                let offset = (minute * N_METERS as usize) as u64 + u64::from(meter) + 1;
                readings.begin(meter, time, received, offset, Quality::GOOD);
                let values = plants::values(meter, u32::try_from(minute)?);
                for (channel, value) in CHANNELS.into_iter().zip(values) {
                    let scale = if channel == Channel::POWER { 1_000.0 } else { 1.0 };
                    readings.push_value(channel, value * scale);
                }
            }
        }
        rows.push(readings);
    }
    Ok(rows)
}

fn transaction(conn: &Connection, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    work()?;
    conn.execute_batch("COMMIT")?;
    Ok(())
}

/// Folds all that is due.
fn fold_all(conn: &Connection, now: UtcMs) -> anyhow::Result<()> {
    let mut more = true;
    while more {
        transaction(conn, || {
            more = fold::fold(conn, now, None)?;
            Ok(())
        })?;
    }
    Ok(())
}

/// The same readings as bytes into rows of a table, and nothing else; processor time, s.
fn plain(folder: &tempfile::TempDir, n_minutes: usize) -> anyhow::Result<f64> {
    let conn = schema::open(&folder.path().join("plain.db"))?;
    conn.execute_batch("CREATE TABLE plain (body BLOB)")?;
    let body = vec![7_u8; N_ROW_MINUTES * N_METERS as usize * RAW_BYTES as usize];
    let begun = Stopwatch::start()?;
    for _ in 0..n_minutes / N_ROW_MINUTES {
        conn.execute("INSERT INTO plain VALUES (?1)", [&body])?;
    }
    Ok(begun.read()?.1)
}

/// Bytes of a meter's month, each column compressed whole as it lies in memory.
fn zstd_bytes(n_minutes: usize) -> anyhow::Result<f64> {
    let all: Vec<[f64; 10]> =
        (0..n_minutes).map(|m| Ok(plants::values(3, u32::try_from(m)?))).collect::<anyhow::Result<_>>()?;
    let mut bytes = 0;
    for column in 0..CHANNELS.len() {
        let values: Vec<u8> = all.iter().flat_map(|v| v[column].to_le_bytes()).collect();
        bytes += zstd::bulk::compress(&values, 9).context("compress a column")?.len();
    }
    Ok(bytes as f64)
}

/// The median of five goes.
fn of_five(go: impl Fn() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    Ok(median((0..5).map(|_| go()).collect::<anyhow::Result<_>>()?))
}

/// Milliseconds to read a month of those meters, each value touched.
fn read(conn: &Connection, ids: &[String], n_minutes: usize, end: UtcMs) -> anyhow::Result<f64> {
    let (mut n, mut sum) = (0, 0.0);
    let begun = Instant::now();
    for id in ids {
        let query = Query::new(id, plants::START, end);
        visit(conn, &query, &mut |point| {
            n += 1;
            sum += point.values.iter().map(|(_, v)| v).sum::<f64>();
        })?;
    }
    let took_ms = begun.elapsed().as_secs_f64() * 1e3;
    anyhow::ensure!(n == n_minutes * ids.len() && sum > 0.0, "{n} readings came back");
    Ok(took_ms)
}

/// Milliseconds to read the same month's blobs and nothing more.
fn blobs(conn: &Connection, key: u32) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let mut statement =
        conn.prepare("SELECT body FROM history_block WHERE id >> 32 = ?1 AND id BETWEEN ?2 AND ?3")?;
    let from = i64::from(key) << 32;
    let mut rows = statement.query([i64::from(key), from, from + (1 << 32) - 1])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        bytes += row.get_ref(0)?.as_blob()?.len();
    }
    anyhow::ensure!(bytes > 0, "no blobs");
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}
