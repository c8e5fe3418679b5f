//! What a link lets others see.

use serde::{Deserialize, Serialize};

use crate::model::time::UtcMs;

/// A link and its slaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// Its name.
    pub link: String,
    /// Whether there is a connection.
    pub connected: bool,
    /// Since when it is so.
    pub since: UtcMs,
    /// How often a connection was made.
    pub connects: u64,
    /// Scans of a meter that brought registers.
    pub scans: u64,
    /// The longest time that now lies between two scans of the same meter, among those that answer, ms.
    pub achieved_ms: Option<u32>,
    /// Why there is no connection.
    pub last_error: Option<String>,
    /// Its slaves, in the order of the registry.
    pub slaves: Vec<SlaveStatus>,
}

/// One slave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SlaveStatus {
    /// Its address.
    pub unit: u8,
    /// The meter's id.
    pub meter: String,
    /// How it is.
    pub state: SlaveState,
    /// When it last brought registers.
    pub last_ok: Option<UtcMs>,
    /// Time between its last two scans that brought registers, ms.
    pub interval_ms: Option<u32>,
    /// How often it is to be read, ms.
    pub period_ms: u32,
    /// Scans that brought registers.
    pub scans: u64,
    /// Requests it did not answer in time.
    pub timeouts: u64,
    /// Answers that could not be taken: wrong sum, wrong length, another's.
    pub garbled: u64,
    /// Times it said no.
    pub exceptions: u64,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
    /// What may be wrong with its configuration.
    pub hint: Option<String>,
}

/// How a slave is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlaveState {
    /// Not asked yet.
    #[default]
    Waiting,
    /// It answers.
    Ok,
    /// It did not answer last time.
    Failing,
    /// It did not answer several times and is left alone for a while.
    Paused,
    /// It answers, but with values that no meter measures.
    Implausible,
}

impl LinkStatus {
    /// Works out [`achieved_ms`](LinkStatus::achieved_ms).
    pub fn update_achieved(&mut self) {
        let answering = |s: &&SlaveStatus| matches!(s.state, SlaveState::Ok | SlaveState::Implausible);
        self.achieved_ms = self.slaves.iter().filter(answering).filter_map(|s| s.interval_ms).max();
    }
}
