//! R17 `restart`: what sends readings starts again and again: its own count of messages begins anew.
//!
//! Told by the native `seq` where it falls to less than half while measuring time goes on; a count that merely ran over its
//! last number (8, 16 or 32 bits) did not start again. Restarts of meters behind one gateway within two minutes are one.
//! More than `per_day` within 24 h: notice, cleared once that is no longer so. Source: rule catalogue, R17; half, and two
//! minutes, are ours. Judged in order of receipt, on moments of receipt: it is about the sender, not about the plant.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::finding::Finding;
use crate::model::param::{Param, Settings};
use crate::model::reading::{Head, Quality};
use crate::model::registry::Registry;
use crate::model::rule::{Level, Rule};
use crate::model::time::{DAY_MS, MINUTE_MS, UtcMs};

/// Restarts so near to each other are one, ms.
const SAME_MS: i64 = 2 * MINUTE_MS;

/// Counts end here, or a little before if messages were lost.
const ENDS: [u32; 3] = [u8::MAX as u32, u16::MAX as u32, u32::MAX - 1];

/// The last message of a sender that counts.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Last {
    /// Its count, plus one.
    seq: Option<NonZeroU32>,
    /// When it was measured.
    at: UtcMs,
}

/// Restarts behind one gateway in the last day, and whether they are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Restarts {
    site: Box<str>,
    gateway: Box<str>,
    at: Vec<UtcMs>,
    open: Option<UtcMs>,
}

/// What is known of all that count their messages.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Senders {
    /// By meter, as far as any counts.
    last: Vec<Last>,
    restarts: Vec<Restarts>,
}

/// What a meter stands behind: id of the site, index and name of the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// Site id.
    pub site: &'a str,
    /// Index into the site's gateways.
    pub index: u16,
    /// Its name.
    pub gateway: &'a str,
}

impl Senders {
    /// Takes a reading as it was received.
    pub fn take(
        &mut self,
        head: &Head,
        behind: Behind<'_>,
        settings: &Settings,
        out: &mut impl FnMut(Finding),
    ) {
        if !self.restarts.is_empty() {
            self.pass(head.received, behind, settings, out);
        }
        let not_live = Quality::BACKFILL.with(Quality::RETAINED);
        if head.seq.is_none() || head.quality.has(not_live) {
            return;
        }
        let meter = head.meter as usize;
        if meter >= self.last.len() {
            self.last.resize(meter + 1, Last::default());
        }
        let last = &mut self.last[meter];
        if head.time <= last.at {
            return;
        }
        let was = std::mem::replace(last, Last { seq: head.seq, at: head.time });
        if is_restart(was.seq, head.seq) {
            self.restarted(head.received, behind, settings, out);
        }
    }

    /// Carries what is known over to another registry; meters that are gone are forgotten.
    pub fn renumber(&mut self, old: &Registry, new: &Registry) {
        if self.last.is_empty() {
            return;
        }
        let index = new.meter_index();
        let mut moved = vec![Last::default(); new.meters.len()];
        for (meter, last) in old.meters.iter().zip(&self.last) {
            if let Some(i) = index.get(&*meter.id) {
                moved[*i as usize] = *last;
            }
        }
        self.last = moved;
    }

    fn restarted(
        &mut self,
        at: UtcMs,
        behind: Behind<'_>,
        settings: &Settings,
        out: &mut impl FnMut(Finding),
    ) {
        let place = self.restarts.iter().position(|r| r.is_behind(behind)).unwrap_or_else(|| {
            let (site, gateway) = (behind.site.into(), behind.gateway.into());
            self.restarts.push(Restarts { site, gateway, at: Vec::new(), open: None });
            self.restarts.len() - 1
        });
        let own = &mut self.restarts[place];
        if own.at.last().is_some_and(|last| at.since(*last) <= SAME_MS) {
            return;
        }
        own.at.push(at);
        let n = own.at.len() as f64;
        if own.open.is_none() && n > settings.get(Param::RestartsPerDay) && settings.is_on(Rule::Restart) {
            own.open = Some(own.at[0]);
            out(own.finding(behind.index, Change::Raised, at, own.at[0]));
        }
    }

