//! What follows from messages, before it is written: plain data.

use serde::{Deserialize, Serialize};

use crate::detection::finding::Finding;
use crate::model::command::Command;
use crate::model::reading::{Offset, ReadingBatch};
use crate::model::time::UtcMs;
use crate::sources::reject::Reject;

/// Everything a step has to write.
#[derive(Debug, Default)]
pub struct Effects {
    /// Readings, for history and outbox.
    pub readings: ReadingBatch,
    /// What of the last message could not be taken.
    pub rejects: Vec<Reject>,
    /// What detection found: site index, the message by which it came to be known, the finding.
    pub findings: Vec<(u32, Offset, Finding)>,
    /// What people asked: message, its receive time, the command.
    pub commands: Vec<(Offset, UtcMs, Command)>,
}

impl Effects {
    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.readings.clear();
        self.rejects.clear();
        self.findings.clear();
        self.commands.clear();
    }
}

/// What has been counted since the journal began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Messages taken.
    pub messages: u64,
    /// Readings decoded.
    pub readings: u64,
    /// Readings that came behind what their site was judged to: kept, not judged.
    pub late: u64,
    /// Readings that are kept but not judged: doubtful, or retained without a time.
    pub unjudged: u64,
    /// Readings of meters that measure no point.
    pub unassigned: u64,
    /// Messages, or parts of them, that could not be taken.
    pub rejects: u64,
}
