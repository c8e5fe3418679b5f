//! Whether a person may confirm a learned baseline: only against a recorded commissioning test.
//!
//! A plant that runs its fan at a third of its power from the first day teaches a baseline at which nothing ever looks wrong.
//! Source: rule catalogue, 2.4, the third attack.

use crate::model::baseline::{Baseline, N_LEVELS};
use crate::model::commissioning::CommissioningRecord;

/// A unit that draws less than this share of what it drew at commissioning runs idle or slowed down. Source: rule catalogue, R4.
pub const SHAM_BELOW: f64 = 0.45;

/// Why a baseline may not be confirmed. Levels count from 0.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the names and their words say it")]
pub enum Denied {
    #[error(
        "there is no recorded commissioning test to hold it against; hint: run one, off and at full load, supervised"
    )]
    NoRecord,
    #[error(
        "the commissioning test has no full-load power of this unit; hint: repeat it with the unit running"
    )]
    NotTested,
    #[error("nothing was learned that could be confirmed")]
    Empty,
    #[error(
        "at production level {} the learned {learned_w:.0} W is {:.0} % of the {commissioned_w:.0} W at commissioning, \
         under {:.0} %: it would make running idle look normal",
        .level + 1, learned_w / commissioned_w * 100.0, SHAM_BELOW * 100.0
    )]
    Sham { level: usize, learned_w: f64, commissioned_w: f64 },
}

/// Whether a person may confirm `baseline`, given the record of the commissioning test, if there is one.
///
/// Each level is held against the commissioned power at the same level of production; where that was not tested, against the
/// nearest level above it, or else below. A unit with an approved turn-down at low load is tested at that load too.
///
/// # Errors
/// Why not; of several levels, the lowest.
pub fn may_confirm(baseline: &Baseline, record: Option<&CommissioningRecord>) -> Result<(), Denied> {
    let record = record.ok_or(Denied::NoRecord)?;
    let tested = record.baselines.iter().find(|b| b.point == baseline.point).ok_or(Denied::NotTested)?;
    let mut any = false;
    for (level, learned_w) in (0..N_LEVELS).zip(baseline.median_w) {
        let Some(learned_w) = learned_w.map(f64::from) else { continue };
        let commissioned_w = nearest(&tested.median_w, level).ok_or(Denied::NotTested)?;
        // A NaN on either side is no proof.
        let is_enough = learned_w >= SHAM_BELOW * commissioned_w;
        if !is_enough {
            return Err(Denied::Sham { level, learned_w, commissioned_w });
        }
        any = true;
    }
    if any { Ok(()) } else { Err(Denied::Empty) }
}

fn nearest(median_w: &[Option<f32>; N_LEVELS], level: usize) -> Option<f64> {
    let above = median_w[level..].iter().flatten().next();
    let below = median_w[..level].iter().flatten().next_back();
    above.or(below).map(|w| f64::from(*w))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::basis::Basis;
    use crate::model::time::UtcMs;

    fn baseline(median_w: [Option<f32>; 4], basis: Basis) -> Baseline {
        Baseline::new(1, median_w, None, basis)
    }

    fn commissioned(median_w: [Option<f32>; 4]) -> CommissioningRecord {
        CommissioningRecord {
            who: "inspector".into(),
            at: UtcMs(0),
            phases: Vec::new(),
            points: Vec::new(),
            baselines: vec![baseline(median_w, Basis::Commissioned)],
            remarks: Vec::new(),
        }
    }

    #[test]
    fn without_a_recorded_test_nothing_is_confirmed() {
        let learned = baseline([None, None, Some(5e3), Some(6e3)], Basis::Learned);
        assert_eq!(may_confirm(&learned, None), Err(Denied::NoRecord));
        let other = Baseline { point: 7, ..learned };
        assert_eq!(
            may_confirm(&other, Some(&commissioned([None, None, None, Some(6e3)]))),
            Err(Denied::NotTested)
        );
    }

    #[test]
    fn a_sham_from_the_first_day_is_not_confirmed() {
        let record = commissioned([None, None, None, Some(6e3)]);
        let of = |median_w| may_confirm(&baseline(median_w, Basis::Learned), Some(&record));
        assert_eq!(of([None, None, Some(4e3), Some(5.5e3)]), Ok(()));
        assert_eq!(of([None, None, None, Some(2.7e3)]), Ok(()), "0.45 itself is allowed");
        let sham = of([None, None, Some(2e3), Some(5.5e3)]);
        assert_eq!(sham, Err(Denied::Sham { level: 2, learned_w: 2e3, commissioned_w: 6e3 }));
        assert!(sham.unwrap_err().to_string().contains("33 % of the 6000 W"), "{}", sham.unwrap_err());
        assert_eq!(of([None; 4]), Err(Denied::Empty));
    }

    #[test]
    fn an_approved_turn_down_is_tested_at_its_own_level() {
        let learned = baseline([Some(1.5e3), None, None, Some(6e3)], Basis::Learned);
        assert!(may_confirm(&learned, Some(&commissioned([None, None, None, Some(6e3)]))).is_err());
        assert_eq!(may_confirm(&learned, Some(&commissioned([Some(1.5e3), None, None, Some(6e3)]))), Ok(()));
    }
}
