//! How the four powers of a point's thresholds are made, wherever some of them come from.

use super::basis::Basis;
use super::site::{PointKind, Thresholds};
use super::version;

/// Shares of rated power, of which the most certain source is a person: running above, running below, idle above, off below.
///
/// Production is 15 % and 10 %, as its standby power is large; treatment is mostly fans and pumps, 8 % and 5 %. Both are idle
/// from 3 % (controls, heaters) and off at 2 %, which also bounds the noise of a meter that reads below zero. A total is
/// taken like production, an auxiliary unit like treatment. Source: rule catalogue, 3.2.
#[must_use]
pub const fn fallback(kind: PointKind) -> [f64; 4] {
    match kind {
        PointKind::Production | PointKind::Total => [0.15, 0.10, 0.03, 0.02],
        PointKind::Treatment | PointKind::Auxiliary => [0.08, 0.05, 0.03, 0.02],
    }
}

/// The four powers, W. One that is not given keeps the fallback's proportion to the one before it, so that whoever
/// knows only `running_above` gets the others in order.
#[must_use]
pub fn in_proportion(given_w: [Option<f64>; 4], shares: [f64; 4], rated_w: f64) -> [f64; 4] {
    let mut out = [0.0; 4];
    let mut stretch = 1.0;
    for i in 0..4 {
        let fallback = shares[i] * rated_w;
        out[i] = given_w[i].unwrap_or(fallback * stretch);
        if given_w[i].is_some() && fallback > 0.0 {
            stretch = out[i] / fallback;
        }
    }
    out
}

impl Thresholds {
    /// Thresholds of these powers, W (running above, running below, idle above, off below), with the version they have.
    #[must_use]
    pub fn new(powers_w: [f64; 4], on_for_ms: u32, off_for_ms: u32, basis: Basis) -> Thresholds {
        let [running_above_w, running_below_w, idle_above_w, off_below_w] = powers_w;
        let mut bytes: Vec<u8> = powers_w.iter().flat_map(|p| p.to_le_bytes()).collect();
        bytes.extend(on_for_ms.to_le_bytes());
        bytes.extend(off_for_ms.to_le_bytes());
        Thresholds {
            running_above_w,
            running_below_w,
            idle_above_w,
            off_below_w,
            on_for_ms,
            off_for_ms,
            basis,
            version: version::of(&bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_first_release() {
        let fallback = fallback(PointKind::Production).map(|share| share * 10_000.0);
        let thresholds = Thresholds::new(fallback, 120_000, 180_000, Basis::Fallback);
        assert_eq!(thresholds.version, 3_827_471_205, "alerts that are kept quote it");
    }
}
