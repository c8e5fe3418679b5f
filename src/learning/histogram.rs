//! Where a histogram is best cut in two or in three: Otsu's method.

use std::ops::Range;

/// Bins over the observed range. Source: rule catalogue, 3.2.
pub const N_BINS: usize = 96;

/// Over so many bins a histogram is smoothed before the depth of a valley is read off.
const SMOOTHED_OVER: usize = 5;

/// Sorted values in bins of equal width.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// How many values lie in the bins before this one; the last is their number.
    before: [usize; N_BINS + 1],
    /// Sums of bin numbers likewise.
    sums: [f64; N_BINS + 1],
    squares: [f64; N_BINS + 1],
}

impl Histogram {
    /// Of sorted values; `None` where there are none, or all are the same.
    #[must_use]
    pub fn of(sorted: &[f64]) -> Option<Histogram> {
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let width = (last - first) / N_BINS as f64;
        if !width.is_finite() || first + width <= first {
            return None;
        }
        let mut histogram =
            Histogram { before: [0; N_BINS + 1], sums: [0.0; N_BINS + 1], squares: [0.0; N_BINS + 1] };
        for bin in 0..N_BINS {
            let end = first + width * (bin + 1) as f64;
            let upto = if bin + 1 == N_BINS { sorted.len() } else { sorted.partition_point(|x| *x < end) };
            let (n, at) = ((upto - histogram.before[bin]) as f64, bin as f64);
            histogram.before[bin + 1] = upto;
            histogram.sums[bin + 1] = histogram.sums[bin] + n * at;
            histogram.squares[bin + 1] = histogram.squares[bin] + n * at * at;
        }
        Some(histogram)
    }

    /// Which of the sorted values lie in these bins.
    #[must_use]
    pub fn values(&self, bins: &Range<usize>) -> Range<usize> {
        self.before[bins.start]..self.before[bins.end]
    }

    fn count(&self, bins: &Range<usize>) -> usize {
        self.values(bins).len()
    }

    /// Sum of the bins, squared, by their number of values: what Otsu's criterion is made of.
    fn weight(&self, bins: &Range<usize>) -> Option<f64> {
        let n = self.count(bins);
        let sum = self.sums[bins.end] - self.sums[bins.start];
        (n > 0).then(|| sum * sum / n as f64)
    }

    /// Otsu's cut in two: the values below bin `cut`, and the others.
    #[must_use]
    pub fn cut_in_two(&self) -> Option<usize> {
        let mut best = None;
        for cut in 1..N_BINS {
            let (Some(low), Some(high)) = (self.weight(&(0..cut)), self.weight(&(cut..N_BINS))) else {
                continue;
            };
            if best.is_none_or(|(weight, _)| low + high > weight) {
                best = Some((low + high, cut));
            }
        }
        best.map(|(_, cut)| self.centred(cut))
    }

    /// Otsu's cuts in three.
    #[must_use]
    pub fn cut_in_three(&self) -> Option<[usize; 2]> {
        let mut best = None;
        for lower in 1..N_BINS - 1 {
            let Some(low) = self.weight(&(0..lower)) else { continue };
            for upper in lower + 1..N_BINS {
                let (Some(middle), Some(high)) =
                    (self.weight(&(lower..upper)), self.weight(&(upper..N_BINS)))
                else {
                    continue;
                };
                let weight = low + middle + high;
                if best.is_none_or(|(most, _)| weight > most) {
                    best = Some((weight, [lower, upper]));
                }
            }
        }
        best.map(|(_, cuts)| cuts.map(|cut| self.centred(cut)))
    }

    /// The same cut in the middle of the empty bins around it: all cuts in there are equally good, and one at their edge
    /// would have the peak on its other side spill over it once smoothed.
    fn centred(&self, cut: usize) -> usize {
        let n = self.before[cut];
        let first = self.before.partition_point(|before| *before < n).max(1);
        let last = (self.before.partition_point(|before| *before <= n) - 1).min(N_BINS - 1);
        usize::midpoint(first, last)
    }

