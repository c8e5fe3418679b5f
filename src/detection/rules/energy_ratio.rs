//! R5 `energy_ratio`: a day's treatment energy is small beside its production energy.
//!
//! Of each local day: the energy of all treatment points over that of all production points, from mean powers times the time
//! they stand for, while all of them were known. A day counts if production ran for `production_min` or more and nine tenths
//! of it were known. Against the days before (`days_min` or more, the last 30): the logarithm of the ratio lies more than
//! `z` robust deviations below their median, and the ratio below `share` of it. Two such days running are a warning at the
//! midnight that ends the second; the next day that counts and is not so clears it at its end. Days that are told are not
//! learned from; days that do not count neither add nor clear. A lead and no more: another product, another filter do the
//! same. Source: rule catalogue, R5.

use serde::{Deserialize, Serialize};

use super::member;
use super::scene::{Piece, Scene};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::{AlertFinding, Change};
use crate::detection::debounce::Truth;
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::{MINUTE_MS, UtcMs};

/// Days that are kept, unless more are asked for.
const N_DAYS: usize = 30;
/// So many low days running are told.
const N_LOW: usize = 2;
/// So many tenths of a day must be known.
const TENTHS_MIN: i64 = 9;
/// From the median absolute deviation to a standard deviation.
const DEVIATION: f64 = 1.4826;
/// The least deviation that is believed, 5 % of the ratio. Days that are all alike have none at all, and the smallest
/// change would lie infinitely many of them away. As 3.5 of it are less than the 40 % that a ratio must be low by anyhow,
/// this bounds the figure that is shown, and decides nothing.
const DEVIATION_MIN: f64 = 0.05;
/// The least ratio there is: of no energy at all there is no logarithm.
const RATIO_MIN: f64 = 1e-6;
/// Powers are summed up in tenths of a watt, as whole numbers: so the sum is the same wherever time was cut.
const PER_WATT: f64 = 10.0;
/// Those tenths of a watt, times ms, in a kWh.
const PER_KWH: f64 = PER_WATT * 3.6e9;

/// The local day so far.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Today {
    production: i64,
    treatment: i64,
    production_ms: i64,
    known_ms: i64,
}

/// A day that counts: its begin in minutes since 1970, and the logarithm of its ratio.
type Ratio = (u32, f32);

/// State of the rule for one process.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct EnergyRatio {
    /// Power of production and of treatment now, while all of it is known.
    power: Option<(i64, i64)>,
    today: Today,
    /// Days that are learned from, the oldest first.
    days: Vec<Ratio>,
    /// Low days since the last that was not, the oldest first.
    low: Vec<Ratio>,
    low_known_ms: i64,
    open: Option<UtcMs>,
}

impl EnergyRatio {
    /// A unit changed its state or was sampled.
    pub fn look(&mut self, scene: &Scene<'_>) {
        #[expect(clippy::cast_possible_truncation, reason = "powers of plants, far below 2^52")]
        let tenths = |point: &u16| {
            Some((member::find(scene.members, *point)?.power_w(scene.site)? * PER_WATT).round() as i64)
        };
        let treatment = scene.process.treatment.iter().flat_map(|group| &group.points);
        let sum = |points: &mut dyn Iterator<Item = &u16>| points.map(tenths).sum::<Option<i64>>();
        self.power = sum(&mut scene.process.production.iter()).zip(sum(&mut treatment.into_iter()));
    }

    /// Nothing changed in a piece of time.
    pub fn stretch(&mut self, piece: &Piece, scene: &Scene<'_>) {
        let Some((production, treatment)) = self.power else { return };
        let length_ms = piece.length_ms();
        let today = &mut self.today;
        today.known_ms += length_ms;
        today.production = today.production.saturating_add(production.saturating_mul(length_ms));
        today.treatment = today.treatment.saturating_add(treatment.saturating_mul(length_ms));
        if scene.production == Truth::Yes {
            today.production_ms += length_ms;
        }
    }

