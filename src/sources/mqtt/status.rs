//! What a session lets others see.

use serde::{Deserialize, Serialize};

use crate::model::time::UtcMs;

/// A broker, as its session sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BrokerStatus {
    /// Whether there is a connection.
    pub connected: bool,
    /// Since when that is so.
    pub since: Option<UtcMs>,
    /// Connections there have been.
    pub generation: u64,
    /// Whether the broker has granted every filter on this connection.
    pub subscribed: bool,
    /// Filters the broker has refused, on this connection.
    pub refused: Vec<String>,
    /// Whether the socket is not read: too much is unacknowledged, or the journal has no room.
    pub held_back: bool,
    /// Whether nothing has come for longer than it should, though there is a connection.
    pub silent: bool,
    /// Received and not yet acknowledged.
    pub unacknowledged: u64,
    /// When the last message came.
    pub last_message: Option<UtcMs>,
    /// Why the connection ended last, or could not be made.
    pub last_error: Option<String>,
    /// What has been counted since the start.
    pub counts: BrokerCounts,
}

/// Messages of a broker since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerCounts {
    /// Taken into the journal.
    pub received: u64,
    /// Of these, marked by the broker as sent before.
    pub duplicates: u64,
    /// Of these, retained copies.
    pub retained: u64,
    /// Of these, larger than the bound.
    pub oversized: u64,
    /// Acknowledged, once on disk.
    pub acknowledged: u64,
    /// Bytes of topics and payloads.
    pub bytes: u64,
}
