//! What history taught of a site, as the daily job proposes it: numbers, and why nothing was learned where nothing was.

use serde::{Deserialize, Serialize};

use super::baseline::N_LEVELS;
use super::time::UtcMs;

/// All that was learned of a site at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Site id.
    pub site: Box<str>,
    /// Learned from what was measured from here on.
    pub from: UtcMs,
    /// Up to here.
    pub to: UtcMs,
    /// Every point, in the order of the site.
    pub points: Vec<PointProposal>,
    /// What treatment points draw while they run, where that was seen.
    pub baselines: Vec<BaselineProposal>,
}

/// What was learned of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointProposal {
    /// Its id.
    pub point: Box<str>,
    /// Minutes that were measured.
    pub minutes: u64,
    /// Running above, running below, idle above, off below, W; absent where nothing was learned.
    pub powers_w: Option<[f64; 4]>,
    /// The level between off and running, where there is one: a person must say whether the unit works in it.
    pub idle: Option<Idle>,
    /// Why nothing was learned: every test that was not passed, with its figure.
    pub refused: Vec<Box<str>>,
    /// What does not fit its rated power or its label.
    pub remarks: Vec<Box<str>>,
}

/// A level between off and running.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Idle {
    /// Its median, W.
    pub median_w: f64,
    /// Running would begin here if the unit worked at that level, W.
    pub begins_w: f64,
}

/// What a treatment point draws while it runs, by level of production.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineProposal {
    /// Process id.
    pub process: Box<str>,
    /// Point id.
    pub point: Box<str>,
    /// Median power by level of production, W.
    pub median_w: [Option<f32>; N_LEVELS],
    /// Median power factor.
    pub power_factor: Option<f32>,
}

/// Numbers closer than this share are the same to a person.
const SAME_WITHIN: f64 = 0.1;

/// Whether two powers are the same to a person.
#[must_use]
pub fn is_same_power(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME_WITHIN * a.abs().max(b.abs())
}

/// Whether two sets of thresholds are the same to a person: by where running begins and ends.
#[must_use]
pub fn are_same_powers(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[..2].iter().zip(&b[..2]).all(|(a, b)| is_same_power(*a, *b))
}

/// Whether two running medians are the same to a person.
#[must_use]
pub fn are_same_medians(a: &[Option<f32>; N_LEVELS], b: &[Option<f32>; N_LEVELS]) -> bool {
    a.iter().zip(b).all(|pair| match pair {
        (Some(a), Some(b)) => is_same_power(f64::from(*a), f64::from(*b)),
        (a, b) => a.is_none() && b.is_none(),
    })
}

impl Proposal {
    /// Whether it says anything that `before` did not: other numbers, or other reasons. Figures within a reason go up and
    /// down from day to day, and are no news.
    #[must_use]
    pub fn is_news_after(&self, before: &Proposal) -> bool {
        let same_point = |a: &PointProposal, b: &PointProposal| {
            let same_powers = match (&a.powers_w, &b.powers_w) {
                (Some(a), Some(b)) => are_same_powers(a, b),
                (a, b) => a.is_none() && b.is_none(),
            };
            let same_reasons = reasons(&a.refused) == reasons(&b.refused);
            let same_remarks = reasons(&a.remarks) == reasons(&b.remarks);
            let same_idle = a.idle.is_some() == b.idle.is_some();
            a.point == b.point && same_powers && same_reasons && same_remarks && same_idle
        };
        let same_baseline = |a: &BaselineProposal, b: &BaselineProposal| {
            (&a.process, &a.point) == (&b.process, &b.point) && are_same_medians(&a.median_w, &b.median_w)
        };
        let points = self.points.iter().zip(&before.points).all(|(a, b)| same_point(a, b));
        let baselines = self.baselines.iter().zip(&before.baselines).all(|(a, b)| same_baseline(a, b));
        let lengths = (self.points.len(), self.baselines.len());
        !(points && baselines && lengths == (before.points.len(), before.baselines.len()))
    }
}

/// Reasons without their figures.
fn reasons(texts: &[Box<str>]) -> Vec<String> {
    texts.iter().map(|t| t.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(powers_w: Option<[f64; 4]>, refused: &str) -> Proposal {
        let refused = if refused.is_empty() { vec![] } else { vec![refused.into()] };
        let point =
            PointProposal { point: "fan".into(), minutes: 9, powers_w, idle: None, refused, remarks: vec![] };
        Proposal {
            site: "plant".into(),
            from: UtcMs(0),
            to: UtcMs(1),
            points: vec![point],
            baselines: Vec::new(),
        }
    }

    #[test]
    fn what_moves_a_little_from_day_to_day_is_no_news() {
        let powers = |factor: f64| Some([1_000.0, 600.0, 300.0, 200.0].map(|w| w * factor));
        let first = proposal(powers(1.0), "");
        assert!(!proposal(powers(1.05), "").is_news_after(&first));
        assert!(proposal(powers(1.2), "").is_news_after(&first));
        assert!(proposal(None, "").is_news_after(&first));
        let refused = proposal(None, "the valley is 0.41 of the smaller peak");
        assert!(!proposal(None, "the valley is 0.5 of the smaller peak").is_news_after(&refused));
        assert!(proposal(None, "1200 clean minutes, fewer than 2000").is_news_after(&refused));
    }

    #[test]
    fn a_level_of_production_that_was_not_seen_before_is_news() {
        let with = |median_w| Proposal {
            baselines: vec![BaselineProposal {
                process: "line".into(),
                point: "fan".into(),
                median_w,
                power_factor: None,
            }],
            ..proposal(None, "")
        };
        let first = with([None, None, None, Some(5_000.0)]);
        assert!(!with([None, None, None, Some(5_100.0)]).is_news_after(&first));
        assert!(with([None, None, Some(4_000.0), Some(5_100.0)]).is_news_after(&first));
        assert!(proposal(None, "").is_news_after(&first));
    }
}
