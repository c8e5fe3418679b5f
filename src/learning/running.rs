//! What a treatment unit draws while it runs, by how much is produced at that time. Source: rule catalogue, R4.

use super::minute::{self, Minute, covering, quantile};
use crate::model::baseline::{Baseline, N_LEVELS, level};
use crate::model::basis::Basis;
use crate::model::site::{Point, Process};

/// A level of production seen for fewer minutes has no median.
pub const LEVEL_MINUTES_MIN: usize = 120;

/// The baselines of a process's treatment points, as far as they were seen running; `minutes` are those of every point of
/// the site, in the order of `points`.
///
/// A point runs in a minute whose mean is at or above its `running_above`: surely so, whatever the minutes around it. A minute
/// in which the power of any production point is not known has no level and counts for nothing.
#[must_use]
pub fn baselines(process: &Process, points: &[Point], minutes: &[Vec<Minute>]) -> Vec<Baseline> {
    let members = process.treatment.iter().flat_map(|group| &group.points);
    members.filter_map(|point| baseline(*point, process, points, minutes)).collect()
}

fn baseline(own: u16, process: &Process, points: &[Point], minutes: &[Vec<Minute>]) -> Option<Baseline> {
    let (point, own_minutes) = (points.get(usize::from(own))?, minutes.get(usize::from(own))?);
    let mut by_level: [Vec<Minute>; N_LEVELS] = Default::default();
    for minute in own_minutes.iter().filter(|m| m.power_w >= point.thresholds.running_above_w) {
        if let Some(share) = production_share(process, points, minutes, minute) {
            by_level[level(share)].push(*minute);
        }
    }
    let medians = by_level.each_ref().map(|own| median(own.iter(), LEVEL_MINUTES_MIN, |m| m.power_w));
    let with_factor = by_level.iter().flatten().filter(|m| m.power_factor.is_some_and(f32::is_finite));
    let power_factor = median(with_factor, LEVEL_MINUTES_MIN, |m| m.power_factor.map_or(f64::NAN, f64::from));
    let seen = medians.iter().any(Option::is_some);
    seen.then(|| Baseline::new(own, medians, power_factor, Basis::Learned))
}

/// Production's summed power as a share of its summed rated power in that minute; `None` where none runs, or the power of
/// any is not known.
fn production_share(
    process: &Process,
    points: &[Point],
    minutes: &[Vec<Minute>],
    at: &Minute,
) -> Option<f64> {
    let (mut power_w, mut rated_w, mut any_runs) = (0.0, 0.0, false);
    for index in process.production.iter().map(|p| usize::from(*p)) {
        let point = points.get(index)?;
        let own = covering(minutes.get(index)?, at).filter(|m| m.is_measured(point.rated_w))?;
        any_runs |= own.power_w >= point.thresholds.running_above_w;
        power_w += own.power_w.max(0.0);
        rated_w += point.rated_w;
    }
    (any_runs && rated_w > 0.0).then(|| power_w / rated_w)
}

/// The median, where these stand for enough minutes.
#[expect(clippy::cast_possible_truncation, reason = "no meter is more exact than an f32")]
pub(super) fn median<'a>(
    minutes: impl Iterator<Item = &'a Minute>,
    minutes_min: usize,
    value: impl Fn(&Minute) -> f64,
) -> Option<f32> {
    let sorted = minute::sorted(minutes, value);
    (sorted.len() >= minutes_min).then(|| quantile(&sorted, 0.5))?.map(|m| m as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::tests::{FAN, PRESS, plant};

    /// A fan that follows its press: 2 kW idle at the lowest level, 3, 4, 5 kW above.
    fn day(
        minutes: std::ops::Range<i64>,
        press: impl Fn(i64) -> f64,
        fan: impl Fn(i64) -> f64,
    ) -> Vec<Vec<Minute>> {
        let factor = |m: Minute| Minute { power_factor: Some(0.85), ..m };
        let fan = minutes.clone().map(|m| factor(Minute::new(m, fan(m)))).collect();
        vec![minutes.map(|m| Minute::new(m, press(m))).collect(), fan]
    }

    #[test]
    fn the_median_is_of_each_level_of_production() {
        let (points, process) = plant();
        // The press draws 3, 8, 13 and 18 of 20 kW, 200 min each; the fan 3, 4, 5 and 6 kW.
        let quarter = |m: i64| (m / 200) as f64;
        let minutes = day(0..800, |m| 3e3 + 5e3 * quarter(m), |m| 3e3 + 1e3 * quarter(m));
        let [baseline] = &baselines(&process, &points, &minutes)[..] else { panic!("one fan") };
        assert_eq!(baseline.median_w, [3e3, 4e3, 5e3, 6e3].map(Some));
        assert_eq!((baseline.point, baseline.power_factor), (FAN, Some(0.85)));
        assert!(baseline.basis.is_proposal());
    }

    #[test]
    fn only_minutes_in_which_both_run_and_all_is_known_count() {
        let (points, process) = plant();
        // Press off for 200 min, then loaded; the fan is off for the first 60 of those.
        let press = |m| if m < 200 { 100.0 } else { 18e3 };
        let mut minutes = day(0..400, press, |m| if (200..260).contains(&m) { 10.0 } else { 5e3 });
        let of = |minutes: &[Vec<Minute>]| baselines(&process, &points, minutes);
        assert_eq!(of(&minutes)[0].median_w, [None, None, None, Some(5e3)], "140 min");
        minutes[usize::from(PRESS)].retain(|m| m.at % 5 > 0);
        assert_eq!(of(&minutes), [], "112 min: what production drew in the others is not known");
    }

    #[test]
    fn a_mean_of_five_minutes_counts_as_five() {
        let (points, process) = plant();
        let long = |power_w: f64, n: i64| {
            (0..n).map(|i| Minute { lasts: 5, ..Minute::new(i * 5, power_w) }).collect()
        };
        assert_eq!(baselines(&process, &points, &[long(18e3, 24), long(5e3, 24)]).len(), 1);
        assert_eq!(baselines(&process, &points, &[long(18e3, 23), long(5e3, 23)]).len(), 0);
    }
}
