//! Whose turn it is on a link. Times are counted from when the link was started. Pure.

use std::time::Duration;

/// The turns of a link's meters.
#[derive(Clone, Debug)]
pub struct Schedule {
    turns: Vec<Turn>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    period: Duration,
    /// Its turns come at this and whole periods after it, spread over the meters so that they do not all come at once.
    phase: Duration,
    due: Duration,
    begun: bool,
}

impl Schedule {
    /// All meters are due at once, in order; afterwards each keeps to its own phase.
    #[must_use]
    pub fn new(periods: impl ExactSizeIterator<Item = Duration>) -> Schedule {
        let n = u32::try_from(periods.len()).unwrap_or(u32::MAX).max(1);
        let turn = |(i, period): (u32, Duration)| Turn {
            period,
            phase: period * i / n,
            due: Duration::ZERO,
            begun: false,
        };
        Schedule { turns: (0..).zip(periods).map(turn).collect() }
    }

    /// The meter that is due first, and when. `None` if there are no meters.
    #[must_use]
    pub fn next(&self) -> Option<(usize, Duration)> {
        let first = self.turns.iter().enumerate().min_by_key(|(_, turn)| turn.due)?;
        Some((first.0, first.1.due))
    }

    /// How often that meter is to be read.
    #[must_use]
    pub fn period(&self, meter: usize) -> Duration {
        self.turns[meter].period
    }

    /// It was read, at `now`. Turns that were missed are skipped, not made up for: readings of the past cannot be had.
    pub fn done(&mut self, meter: usize, now: Duration) {
        let turn = &mut self.turns[meter];
        // The first step to its phase is not much shorter than a period.
        let from = if turn.begun { now.max(turn.due) } else { now + turn.period / 2 };
        turn.begun = true;
        let steps = from.saturating_sub(turn.phase).as_nanos() / turn.period.as_nanos().max(1) + 1;
        turn.due = turn.phase + turn.period * u32::try_from(steps).unwrap_or(u32::MAX);
    }

    /// It is left alone until then.
    pub fn pause(&mut self, meter: usize, until: Duration) {
        self.turns[meter].due = until;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Runs the schedule with scans of `scan` each; returns the times each meter was read.
    fn run(periods: &[u64], scan: u64, until: u64) -> Vec<Vec<u64>> {
        let mut schedule = Schedule::new(periods.iter().map(|p| ms(*p)));
        let mut read = vec![Vec::new(); periods.len()];
        let mut now = Duration::ZERO;
        while now < ms(until) {
            let (meter, due) = schedule.next().unwrap();
            now = now.max(due);
            read[meter].push(u64::try_from(now.as_millis()).unwrap());
            now += ms(scan);
            schedule.done(meter, now);
        }
        read
    }

    #[test]
    fn meters_are_read_at_once_and_then_spread_over_the_period() {
        let read = run(&[1_000; 4], 10, 5_000);
        let first: Vec<_> = read.iter().map(|r| r[0]).collect();
        assert_eq!(first, [0, 10, 20, 30]);
        let later: Vec<_> = read.iter().map(|r| r[2] % 1_000).collect();
        assert_eq!(later, [0, 250, 500, 750]);
        assert!(read.iter().all(|r| r[2..].windows(2).all(|w| w[1] - w[0] == 1_000)));
    }

    #[test]
    fn a_bus_that_is_too_slow_serves_all_alike_and_does_not_burst() {
        let read = run(&[1_000; 4], 600, 60_000);
        for own in &read {
            assert!((own.len() as i64 - 25).abs() <= 2, "{}", own.len());
            assert!(own.windows(2).all(|w| w[1] - w[0] >= 600));
        }
    }

    proptest! {
        #[test]
        fn every_period_that_can_be_kept_is_kept(periods in proptest::collection::vec(200_u64..5_000, 1..8)) {
            for (own, period) in run(&periods, 5, 60_000).iter().zip(&periods) {
                for pair in own[1..].windows(2) {
                    let step = pair[1] - pair[0];
                    prop_assert!(step.abs_diff(*period) <= 45, "{step} ms, not {period}");
                }
            }
        }
    }
}
