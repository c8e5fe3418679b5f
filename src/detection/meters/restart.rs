//! R17 `restart`: what sends readings starts again and again: its own count of messages begins anew.
//!
//! Told by the native `seq` where it falls to less than half while measuring time goes on; a count that merely ran over its
//! last number (8, 16 or 32 bits) did not start again. Restarts of meters behind one gateway within two minutes are one.
//! More than `per_day` within 24 h: notice, cleared once that is no longer so. Source: rule catalogue, R17; half, and two
//! minutes, are ours. History keeps no counts: what is judged again from history alone knows of no restart.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::limits::SiteLimits;
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::{DAY_MS, MINUTE_MS, UtcMs};

/// Restarts so near to each other are one, ms.
const SAME_MS: i64 = 2 * MINUTE_MS;

/// Counts end here, or a little before if messages were lost.
const ENDS: [u32; 3] = [u8::MAX as u32, u16::MAX as u32, u32::MAX - 1];

/// Restarts behind one gateway in the last day, and whether they are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restarts {
    /// The gateway.
    pub gateway: u16,
    at: Vec<UtcMs>,
    open: Option<UtcMs>,
}

/// Whether a sender began to count anew.
#[must_use]
pub fn is_restart(was: Option<NonZeroU32>, now: Option<NonZeroU32>) -> bool {
    let Some((was, now)) = was.zip(now) else { return false };
    let (was, now) = (was.get() - 1, now.get() - 1);
    let ran_over = ENDS.iter().any(|end| was <= *end && was > end - end / 20 && now <= end / 20);
    now < was / 2 && !ran_over
}

/// A sender behind that gateway began to count anew at `at`.
pub fn restarted(
    all: &mut Vec<Restarts>,
    gateway: u16,
    at: UtcMs,
    site: &SiteLimits,
    out: &mut impl FnMut(Finding),
) {
    pass(all, at, site, out);
    let index = all.iter().position(|r| r.gateway == gateway).unwrap_or_else(|| {
        all.push(Restarts { gateway, at: Vec::new(), open: None });
        all.len() - 1
    });
    let own = &mut all[index];
    if own.at.last().is_some_and(|last| at.since(*last) <= SAME_MS) {
        return;
    }
    own.at.push(at);
    let n = own.at.len() as f64;
    if own.open.is_none() && n > site.settings.get(Param::RestartsPerDay) && site.is_on(Rule::Restart) {
        own.open = Some(own.at[0]);
        out(own.finding(Change::Raised, at, own.at[0]));
    }
}

/// Time has gone on to a reading at `to`: restarts that are a day old no longer count.
pub fn pass(all: &mut Vec<Restarts>, to: UtcMs, site: &SiteLimits, out: &mut impl FnMut(Finding)) {
    for own in all.iter_mut() {
        while let Some(oldest) = own.at.first().copied().filter(|oldest| to.since(*oldest) >= DAY_MS) {
            let n = own.at.len() as f64 - 1.0;
            if let Some(first) = own.open.filter(|_| n <= site.settings.get(Param::RestartsPerDay)) {
                out(own.finding(Change::Cleared, oldest.plus(DAY_MS), first));
                own.open = None;
            }
            own.at.remove(0);
        }
    }
    all.retain(|own| !own.at.is_empty());
}

impl Restarts {
    /// The same behind a gateway that has another index now.
    #[must_use]
    pub fn moved_to(&self, gateway: u16) -> Restarts {
        Restarts { gateway, ..self.clone() }
    }

    fn finding(&self, change: Change, at: UtcMs, first: UtcMs) -> Finding {
        let mut finding = AlertFinding::new(Rule::Restart, Subject::Gateway(self.gateway), change, at, first);
        finding.level = Level::Notice;
        finding.last_certain = self.at.last().copied().unwrap_or(at);
        finding.certain_ms = finding.last_certain.since(first);
        if change != Change::Cleared {
            finding.figures = vec![Figure::new(Fact::Restarts, self.at.len() as f64)];
        }
        Finding::Alert(Box::new(finding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::param::Settings;

    fn seq(n: u32) -> Option<NonZeroU32> {
        NonZeroU32::new(n + 1)
    }

    #[test]
    fn a_count_that_runs_over_or_comes_out_of_order_is_no_restart() {
        for (was, now) in [(255, 0), (250, 3), (65_535, 1), (1_000, 990), (7, 8), (7, 7)] {
            assert!(!is_restart(seq(was), seq(now)), "{was} {now}");
        }
        assert!(is_restart(seq(1_000), seq(0)) && is_restart(seq(128), seq(5)) && !is_restart(None, seq(5)));
    }

    #[test]
    fn more_than_three_a_day_are_told_until_the_first_are_a_day_old() {
        let site = SiteLimits::new(&Settings::DEFAULT);
        let (mut all, mut out) = (Vec::new(), Vec::new());
        let at = |hours: i64| UtcMs(hours * 60 * MINUTE_MS);
        for hours in [1, 5, 9, 13] {
            restarted(&mut all, 2, at(hours), &site, &mut |f| out.push(f));
            // The same start, seen at the other meter.
            restarted(&mut all, 2, at(hours).plus(30_000), &site, &mut |f| out.push(f));
        }
        pass(&mut all, at(40), &site, &mut |f| out.push(f));
        let told: Vec<_> = out
            .iter()
            .map(|f| match f {
                Finding::Alert(a) => (a.change, a.at, a.first, a.subject),
                Finding::State { .. } => unreachable!(),
            })
            .collect();
        let gateway = Subject::Gateway(2);
        assert_eq!(
            told,
            [(Change::Raised, at(13), at(1), gateway), (Change::Cleared, at(25), at(1), gateway)]
        );
        assert!(all.is_empty());
    }
}
