//! A city's gateways come back after two hours and send what they kept, while the plants go on speaking. The real journal
//! and the real engine, in real time: how long a live reading waits to be judged meanwhile, how long the flood
//! takes until the past of every site has been judged again, and whether that grows with its size alone.

#[expect(dead_code, reason = "another bench uses the rest")]
mod figures;
#[expect(dead_code, reason = "another bench uses the rest")]
mod plants;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use submeterd::config::settings::History;
use submeterd::engine::run::Progress;
use submeterd::engine::step::{Engine, Sinks};
use submeterd::journal::writer::Retention;
use submeterd::journal::{Journal, Reader};
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::time::{Clock, MINUTE_MS, UtcMs};
use submeterd::store::schema::STORE_FILE;
use submeterd::store::write::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use figures::{Scale, Stopwatch, short};

const KEEP_ALL: History = History { days_max: u32::MAX, bytes_max: u64::MAX };
const ROOMY: Retention = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };

/// Points; the last is the size that is promised for.
const SIZES: [u32; 3] = [25_000, 50_000, 100_000];
const N_POINTS_A_SITE: u32 = 6;

/// How long nothing came, minutes.
const N_MINUTES: u32 = 120;
/// Minutes in one message of what was kept.
const N_MINUTES_A_MESSAGE: u32 = 20;
/// The gateways connect again within so long, s.
const BACK_WITHIN_S: f64 = 60.0;
/// Between two turns of the feeder: also how finely a wait is told.
const TURN: Duration = Duration::from_millis(5);
/// The limit that is promised, ms.
const LIMIT_MS: f64 = 1_000.0;
/// A flood that takes longer is given up, s.
const GIVEN_UP_S: f64 = 900.0;

fn main() -> anyhow::Result<()> {
    let scale = Scale::from_args();
    let (begun, load) = (Instant::now(), load()?);
    let (mut rows, mut costs) = (Vec::new(), Vec::new());
    for n_points in SIZES {
        let n_points = u32::try_from(scale.of(n_points as usize))? / N_POINTS_A_SITE * N_POINTS_A_SITE;
        let outcome = flood(n_points)?;
        let n_late = f64::from(n_points * N_MINUTES);
        costs.push(outcome.cpu_s / n_late);
        rows.push(vec![
            short(f64::from(n_points)),
            short(n_late / 1e6),
            short(outcome.took_s),
            short(outcome.cpu_s * 1e6 / n_late),
            short(outcome.p50_ms),
            short(outcome.p99_ms),
            short(outcome.most_ms),
            format!("{:.2}", outcome.p99_ms / LIMIT_MS),
        ]);
    }
    let head = [
        "points",
        "late readings, million",
        "all judged after, s",
        "CPU-µs a late reading",
        "live p50, ms",
        "live p99, ms",
        "live at most, ms",
        "p99 / limit of 1 s",
    ];
    figures::print("flood: two hours of every point at once, beside a live reading a minute", &head, &rows);
    if let [least, .., most] = costs[..] {
        println!(
            "\nCost of a late reading in the largest flood over that in the smallest: {:.2}",
            most / least
        );
    }
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    println!("Load of the machine (1, 5, 15 min) before: {load}; the bench took {} min.", short(minutes));
    Ok(())
}

fn load() -> anyhow::Result<String> {
    let all = std::fs::read_to_string("/proc/loadavg").context("read /proc/loadavg")?;
    Ok(all.split(' ').take(3).collect::<Vec<_>>().join(", "))
}

struct Outcome {
    took_s: f64,
    cpu_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    most_ms: f64,
}

