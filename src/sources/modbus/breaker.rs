//! How long a slave that does not answer is left alone, so that it does not slow its neighbours. Pure.

use std::time::Duration;

/// Doublings after which the bound decides alone.
const DOUBLINGS_MAX: u32 = 16;

/// The breaker of one slave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Breaker {
    failures: u32,
}

impl Breaker {
    /// It answered: it is read by its period again. Returns whether it had failed before.
    pub fn answered(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// It did not. Returns how long it is left alone: after the first time until its next turn, then twice as long
    /// each time, at most `pause_max`, and never shorter than its period.
    pub fn failed(&mut self, period: Duration, pause_max: Duration) -> Duration {
        let doubled = period.saturating_mul(1 << self.failures.min(DOUBLINGS_MAX));
        self.failures = self.failures.saturating_add(1);
        doubled.min(pause_max).max(period)
    }

    /// Whether it has not answered last time. Then one request must do to see whether it is back.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether it is left alone for longer than its period.
    #[must_use]
    pub fn is_pausing(&self) -> bool {
        self.failures > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_bound_and_end_with_an_answer() {
        let (period, max) = (Duration::from_secs(10), Duration::from_secs(60));
        let mut breaker = Breaker::default();
        let pauses: Vec<u64> = (0..5).map(|_| breaker.failed(period, max).as_secs()).collect();
        assert_eq!(pauses, [10, 20, 40, 60, 60]);
        assert!(breaker.is_failing() && breaker.is_pausing());
        assert!(breaker.answered());
        assert!(!breaker.answered());
        assert_eq!(breaker.failed(period, max).as_secs(), 10);
        assert!(breaker.is_failing() && !breaker.is_pausing());
    }

    #[test]
    fn a_pause_is_never_shorter_than_the_period() {
        let mut breaker = Breaker::default();
        for _ in 0..40 {
            let pause = breaker.failed(Duration::from_secs(90), Duration::from_secs(60));
            assert_eq!(pause.as_secs(), 90);
        }
    }
}
