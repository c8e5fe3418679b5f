//! Pauses between tries: doubled each time up to a bound, with jitter, so that a thousand clients of a broker that
//! comes back do not all knock at once. Sleeps nowhere and reads no clock; whoever holds it sleeps.

use std::time::Duration;

/// Doublings after which the bound decides alone.
const DOUBLINGS_MAX: u32 = 20;

/// The pauses of one connection.
#[derive(Clone, Debug)]
pub struct Backoff {
    base: Duration,
    max: Duration,
    failures: u32,
    random: fastrand::Rng,
}

impl Backoff {
    /// Begins at `base`, never longer than `max`.
    #[must_use]
    pub fn new(base: Duration, max: Duration) -> Backoff {
        Backoff { base, max, failures: 0, random: fastrand::Rng::new() }
    }

    /// The same with jitter that can be repeated.
    #[must_use]
    pub fn seeded(base: Duration, max: Duration, seed: u64) -> Backoff {
        Backoff { random: fastrand::Rng::with_seed(seed), ..Backoff::new(base, max) }
    }

    /// The pause after another failure: between half of and the whole of `base` · 2ⁿ, at most `max`.
    #[expect(clippy::should_implement_trait, reason = "it is not an iterator: there is always a next pause")]
    pub fn next(&mut self) -> Duration {
        let doubled = self.base.saturating_mul(1 << self.failures.min(DOUBLINGS_MAX));
        self.failures = self.failures.saturating_add(1);
        doubled.min(self.max).mul_f64(0.5 + 0.5 * self.random.f64())
    }

    /// It worked: the next failure is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since it last worked.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pauses_double_with_jitter_up_to_the_bound_and_begin_again(
            seed in any::<u64>(),
            base_ms in 1_u64..5_000,
            max_ms in 1_u64..60_000,
            failures in 1_u32..80,
        ) {
            let (base, max) = (Duration::from_millis(base_ms), Duration::from_millis(max_ms));
            let mut backoff = Backoff::seeded(base, max, seed);
            for n in 0..failures {
                let whole = base.saturating_mul(1 << n.min(DOUBLINGS_MAX)).min(max);
                let pause = backoff.next();
                prop_assert!(pause <= whole && pause >= whole.mul_f64(0.499), "{n}: {pause:?} of {whole:?}");
            }
            prop_assert_eq!(backoff.failures(), failures);
            backoff.reset();
            prop_assert!(backoff.next() <= base.min(max));
        }
    }

    #[test]
    fn two_clients_do_not_knock_together() {
        let [mut a, mut b] =
            [1, 2].map(|seed| Backoff::seeded(Duration::from_secs(1), Duration::from_secs(30), seed));
        assert!((0..10).any(|_| a.next() != b.next()));
    }
}
