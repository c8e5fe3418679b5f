//! How an alert that is known already was changed by late readings: the record of it.

use serde::{Deserialize, Serialize};

use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// The readings that gave reason to judge again, or the exchange of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Late {
    /// First message they came in.
    pub first_offset: Offset,
    /// Last message they came in.
    pub last_offset: Offset,
    /// How many there were; none where only a meter was exchanged.
    pub n_readings: u64,
    /// The earliest was measured, or the meter exchanged, at this moment.
    pub from: UtcMs,
}

/// One figure that is another now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Difference {
    /// Name of the field: `first`, `level`, …
    pub field: Box<str>,
    /// What it was.
    pub from: Box<str>,
    /// What it is.
    pub to: Box<str>,
}

/// One revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Revision {
    /// When it was judged again, by the journal.
    pub at: UtcMs,
    /// The message by which that became due.
    pub offset: Offset,
    /// Why.
    pub late: Late,
    /// What changed; empty where only the evidence became fuller.
    pub changes: Vec<Difference>,
}
