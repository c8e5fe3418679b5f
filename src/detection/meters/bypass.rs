//! R14 `bypass`: the site draws what no sub-meter shows.
//!
//! For sites with a point of kind `total` and others. Hour by hour: what the totals counted less what all others counted, as
//! a share of the totals; from registers where they are, else from powers, cut at the full hour. An hour is known if nine
//! tenths of it are seen of every point. It counts if the share is above `share` and above its own median by `deviations`
//! median deviations, of at least 2 points of 100 each (ours); hours that count do not enter the median, which wants
//! `hours_min` of them. Warning after `raise`, cleared by two hours that do not count (ours). Source: rule catalogue, R14.

use serde::{Deserialize, Serialize};

use super::limits::SiteLimits;
use super::pair::Pair;
use super::register;
use super::told::{Proof, transition};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::Subject;
use crate::detection::debounce::{Debounce, Limits, OnUnknown, Truth};
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::{HOUR_MS, UtcMs};

/// Of an hour so much must be seen of every point.
const SEEN_MIN_MS: i64 = HOUR_MS / 10 * 9;

/// A median deviation below this share is taken as this.
const DEVIATION_MIN: f64 = 0.02;

/// Hours the median is taken of, at most: two weeks.
const HOURS_KEPT: usize = 336;

/// The total must have counted so many steps.
const STEPS_MIN: f64 = 20.0;

/// It is cleared by so much that does not count.
const CLEAR_MS: i64 = 2 * HOUR_MS;

#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Sum {
    kwh: f64,
    seen_ms: i64,
}

/// State of the rule for one site.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Bypass {
    /// Hours since 1970: the one that is judged next.
    hour: i64,
    /// By point: of that hour, and of the next.
    sums: Vec<[Sum; 2]>,
    /// Shares of hours that did not count, the latest last.
    shares: Vec<f32>,
    debounce: Debounce,
    /// Step of the totals' register, kWh.
    step_kwh: f64,
}

impl Bypass {
    /// For a site where the rule can apply: it has totals and others.
    #[must_use]
    pub fn new(site: &SiteLimits) -> Option<Box<Bypass>> {
        let n_totals = site.points.iter().filter(|p| p.unit.is_total).count();
        let applies = n_totals > 0 && n_totals < site.points.len();
        applies.then(|| {
            Box::new(Bypass { sums: vec![[Sum::default(); 2]; site.points.len()], ..Bypass::default() })
        })
    }

    /// Takes over what was known before the site was configured anew, if its points are the same.
    pub fn carry_over(&mut self, old: &Bypass, index_of: &[Option<u16>]) {
        (self.hour, self.step_kwh, self.debounce) = (old.hour, old.step_kwh, old.debounce);
        for (sums, moved) in old.sums.iter().zip(index_of) {
            if let Some(i) = moved {
                self.sums[usize::from(*i)] = *sums;
            }
        }
        // With another sub-meter the share is another one.
        if old.sums.len() == self.sums.len() && index_of.iter().all(Option::is_some) {
            self.shares.clone_from(&old.shares);
        }
    }

    /// Takes the next reading.
    pub fn take(&mut self, pair: &Pair<'_>, site: &SiteLimits, out: &mut impl FnMut(Finding)) {
        let hour = pair.now.at.0.div_euclid(HOUR_MS);
        if hour - self.hour > 48 {
            self.hour = hour - 1;
            self.sums.fill([Sum::default(); 2]);
        }
        while hour >= self.hour + 2 {
            self.judge(site, out);
            self.hour += 1;
            self.sums.iter_mut().for_each(|[own, next]| *own = std::mem::take(next));
        }
        let by_register =
            pair.moved.filter(|(_, since, _)| *since == pair.was).map(|(_, _, gone)| gone.forward());
        let by_power =
            pair.was_w.zip(pair.now.power_w.get()).map(|(a, b)| register::kwh(a.midpoint(b), pair.dt_ms));
        let Some(kwh) = by_register.unwrap_or(by_power).filter(|_| pair.is_known) else { return };
        if site.points[usize::from(pair.point)].unit.is_total {
            self.step_kwh = pair.step_kwh;
        }
        for (n, sum) in (0_i64..).zip(&mut self.sums[usize::from(pair.point)]) {
            let begin = (self.hour + n) * HOUR_MS;
            let inside_ms = pair.now.at.0.min(begin + HOUR_MS) - pair.was.0.max(begin);
            if inside_ms > 0 {
                #[expect(clippy::cast_precision_loss, reason = "a share of an hour")]
                let share = inside_ms as f64 / pair.dt_ms as f64;
                sum.kwh += kwh * share;
                sum.seen_ms += inside_ms;
            }
        }
    }

