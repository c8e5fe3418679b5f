//! The clock, as the engine hears it: a message in the journal every so often.
//!
//! Time that has passed cannot be taken back: were the engine told once, by a clock gone wrong, that it is years later,
//! all that is measured until then would be too late to be judged, and too old to be kept. So a leap ahead is told only
//! once it has stood for a while.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::journal::{AppendError, Journal};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::time::{Clock, MINUTE_MS, UtcMs};

/// A clock that is ahead of the time that has passed since it was last looked at by more than this has leapt, ms. What
/// time servers correct in daily life is far below.
const LEAP_MS: i64 = 10 * MINUTE_MS;

/// A leap that stands for so long is believed: the machine was suspended, or its clock was wrong before.
const BELIEVED_AFTER: Duration = Duration::from_secs(15 * 60);

/// A tick as a message.
#[must_use]
pub fn message(now: UtcMs) -> Message<'static> {
    Message {
        kind: Kind::Tick,
        delivery: Delivery::PLAIN,
        received: now,
        source: "",
        topic: "",
        payload: &[],
    }
}

/// Tells a clock that goes from one that leaps.
#[derive(Clone, Copy, Debug)]
struct Steady {
    /// When the clock was last believed, and what it said.
    seen: (Instant, UtcMs),
    /// Since when it has been ahead.
    leapt: Option<Instant>,
}

impl Steady {
    fn new(at: Instant, now: UtcMs) -> Steady {
        Steady { seen: (at, now), leapt: None }
    }

    /// Whether what the clock says at `at` may be told.
    fn believes(&mut self, at: Instant, now: UtcMs) -> bool {
        let passed = at.saturating_duration_since(self.seen.0).as_millis();
        let ahead_ms = now.since(self.seen.1.plus(i64::try_from(passed).unwrap_or(i64::MAX)));
        if ahead_ms > LEAP_MS {
            let since = *self.leapt.get_or_insert_with(|| {
                let (was, within_s) = (self.seen.1.0, BELIEVED_AFTER.as_secs());
                tracing::error!(
                    was,
                    now = now.0,
                    ahead_ms,
                    within_s,
                    "The clock has leapt ahead: nothing is judged until it is right again, or until it has stood so for a while."
                );
                at
            });
            if at.saturating_duration_since(since) < BELIEVED_AFTER {
                return false;
            }
        }
        if ahead_ms < -LEAP_MS {
            tracing::error!(
                now = now.0,
                behind_ms = -ahead_ms,
                "The clock has gone back: nothing is judged until it has caught up."
            );
        }
        if self.leapt.take().is_some() {
            tracing::warn!(now = now.0, "The clock is believed again.");
        }
        self.seen = (at, now);
        true
    }
}

/// Ticks until `stop`. While the journal is full no time passes for the engine, so nothing is judged on half the data.
///
/// # Errors
/// The journal is closed or broken.
pub async fn run(
    every: Duration,
    clock: Clock,
    journal: Journal,
    stop: CancellationToken,
) -> Result<(), AppendError> {
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut steady = Steady::new(Instant::now(), clock.now());
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        tokio::select! {
            () = journal.room() => {}
            () = stop.cancelled() => return Ok(()),
        }
        let now = clock.now();
        if !steady.believes(Instant::now(), now) {
            continue;
        }
        match journal.append(&message(now)) {
            Ok(_) | Err(AppendError::Full { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_of_the_clock_is_told_only_once_it_has_stood_for_a_while() {
        let (begun, wall) = (Instant::now(), UtcMs(1_661_789_400_000));
        let year_ms = 365 * 24 * 60 * MINUTE_MS;
        let after = |s: u64| begun + Duration::from_secs(s);
        let said = |s: i64, leap_ms: i64| wall.plus(s * 1_000 + leap_ms);
        let mut steady = Steady::new(begun, wall);
        assert!(steady.believes(after(1), said(1, 0)));
        assert!(steady.believes(after(2), said(2, LEAP_MS)), "a correction");
        assert!(!steady.believes(after(3), said(3, year_ms)));
        assert!(!steady.believes(after(600), said(600, year_ms)));
        assert!(steady.believes(after(601), said(601, 0)), "it is right again; what is behind does no harm");
        assert!(!steady.believes(after(700), said(700, year_ms)));
        assert!(!steady.believes(after(1_599), said(1_599, year_ms)), "it counts from this leap");
        assert!(steady.believes(after(1_600), said(1_600, year_ms)));
        assert!(steady.believes(after(1_601), said(1_601, year_ms)));
    }
}
