//! A store whose queue a test fills, and the sender that empties it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use submeterd::config::secret::Secret;
use submeterd::config::settings::Influx;
use submeterd::history;
use submeterd::model::meter::{Input, Meter};
use submeterd::model::quantity::Channel;
use submeterd::model::reading::{Quality, ReadingBatch};
use submeterd::model::registry::Registry;
use submeterd::model::site::{Basis, Category, Grade, Point, PointKind, Site, Thresholds};
use submeterd::model::state::State;
use submeterd::model::time::{Clock, UtcMs};
use submeterd::outbox::desk::SINK;
use submeterd::outbox::influx::{self, InfluxError};
use submeterd::outbox::status::SinkStatus;
use submeterd::store::queue::{self, BadLine, Entry, Lane};
use submeterd::store::schema;
use submeterd::store::write::Store;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::wait::wait_for;

/// Long for a test, short for whoever waits for a failing one.
pub const WITHIN: Duration = Duration::from_secs(15);

/// The store's present. Readings are received then unless a test says otherwise.
pub const NOW: UtcMs = UtcMs(1_700_000_000_000);

/// A store with one site, a meter of its kiln and a spare meter.
pub struct OutboxStore {
    folder: TempDir,
    store: Store,
    meter_keys: Vec<u32>,
    clock: Arc<AtomicI64>,
    wake: watch::Sender<u64>,
    /// Readings so far; each has its number as its power.
    n: u32,
}

/// A running sender.
pub struct Running {
    /// How it fares.
    pub status: watch::Receiver<SinkStatus>,
    stop: CancellationToken,
    task: JoinSet<Result<(), InfluxError>>,
}

impl OutboxStore {
    /// With nothing in the queue.
    pub fn new() -> OutboxStore {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store.db")).unwrap();
        let registry = registry();
        let tx = store.begin().unwrap();
        tx.put_registry(1, &serde_json::to_vec(&registry).unwrap()).unwrap();
        let key = |m: &Meter| history::meters::key(tx.conn(), &m.id).unwrap();
        let meter_keys = registry.meters.iter().map(key).collect();
        tx.commit(1).unwrap();
        let clock = Arc::new(AtomicI64::new(NOW.0));
        OutboxStore { folder, store, meter_keys, clock, wake: watch::Sender::new(0), n: 0 }
    }

    /// Where it lies.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// A connection, to look and to do damage.
    pub fn conn(&self) -> Connection {
        schema::open(&self.path()).unwrap()
    }

    /// Moves its present.
    pub fn set_now(&self, now: UtcMs) {
        self.clock.store(now.0, Ordering::Release);
    }

    /// Adds a row of `n` readings received at `received`. Their powers count on: 0, 1, 2, … W.
    pub fn push_readings(&mut self, n: u32, received: UtcMs) -> i64 {
        let mut batch = ReadingBatch::default();
        for power in self.n..self.n + n {
            batch.begin(0, NOW.plus(i64::from(power) * 1_000), received, 1, Quality::GOOD);
            batch.push_value(Channel::POWER, f64::from(power));
        }
        self.n += n;
        let tx = self.store.begin().unwrap();
        let row = history::batch::append(tx.conn(), &batch, &self.meter_keys).unwrap();
        queue::push(tx.conn(), SINK, &Entry::Readings { row }).unwrap();
        tx.commit(2).unwrap();
        self.wake.send_modify(|n| *n += 1);
        row
    }

    /// Adds a change of state.
    pub fn push_state(&mut self, since: UtcMs) {
        let (site, point) = ("cement-1".into(), "kiln".into());
        let entry = Entry::State { site, point, kind: PointKind::Production, state: State::Off, since };
        let tx = self.store.begin().unwrap();
        queue::push(tx.conn(), SINK, &entry).unwrap();
        tx.commit(2).unwrap();
        self.wake.send_modify(|n| *n += 1);
    }

    /// Settings for a far side, with short pauses.
    pub fn settings(url: &str, lines_max: usize) -> Influx {
        Influx {
            url: url.into(),
            org: "bureau".into(),
            bucket: "plants".into(),
            token: Some(Secret::new("t0ken\n")),
            timeout: Duration::from_secs(5),
            lines_max,
            gzip: true,
            backoff_max: Duration::from_millis(20),
        }
    }