    /// Something of that gateway came at `to`: restarts that are a day old no longer count.
    fn pass(&mut self, to: UtcMs, behind: Behind<'_>, settings: &Settings, out: &mut impl FnMut(Finding)) {
        for own in self.restarts.iter_mut().filter(|r| r.is_behind(behind)) {
            while let Some(oldest) = own.at.first().copied().filter(|oldest| to.since(*oldest) >= DAY_MS) {
                let n = own.at.len() as f64 - 1.0;
                if let Some(first) = own.open.filter(|_| n <= settings.get(Param::RestartsPerDay)) {
                    out(own.finding(behind.index, Change::Cleared, oldest.plus(DAY_MS), first));
                    own.open = None;
                }
                own.at.remove(0);
            }
        }
        self.restarts.retain(|own| !own.at.is_empty());
    }
}

impl Restarts {
    fn is_behind(&self, behind: Behind<'_>) -> bool {
        *self.site == *behind.site && *self.gateway == *behind.gateway
    }

    fn finding(&self, gateway: u16, change: Change, at: UtcMs, first: UtcMs) -> Finding {
        let mut finding = AlertFinding::new(Rule::Restart, Subject::Gateway(gateway), change, at, first);
        finding.level = Level::Notice;
        finding.last_certain = self.at.last().copied().unwrap_or(at);
        finding.certain_ms = finding.last_certain.since(first);
        if change != Change::Cleared {
            finding.figures = vec![Figure::new(Fact::Restarts, self.at.len() as f64)];
        }
        Finding::Alert(Box::new(finding))
    }
}

/// Whether a sender began to count anew.
#[must_use]
pub fn is_restart(was: Option<NonZeroU32>, now: Option<NonZeroU32>) -> bool {
    let Some((was, now)) = was.zip(now) else { return false };
    let (was, now) = (was.get() - 1, now.get() - 1);
    let ran_over = ENDS.iter().any(|end| was <= *end && was > end - end / 20 && now <= end / 20);
    now < was / 2 && !ran_over
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reading::ReadingBatch;

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
        let (mut senders, mut out, mut batch) = (Senders::default(), Vec::new(), ReadingBatch::default());
        let at = |hours: i64| UtcMs(1_700_000_000_000 + hours * 60 * MINUTE_MS);
        let behind = Behind { site: "plant", index: 2, gateway: "dtu" };
        let mut hear = |meter, count, when: UtcMs, quality| {
            batch.begin(meter, when, when.plus(500), 1, quality);
            let mut head = batch.heads()[batch.len() - 1];
            head.seq = seq(count);
            senders.take(&head, behind, &Settings::DEFAULT, &mut |f| out.push(f));
        };
        for hours in [1, 5, 9, 13] {
            for meter in [0, 1] {
                hear(meter, 500, at(hours).plus(-60_000), Quality::GOOD);
                hear(meter, 3, at(hours).plus(i64::from(meter) * 30_000), Quality::GOOD);
                // What is sent later counts by itself.
                hear(meter, 1, at(hours).plus(40_000), Quality::BACKFILL);
            }
        }
        hear(0, 9, at(40), Quality::GOOD);
        let told: Vec<_> = out
            .iter()
            .map(|f| match f {
                Finding::Alert(a) => (a.change, a.at, a.first, a.subject),
                Finding::State { .. } => unreachable!(),
            })
            .collect();
        let (gateway, when) = (Subject::Gateway(2), |hours| at(hours).plus(500));
        let raised = (Change::Raised, when(13), when(1), gateway);
        assert_eq!(told, [raised, (Change::Cleared, when(25), when(1), gateway)]);
        assert!(senders.restarts.is_empty());
    }
}
