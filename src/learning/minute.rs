//! Minutes of power: what counts as measured, and their order.

/// So far below zero (a share of rated power) a meter is noise; further down it is wired the wrong way round, and what it
/// says is neither off nor running.
const NOISE_OF_RATED: f64 = 0.02;

/// Power below this share of rated is taken for this share: a logarithm has no zero. Source: rule catalogue, 3.2.
pub const FLOOR_OF_RATED: f64 = 0.001;

/// The mean of a minute, or of as many minutes as a meter's step is long. Each slice of them is in time order; minutes that
/// were not measured are absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minute {
    /// Minutes since 1970, of its begin.
    pub at: i64,
    /// How many minutes it stands for, at least 1. A mean of 5 min stands for five minutes and counts as five.
    pub lasts: u16,
    /// Mean power, W.
    pub power_w: f64,
    /// Mean power factor, 0 to 1, where the meter tells it.
    pub power_factor: Option<f32>,
}

impl Minute {
    /// A plain minute.
    #[must_use]
    pub fn new(at: i64, power_w: f64) -> Minute {
        Minute { at, lasts: 1, power_w, power_factor: None }
    }

    /// Where the next one begins if none is missing.
    #[must_use]
    pub fn ends(&self) -> i64 {
        self.at.saturating_add(i64::from(self.lasts))
    }

    /// Whether its power says anything of a unit of this rated power.
    #[must_use]
    pub fn is_measured(&self, rated_w: f64) -> bool {
        self.power_w.is_finite() && self.power_w >= -NOISE_OF_RATED * rated_w
    }

    /// Its power as learning sees it: the logarithm to base 10 of W, never below the floor.
    #[must_use]
    pub fn log(&self, rated_w: f64) -> f64 {
        self.power_w.max(FLOOR_OF_RATED * rated_w).log10()
    }
}

/// The minute that covers `of` whole.
#[must_use]
pub fn covering<'a>(minutes: &'a [Minute], of: &Minute) -> Option<&'a Minute> {
    let after = minutes.partition_point(|m| m.at <= of.at);
    let found = minutes[..after].last()?;
    (found.ends() >= of.ends()).then_some(found)
}

/// How many minutes these stand for.
#[must_use]
pub fn total(minutes: &[Minute]) -> usize {
    minutes.iter().map(|m| usize::from(m.lasts)).sum()
}

/// Every minute's value, smallest first; a mean over several minutes is there as often as it has minutes.
#[must_use]
pub fn sorted<'a>(minutes: impl Iterator<Item = &'a Minute>, value: impl Fn(&Minute) -> f64) -> Vec<f64> {
    let mut all: Vec<f64> =
        minutes.flat_map(|m| std::iter::repeat_n(value(m), usize::from(m.lasts))).collect();
    all.sort_unstable_by(f64::total_cmp);
    all
}

/// The value below or at which this share of sorted values lies (nearest rank).
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank, 0 to the length")]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).or(sorted.last()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank_and_means_count_by_their_minutes() {
        let five = Minute { lasts: 5, ..Minute::new(0, 10.0) };
        let all = [five, Minute::new(5, 1.0), Minute::new(6, 20.0)];
        let sorted = sorted(all.iter(), |m| m.power_w);
        assert_eq!((sorted.len(), total(&all)), (7, 7));
        assert_eq!(
            [0.0, 0.05, 0.5, 0.86, 1.0].map(|q| quantile(&sorted, q)),
            [1.0, 1.0, 10.0, 20.0, 20.0].map(Some)
        );
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_meter_wired_the_wrong_way_round_says_nothing() {
        assert!(Minute::new(0, -150.0).is_measured(10_000.0));
        assert!(!Minute::new(0, -250.0).is_measured(10_000.0));
        assert!(!Minute::new(0, f64::NAN).is_measured(10_000.0));
    }

    #[test]
    fn a_minute_is_covered_by_one_that_lasts_over_it() {
        let quarter = Minute { lasts: 15, ..Minute::new(30, 7.0) };
        let all = [Minute { lasts: 15, ..Minute::new(0, 5.0) }, quarter];
        assert_eq!(covering(&all, &Minute::new(44, 1.0)), Some(&quarter));
        assert_eq!(covering(&all, &Minute::new(15, 1.0)), None);
        assert_eq!(covering(&all, &Minute { lasts: 5, ..Minute::new(42, 1.0) }), None);
        assert_eq!(covering(&all, &Minute::new(-1, 1.0)), None);
    }
}
