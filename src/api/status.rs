//! How the daemon is: what it received, how far it is, what waits, what is wrong.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::engine::run::Progress;
use crate::journal::Journal;
use crate::journal::read::JournalStats;
use crate::model::by_source::BySource;
use crate::model::time::UtcMs;
use crate::outbox::status::SinkStatus;
use crate::sources::modbus::status::LinkStatus;
use crate::sources::mqtt::status::BrokerStatus;

/// All of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Status {
    /// Whether the daemon runs; without it only what the files tell is filled in.
    pub running: bool,
    /// Version of the program that answers.
    pub version: String,
    /// When the daemon started.
    pub started: Option<UtcMs>,
    /// How far the engine is.
    pub progress: Progress,
    /// What the journal holds.
    pub journal: JournalStats,
    /// The journal's size bound, bytes.
    pub journal_bytes_max: Option<u64>,
    /// Messages on disk since the journal began, by source; `None` while that is being counted, and without the daemon.
    #[serde(default)]
    pub received: Option<BySource<u64>>,
    /// Rejects kept, by reason.
    pub rejects: Vec<(String, u64)>,
    /// Open alerts by level: notice, warning, alarm, critical.
    pub open_alerts: [u64; 4],
    /// MQTT brokers by name.
    pub brokers: Vec<(String, BrokerStatus)>,
    /// Modbus links by name.
    pub links: Vec<(String, LinkStatus)>,
    /// Outbox senders by name.
    pub sinks: Vec<(String, SinkStatus)>,
}

/// Where the living parts of the daemon say how they are.
#[derive(Clone, Debug)]
pub struct Sensors {
    /// When the daemon started.
    pub started: UtcMs,
    /// The engine.
    pub progress: watch::Receiver<Progress>,
    /// The journal, which knows what it received.
    pub journal: Journal,
    /// The journal's size bound, bytes.
    pub journal_bytes_max: u64,
    /// MQTT brokers by name.
    pub brokers: Vec<(String, watch::Receiver<BrokerStatus>)>,
    /// Modbus links by name.
    pub links: Vec<(String, watch::Receiver<LinkStatus>)>,
    /// Outbox senders by name.
    pub sinks: Vec<(String, watch::Receiver<SinkStatus>)>,
}

impl Sensors {
    /// Adds what the living parts say to what the files tell.
    #[must_use]
    pub fn over(&self, files: Status) -> Status {
        Status {
            running: true,
            started: Some(self.started),
            progress: self.progress.borrow().clone(),
            // Read after what was passed, so that nothing is passed that was not received.
            received: self.journal.received(),
            journal_bytes_max: Some(self.journal_bytes_max),
            brokers: read(&self.brokers),
            links: read(&self.links),
            sinks: read(&self.sinks),
            ..files
        }
    }
}

fn read<T: Clone>(parts: &[(String, watch::Receiver<T>)]) -> Vec<(String, T)> {
    parts.iter().map(|(name, status)| (name.clone(), status.borrow().clone())).collect()
}