    /// Starts a sender.
    pub fn send(&self, settings: Influx) -> Running {
        let (status, seen) = watch::channel(SinkStatus::default());
        let stop = CancellationToken::new();
        let clock = Clock::Manual(Arc::clone(&self.clock));
        let mut task = JoinSet::new();
        task.spawn(influx::run(settings, self.path(), clock, self.wake.subscribe(), status, stop.clone()));
        Running { status: seen, stop, task }
    }

    /// Entries that wait.
    pub fn n_waiting(&self) -> usize {
        queue::next(&self.conn(), SINK, Lane::ALL, 0, u32::MAX).unwrap().len()
    }

    /// Waits until nothing waits any more.
    pub async fn emptied(&self) {
        wait_for("an empty queue", WITHIN, async || (self.n_waiting() == 0).then_some(())).await;
    }

    /// Lines set aside, oldest first.
    pub fn set_aside(&self) -> Vec<BadLine> {
        let mut bad = queue::bad_lines(&self.conn(), SINK, u32::MAX).unwrap();
        bad.reverse();
        bad
    }
}

impl Running {
    /// Waits until its status is so.
    pub async fn until(&mut self, what: &str, mut is_so: impl FnMut(&SinkStatus) -> bool) -> SinkStatus {
        let found = tokio::time::timeout(WITHIN, self.status.wait_for(|s| is_so(s))).await;
        let found = found.map(|found| found.map(|status| status.clone()));
        match found {
            Ok(Ok(status)) => status,
            Ok(Err(_)) => panic!("the sender ended before {what}"),
            Err(_) => panic!("waited for {what}; it is {:?}", *self.status.borrow()),
        }
    }

    /// How it ended by itself.
    pub async fn ended(&mut self) -> Result<(), InfluxError> {
        let ended = tokio::time::timeout(WITHIN, self.task.join_next()).await;
        ended.expect("it does not end").unwrap().unwrap()
    }

    /// Asks it to stop; it must do so at once and without complaint.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.ended().await.unwrap();
    }
}

/// Powers of the lines that carry one, in order; repeated ones once, where they first stand.
pub fn powers(lines: &[String]) -> Vec<u32> {
    let mut seen = std::collections::HashSet::new();
    let power = |line: &String| line.split("power_w=").nth(1)?.split('.').next()?.parse().ok();
    lines.iter().filter_map(power).filter(|p| seen.insert(*p)).collect()
}

fn registry() -> Registry {
    let meter = |id: &str| Meter {
        id: id.into(),
        site: 0,
        gateway: "g".into(),
        period_ms: 1_000,
        heartbeat_ms: 0,
        ct: 1.0,
        pt: 1.0,
        input: Input::Mqtt { device: None },
        counting: None,
    };
    let thresholds = Thresholds {
        running_above_w: 2.0,
        running_below_w: 1.0,
        idle_above_w: 0.5,
        off_below_w: 0.25,
        on_for_ms: 0,
        off_for_ms: 0,
        basis: Basis::Configured,
        version: 1,
    };
    let kiln = Point {
        id: "kiln".into(),
        name: "Kiln".into(),
        kind: PointKind::Production,
        rated_w: 100_000.0,
        meter: 0,
        thresholds,
        commissioning: None,
    };
    let site = Site {
        id: "cement-1".into(),
        name: "Cement".into(),
        region: "".into(),
        industry: "".into(),
        category: Category::General,
        positive_list: false,
        grade: Grade::Ungraded,
        time_zone: "Asia/Shanghai".into(),
        reorder_ms: 0,
        step_ms: 60_000,
        gap_ms: 300_000,
        points: vec![kiln],
        processes: Vec::new(),
        rules: submeterd::model::param::Settings::DEFAULT,
        working_time: None,
    };
    let meters = vec![meter("cement-1/m1"), meter("cement-1/spare")];
    Registry { meters, sites: vec![site], ..Registry::default() }
}
