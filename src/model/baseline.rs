//! What a treatment unit usually draws while it runs, by how much is produced.

use serde::{Deserialize, Serialize};

use super::basis::Basis;

/// How many levels of production are told apart.
pub const N_LEVELS: usize = 4;

/// A treatment point's power while it runs and production runs. Source: rule catalogue, R4.
///
/// The level of production is the sum of the production points' power over their summed rated power: up to 25 %, 50 %,
/// 75 %, and above.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Index into [`Site::points`](super::site::Site::points).
    pub point: u16,
    /// Median power by level of production, W; absent where too little was seen.
    pub median_w: [Option<f32>; N_LEVELS],
    /// Median power factor, 0 to 1.
    pub power_factor: Option<f32>,
    /// Where it comes from.
    pub basis: Basis,
    /// Changes with every change of the numbers above; alerts quote it.
    pub version: u32,
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
        assert_eq!([0.0, 0.249, 0.25, 0.5, 0.749, 0.75, 1.3].map(level), [0, 0, 1, 2, 2, 3, 3]);
    }
}