    /// Totals and unmetered of the hour, kWh; `None` where it is not known.
    #[expect(clippy::cast_precision_loss, reason = "a share of an hour")]
    fn unmetered(&self, site: &SiteLimits) -> Option<(f64, f64)> {
        let (mut total, mut parts) = (0.0, 0.0);
        for ([sum, _], own) in self.sums.iter().zip(&site.points) {
            if sum.seen_ms < SEEN_MIN_MS {
                return None;
            }
            let kwh = sum.kwh * HOUR_MS as f64 / sum.seen_ms as f64;
            *(if own.unit.is_total { &mut total } else { &mut parts }) += kwh;
        }
        (total > 0.0 && total >= STEPS_MIN * self.step_kwh).then_some((total, total - parts))
    }

    fn judge(&mut self, site: &SiteLimits, out: &mut impl FnMut(Finding)) {
        let set = &site.settings;
        let hour = self.unmetered(site);
        let (total, rest) = hour.unwrap_or_default();
        let share = if hour.is_some() { rest / total } else { 0.0 };
        let usual = usual(&self.shares).filter(|_| self.shares.len() as f64 >= set.get(Param::BypassHours));
        let truth = match (hour, usual) {
            (Some(_), Some((median, deviation))) => {
                let limit = median + set.get(Param::BypassDeviations) * deviation.max(DEVIATION_MIN);
                if share > set.get(Param::BypassShare).max(limit) { Truth::Yes } else { Truth::No }
            }
            _ => Truth::Unknown,
        };
        if hour.is_some() && truth != Truth::Yes {
            if self.shares.len() == HOURS_KEPT {
                self.shares.remove(0);
            }
            #[expect(clippy::cast_possible_truncation, reason = "a share")]
            self.shares.push(share as f32);
        }
        if self.debounce.open().is_none() && !site.is_on(Rule::Bypass) {
            return;
        }
        let limits = Limits {
            raise_ms: set.ms(Param::BypassRaise),
            clear_ms: CLEAR_MS,
            level: Level::Warning,
            steps: &[],
            on_unknown: OnUnknown::Restart,
        };
        let figures = [
            (Fact::UnmeteredShare, share),
            (Fact::UnmeteredUsual, usual.map_or(0.0, |(median, _)| median)),
            (Fact::UnmeteredEnergy, rest),
            (Fact::TotalEnergy, total),
        ];
        let span = (UtcMs(self.hour * HOUR_MS), UtcMs((self.hour + 1) * HOUR_MS));
        self.debounce.stretch(span.0, span.1, truth, &limits, &mut |step| {
            let figures = figures.map(|(what, value)| Figure::new(what, value)).to_vec();
            transition(Rule::Bypass, Subject::Site, &step, Proof { figures, instants: Vec::new() }, out);
        });
    }
}

/// Median and median deviation.
fn usual(shares: &[f32]) -> Option<(f64, f64)> {
    let median = |mut all: Vec<f32>| {
        all.sort_by(f32::total_cmp);
        all.get(all.len() / 2).copied()
    };
    let middle = median(shares.to_vec())?;
    let deviation = median(shares.iter().map(|s| (s - middle).abs()).collect())?;
    Some((middle.into(), deviation.into()))
}
