//! What follows from messages, before it is written: plain data.

use serde::{Deserialize, Serialize};

use crate::detection::finding::Finding;
use crate::detection::site::SiteJudge;
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
    /// What detection found.
    pub findings: Vec<Found>,
    /// States of sites to be kept, each after so many of the findings.
    pub marks: Vec<Mark>,
    /// When nobody listened, and the message by which that ended.
    pub unheard: Vec<(Offset, UtcMs, UtcMs)>,
    /// How time passed.
    pub passed: Vec<Passed>,
    /// What people asked: message, its receive time, the command.
    pub commands: Vec<(Offset, UtcMs, Command)>,
}

/// A finding of a site.
#[derive(Debug)]
pub struct Found {
    /// Index of the site.
    pub site: u32,
    /// The message by which it came to be known.
    pub by: Offset,
    /// Its number among the site's findings.
    pub said: u64,
    /// What it says.
    pub finding: Finding,
}

/// The state of a site at a moment to which its past can be judged back later.
#[derive(Debug)]
pub struct Mark {
    /// Findings made before it, of those of this step.
    pub n_findings: usize,
    /// Index of the site.
    pub site: u32,
    /// The message by which it was reached.
    pub by: Offset,
    /// The state.
    pub judge: SiteJudge,
}

/// Time has passed for every site.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// Findings made before, of those of this step.
    pub n_findings: usize,
    /// The message that says so.
    pub by: Offset,
    /// When.
    pub now: UtcMs,
}

impl Effects {
    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.readings.clear();
        self.rejects.clear();
        self.findings.clear();
        self.marks.clear();
        self.unheard.clear();
        self.passed.clear();
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
    /// Readings that came behind what their site was judged to.
    pub late: u64,
    /// Of those, readings by which their site was judged again.
    #[serde(default)]
    pub rejudged: u64,
    /// Of those, readings older than anything that can be judged again.
    #[serde(default)]
    pub too_late: u64,
    /// Readings that are kept but not judged: doubtful, or retained without a time.
    pub unjudged: u64,
    /// Readings of meters that measure no point.
    pub unassigned: u64,
    /// Messages, or parts of them, that could not be taken.
    pub rejects: u64,
}
