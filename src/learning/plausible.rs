//! Whether what a unit draws can be what its nameplate says, and whether two meters carry each other's label.

use std::fmt;

use super::minute::{self, FLOOR_OF_RATED, Minute, quantile};
use crate::model::site::{Point, PointKind};

/// A unit does not draw more than this share of its rated power for long.
pub const LARGEST_OF_RATED_MAX: f64 = 1.2;
/// A unit that runs draws at least this share of its rated power.
pub const RUNNING_OF_RATED_MIN: f64 = 0.05;

/// The largest power that lasts: passed by one minute in two hundred, which are starts.
const LASTING: f64 = 0.995;
/// Running is what lies above this share of the largest lasting power.
const RUNNING_OF_LARGEST: f64 = 0.5;

/// What was measured of a unit, W.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The largest power that lasts.
    pub largest_w: f64,
    /// The median of the minutes above half of that.
    pub running_w: f64,
}

/// Something that a person should look at, with its figures in W. Points are indices into those of the site.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names and Display say it")]
pub enum Remark {
    /// It draws more than it can.
    Above { point: u16, largest_w: f64, rated_w: f64 },
    /// It hardly draws anything while it runs.
    Below { point: u16, running_w: f64, rated_w: f64 },
    /// What each draws speaks for the other's rating.
    Swapped { over: u16, under: u16, over_w: f64, over_rated_w: f64, under_w: f64, under_rated_w: f64 },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kw = |w: f64| format!("{:.*} kW", if w < 1e3 { 3 } else { 1 }, w / 1e3);
        match *self {
            Remark::Above { largest_w, rated_w, .. } => write!(
                f,
                "draws {} for long, rated {}: check the rated power, the CT ratio, the label",
                kw(largest_w),
                kw(rated_w)
            ),
            Remark::Below { running_w, rated_w, .. } => write!(
                f,
                "draws {} while it runs, rated {}: check the rated power, the CT ratio, the label, whether it runs idle",
                kw(running_w),
                kw(rated_w)
            ),
            Remark::Swapped { over_w, over_rated_w, under_w, under_rated_w, .. } => write!(
                f,
                "the labels of two meters look swapped: rated {} one draws {}, rated {} the other draws {}",
                kw(over_rated_w),
                kw(over_w),
                kw(under_rated_w),
                kw(under_w)
            ),
        }
    }
}

/// What was measured of a unit; `None` where it did not draw anything.
#[must_use]
pub fn measure(minutes: &[Minute], rated_w: f64) -> Option<Measured> {
    let powers = minute::sorted(minutes.iter().filter(|m| m.is_measured(rated_w)), |m| m.power_w);
    let largest_w = quantile(&powers, LASTING)?;
    // Below twice the floor it is the meter that is seen, not the unit.
    if largest_w < 2.0 * FLOOR_OF_RATED * rated_w {
        return None;
    }
    let running = powers.partition_point(|p| *p < RUNNING_OF_LARGEST * largest_w);
    Some(Measured { largest_w, running_w: quantile(&powers[running..], 0.5)? })
}

impl Measured {
    fn is_over(&self, rated_w: f64) -> bool {
        self.largest_w > LARGEST_OF_RATED_MAX * rated_w
    }

    fn is_under(&self, rated_w: f64) -> bool {
        self.running_w < RUNNING_OF_RATED_MIN * rated_w
    }
}

/// All there is to remark on the points of a site; `minutes` are those of every point, in the order of `points`.
#[must_use]
pub fn remarks(points: &[Point], minutes: &[Vec<Minute>]) -> Vec<Remark> {
    let own = (0_u16..).zip(points.iter().zip(minutes));
    let measured: Vec<(u16, &Point, Measured)> =
        own.filter_map(|(i, (point, own))| Some((i, point, measure(own, point.rated_w)?))).collect();
    let mut out = Vec::new();
    for (index, point, seen) in &measured {
        let (point, rated_w) = (*index, point.rated_w);
        if seen.is_over(rated_w) {
            out.push(Remark::Above { point, largest_w: seen.largest_w, rated_w });
        }
        if seen.is_under(rated_w) {
            out.push(Remark::Below { point, running_w: seen.running_w, rated_w });
        }
    }
    for over in &measured {
        out.extend(measured.iter().filter_map(|under| swapped(over, under)));
    }
    out
}

