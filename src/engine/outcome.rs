//! What becomes of messages, by source: each is stored or rejected, so that what was received can be accounted for. Pure.

use serde::{Deserialize, Serialize};

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was taken.
    Stored,
    /// Readings came of it, and a part of it became a reject.
    Partly,
    /// Nothing of it was taken: it became a reject.
    Rejected,
}

impl Outcome {
    /// What it is for a message with so many readings and rejects.
    #[must_use]
    pub const fn of(n_readings: usize, n_rejects: usize) -> Outcome {
        match (n_readings, n_rejects) {
            (_, 0) => Outcome::Stored,
            (0, _) => Outcome::Rejected,
            _ => Outcome::Partly,
        }
    }
}

/// How many messages of a source became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Taken, whole or in part.
    pub stored: u64,
    /// Of these, in part.
    pub partly: u64,
    /// Nothing was taken.
    pub rejected: u64,
}

impl Outcomes {
    /// Counts one more.
    pub fn count(&mut self, outcome: Outcome) {
        self.stored += u64::from(outcome != Outcome::Rejected);
        self.partly += u64::from(outcome == Outcome::Partly);
        self.rejected += u64::from(outcome == Outcome::Rejected);
    }

    /// All that the engine has passed.
    #[must_use]
    pub const fn passed(&self) -> u64 {
        self.stored + self.rejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_either_stored_or_rejected() {
        let mut own = Outcomes::default();
        for (n_readings, n_rejects) in [(1, 0), (0, 0), (2, 1), (0, 1), (0, 3)] {
            own.count(Outcome::of(n_readings, n_rejects));
        }
        assert_eq!(own, Outcomes { stored: 3, partly: 1, rejected: 2 });
        assert_eq!(own.passed(), 5);
    }
}
