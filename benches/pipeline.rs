//! The daemon's own stages from the broker to the store, put together as the daemon does.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use submeterd::config::settings;
use submeterd::engine::run::Progress;
use submeterd::engine::step::{Engine, Sinks};
use submeterd::journal::writer::Retention;
use submeterd::journal::{Journal, Reader};
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::time::{Clock, UtcMs};
use submeterd::sources::mqtt::session;
use submeterd::sources::mqtt::status::BrokerStatus;
use submeterd::sources::mqtt::topic;
use submeterd::store::schema::STORE_FILE;
use submeterd::store::write::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::blaster::{Blaster, Form, ROUND_MS};
use crate::figures::{self, Stopwatch};
use crate::plants;

/// A journal that never fills.
pub const ROOMY: Retention = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };

/// History that is never let go.
pub const KEEP_ALL: settings::History = settings::History { days_max: u32::MAX, bytes_max: u64::MAX };

/// Between two ticks, in the plants' time.
const TICK_MS: i64 = 30_000;

/// Between two looks at how far the plants' time has gone.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// As the configuration's own default.
const UNACKNOWLEDGED_MAX: usize = 16_384;

/// Threads whose time is told.
pub const THREADS: [&str; 3] = ["sources", "journal", "engine"];

/// What a run took.
pub struct Outcome {
    /// Seconds by the clock.
    pub wall_s: f64,
    /// Seconds of processor time.
    pub cpu_s: f64,
    /// The same by name of thread.
    pub threads: Vec<(String, f64)>,
}

impl Outcome {
    /// Processor time of the threads of that name, s.
    pub fn thread(&self, name: &str) -> f64 {
        self.threads.iter().filter(|(n, _)| n == name).map(|(_, s)| s).sum()
    }
}

/// A runtime as the daemon's, with a name for its threads.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).thread_name(THREADS[0]).enable_all().build().context("start a runtime")
}

/// A message without source, topic or payload.
pub fn bare(kind: Kind, received: UtcMs, payload: &[u8]) -> Message<'_> {
    Message { kind, delivery: Delivery::PLAIN, received, source: "", topic: "", payload }
}

/// An engine over an empty store, with one sink.
pub fn engine(folder: &Path) -> anyhow::Result<Engine> {
    let store = Store::open(&folder.join(STORE_FILE))?;
    Ok(Engine::restore(store, Sinks { outbox: vec!["influx".into()], ..Sinks::default() }, KEEP_ALL)?)
}

fn settings(port: u16) -> settings::Broker {
    settings::Broker {
        name: plants::BROKER.into(),
        host: "127.0.0.1".into(),
        port,
        client_id: "submeterd".into(),
        clean_session: true,
        keep_alive: Duration::from_secs(30),
        credentials: None,
        tls: None,
        packet_bytes_max: 1 << 20,
        unacknowledged_max: UNACKNOWLEDGED_MAX,
        backoff_max: Duration::from_secs(1),
        silent_after: Duration::from_secs(600),
    }
}

/// Takes all messages of a broker in; ends when the last is in the store.
pub fn run(form: Form, n_meters: u32, n_messages: usize) -> anyhow::Result<Outcome> {
    let folder = figures::folder()?;
    let registry = plants::registry(n_meters as usize, u32::try_from(ROUND_MS)?);
    let now = Arc::new(AtomicI64::new(plants::START.0));
    let clock = Clock::Manual(Arc::clone(&now));
    let runtime = runtime()?;
    let (journal, thread) = Journal::open(folder.path(), ROOMY, clock.clone())?;
    let reader = Reader::open(folder.path())?;
    let packed = registry.pack()?;
    runtime.block_on(journal.append_durable(&bare(Kind::Registry, plants::START.plus(-1), &packed)))?;
    let (progress, mut passed) = watch::channel(Progress::default());
    let stop = CancellationToken::new();
    let engine = engine(folder.path())?;
    let (own, until, handle) = (journal.clone(), stop.clone(), runtime.handle().clone());
    let working = std::thread::Builder::new()
        .name(THREADS[2].into())
        .spawn(move || submeterd::engine::run::run(engine, reader, &own, &progress, &until, &handle))?;
    runtime.block_on(passed.wait_for(|p| p.n_points > 0)).context("the engine ended")?;

    let broker = Blaster::start(form, n_meters, n_messages)?;
    let (begun, before) = (Stopwatch::start()?, threads()?);
    let (status, seen) = watch::channel(BrokerStatus::default());
    let filters = topic::filters(&registry.subscriptions, plants::BROKER);
    let mut tasks = JoinSet::new();
    tasks.spawn_on(
        session::run(settings(broker.port), filters, journal.clone(), clock, status, stop.clone()),
        runtime.handle(),
    );
    let n_readings = n_messages as u64 * u64::from(form.n_readings());
    let outcome = runtime.block_on(async {
        let a_round = i64::from(n_meters / form.n_readings());
        let mut ticked = plants::START;
        while passed.borrow_and_update().counts.readings < n_readings {
            let received = i64::try_from(seen.borrow().counts.received)?;
            let at = plants::START.plus(received * ROUND_MS / a_round);
            now.store(at.0, Ordering::Release);
            if at.since(ticked) >= TICK_MS {
                ticked = at;
                journal.append(&bare(Kind::Tick, at, &[]))?;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                Some(ended) = tasks.join_next() => anyhow::bail!("the session ended: {ended:?}"),
            }
        }
        let (wall_s, cpu_s) = begun.read()?;
        let before = before.into_iter().map(|(name, s)| (name, -s));
        anyhow::Ok(Outcome { wall_s, cpu_s, threads: threads()?.into_iter().chain(before).collect() })
    })?;
    let counts = passed.borrow().counts;
    ensure!(
        counts.rejects == 0 && counts.late == 0 && counts.unassigned == 0,
        "not all was judged: {counts:?}"
    );
    stop.cancel();
    runtime.block_on(tasks.join_next()).transpose()?.transpose()?;
    working.join().map_err(|_| anyhow::anyhow!("the engine panicked"))??;
    thread.finish()?;
    Ok(outcome)
}

/// Processor time of each thread that lives, s, with its name.
fn threads() -> anyhow::Result<Vec<(String, f64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc/self/task").context("list the threads")? {
        let folder = entry?.path();
        // A thread may end while we look.
        let Ok(stat) = fs::read_to_string(folder.join("schedstat")) else { continue };
        let Ok(name) = fs::read_to_string(folder.join("comm")) else { continue };
        let ns: f64 = stat.split(' ').next().unwrap_or_default().parse().context("read schedstat")?;
        found.push((name.trim().to_owned(), ns / 1e9));
    }
    Ok(found)
}
