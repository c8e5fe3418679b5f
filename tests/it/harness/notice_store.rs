//! A store in which notices wait, and the sender that brings them to a receiver.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use submeterd::alerts::alert::{Alert, Status};
use submeterd::alerts::evidence::Evidence;
use submeterd::config::receivers::{Policy, Receiver, Via};
use submeterd::model::rule::{Level, Rule};
use submeterd::model::time::{Clock, UtcMs};
use submeterd::model::words::Lang;
use submeterd::notices::item::{Item, Told, What};
use submeterd::notices::notice::{self, About, Telling};
use submeterd::outbox::notices::{self, NoticesError};
use submeterd::outbox::status::SinkStatus;
use submeterd::store::notices::Row;
use submeterd::store::queue::{self, BadLine, Entry, Lane};
use submeterd::store::write::Store;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::wait::wait_for;

/// Long for a test, short for whoever waits for a failing one.
pub const WITHIN: Duration = Duration::from_secs(20);

/// The name of the receiver.
pub const NAME: &str = "duty";

/// A store with a queue of notices.
pub struct NoticeStore {
    folder: TempDir,
    store: Store,
    clock: Clock,
    wake: watch::Sender<u64>,
    n: u64,
}

/// A running sender.
pub struct Running {
    /// How it fares.
    pub status: watch::Receiver<SinkStatus>,
    stop: CancellationToken,
    task: JoinSet<Result<(), NoticesError>>,
}

/// An alert of that number.
pub fn alert(n: u64, status: Status, level: Level, first: UtcMs) -> Alert {
    Alert {
        id: format!("alert-{n}").into(),
        site: "plant".into(),
        rule: Rule::TreatmentOff,
        rule_version: 1,
        subject_kind: "process".into(),
        subject: "line".into(),
        status,
        level,
        first,
        raised: first.plus(600_000),
        raised_before: None,
        last_certain: first.plus(600_000),
        cleared: (status == Status::Cleared).then(|| first.plus(900_000)),
        certain_ms: 600_000,
        unknown_ms: 0,
        evidence: Evidence { data_share: 1.0, ..Evidence::default() },
        acknowledged: None,
        history: Vec::new(),
        said: 0,
        retroactive: false,
        revisions: Vec::new(),
        suppressed: Vec::new(),
        deeds: Vec::new(),
    }
}

/// The site of all of them.
pub fn about() -> About {
    let (name, region) = ("印刷厂".into(), "east".into());
    About { id: "plant".into(), name, region, time_zone: "Asia/Shanghai".into() }
}

impl NoticeStore {
    /// With nothing in the queue; its present is that of `clock`.
    pub fn new(clock: Clock) -> NoticeStore {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.db")).unwrap();
        NoticeStore { folder, store, clock, wake: watch::Sender::new(0), n: 0 }
    }

    /// Its present stands at a moment.
    pub fn at(now: UtcMs) -> NoticeStore {
        NoticeStore::new(Clock::Manual(Arc::new(AtomicI64::new(now.0))))
    }

    /// Where it lies.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Adds a notice of one alert, as the engine does: the alert, what the receiver knows, the notice; all or nothing. Its
    /// id.
    pub fn tell(&mut self, what: What, levels: &[Level], alert: &Alert) -> String {
        self.n += 1;
        let telling =
            Telling { what, levels: levels.to_vec(), region: about().region, alert: Box::new(alert.clone()) };
        let moment = (self.n, self.clock.now());
        let made = notice::notices(NAME, &about(), vec![telling], 1, moment).remove(0);
        let id = made.id.to_string();
        let ended = (!what.stands()).then_some(alert.status);
        let told = Some(Told { at: moment.1, levels: levels.to_vec(), ended });
        let item = Item {
            level: alert.level,
            status: alert.status,
            acknowledged: false,
            quelled: false,
            told,
            news: None,
            passed_over: false,
            region: about().region,
        };
        let tx = self.store.begin().unwrap();
        tx.put_alert(alert, self.n).unwrap();
        let (receiver, site) = (NAME.into(), alert.site.clone());
        let row = Row { receiver, alert: alert.id.clone(), site, due: None, item };
        submeterd::store::notices::put(tx.conn(), &row).unwrap();
        queue::push(tx.conn(), &format!("notice-{NAME}"), &Entry::Notice(Box::new(made))).unwrap();
        tx.commit(self.n).unwrap();
        self.wake.send_modify(|n| *n += 1);
        id
    }

    /// Adds so many notices of alerts that begin; their ids.
    pub fn raise(&mut self, n: u64) -> Vec<String> {
        let now = self.clock.now();
        let numbers = self.n..self.n + n;
        let raise = |n| alert(n, Status::Open, Level::Alarm, now.plus(-600_000));
        numbers.map(|n| self.tell(What::Raised, &[Level::Alarm], &raise(n))).collect()
    }

    /// A receiver with short pauses.
    pub fn receiver(via: Via) -> Receiver {
        Receiver {
            name: NAME.into(),
            policy: Policy::default(),
            language: Lang::Zh,
            timeout: Duration::from_secs(5),
            backoff_max: Duration::from_millis(20),
            via,
        }
    }

    /// Starts a sender.
    pub fn send(&self, receiver: Receiver) -> Running {
        let (status, seen) = watch::channel(SinkStatus::default());
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        let clock = self.clock.clone();
        task.spawn(notices::run(receiver, self.path(), clock, self.wake.subscribe(), status, stop.clone()));
        Running { status: seen, stop, task }
    }

    /// Waits until nothing waits any more.
    pub async fn emptied(&self) {
        let is_empty = || {
            let sink = format!("notice-{NAME}");
            queue::next(self.store.conn(), &sink, Lane::ALL, 0, u32::MAX).unwrap().is_empty()
        };
        wait_for("an empty queue", WITHIN, async || is_empty().then_some(())).await;
    }

    /// What was set aside.
    pub fn set_aside(&self) -> Vec<BadLine> {
        queue::bad_lines(self.store.conn(), &format!("notice-{NAME}"), u32::MAX).unwrap()
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

    /// Ends it as a kill would: in the middle of whatever it does.
    pub async fn kill(mut self) {
        self.task.shutdown().await;
    }

    /// Asks it to stop; it must do so at once and without complaint.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(WITHIN, self.task.join_next()).await;
        ended.expect("it does not end").unwrap().unwrap().unwrap();
    }
}
