//! How a sender fares, for `status` and metrics.

use serde::{Deserialize, Serialize};

use crate::model::time::UtcMs;

/// What a sender is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkState {
    /// The far side takes what it is given, or nothing had to be given yet.
    #[default]
    Ok,
    /// The far side refuses for a reason a person must see to: token, bucket, address. Nothing is dropped.
    Holding,
    /// The far side is away, slow or overloaded; it is tried again after growing pauses.
    BackingOff,
}

/// What a sender sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkKind {
    /// Lines of readings, states and alerts, to a database.
    #[default]
    Lines,
    /// Notices, to whoever is told of alerts.
    Notices,
}

/// A sender's figures.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct SinkStatus {
    /// What it sends.
    #[serde(default)]
    pub kind: SinkKind,
    /// What it is about.
    pub state: SinkState,
    /// Entries that wait, as last counted.
    pub n_backlog: u64,
    /// Lines, or notices, the far side has taken since the start.
    pub n_lines_delivered: u64,
    /// Lines, or notices, that are set aside, those of earlier runs included.
    pub n_set_aside: u64,
    /// Why something last went wrong, in the far side's words where it had any.
    pub last_error: Option<String>,
    /// When the far side last took lines.
    pub last_ok: Option<UtcMs>,
    /// How long ago the oldest reading that waits was received, or the oldest notice made, ms; 0 when none waits.
    pub lag_ms: i64,
}