    /// A local day is over.
    #[expect(clippy::cast_precision_loss, reason = "energies of a day are shown to six digits at most")]
    pub fn midnight(
        &mut self,
        (begin, end): (UtcMs, UtcMs),
        scene: &Scene<'_>,
        out: &mut impl FnMut(Finding),
    ) {
        let today = std::mem::take(&mut self.today);
        let is_known = today.known_ms * 10 >= end.since(begin) * TENTHS_MIN;
        if !is_known || today.production_ms < scene.ms(Param::RatioProduction) || today.production <= 0 {
            return;
        }
        let ratio = today.treatment as f64 / today.production as f64;
        let log = ratio.max(RATIO_MIN).ln();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "good for 8 000 years")]
        let own: Ratio = ((begin.0 / MINUTE_MS) as u32, log as f32);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the table")]
        let n_days_min = scene.get(Param::RatioDays) as usize;
        let Some(usual) = Usual::of(&self.days).filter(|_| self.days.len() >= n_days_min) else {
            self.days.push(own);
            return;
        };
        let z = (log - usual.median) / usual.deviation;
        let is_low =
            z < -scene.get(Param::RatioZ) && ratio < scene.get(Param::RatioShare) * usual.median.exp();
        if is_low {
            self.low.push(own);
            self.low_known_ms += today.known_ms;
            self.low.drain(..self.low.len().saturating_sub(N_DAYS));
        }
        let told = match self.open {
            None if is_low && self.low.len() >= N_LOW && scene.is_on(Rule::EnergyRatio) => {
                let first = UtcMs(i64::from(self.low[0].0) * MINUTE_MS);
                self.open = Some(first);
                Some((Change::Raised, first))
            }
            Some(first) if !is_low => {
                self.open = None;
                Some((Change::Cleared, first))
            }
            _ => None,
        };
        if let Some((change, first)) = told {
            let last_certain = if change == Change::Raised { end } else { begin };
            out(Finding::Alert(Box::new(AlertFinding {
                last_certain,
                level: scene.worth(Level::Warning),
                certain_ms: self.low_known_ms,
                figures: self.figures(&today, (ratio, z), &usual),
                ..AlertFinding::new(Rule::EnergyRatio, scene.subject, change, end, first)
            })));
        }
        if !is_low {
            (self.low, self.low_known_ms) = (Vec::new(), 0);
            self.days.push(own);
            self.days.drain(..self.days.len().saturating_sub(N_DAYS.max(n_days_min)));
        }
    }

    /// Units of the process are others now: its ratios are of another kind.
    pub fn forget(&mut self) {
        *self = EnergyRatio { open: self.open, ..EnergyRatio::default() };
    }

    #[expect(clippy::cast_precision_loss, reason = "energies of a day are shown to six digits at most")]
    fn figures(&self, today: &Today, (ratio, z): (f64, f64), usual: &Usual) -> Vec<Figure> {
        let mut figures = vec![
            Figure::new(Fact::Ratio, ratio),
            Figure::new(Fact::RatioMedian, usual.median.exp()),
            Figure::new(Fact::RatioZ, z),
            Figure::new(Fact::RatioDeviation, usual.deviation),
            Figure::new(Fact::RatioDays, self.days.len() as f64),
            Figure::new(Fact::ProductionEnergy, today.production as f64 / PER_KWH),
            Figure::new(Fact::TreatmentEnergy, today.treatment as f64 / PER_KWH),
        ];
        for (minutes, log) in self.days.iter().chain(&self.low) {
            figures.push(Figure::new(Fact::DayBegin, (i64::from(*minutes) * MINUTE_MS) as f64));
            figures.push(Figure::new(Fact::DayRatio, f64::from(*log).exp()));
        }
        figures
    }
}

/// What ratios are usual, in logarithms.
struct Usual {
    median: f64,
    deviation: f64,
}

impl Usual {
    fn of(days: &[Ratio]) -> Option<Usual> {
        let middle = median(days.iter().map(|(_, log)| f64::from(*log)).collect())?;
        let spread = median(days.iter().map(|(_, log)| (f64::from(*log) - middle).abs()).collect())?;
        Some(Usual { median: middle, deviation: (DEVIATION * spread).max(DEVIATION_MIN) })
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let upper = *values.get(n / 2)?;
    Some(if n % 2 == 1 { upper } else { f64::midpoint(values[n / 2 - 1], upper) })
}
