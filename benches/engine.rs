//! The engine alone over a prepared journal: every point once a minute, a tick every second, from a thousand points to a
//! hundred thousand. Each size runs in a process of its own, so that its memory is its own.

#[expect(dead_code, reason = "another bench uses the rest")]
mod figures;
#[expect(dead_code, reason = "another bench uses the rest")]
mod plants;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use submeterd::config::settings::History;
use submeterd::engine::step::{Engine, Sinks};
use submeterd::journal::writer::Retention;
use submeterd::journal::{Journal, Reader};
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::reading::Offset;
use submeterd::model::time::{Clock, SECOND_MS, UtcMs};
use submeterd::store::schema::STORE_FILE;
use submeterd::store::write::Store;

use figures::{Scale, median, short};

const ROLE: &str = "--engine";

const KEEP_ALL: History = History { days_max: u32::MAX, bytes_max: u64::MAX };
const ROOMY: Retention = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// Each point speaks once a minute.
const PERIOD_S: usize = 60;
const N_MINUTES: usize = 6;

/// Folded so often, s.
const FOLD_EVERY: usize = 5;

/// What a process tells: its figures in this order.
const FIGURES: [&str; 7] = [
    "µs a reading",
    "ms a tick",
    "fold, µs a reading",
    "save, ms",
    "saved, MB",
    "resident at the end, MB",
    "resident at most, MB",
];

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [role, folder] = &args[..]
        && role == ROLE
    {
        return measure(Path::new(folder));
    }
    let scale = Scale::from_args();
    let mut rows = Vec::new();
    for n_points in SIZES {
        let n_runs = if n_points > 10_000 { scale.n_runs.min(3) } else { scale.n_runs };
        let folder = figures::folder()?;
        prepare(folder.path(), n_points, if scale.quick { 3 } else { N_MINUTES })?;
        let runs = (0..n_runs).map(|_| child(folder.path())).collect::<anyhow::Result<Vec<_>>>()?;
        let mut row = vec![short(n_points as f64)];
        row.extend((0..FIGURES.len()).map(|i| short(median(runs.iter().map(|r| r[i]).collect()))));
        rows.push(row);
    }
    let head: Vec<&str> = std::iter::once("points").chain(FIGURES).collect();
    figures::print("engine: one reading a minute and point, a tick a second", &head, &rows);
    Ok(())
}

/// As the unit in `deploy/` sets it.
const ALLOCATOR: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "4194304"), ("MALLOC_TRIM_THRESHOLD_", "4194304")];

fn child(folder: &Path) -> anyhow::Result<Vec<f64>> {
    let _ = std::fs::remove_file(folder.join(STORE_FILE));
    let output = Command::new(std::env::current_exe()?)
        .arg(ROLE)
        .arg(folder)
        .envs(ALLOCATOR)
        .output()
        .context("start a process to measure in")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    let figures: Result<Vec<f64>, _> = said.split_whitespace().map(str::parse).collect();
    let figures = figures.with_context(|| format!("what it said: {said}"))?;
    ensure!(figures.len() == FIGURES.len(), "what it said: {said}");
    Ok(figures)
}

/// Writes the journal: the registry, then for each second a row of readings and a row with the tick.
fn prepare(folder: &Path, n_points: usize, n_minutes: usize) -> anyhow::Result<()> {
    let (journal, thread) = Journal::open(folder, ROOMY, Clock::System)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let packed = plants::registry(n_points, 60_000).pack()?;
    let row = |last: Offset| -> anyhow::Result<()> {
        runtime.block_on(journal.durable().wait_for(|d| *d >= last)).context("the journal is closed")?;
        Ok(())
    };
    row(journal.append(&message(Kind::Registry, plants::START.plus(-1), "", &packed))?)?;
    let topics: Vec<String> = (0_u32..).take(n_points).map(plants::topic).collect();
    for second in 0..n_minutes * PERIOD_S {
        let at = plants::START.plus(i64::try_from(second)? * SECOND_MS);
        let minute = u32::try_from(second / PERIOD_S)?;
        let mut last = 0;
        for meter in (second % PERIOD_S..n_points).step_by(PERIOD_S) {
            let payload = plants::single(u32::try_from(meter)?, minute, at);
            let spoken = message(Kind::Mqtt, at.plus(200), &topics[meter], payload.as_bytes());
            last = journal.append(&spoken)?;
        }
        row(last)?;
        row(journal.append(&message(Kind::Tick, at.plus(999), "", &[]))?)?;
    }
    Ok(thread.finish()?)
}

fn message<'a>(kind: Kind, received: UtcMs, topic: &'a str, payload: &'a [u8]) -> Message<'a> {
    Message { kind, delivery: Delivery::PLAIN, received, source: plants::BROKER, topic, payload }
}

/// Runs the engine over the journal and prints the figures: medians, so the minute in which every unit is seen to begin
/// running counts as little as it should.
fn measure(folder: &Path) -> anyhow::Result<()> {
    let store = Store::open(&folder.join(STORE_FILE))?;
    let mut engine =
        Engine::restore(store, Sinks { outbox: vec!["influx".into()], ..Sinks::default() }, KEEP_ALL)?;
    let mut reader = Reader::open(folder)?;
    let (mut readings, mut ticks, mut n, mut second) = (Vec::new(), Vec::new(), 0, 0);
    let mut fold_s = 0.0;
    while let Some(batch) = reader.next(engine.taken())? {
        let all: Vec<_> = batch.messages().collect();
        for row in all.chunk_by(|a, b| a.1.kind == b.1.kind) {
            let begun = Instant::now();
            engine.step(row.iter().copied())?;
            let took_us = begun.elapsed().as_secs_f64() * 1e6;
            match row[0].1.kind {
                Kind::Tick => {
                    ticks.push(took_us);
                    second += 1;
                    if second % FOLD_EVERY == 0 {
                        let begun = Instant::now();
                        while engine.fold()? {}
                        fold_s += begun.elapsed().as_secs_f64();
                    }
                }
                Kind::Mqtt => {
                    readings.push(took_us / row.len() as f64);
                    n += row.len();
                }
                _ => {}
            }
        }
    }
    let begun = Instant::now();
    engine.save()?;
    let save_ms = begun.elapsed().as_secs_f64() * 1e3;
    let (resident, most) = (memory_mb("VmRSS")?, memory_mb("VmHWM")?);
    let saved_mb = engine.world().save(Vec::new())?.len() as f64 / 1e6;
    let figures =
        [median(readings), median(ticks) / 1e3, fold_s * 1e6 / n as f64, save_ms, saved_mb, resident, most];
    println!("{}", figures.map(|f| f.to_string()).join(" "));
    Ok(())
}

/// A figure of this process's memory, MB: `VmRSS` (now) or `VmHWM` (at most).
fn memory_mb(which: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix(which)?.strip_prefix(':'));
    let kb: f64 = line.and_then(|l| l.split_whitespace().next()).context("no such figure")?.parse()?;
    Ok(kb * 1024.0 / 1e6)
}
