//! R16 `fragmented`: many stretches of "treatment off", each too short for R1.
//!
//! The answer to whoever toggles treatment inside the debounce. Stretches that became an R1 alert do not count; the
//! others are summed over a rolling 24 h. Cleared at a moment at which it is certainly not off and the sum is back
//! within the limit. Source: rule catalogue, R16.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::scene::Scene;
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::finding::Finding;
use crate::model::rule::{Level, Rule};
use crate::model::time::{DAY_MS, UtcMs};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    first: UtcMs,
    last_certain: UtcMs,
    certain_ms: i64,
}

/// State of the rule for one process.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Fragmented {
    /// Short gaps of the last 24 h: begin, length in ms.
    gaps: VecDeque<(UtcMs, i64)>,
    open: Option<Open>,
}

impl Fragmented {
    /// Whether nothing is open.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.open.is_none()
    }

    /// A gap of `certain_ms` that began at `first` ended at `at` without an R1 alert.
    pub fn gap(
        &mut self,
        (first, certain_ms, at): (UtcMs, i64, UtcMs),
        scene: &Scene<'_>,
        out: &mut impl FnMut(Finding),
    ) {
        self.gaps.push_back((first, certain_ms));
        while self.gaps.front().is_some_and(|(from, ms)| from.plus(*ms) <= at.plus(-DAY_MS)) {
            self.gaps.pop_front();
        }
        if let Some(open) = &mut self.open {
            open.last_certain = at;
            open.certain_ms += certain_ms;
            return;
        }
        let certain_ms = self.sum_ms(at);
        if certain_ms > i64::from(scene.rules().fragmented_ms) && scene.is_on(Rule::Fragmented) {
            let first = self.gaps.front().map_or(first, |(from, _)| *from);
            let open = Open { first, last_certain: at, certain_ms };
            self.open = Some(open);
            out(self.finding(Change::Raised, at, open, scene.subject));
        }
    }

    /// From `from` to `to` it was certainly not off.
    pub fn not_off(&mut self, (from, to): (UtcMs, UtcMs), scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        let Some(open) = self.open else { return };
        let at = self.within_limit_at(i64::from(scene.rules().fragmented_ms)).max(from);
        if at <= to {
            out(self.finding(Change::Cleared, at, open, scene.subject));
            self.open = None;
        }
    }

    /// Gap time in the 24 h before `at`, ms.
    fn sum_ms(&self, at: UtcMs) -> i64 {
        let begin = at.plus(-DAY_MS);
        self.gaps.iter().map(|(from, ms)| from.plus(*ms).since(begin.max(*from)).max(0)).sum()
    }

    /// The moment at which so much has left the window that the rest is within the limit.
    fn within_limit_at(&self, limit_ms: i64) -> UtcMs {
        let mut surplus_ms = self.gaps.iter().map(|(_, ms)| ms).sum::<i64>() - limit_ms;
        for (from, ms) in &self.gaps {
            if surplus_ms <= *ms {
                return from.plus(surplus_ms.max(0) + DAY_MS);
            }
            surplus_ms -= ms;
        }
        UtcMs::MIN
    }

    fn finding(&self, change: Change, at: UtcMs, open: Open, subject: Subject) -> Finding {
        Finding::Alert(Box::new(AlertFinding {
            rule: Rule::Fragmented,
            subject,
            change,
            at,
            first: open.first,
            last_certain: open.last_certain,
            level: Level::Warning,
            certain_ms: open.certain_ms,
            unknown_ms: 0,
            tallies: Vec::new(),
            fragments: self.gaps.iter().copied().collect(),
            figures: Vec::new(),
            instants: Vec::new(),
        }))
    }
}
