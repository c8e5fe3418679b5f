//! At which moments the state of a site is kept, so that a past span can be judged again from there. Pure.
//!
//! Marks lie on a grid of an hour, each site's moved by its own offset so that not all fall due at once. They follow from
//! the site's id and the time alone, whatever was written or removed: a restart finds the same ones again.

use crate::model::time::{DAY_MS, HOUR_MS, UtcMs};

/// Distance of the grid, ms.
pub const GRID_MS: i64 = HOUR_MS;

/// Every mark is kept for so long, ms.
const ALL_FOR_MS: i64 = 8 * HOUR_MS;

/// Then one in eight hours, for so long, ms.
const EIGHTH_FOR_MS: i64 = 3 * DAY_MS;

/// Then one in two days, for so long, ms. What comes later than that is kept and not judged.
pub const KEPT_FOR_MS: i64 = 62 * DAY_MS;

/// By how much a site's grid is moved, ms; whole seconds.
#[must_use]
pub fn phase_ms(site: &str) -> i64 {
    // FNV-1a: any number that is the same everywhere.
    let hash = site.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::try_from(hash % 3_600).unwrap_or(0) * 1_000
}

/// The first mark of the grid after `moment`.
#[must_use]
pub fn after(moment: UtcMs, phase_ms: i64) -> UtcMs {
    UtcMs((moment.0.saturating_sub(phase_ms).div_euclid(GRID_MS) + 1).saturating_mul(GRID_MS) + phase_ms)
}

/// Whether a mark of the grid is still of use at `now`.
#[must_use]
pub fn is_kept(mark: UtcMs, phase_ms: i64, now: UtcMs) -> bool {
    let age_ms = now.since(mark);
    let number = mark.0.saturating_sub(phase_ms).div_euclid(GRID_MS);
    match age_ms {
        _ if age_ms <= ALL_FOR_MS => true,
        _ if age_ms <= EIGHTH_FOR_MS => number.rem_euclid(8) == 0,
        _ if age_ms <= KEPT_FOR_MS => number.rem_euclid(48) == 0,
        _ => false,
    }
}

/// Whether it lies on the grid; others were made where a site was configured anew, and are kept longest.
#[must_use]
pub fn is_on_grid(mark: UtcMs, phase_ms: i64) -> bool {
    mark.0.saturating_sub(phase_ms).rem_euclid(GRID_MS) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_is_not_kept_never_comes_back_and_some_lie_in_every_span() {
        let phase = phase_ms("plant-7");
        let first = after(UtcMs(1_790_000_000_000), phase);
        for hours in 0..200 {
            let mark = first.plus(hours * GRID_MS);
            assert!(is_on_grid(mark, phase));
            let kept: Vec<_> =
                (0..70 * 24).map(|age| is_kept(mark, phase, mark.plus(age * HOUR_MS))).collect();
            assert!(kept.is_sorted_by(|a, b| a >= b), "{hours}");
        }
        let now = first.plus(80 * DAY_MS);
        let kept = |age: &i64| is_kept(first.plus(80 * DAY_MS - age * GRID_MS), phase, now);
        assert!((0..62 * 24).filter(kept).collect::<Vec<_>>().windows(2).all(|w| w[1] - w[0] <= 48));
        assert!((0..62 * 24).filter(kept).count() < 60);
    }
}
