//! R10 `clock_drift`: the clock of a device is off.
//!
//! Judged on when readings were received less when they say they were measured: the median of the last 20 live ones. Not
//! live is what was sent later on purpose, or is not newer than what is known, or comes faster than it was measured: a queue
//! that is being emptied. Stamps ahead of the receiver count like those behind. Notice from `warn` up, warning from `alarm`
//! up, cleared below half of `warn` (ours). Moments are of receipt: the device's own are what is in doubt. Kept only for
//! meters that were seen to be off. Source: rule catalogue, R10.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};

use serde::{Deserialize, Serialize};

use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::finding::Finding;
use crate::model::param::{Param, Settings};
use crate::model::reading::{Head, MeterIdx, Quality};
use crate::model::registry::Registry;
use crate::model::rule::{Level, Rule};
use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, UtcMs};

/// The median is of so many. Source: rule catalogue, R10.
const N_LIVE: usize = 20;

/// Off by no more than this is nothing to keep, ms.
const FEW_MS: i64 = 5 * SECOND_MS;

/// Off by whole hours to this: another zone, not a clock that goes wrong; ours.
const ZONE_NEAR_MS: i64 = 5 * MINUTE_MS;

/// What is known of a clock that was seen to be off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Drift {
    /// The newest measuring time.
    newest: UtcMs,
    /// How far off the last reading was, live or not, ms.
    last_ms: i64,
    /// When the last live ones were received, and how far off they were, ms.
    live: VecDeque<(UtcMs, i64)>,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    first: UtcMs,
    level: Level,
}

/// The clocks of all meters.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Clocks {
    off: BTreeMap<MeterIdx, Drift>,
}

impl Clocks {
    /// Takes a reading as it was received; `heard` tells the newest reading of the meter that was judged. In order of
    /// receipt.
    pub fn take(
        &mut self,
        head: &Head,
        point: u16,
        settings: &Settings,
        heard: impl FnOnce() -> UtcMs,
        out: &mut impl FnMut(Finding),
    ) {
        let off_ms = head.received.since(head.time);
        let is_odd = off_ms.abs() > FEW_MS;
        if !is_odd && self.off.is_empty() {
            return;
        }
        let not_live = Quality::BACKFILL.with(Quality::RECEIVE_TIME).with(Quality::RETAINED);
        if head.quality.has(not_live) {
            return;
        }
        let own = match self.off.entry(head.meter) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if !is_odd || head.time <= heard() => return,
            Entry::Vacant(new) => {
                new.insert(Drift { newest: UtcMs::MIN, last_ms: off_ms, live: VecDeque::new(), open: None })
            }
        };
        own.take(head, off_ms, point, settings, out);
        if own.open.is_none() && own.live.iter().all(|(_, off_ms)| off_ms.abs() <= FEW_MS) && !is_odd {
            self.off.remove(&head.meter);
        }
    }

    /// Carries what is known over to another registry; meters that are gone are forgotten.
    pub fn renumber(&mut self, old: &Registry, new: &Registry) {
        if self.off.is_empty() {
            return;
        }
        let index = new.meter_index();
        let moved = std::mem::take(&mut self.off)
            .into_iter()
            .filter_map(|(meter, drift)| Some((*index.get(&*old.meters.get(meter as usize)?.id)?, drift)));
        self.off = moved.collect();
    }
}

impl Drift {
    fn take(
        &mut self,
        head: &Head,
        off_ms: i64,
        point: u16,
        settings: &Settings,
        out: &mut impl FnMut(Finding),
    ) {
        if head.time <= self.newest {
            return;
        }
        self.newest = head.time;
        let is_catching_up = off_ms < std::mem::replace(&mut self.last_ms, off_ms) - FEW_MS;
        if is_catching_up {
            return;
        }
        if self.live.len() == N_LIVE {
            self.live.pop_front();
        }
        self.live.push_back((head.received, off_ms));
        let Some(median_ms) = self.median_ms() else { return };
        let (warn_ms, alarm_ms) = (settings.ms(Param::ClockWarn), settings.ms(Param::ClockAlarm));
        let level = if median_ms.abs() > alarm_ms { Level::Warning } else { Level::Notice };
        let (change, open) = match self.open {
            None if median_ms.abs() > warn_ms && settings.is_on(Rule::ClockDrift) => {
                let first = self.live.front().map_or(head.received, |(received, _)| *received);
                (Change::Raised, Open { first, level })
            }
            Some(open) if median_ms.abs() * 2 < warn_ms => (Change::Cleared, open),
            Some(open) if level > open.level => (Change::Escalated, Open { level, ..open }),
            _ => return,
        };
        self.open = (change != Change::Cleared).then_some(open);
        let mut finding =
            AlertFinding::new(Rule::ClockDrift, Subject::Point(point), change, head.received, open.first);
        finding.level = open.level;
        if change != Change::Cleared {
            finding.figures = figures(point, median_ms);
        }
        out(Finding::Alert(Box::new(finding)));
    }

