//! A link that runs against a fake meter, and the journal it writes to.

use std::sync::Arc;
use std::time::Duration;

use submeterd::config::settings::{Link, Transport};
use submeterd::journal::handle::JournalThread;
use submeterd::journal::writer::Retention;
use submeterd::journal::{Journal, Reader};
use submeterd::model::message::Kind;
use submeterd::model::meter::{Coding, Input, Meter, Profile, Register, RegisterType, Table, WordOrder};
use submeterd::model::quantity::Channel;
use submeterd::model::reading::ReadingBatch;
use submeterd::model::registry::Registry;
use submeterd::model::time::Clock;
use submeterd::sources::modbus::decode;
use submeterd::sources::modbus::link::{self, LinkError};
use submeterd::sources::modbus::status::LinkStatus;
use submeterd::sources::reject::Reject;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::harness::fake_meter::{FakeMeter, Framing};

/// Longest wait for anything in these tests.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A link to `meter` with short times.
pub fn link_to(meter: &FakeMeter, framing: Framing) -> Link {
    let (host, port) = ("127.0.0.1".into(), meter.port());
    let transport = match framing {
        Framing::Tcp => Transport::Tcp { host, port },
        Framing::Rtu => Transport::RtuOverTcp { host, port, baud: 115_200 },
    };
    Link {
        name: "bus".into(),
        transport,
        timeout: Duration::from_millis(100),
        retries: 1,
        pause: Duration::ZERO,
        breaker_pause_max: Duration::from_secs(2),
        backoff_max: Duration::from_millis(200),
    }
}

/// A profile of input registers, never read over gaps.
pub fn profile(registers: &[(Channel, u16, RegisterType, f64)]) -> Profile {
    let register = |&(channel, address, kind, scale): &(Channel, u16, RegisterType, f64)| Register {
        channel,
        address,
        kind,
        scale,
        coding: Coding::Plain,
    };
    Profile {
        name: "fake".into(),
        table: Table::Input,
        word_order: WordOrder::Big,
        max_registers: 80,
        even_counts: false,
        max_gap: 0,
        pause_ms: 0,
        secondary_side: false,
        registers: registers.iter().map(register).collect(),
    }
}

/// Meters `site/<unit>`, all of the first profile.
pub fn registry(units: &[u8], profile: Profile, period_ms: u32) -> Registry {
    let meter = |unit: &u8| Meter {
        id: format!("site/{unit}").into(),
        site: 0,
        gateway: "bus".into(),
        period_ms,
        heartbeat_ms: 0,
        ct: 1.0,
        pt: 1.0,
        input: Input::Modbus { link: "bus".into(), unit: *unit, profile: 0 },
        counting: None,
    };
    Registry { meters: units.iter().map(meter).collect(), profiles: vec![profile], ..Registry::default() }
}

/// What the journal holds of one meter's scan: meter index, and its values or why there are none.
pub type Decoded = (u32, Result<Vec<(Channel, f64)>, Reject>);

/// A running link.
pub struct Rig {
    folder: tempfile::TempDir,
    journal: Option<JournalThread>,
    registry: Arc<Registry>,
    stop: CancellationToken,
    tasks: JoinSet<Result<(), LinkError>>,
    status: watch::Receiver<LinkStatus>,
}

impl Rig {
    /// Starts it.
    pub fn start(link: Link, registry: Registry) -> Rig {
        Rig::start_within(1 << 30, link, registry).0
    }

    /// Starts it on a journal of that size, which comes too.
    pub fn start_within(max_bytes: u64, link: Link, registry: Registry) -> (Rig, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let retention = Retention { max_age_days: 1, max_bytes };
        let (journal, thread) = Journal::open(folder.path(), retention, Clock::System).unwrap();
        let registry = Arc::new(registry);
        let (sender, status) = watch::channel(LinkStatus::default());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(link::run(
            link,
            Arc::clone(&registry),
            journal.clone(),
            Clock::System,
            sender,
            stop.clone(),
        ));
        (Rig { folder, journal: Some(thread), registry, stop, tasks, status }, journal)
    }

    /// Waits until the status is as wanted.
    pub async fn wait_for(&mut self, what: &str, mut wanted: impl FnMut(&LinkStatus) -> bool) -> LinkStatus {
        let last = self.status.clone();
        // Before the link has begun there are no slaves, of whom anything would be true.
        let begun = |s: &LinkStatus| !s.slaves.is_empty() && wanted(s);
        let waited = tokio::time::timeout(TIMEOUT, self.status.wait_for(begun)).await;
        match waited {
            Ok(status) => status.unwrap().clone(),
            Err(_) => panic!("waited {TIMEOUT:?} for {what}; the status is {:#?}", last.borrow()),
        }
    }

    /// Closes the journal under the running link and returns what that makes of it.
    pub async fn break_journal(&mut self) -> Result<(), LinkError> {
        self.journal.take().unwrap().finish().unwrap();
        let end = tokio::time::timeout(TIMEOUT, self.tasks.join_next()).await;
        end.expect("the link goes on without a journal").unwrap().unwrap()
    }

    /// Stops the link and reads all that it journaled.
    pub async fn finish(mut self) -> Vec<Decoded> {
        self.stop.cancel();
        let end = tokio::time::timeout(TIMEOUT, self.tasks.join_next()).await;
        end.expect("the link does not stop").unwrap().unwrap().unwrap();
        self.journal.take().unwrap().finish().unwrap();
        let mut reader = Reader::open(self.folder.path()).unwrap();
        let index = self.registry.meter_index();
        let (mut after, mut all) = (0, Vec::new());
        while let Some(batch) = reader.next(after).unwrap() {
            for (offset, message) in batch.messages() {
                assert_eq!((message.kind, message.source), (Kind::Modbus, "bus"));
                let meter = index[message.topic];
                let mut readings = ReadingBatch::default();
                let outcome =
                    decode::decode_message(&self.registry, Some(meter), &message, offset, &mut readings);
                all.push((meter, outcome.map(|()| readings.values(&readings.heads()[0]).to_vec())));
            }
            after = batch.last();
        }
        all
    }
}

/// The words of a 32-bit number, high word first.
pub fn words(value: u32) -> [u16; 2] {
    [(value >> 16) as u16, value as u16]
}
