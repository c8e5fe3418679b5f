//! The past of sites, judged again a bounded piece at a time: live judging always comes first.
//!
//! When a site is due, and how much is done at a tick, follows from the messages alone; so a restart, or a replay, comes to
//! the same at the same message.

use rusqlite::Connection;

use super::keep::RejudgeError;
use super::rejudge::{Outcome, Rejudging, Slice};
use super::world::World;
use crate::alerts::revision::Late;
use crate::model::reading::Offset;
use crate::store::judging::Checkpoint;

/// Readings judged again at a tick, about: a tenth of a second or two, so that live ones wait no longer for it.
pub const N_READINGS_PER_TICK: usize = 10_000;

/// What a slice costs beside its readings, in readings.
const SLICE_COST: usize = 250;

/// A site whose past has been judged again.
#[derive(Debug)]
pub struct Revised {
    /// Index of the site.
    pub index: u32,
    /// Why.
    pub late: Late,
    /// The number of the last finding that stands.
    pub base_said: u64,
    /// What came out.
    pub outcome: Outcome,
}

/// How much may be done, and of what.
#[derive(Debug)]
pub struct Allowance {
    /// Readings left.
    pub n_readings: usize,
    /// Whether sites are taken that wait for more to come.
    pub is_the_end: bool,
}

impl World {
    /// Whether some past is to be judged again at this tick.
    #[must_use]
    pub fn is_past_due(&self, is_the_end: bool) -> bool {
        self.past.is_some() || !self.due(is_the_end).is_empty()
    }

    fn due(&self, is_the_end: bool) -> Vec<u32> {
        if is_the_end { self.late.all() } else { self.late.due(self.now()) }
    }

    /// Judges the past as far as is allowed; a site that is done comes back, and the next one with the next call.
    /// `keep` is given states to keep.
    ///
    /// # Errors
    /// What was kept cannot be read, or `keep` fails.
    pub fn judge_past(
        &mut self,
        conn: &Connection,
        offset: Offset,
        allowance: &mut Allowance,
        keep: &mut dyn FnMut(&str, &Checkpoint) -> Result<(), RejudgeError>,
    ) -> Result<Option<Revised>, RejudgeError> {
        while allowance.n_readings > 0 {
            if self.past.is_none() && !self.begin_past(conn, offset, allowance.is_the_end)? {
                return Ok(None);
            }
            let now = self.now();
            let Some(past) = &mut self.past else { return Ok(None) };
            let live = &self.judges[past.index as usize];
            let Slice { n_readings, is_done } = past.slice(conn, live, (now, offset), keep)?;
            allowance.n_readings = allowance.n_readings.saturating_sub(n_readings + SLICE_COST);
            if is_done {
                return Ok(self.end_past());
            }
        }
        Ok(None)
    }

    /// Takes up the next site that is due and can be judged again; false if there is none.
    fn begin_past(
        &mut self,
        conn: &Connection,
        offset: Offset,
        is_the_end: bool,
    ) -> Result<bool, RejudgeError> {
        for index in self.due(is_the_end) {
            let Some(late) = self.late.take(index) else { continue };
            let site = &self.registry().sites[index as usize].id;
            self.past = Rejudging::begin(conn, (index, site), late, offset)?.map(Box::new);
            if self.past.is_some() {
                return Ok(true);
            }
            self.counts.too_late += late.n_readings;
        }
        Ok(false)
    }

    fn end_past(&mut self) -> Option<Revised> {
        let Rejudging { index, late, base_said, .. } = **self.past.as_ref()?;
        let live = &mut self.judges[index as usize];
        let outcome = self.past.take()?.finish(live);
        *live = outcome.judge.clone();
        self.counts.rejudged += late.n_readings;
        Some(Revised { index, late, base_said, outcome })
    }
}