/// What is sent when: seconds after the gateways come back, and the site.
fn schedule(n_sites: u32) -> Vec<(f64, u32)> {
    let when = |site: u32| f64::from(site.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24);
    let mut all: Vec<_> = (0..n_sites).map(|site| (when(site) * BACK_WITHIN_S, site)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

/// Minutes `from` up to 20 more of a site, as its gateway kept them.
fn kept(site: u32, from: u32) -> String {
    let columns: Vec<String> = plants::COLUMNS.iter().map(|c| format!("\"{c}\"")).collect();
    let mut rows = Vec::new();
    for minute in from..from + N_MINUTES_A_MESSAGE {
        let at = plants::START.plus(i64::from(minute) * MINUTE_MS).0;
        for meter in site * N_POINTS_A_SITE..(site + 1) * N_POINTS_A_SITE {
            let values: Vec<String> = plants::values(meter, minute).iter().map(ToString::to_string).collect();
            rows.push(format!("[\"{}\",{at},{}]", plants::id(meter), values.join(",")));
        }
    }
    format!(
        r#"{{"backfill":true,"columns":["meter","ts",{}],"rows":[{}]}}"#,
        columns.join(","),
        rows.join(",")
    )
}

fn message<'a>(kind: Kind, received: UtcMs, topic: &'a str, payload: &'a [u8]) -> Message<'a> {
    Message { kind, delivery: Delivery::PLAIN, received, source: plants::BROKER, topic, payload }
}

fn flood(n_points: u32) -> anyhow::Result<Outcome> {
    let folder = figures::folder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (journal, thread) = Journal::open(folder.path(), ROOMY, Clock::System)?;
    let registry = plants::registry(n_points as usize, 60_000).pack()?;
    journal.append(&message(Kind::Registry, plants::START.plus(-MINUTE_MS), "", &registry))?;
    // Nothing comes for two hours, and everybody listens.
    for minute in -1..=i64::from(N_MINUTES) {
        let last = message(Kind::Tick, plants::START.plus(minute * MINUTE_MS), "", &[]);
        runtime.block_on(journal.append_durable(&last))?;
    }
    let store = Store::open(&folder.path().join(STORE_FILE))?;
    let engine = Engine::restore(store, Sinks::default(), KEEP_ALL)?;
    let (progress, mut passed) = watch::channel(Progress::default());
    let stop = CancellationToken::new();
    let (own, until, handle) = (journal.clone(), stop.clone(), runtime.handle().clone());
    let reader = Reader::open(folder.path())?;
    let working = std::thread::Builder::new()
        .name("engine".into())
        .spawn(move || submeterd::engine::run::run(engine, reader, &own, &progress, &until, &handle))?;
    let before = *runtime.block_on(journal.durable().wait_for(|d| *d > u64::from(N_MINUTES)))?;
    runtime.block_on(passed.wait_for(|p| p.passed >= before)).context("the engine ended")?;

    let outcome = feed(n_points, &journal, &passed)?;
    stop.cancel();
    working.join().map_err(|_| anyhow::anyhow!("the engine panicked"))??;
    thread.finish()?;
    Ok(outcome)
}

/// Feeds flood and live readings in real time until all is judged; measures how long live ones wait.
fn feed(n_points: u32, journal: &Journal, passed: &watch::Receiver<Progress>) -> anyhow::Result<Outcome> {
    let back = plants::START.plus(i64::from(N_MINUTES) * MINUTE_MS);
    let schedule = schedule(n_points / N_POINTS_A_SITE);
    // Ready beforehand: making texts would take the processor time that is measured.
    let flood: Vec<(f64, Vec<String>)> = schedule
        .iter()
        .map(|(at_s, site)| {
            let from = (0..N_MINUTES).step_by(N_MINUTES_A_MESSAGE as usize);
            (*at_s, from.map(|from| kept(*site, from)).collect())
        })
        .collect();
    let topics: Vec<String> = (0..n_points).map(plants::topic).collect();
    let (mut sent, mut live, mut ticks) = (0, 0, 0);
    let mut waiting: std::collections::VecDeque<(u64, f64)> = std::collections::VecDeque::new();
    let mut waits_ms = Vec::new();
    let (watch, begun) = (Stopwatch::start()?, Instant::now());
    let n_late = u64::from(n_points) * u64::from(N_MINUTES);
    loop {
        let now_s = begun.elapsed().as_secs_f64();
        #[expect(clippy::cast_possible_truncation, reason = "minutes in ms")]
        let now = back.plus((now_s * 1e3) as i64);
        while let Some((_, texts)) = flood.get(sent).filter(|(at_s, _)| *at_s <= now_s) {
            for text in texts {
                journal.append(&message(Kind::Mqtt, now, "submeter/v1/batch", text.as_bytes()))?;
            }
            sent += 1;
        }
        // Waits are told from when a reading was due, so that a feeder that is held up hides nothing.
        while let due_s = f64::from(live) * 60.0 / f64::from(n_points)
            && due_s <= now_s
        {
            let meter = live % n_points;
            let text = plants::single(meter, N_MINUTES + 1 + live / n_points, now.plus(-200));
            let last = journal.append(&message(Kind::Mqtt, now, &topics[meter as usize], text.as_bytes()))?;
            waiting.push_back((last, due_s));
            live += 1;
        }
        while f64::from(ticks) <= now_s {
            journal.append(&message(Kind::Tick, now, "", &[]))?;
            ticks += 1;
        }
        let progress = passed.borrow().clone();
        while let Some((_, since_s)) = waiting.pop_front_if(|(offset, _)| *offset <= progress.passed) {
            waits_ms.push((begun.elapsed().as_secs_f64() - since_s) * 1e3);
        }
        let counts = progress.counts;
        // The last minutes of it are in time.
        let is_taken = counts.readings >= n_late && counts.late * 10 >= n_late * 9;
        if is_taken && counts.late == counts.rejudged || now_s > GIVEN_UP_S {
            anyhow::ensure!(counts.late == counts.rejudged, "given up, or some came too late: {counts:?}");
            let (took_s, cpu_s) = watch.read()?;
            waits_ms.sort_by(f64::total_cmp);
            let at = |share: f64| waits_ms[((waits_ms.len() - 1) as f64 * share) as usize];
            let outcome = Outcome { took_s, cpu_s, p50_ms: at(0.5), p99_ms: at(0.99), most_ms: at(1.0) };
            return Ok(outcome);
        }
        std::thread::sleep(TURN);
    }
}
