//! R1 `treatment_off`: production certainly on and treatment certainly failed, without a break.
//!
//! Warning after `raise_ms`, alarm after `alarm_ms`, critical after `critical_ms` or when it is more than half of the
//! day's production; all in certain time. Cleared after `clear_ms` of certainly not. Source: rule catalogue, R1.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::case::{Case, Member};
use super::day::Day;
use crate::alerts::finding::Tally;
use crate::detection::debounce::{Limits, OnUnknown, Transition, Truth};
use crate::model::rule::Level;
use crate::model::{site::RuleLimits, time::UtcMs};

/// State of the rule for one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreatmentOff {
    /// The condition.
    pub case: Case,
    day: Day,
    build_up_ms: i64,
}

impl Default for TreatmentOff {
    fn default() -> Self {
        TreatmentOff { case: Case::default(), day: Day::OVER, build_up_ms: 0 }
    }
}

impl TreatmentOff {
    /// The condition was `holds`, production was `production`, from `from` to `to`.
    pub fn stretch(
        &mut self,
        (from, to): (UtcMs, UtcMs),
        (production, holds): (Truth, Truth),
        (rules, zone): (&RuleLimits, &TimeZone),
        members: &[Member],
        out: &mut impl FnMut(Transition, &[Tally]),
    ) {
        let limits = Limits {
            raise_ms: i64::from(rules.raise_ms),
            clear_ms: i64::from(rules.clear_ms),
            level: Level::Warning,
            steps: &[
                (i64::from(rules.alarm_ms), Level::Alarm),
                (i64::from(rules.critical_ms), Level::Critical),
            ],
            on_unknown: OnUnknown::Restart,
        };
        let off = holds == Truth::Yes;
        let mut t = from;
        while t < to {
            self.day.roll(t, zone);
            let next = self.next_cut(t, to, off, limits.raise_ms);
            if production == Truth::Yes {
                self.day.add(next.since(t), off);
            }
            self.build_up_ms = if off { self.build_up_ms + next.since(t) } else { 0 };
            self.case.stretch((t, next), holds, &limits, members, out);
            if off && self.day.mostly_off() {
                let tallies = self.case.tallies().to_vec();
                self.case.debounce.escalate(next, Level::Critical, &mut |x| out(x, &tallies));
            }
            t = next;
        }
    }

    /// The stretch is cut where something may happen that depends on the day, so that figures are exact there.
    fn next_cut(&self, t: UtcMs, to: UtcMs, off: bool, raise_ms: i64) -> UtcMs {
        let mut next = to.min(self.day.ends());
        if off {
            for cut in [t.plus(raise_ms - self.build_up_ms), self.day.mostly_off_at(t)] {
                if cut > t && cut < next {
                    next = cut;
                }
            }
        }
        next
    }
}
