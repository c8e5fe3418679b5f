//! The tests a split of a unit's minutes into low and high must pass, all of them. Source: rule catalogue, 3.2.

use std::fmt;
use std::ops::Range;

use super::histogram::Histogram;
use super::minute::quantile;

/// Largest power by smallest: under this there is one load level only.
pub const RANGE_MIN: f64 = 2.0;
/// Otsu's separability. A flat histogram already has 0.75, so 0.75 proves nothing.
pub const SEPARABILITY_MIN: f64 = 0.85;
/// The smaller class, as a share of all minutes: rare use is allowed.
pub const SHARE_MIN: f64 = 0.01;
/// The smaller class, in minutes.
pub const SMALLER_MINUTES_MIN: usize = 120;
/// Median of the high class by that of the low one.
pub const MEDIANS_MIN: f64 = 2.0;
/// 5th percentile of the high class by the 99th of the low one: a clear valley.
pub const GAP_MIN: f64 = 1.3;
/// The valley between the peaks, as a share of the smaller peak.
pub const VALLEY_MAX: f64 = 0.3;
/// Median of the low class as a share of rated power: a two-speed fan is on at both speeds.
pub const LOW_OF_RATED_MAX: f64 = 0.35;

/// The figure of every test, and what thresholds are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Largest power by smallest.
    pub range: f64,
    /// Otsu's separability, 0 to 1.
    pub separability: f64,
    /// The smaller class as a share of all minutes.
    pub share: f64,
    /// The smaller class, minutes.
    pub smaller_minutes: usize,
    /// Median of the high class by that of the low one.
    pub medians: f64,
    /// 5th percentile of the high class by the 99th of the low one.
    pub gap: f64,
    /// The valley as a share of the smaller peak.
    pub valley: f64,
    /// Median of the low class as a share of rated power.
    pub low_of_rated: f64,
    /// Median of the low class, W.
    pub low_median_w: f64,
    /// Median of the high class, W.
    pub high_median_w: f64,
    /// 99th percentile of the low class, W.
    pub low_top_w: f64,
    /// 5th percentile of the high class, W.
    pub high_foot_w: f64,
}

/// A test that was not passed, with its figure.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the figures are those of Figures; the names and Display say the rest")]
pub enum Failed {
    /// Days in which anything was measured.
    Window {
        days: usize,
        days_min: usize,
    },
    /// Minutes that are measured and steady.
    FewMinutes {
        clean: usize,
        minutes_min: usize,
    },
    Range {
        range: f64,
    },
    Separability {
        separability: f64,
    },
    Share {
        share: f64,
        minutes: usize,
    },
    Medians {
        medians: f64,
    },
    Gap {
        gap: f64,
    },
    Valley {
        valley: f64,
    },
    LowOfRated {
        low_of_rated: f64,
    },
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Failed::Window { days, days_min } => {
                write!(f, "minutes of {days} days, fewer than {days_min}")
            }
            Failed::FewMinutes { clean, minutes_min } => {
                write!(f, "{clean} clean minutes, fewer than {minutes_min}")
            }
            Failed::Range { range } => {
                write!(
                    f,
                    "largest power is {range:.2} times the smallest, under {RANGE_MIN}: one load level only"
                )
            }
            Failed::Separability { separability } => write!(
                f,
                "separability is {separability:.2}, under {SEPARABILITY_MIN}: no better than an even spread"
            ),
            Failed::Share { share, minutes } => write!(
                f,
                "the rarer level has {minutes} min, {:.1} %: under {SMALLER_MINUTES_MIN} min or {:.0} %",
                share * 100.0,
                SHARE_MIN * 100.0
            ),
            Failed::Medians { medians } => {
                write!(f, "the upper level is {medians:.2} times the lower, under {MEDIANS_MIN}")
            }
            Failed::Gap { gap } => write!(
                f,
                "the upper level begins at {gap:.2} times the end of the lower, under {GAP_MIN}: no clear valley"
            ),
            Failed::Valley { valley } => write!(
                f,
                "the valley is {valley:.2} of the smaller peak, over {VALLEY_MAX}: the levels run into each other"
            ),
            Failed::LowOfRated { low_of_rated } => write!(
                f,
                "the lower level is {:.0} % of rated power, over {:.0} %: it runs at both levels",
                low_of_rated * 100.0,
                LOW_OF_RATED_MAX * 100.0
            ),
        }
    }
}

/// The figures of a cut of these bins; `None` where a class is empty.
#[must_use]
pub fn figures(
    logs: &[f64],
    histogram: &Histogram,
    bins: &Range<usize>,
    cut: usize,
    rated_w: f64,
) -> Option<Figures> {
    let (low, high) =
        (&logs[histogram.values(&(bins.start..cut))], &logs[histogram.values(&(cut..bins.end))]);
    let watts = |class, share| Some(10_f64.powf(quantile(class, share)?));
    let (low_median_w, high_median_w) = (watts(low, 0.5)?, watts(high, 0.5)?);
    let (low_top_w, high_foot_w) = (watts(low, 0.99)?, watts(high, 0.05)?);
    let smaller_minutes = low.len().min(high.len());
    Some(Figures {
        range: watts(high, 1.0)? / watts(low, 0.0)?,
        separability: histogram.separability(bins, cut),
        share: smaller_minutes as f64 / (low.len() + high.len()) as f64,
        smaller_minutes,
        medians: high_median_w / low_median_w,
        gap: high_foot_w / low_top_w,
        valley: histogram.valley(bins, cut),
        low_of_rated: low_median_w / rated_w,
        low_median_w,
        high_median_w,
        low_top_w,
        high_foot_w,
    })
}

impl Figures {
    /// Every test that is not passed; none where the split is accepted.
    #[must_use]
    pub fn failed(&self) -> Vec<Failed> {
        let few = self.share < SHARE_MIN || self.smaller_minutes < SMALLER_MINUTES_MIN;
        let tests = [
            (self.range >= RANGE_MIN, Failed::Range { range: self.range }),
            (self.separability >= SEPARABILITY_MIN, Failed::Separability { separability: self.separability }),
            (!few, Failed::Share { share: self.share, minutes: self.smaller_minutes }),
            (self.medians >= MEDIANS_MIN, Failed::Medians { medians: self.medians }),
            (self.gap >= GAP_MIN, Failed::Gap { gap: self.gap }),
            (self.valley <= VALLEY_MAX, Failed::Valley { valley: self.valley }),
            (self.low_of_rated <= LOW_OF_RATED_MAX, Failed::LowOfRated { low_of_rated: self.low_of_rated }),
        ];
        tests.into_iter().filter(|(passed, _)| !passed).map(|(_, test)| test).collect()
    }
}

/// Powers from which up a unit is on and down to which it is off, W, between the top of the low level and the foot of the
/// high one: at 0.6 and 0.4 of the way between their logarithms. Source: rule catalogue, 3.2.
#[must_use]
pub fn between(low_top_w: f64, high_foot_w: f64) -> (f64, f64) {
    let (low, high) = (low_top_w.log10(), high_foot_w.log10());
    (10_f64.powf(0.4 * low + 0.6 * high), 10_f64.powf(0.6 * low + 0.4 * high))
}
