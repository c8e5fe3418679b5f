//! What a treatment unit draws while it runs: its running median, by how much is produced.

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::version;

/// How many levels of production are told apart.
pub const N_LEVELS: usize = 4;

/// A treatment point's power while it runs and production runs. Source: rule catalogue, R4.
///
/// Levels are production's summed power as a share of its summed rated power: under 25 %, 25-50, 50-75, from 75 % up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Index into [`Site::points`](super::site::Site::points).
    pub point: u16,
    /// Median power by level of production, W; absent where too little was seen.
    pub median_w: [Option<f32>; N_LEVELS],
    /// Median power factor over all levels, 0 to 1.
    pub power_factor: Option<f32>,
    /// Where it comes from.
    pub basis: Basis,
    /// Changes with every change of the numbers above; alerts quote it.
    pub version: u32,
}

impl Baseline {
    /// A baseline of these numbers, with the version they have.
    #[must_use]
    pub fn new(
        point: u16,
        median_w: [Option<f32>; N_LEVELS],
        power_factor: Option<f32>,
        basis: Basis,
    ) -> Baseline {
        // No number is the bytes of a NaN, so "absent" is told from every one of them.
        let numbers = median_w.iter().chain([&power_factor]);
        let bytes: Vec<u8> = numbers.flat_map(|n| n.unwrap_or(f32::NAN).to_le_bytes()).collect();
        Baseline { point, median_w, power_factor, basis, version: version::of(&bytes) }
    }
}

/// The level, 0 to 3, of production that draws `share` of its rated power.
#[must_use]
pub fn level(share: f64) -> usize {
    [0.25, 0.50, 0.75].iter().filter(|from| share >= **from).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_begins_at_its_quarter() {
        let shares = [-0.1, 0.0, 0.249, 0.25, 0.499, 0.5, 0.749, 0.75, 1.3];
        assert_eq!(shares.map(level), [0, 0, 0, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn the_version_changes_with_the_numbers_and_their_level() {
        let of = |median_w, power_factor| Baseline::new(0, median_w, power_factor, Basis::Learned).version;
        let first = of([None, None, None, Some(4_000.0)], None);
        assert_ne!(first, of([None, None, Some(4_000.0), None], None));
        assert_ne!(first, of([None, None, None, Some(4_000.5)], None));
        assert_ne!(first, of([None, None, None, Some(4_000.0)], Some(0.9)));
        assert_eq!(first, of([None, None, None, Some(4_000.0)], None));
    }
}