/// One draws too much for its own rating and fits the other's; the other hardly draws anything for its own and is not too
/// large for the first one's. That it also draws enough for that one is not asked: a unit that barely ran does not show it.
/// A total is the sum of the others and is compared with none.
fn swapped(over: &(u16, &Point, Measured), under: &(u16, &Point, Measured)) -> Option<Remark> {
    let is_total = |point: &Point| point.kind == PointKind::Total;
    if is_total(over.1) || is_total(under.1) {
        return None;
    }
    let (over_rated_w, under_rated_w) = (over.1.rated_w, under.1.rated_w);
    let not_their_own = over.2.is_over(over_rated_w) && under.2.is_under(under_rated_w);
    let fits = |seen: &Measured, rated_w| !seen.is_over(rated_w) && !seen.is_under(rated_w);
    let the_others = fits(&over.2, under_rated_w) && !under.2.is_over(over_rated_w);
    (not_their_own && the_others).then_some(Remark::Swapped {
        over: over.0,
        under: under.0,
        over_w: over.2.largest_w,
        over_rated_w,
        under_w: under.2.running_w,
        under_rated_w,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::tests::point;

    /// A unit that runs at `power_w` for half of two days, with a start of six times that in one minute of 500.
    fn runs_at(power_w: f64) -> Vec<Minute> {
        let power = |m: i64| match m % 500 {
            0 => 6.0 * power_w,
            x if x < 250 => power_w,
            _ => 1.0,
        };
        (0..2_880).map(|m| Minute::new(m, power(m))).collect()
    }

    fn remarks_of(units: &[(PointKind, f64, f64)]) -> Vec<Remark> {
        let points: Vec<_> = units.iter().map(|(kind, rated_w, _)| point(*kind, *rated_w)).collect();
        let minutes: Vec<_> = units.iter().map(|(_, _, power_w)| runs_at(*power_w)).collect();
        remarks(&points, &minutes)
    }

    #[test]
    fn starts_are_not_lasting_and_a_fitting_unit_is_left_in_peace() {
        let treatment = PointKind::Treatment;
        assert_eq!(
            remarks_of(&[(treatment, 10e3, 11.9e3), (treatment, 10e3, 0.51e3), (treatment, 10e3, 0.0)]),
            []
        );
    }

    #[test]
    fn too_much_and_too_little_are_told_with_their_figures() {
        let told = remarks_of(&[(PointKind::Production, 10e3, 12.1e3), (PointKind::Treatment, 10e3, 490.0)]);
        assert_eq!(
            told,
            [
                Remark::Above { point: 0, largest_w: 12.1e3, rated_w: 10e3 },
                Remark::Below { point: 1, running_w: 490.0, rated_w: 10e3 },
            ]
        );
        assert_eq!(
            told[0].to_string(),
            "draws 12.1 kW for long, rated 10.0 kW: check the rated power, the CT ratio, the label"
        );
    }

    #[test]
    fn two_labels_that_were_swapped_are_told_as_a_pair() {
        let told = remarks_of(&[
            (PointKind::Production, 90e3, 3e3),
            (PointKind::Treatment, 4e3, 80e3),
            (PointKind::Auxiliary, 60e3, 50e3),
        ]);
        let pairs: Vec<_> = told.iter().filter(|r| matches!(r, Remark::Swapped { .. })).collect();
        let [Remark::Swapped { over: 1, under: 0, over_w, under_w, .. }] = pairs[..] else {
            panic!("{told:?}")
        };
        assert_eq!((*over_w, *under_w), (80e3, 3e3));
    }

    #[test]
    fn a_wrong_rating_alone_is_no_swap() {
        let units = [
            (PointKind::Treatment, 4e3, 80e3),
            (PointKind::Total, 90e3, 3e3),
            (PointKind::Production, 30e3, 1e3),
        ];
        let told = remarks_of(&units);
        assert!(told.iter().all(|r| !matches!(r, Remark::Swapped { .. })), "{told:?}");
    }
}
