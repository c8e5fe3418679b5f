//! Who is served next while a backlog drains. Pure.
//!
//! As long as the sender keeps up there is one lane, in the order of the queue. When it has fallen behind, the queue
//! is looked at as three, each strictly in order and served in turn: what happened (states, alerts), the *backlog*
//! of readings up to a mark, and *live* readings behind it. When the backlog has reached the mark it is one lane again. So
//! an alert and the present are seen at once, and the past is filled in beside them. Points of different readings do
//! not depend on their order; changes of an alert do, and never overtake each other.

use crate::store::queue::Lane;

/// Readings received longer ago than this, ms: the sender has fallen behind.
pub const BEHIND_MS: i64 = 30_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Events,
    Backlog,
    Live,
}

/// The lanes of one sender.
#[derive(Clone, Debug)]
pub struct Lanes {
    /// The last entry of the backlog, while there is one.
    mark: Option<i64>,
    turn: Turn,
}

impl Lanes {
    /// One lane.
    #[must_use]
    pub fn one() -> Lanes {
        Lanes { mark: None, turn: Turn::Events }
    }

    /// Whether there is a backlog beside the present.
    #[must_use]
    pub fn are_split(&self) -> bool {
        self.mark.is_some()
    }

    /// The lane to serve next.
    #[must_use]
    pub fn next(&self) -> Lane {
        match (self.mark, self.turn) {
            (None, _) => Lane::ALL,
            (Some(_), Turn::Events) => Lane::EVENTS,
            (Some(mark), Turn::Backlog) => Lane::readings_to(mark),
            (Some(mark), Turn::Live) => Lane::readings_after(mark),
        }
    }

    /// That lane was served, or nothing was in it.
    pub fn turn(&mut self) {
        self.turn = match self.turn {
            Turn::Events => Turn::Backlog,
            Turn::Backlog => Turn::Live,
            Turn::Live => Turn::Events,
        };
    }

    /// Nothing was in the lane. True if nothing is in the whole queue.
    pub fn found_empty(&mut self) -> bool {
        if self.mark.is_none() {
            return true;
        }
        if self.turn == Turn::Backlog {
            *self = Lanes::one();
        } else {
            self.turn();
        }
        false
    }

    /// What was taken from the one lane had waited for `lag_ms`; `newest` is the last entry of the queue now.
    pub fn fell_behind(&mut self, lag_ms: i64, newest: i64) {
        if self.mark.is_none() && lag_ms > BEHIND_MS {
            *self = Lanes { mark: Some(newest), turn: Turn::Events };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_drained_beside_the_present_until_it_reaches_the_mark() {
        let mut lanes = Lanes::one();
        assert_eq!(lanes.next(), Lane::ALL);
        lanes.fell_behind(BEHIND_MS, 70);
        assert_eq!(lanes.next(), Lane::ALL, "30 s are not behind yet");
        lanes.fell_behind(BEHIND_MS + 1, 70);
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(lanes.next());
            lanes.turn();
        }
        let round = [Lane::EVENTS, Lane::readings_to(70), Lane::readings_after(70)];
        assert_eq!(seen, [round, round].concat());

        lanes.fell_behind(90_000, 99);
        assert!(!lanes.found_empty(), "no events, but there may be readings");
        assert_eq!(lanes.next(), Lane::readings_to(70), "the mark stands until it is reached");
        assert!(!lanes.found_empty());
        assert_eq!(lanes.next(), Lane::ALL);
        assert!(lanes.found_empty());
    }
}