    /// Median of the live ones, once there are enough.
    fn median_ms(&self) -> Option<i64> {
        if self.live.len() < N_LIVE {
            return None;
        }
        let mut all = [0; N_LIVE];
        self.live.iter().zip(&mut all).for_each(|((_, off_ms), slot)| *slot = *off_ms);
        all.sort_unstable();
        Some(all[N_LIVE / 2 - 1].midpoint(all[N_LIVE / 2]))
    }
}

#[expect(clippy::cast_precision_loss, reason = "days in ms")]
fn figures(point: u16, median_ms: i64) -> Vec<Figure> {
    let hours = (median_ms + HOUR_MS / 2).div_euclid(HOUR_MS);
    let mut figures = vec![Figure::of(point, Fact::ClockBehind, median_ms as f64)];
    if hours != 0 && (median_ms - hours * HOUR_MS).abs() <= ZONE_NEAR_MS {
        figures.push(Figure::of(point, Fact::ZoneHours, -hours as f64));
    }
    figures
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::reading::ReadingBatch;

    type Told = (Change, Level, usize, Vec<f64>);

    /// One reading a minute: how far off, and of what quality.
    fn told(readings: &[(i64, Quality)]) -> (Vec<Told>, Clocks) {
        let (mut clocks, mut out, mut batch) = (Clocks::default(), Vec::new(), ReadingBatch::default());
        let received = |n: usize| UtcMs(1_700_000_000_000 + n as i64 * MINUTE_MS);
        for (n, (off_ms, quality)) in readings.iter().enumerate() {
            batch.begin(7, received(n).plus(-off_ms), received(n), 1, *quality);
            let head = *batch.heads().last().unwrap();
            clocks.take(&head, 0, &Settings::DEFAULT, || UtcMs::MIN, &mut |f| match f {
                Finding::Alert(a) => {
                    out.push((a.change, a.level, n, a.figures.iter().map(|f| f.value).collect()));
                }
                Finding::State { .. } => unreachable!(),
            });
        }
        (out, clocks)
    }

    fn all(off_s: i64, n: usize) -> Vec<(i64, Quality)> {
        vec![(off_s * 1_000, Quality::GOOD); n]
    }

    #[test]
    fn a_clock_that_is_off_is_told_once_twenty_readings_say_so_and_cleared_when_it_is_set() {
        let (found, clocks) = told(&[all(90, 30), all(400, 30), all(0, 50)].concat());
        assert_eq!(found[0], (Change::Raised, Level::Notice, 19, vec![90_000.0]));
        let changes: Vec<_> = found.iter().map(|(change, level, ..)| (*change, *level)).collect();
        let warning = [(Change::Escalated, Level::Warning), (Change::Cleared, Level::Warning)];
        assert_eq!(changes[1..], warning, "{found:?}");
        assert_eq!(clocks, Clocks::default(), "nothing is kept of a clock that is right");
        assert!(told(&all(-90, 30)).0.len() == 1, "ahead is off, too");
    }

    #[test]
    fn back_fill_queues_and_delays_are_no_drift() {
        let backfill = vec![(3_600_000, Quality::BACKFILL); 40];
        // An hour of messages waited and came within half a minute each: they catch up.
        let queue: Vec<_> = (0..60).map(|n| (3_600_000 - n * 30_000, Quality::GOOD)).collect();
        // Sent again, the newest first: nothing is newer than what is known.
        let backwards: Vec<_> = (0..60).map(|n| (n * 120_000, Quality::GOOD)).collect();
        let undated = vec![(600_000, Quality::RECEIVE_TIME); 40];
        for readings in [backfill, queue, backwards, undated, all(50, 60)] {
            assert_eq!(told(&[all(0, 5), readings, all(0, 5)].concat()).0, []);
        }
    }

    #[test]
    fn whole_hours_are_a_zone() {
        let (found, _) = told(&all(-8 * 3_600 + 3, 20));
        assert_eq!(found, [(Change::Raised, Level::Warning, 19, vec![-28_797_000.0, 8.0])]);
        assert_eq!(told(&all(3_600 + 900, 20)).0[0].3, [4_500_000.0]);
    }

    proptest! {
        #[test]
        fn a_snapshot_in_between_changes_nothing(off_s in -500_i64..500, n in 1_usize..60) {
            let (found, clocks) = told(&all(off_s, n));
            let bytes = postcard::to_stdvec(&clocks).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Clocks>(&bytes).unwrap(), clocks);
            prop_assert_eq!(found.len(), usize::from(off_s.abs() > 60 && n >= 20));
        }
    }
}