    /// Otsu's separability of a cut of these bins: variance between the two classes as a share of all variance.
    #[must_use]
    pub fn separability(&self, bins: &Range<usize>, cut: usize) -> f64 {
        let parts = (self.weight(bins), self.weight(&(bins.start..cut)), self.weight(&(cut..bins.end)));
        let (Some(whole), Some(low), Some(high)) = parts else { return 0.0 };
        let total = self.squares[bins.end] - self.squares[bins.start] - whole;
        if total > 0.0 { (low + high - whole) / total } else { 0.0 }
    }

    /// The lowest point between the peaks of two classes as a share of the smaller peak, all smoothed.
    #[must_use]
    pub fn valley(&self, bins: &Range<usize>, cut: usize) -> f64 {
        let half = SMOOTHED_OVER / 2;
        let smooth = |bin: usize| {
            let (from, to) = (bin.saturating_sub(half).max(bins.start), (bin + half + 1).min(bins.end));
            self.count(&(from..to)) as f64 / SMOOTHED_OVER as f64
        };
        let peak = |class: Range<usize>| class.max_by(|a, b| smooth(*a).total_cmp(&smooth(*b)));
        let (Some(low), Some(high)) = (peak(bins.start..cut), peak(cut..bins.end)) else { return 1.0 };
        let lowest = (low..=high).map(smooth).fold(f64::INFINITY, f64::min);
        let smaller = smooth(low).min(smooth(high));
        if smaller > 0.0 { lowest / smaller } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spikes(at: &[(f64, usize)]) -> Vec<f64> {
        let mut all: Vec<f64> = at.iter().flat_map(|(x, n)| std::iter::repeat_n(*x, *n)).collect();
        all.sort_unstable_by(f64::total_cmp);
        all
    }

    #[test]
    fn two_spikes_are_cut_in_the_middle_and_wholly_separable() {
        let values = spikes(&[(0.0, 70), (1.0, 30)]);
        let histogram = Histogram::of(&values).unwrap();
        let cut = histogram.cut_in_two().unwrap();
        assert_eq!(cut, 48);
        assert_eq!(histogram.values(&(0..cut)), 0..70);
        assert!(histogram.separability(&(0..N_BINS), cut) > 0.999_999);
        assert!(histogram.valley(&(0..N_BINS), cut) < 1e-9);
    }

    #[test]
    fn three_spikes_are_cut_in_three() {
        let values = spikes(&[(0.0, 30), (2.0, 20), (3.0, 50)]);
        let histogram = Histogram::of(&values).unwrap();
        let [lower, upper] = histogram.cut_in_three().unwrap();
        let counts = [0..lower, lower..upper, upper..N_BINS].map(|bins| histogram.values(&bins).len());
        assert_eq!(counts, [30, 20, 50]);
    }

    #[test]
    fn an_even_histogram_already_reaches_three_quarters() {
        let values: Vec<f64> = (0..9_600).map(f64::from).collect();
        let histogram = Histogram::of(&values).unwrap();
        let cut = histogram.cut_in_two().unwrap();
        assert!((histogram.separability(&(0..N_BINS), cut) - 0.75).abs() < 0.001);
        assert!(histogram.valley(&(0..N_BINS), cut) > 0.99);
    }

    #[test]
    fn nothing_is_cut_where_all_is_the_same() {
        assert!(Histogram::of(&[]).is_none());
        assert!(Histogram::of(&[2.0; 50]).is_none());
    }

    proptest! {
        #[test]
        fn every_value_is_in_one_bin_and_separability_is_a_share(
            mut values in proptest::collection::vec(-3.0..6.0_f64, 2..400)
        ) {
            values.sort_unstable_by(f64::total_cmp);
            let Some(histogram) = Histogram::of(&values) else { return Ok(()) };
            prop_assert_eq!(histogram.values(&(0..N_BINS)), 0..values.len());
            let cut = histogram.cut_in_two().unwrap();
            prop_assert!((1..N_BINS).contains(&cut));
            prop_assert!(!histogram.values(&(0..cut)).is_empty() && !histogram.values(&(cut..N_BINS)).is_empty());
            let eta = histogram.separability(&(0..N_BINS), cut);
            prop_assert!((0.0..=1.0 + 1e-9).contains(&eta), "{}", eta);
            if let Some([lower, upper]) = histogram.cut_in_three() {
                prop_assert!(lower < upper, "{} {}", lower, upper);
            }
        }
    }
}
