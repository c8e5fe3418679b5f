//! The journal's appends against a plain file: the same bytes, the same number of records between two syncs.

mod figures;

use std::io::Write as _;

use anyhow::Context as _;
use submeterd::journal::writer::Retention;
use submeterd::journal::{Journal, Reader, frame};
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::time::{Clock, UtcMs};

use figures::{Scale, Stopwatch, median, short};

const ROOMY: Retention = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };

const TOPIC: &str = "submeter/v1/plant-00417/press/reading";

/// Records that are under way together, and how many there are in all.
const CASES: [(usize, usize); 2] = [(256, 200_000), (4_096, 1_000_000)];

struct Outcome {
    wall_s: f64,
    cpu_s: f64,
    n_commits: u64,
}

fn main() -> anyhow::Result<()> {
    let scale = Scale::from_args();
    let mut rows = Vec::new();
    for (n_batch, n_all) in CASES {
        let payloads: Vec<String> = (0..n_batch).map(payload).collect();
        let n = scale.of(n_all) / n_batch * n_batch;
        let (mut ours, mut plain) = (Vec::new(), Vec::new());
        for _ in 0..scale.n_runs {
            ours.push(journal(&payloads, n)?);
            plain.push(file(&payloads, n)?);
        }
        let per_s = |all: &[Outcome]| median(all.iter().map(|o| n as f64 / o.wall_s).collect());
        let cpu_us = |all: &[Outcome]| median(all.iter().map(|o| o.cpu_s * 1e6 / n as f64).collect());
        let ratio = median(ours.iter().zip(&plain).map(|(a, b)| b.wall_s / a.wall_s).collect());
        let commits = |all: &[Outcome]| median(all.iter().map(|o| n as f64 / o.n_commits as f64).collect());
        rows.push(vec![
            short(n_batch as f64),
            short(per_s(&ours)),
            short(per_s(&plain)),
            short(ratio),
            short(cpu_us(&ours)),
            short(cpu_us(&plain)),
            short(commits(&ours)),
        ]);
    }
    let head = [
        "records in flight",
        "journal, records/s",
        "file + fdatasync, records/s",
        "journal / file",
        "journal, CPU-µs a record",
        "file, CPU-µs a record",
        "records a commit",
    ];
    figures::print("journal: durable appends of records of 200 bytes", &head, &rows);
    Ok(())
}

/// A payload that makes a record of about 200 bytes.
fn payload(n: usize) -> String {
    let (u, p) = (2_200 + n * 37 % 101, 30_000 + n * 7_919 % 9_973);
    format!(
        r#"{{"ts":{},"seq":{n},"q":"good","u":[{}.{},229.8,230.1],"i":[52.1,51.7,52.4],"p":{}.{:03},"pf":0.97,"ep":{}.67,"er":0.0}}"#,
        1_790_002_800_000_usize + n,
        u / 10,
        u % 10,
        p / 1_000,
        p % 1_000,
        100_000 + n * 31 % 7_000
    )
}

fn message(payload: &str) -> Message<'_> {
    Message {
        kind: Kind::Mqtt,
        delivery: Delivery::PLAIN,
        received: UtcMs(1_790_002_800_500),
        source: "city",
        topic: TOPIC,
        payload: payload.as_bytes(),
    }
}

/// Appends in bursts as large as the number in flight; the next burst begins when the last one is on disk.
fn journal(payloads: &[String], n: usize) -> anyhow::Result<Outcome> {
    let folder = figures::folder()?;
    let (journal, thread) = Journal::open(folder.path(), ROOMY, Clock::System)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let begun = Stopwatch::start()?;
    runtime.block_on(async {
        let mut durable = journal.durable();
        for _ in 0..n / payloads.len() {
            let mut last = 0;
            for payload in payloads {
                last = journal.append(&message(payload))?;
            }
            durable.wait_for(|d| *d >= last).await.context("the journal is closed")?;
        }
        anyhow::Ok(())
    })?;
    let (wall_s, cpu_s) = begun.read()?;
    thread.finish()?;
    let n_commits = Reader::open(folder.path())?.stats()?.n_rows;
    Ok(Outcome { wall_s, cpu_s, n_commits })
}

/// The same records, the same number at a time, into a file.
fn file(payloads: &[String], n: usize) -> anyhow::Result<Outcome> {
    let folder = figures::folder()?;
    let mut file = std::fs::File::create(folder.path().join("plain"))?;
    let begun = Stopwatch::start()?;
    let mut bytes = Vec::new();
    let n_batches = n / payloads.len();
    for _ in 0..n_batches {
        bytes.clear();
        payloads.iter().for_each(|p| frame::write(&message(p), &mut bytes));
        file.write_all(&bytes)?;
        file.sync_data()?;
    }
    let (wall_s, cpu_s) = begun.read()?;
    Ok(Outcome { wall_s, cpu_s, n_commits: n_batches as u64 })
}
