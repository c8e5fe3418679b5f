//! The past of sites, judged again a bounded piece at a time: live judging always comes first.
//!
//! When a site is due, and how much is done at a tick, follows from the messages alone; so a restart, or a replay, comes to
//! the same at the same message.

use rusqlite::Connection;

use super::keep::RejudgeError;
use super::rejudge::{Outcome, Rejudging, Slice};
use crate::alerts::revision::Late;
use crate::engine::world::World;
use crate::model::reading::Offset;
use crate::store::judging::Checkpoint;

/// Readings taken since the last tick and judged again at this one, together, about: what of the past is judged is what
/// live readings leave of it. A tick takes a fifth of a second or less for it, so that live ones wait no longer. In tests a
/// past takes many ticks.
const N_READINGS_PER_TICK: u64 = if cfg!(test) { 300 } else { 64_000 };

/// Readings judged again at a tick, however many were taken: the past goes on under any load.
const N_READINGS_PER_TICK_MIN: u64 = if cfg!(test) { 50 } else { 5_000 };

/// What a slice costs beside its readings, in readings.
const SLICE_COST: u64 = 100;

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

/// How much may be done, and of which sites.
#[derive(Debug)]
pub struct Allowance {
    n_readings: u64,
    due: std::vec::IntoIter<u32>,
}

impl World {
    /// What of the past is to be judged again at the tick that was taken just now, if any is.
    #[must_use]
    pub fn past_at_tick(&self) -> Option<Allowance> {
        let n_readings = N_READINGS_PER_TICK.saturating_sub(self.n_since_tick).max(N_READINGS_PER_TICK_MIN);
        self.allow(n_readings, self.late.due(self.now()))
    }

    /// A piece of all the past that is left, also of sites that wait for more to come: the end of a replay.
    #[must_use]
    pub fn past_at_the_end(&self) -> Option<Allowance> {
        self.allow(N_READINGS_PER_TICK, self.late.all())
    }

    fn allow(&self, n_readings: u64, due: Vec<u32>) -> Option<Allowance> {
        let is_any = self.past.is_some() || !due.is_empty();
        is_any.then(|| Allowance { n_readings, due: due.into_iter() })
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
            if self.past.is_none() && !self.begin_past(conn, offset, &mut allowance.due)? {
                return Ok(None);
            }
            let now = self.now();
            let Some(past) = &mut self.past else { return Ok(None) };
            let live = &self.judges[past.index as usize];
            let Slice { n_readings, is_done } = past.slice(conn, live, (now, offset), keep)?;
            allowance.n_readings = allowance.n_readings.saturating_sub(n_readings as u64 + SLICE_COST);
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
        due: &mut std::vec::IntoIter<u32>,
    ) -> Result<bool, RejudgeError> {
        for index in due {
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
