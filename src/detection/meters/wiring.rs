//! R13: the wiring of a meter. a `reverse_ct`, b `voltage_loss`, c `imbalance`, d `undervoltage`.
//!
//! What one reading shows is told by its [signs](super::phases); a sign holds between two readings that both show it.
//! Raised after `raise`, cleared after as long without it. a and b are warnings; c a notice; d, which is judged beside the
//! other meters of the site (if they are low too, it is the grid), a notice, and a warning after an hour (ours). Power below
//! zero of the meter as a whole, or a [reverse register](super::export) that grows, counts as a phase that is reversed.
//! Source: rule catalogue, R13.

use serde::{Deserialize, Serialize};

use super::export::{self, Moving, Stretch};
use super::limits::{MeterLimits, SiteLimits};
use super::pair::Pair;
use super::phases::{Before, Sign};
use super::register::Shown;
use super::told::{Proof, transition};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::Subject;
use crate::detection::debounce::{Debounce, Limits, OnUnknown, Truth};
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::HOUR_MS;

/// A sign that is building up or open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    sign: u8,
    debounce: Debounce,
}

struct About {
    rule: Rule,
    raise: Param,
    level: Level,
    steps: &'static [(i64, Level)],
}

const fn about(sign: Sign) -> About {
    let (rule, raise, level, steps): (_, _, _, &[_]) = match sign {
        Sign::Reverse => (Rule::ReverseCt, Param::ReverseRaise, Level::Warning, &[]),
        Sign::Loss => (Rule::VoltageLoss, Param::VoltageRaise, Level::Warning, &[]),
        Sign::Imbalance => (Rule::Imbalance, Param::ImbalanceRaise, Level::Notice, &[]),
        Sign::Low => {
            (Rule::Undervoltage, Param::UndervoltageRaise, Level::Notice, &[(HOUR_MS, Level::Warning)])
        }
    };
    About { rule, raise, level, steps }
}

/// R13 d: a meter that is low while no other of the site is, and at least one is known not to be.
#[must_use]
pub fn low(own: Truth, others: impl Iterator<Item = Truth>) -> Truth {
    if own != Truth::Yes {
        return own;
    }
    let mut is_known = false;
    for other in others {
        match other {
            Truth::Yes => return Truth::No,
            Truth::No => is_known = true,
            Truth::Unknown => {}
        }
    }
    if is_known { Truth::Yes } else { Truth::Unknown }
}

/// Takes the next reading that says anything of the wiring; `low` is what R13 d makes of it.
pub fn take(
    (watched, moving): (&mut Vec<Watch>, &mut Option<Moving>),
    before: &Before,
    (low, shown): (Truth, Shown),
    pair: &Pair<'_>,
    (own, site): (&MeterLimits, &SiteLimits),
    out: &mut impl FnMut(Finding),
) {
    let is_known = pair.now.at.since(before.at) <= own.gap_ms();
    for sign in Sign::ALL {
        let (was, now) = match sign {
            Sign::Low => (before.low, low),
            _ => (before.signs.get(sign), pair.now.signs.get(sign)),
        };
        let truth = if is_known && was == now { now } else { Truth::Unknown };
        if sign == Sign::Reverse {
            let limits = (own, shown, site.shares.reverse);
            export::take(moving, before, truth, pair, limits, |told| {
                watch(watched, sign, told, pair, site, out)
            });
        } else {
            watch(watched, sign, (before.at, pair.now.at, truth), pair, site, out);
        }
    }
}

/// A sign was `truth` over a stretch.
fn watch(
    watched: &mut Vec<Watch>,
    sign: Sign,
    (from, to, truth): Stretch,
    pair: &Pair<'_>,
    site: &SiteLimits,
    out: &mut impl FnMut(Finding),
) {
    let is_on = site.is_on(about(sign).rule);
    let index = match watched.iter().position(|w| w.sign == sign as u8) {
        Some(index) => index,
        None if truth == Truth::Yes && is_on => {
            watched.push(Watch { sign: sign as u8, debounce: Debounce::default() });
            watched.len() - 1
        }
        None => return,
    };
    let debounce = &mut watched[index].debounce;
    if is_on || debounce.open().is_some() {
        stretch((debounce, sign), (from, to, truth), pair, site, out);
    }
    if debounce.is_quiet() || !(is_on || debounce.open().is_some()) {
        watched.remove(index);
    }
}

fn stretch(
    (debounce, sign): (&mut Debounce, Sign),
    (from, to, truth): Stretch,
    pair: &Pair<'_>,
    site: &SiteLimits,
    out: &mut impl FnMut(Finding),
) {
    let About { rule, raise, level, steps } = about(sign);
    let raise_ms = site.settings.ms(raise);
    let limits = Limits { raise_ms, clear_ms: raise_ms, level, steps, on_unknown: OnUnknown::Restart };
    debounce.stretch(from, to, truth, &limits, &mut |step| {
        let voltage = pair.now.voltage_v.get().filter(|_| matches!(sign, Sign::Low | Sign::Loss));
        let figures = voltage.map(|u| Figure::of(pair.point, Fact::MeanVoltage, f64::from(u)));
        let instants = vec![(pair.point, from), (pair.point, to)];
        let proof = Proof { figures: figures.into_iter().collect(), instants };
        transition(rule, Subject::Point(pair.point), &step, proof, out);
    });
}
