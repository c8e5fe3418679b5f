//! R11 `counter`: an energy register goes back, begins at zero or jumps.
//!
//! It is told once the register counts on from where it went: a single reading of a gateway that lost its meter is no reset.
//! Rollback and reset are alarms; a jump, and another unit prefix (kWh to MWh), warnings; a register that began anew at its
//! end, a notice. Each is over when it is known. Not told across a change of the meter. Source: rule catalogue, R11; that it
//! must count on, and levels of jump and prefix, are ours.

use serde::{Deserialize, Serialize};

use super::limits::{MeterLimits, SiteLimits};
use super::pair::Pair;
use super::register::{Move, Shown};
use super::told::{Proof, event};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::Subject;
use crate::detection::finding::Finding;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// What a register did, until it is known whether it counts on from there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The last register that was right: when and what, kWh.
    base: (UtcMs, f64),
    /// Where it went: when and what, kWh.
    gone: (UtcMs, f64),
    what: What,
    /// Most that could have come to it, kWh.
    most_kwh: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum What {
    Back,
    Jump,
    Prefix(f64),
}

/// Takes the next reading of a register.
pub fn take(
    suspect: &mut Option<Suspect>,
    pair: &Pair<'_>,
    shown: Shown,
    (own, site): (&MeterLimits, &SiteLimits),
    out: &mut impl FnMut(Finding),
) {
    let (Some((was_kwh, was, gone)), Some(kwh)) = (pair.moved, pair.now.energy_kwh.get()) else { return };
    let at = pair.now.at;
    let subject = Subject::Point(pair.point);
    if let Some(known) = *suspect {
        match gone {
            Move::Forward(came) if came <= pair.step_kwh / 2.0 => return,
            Move::Forward(_) | Move::Rollover { .. } => {
                *suspect = None;
                let level = if known.what == What::Back { Level::Alarm } else { Level::Warning };
                let times = (known.gone.0, known.gone.0, at);
                event((Rule::Counter, level), subject, times, known.proof(pair.point), out);
                return;
            }
            _ => {}
        }
        let power_w = pair.now.power_w.get();
        let from_base = own.register.go((known.base.1, kwh), shown, at.since(known.base.0), power_w);
        *suspect = known.again(from_base, (at, kwh));
        return;
    }
    if !site.is_on(Rule::Counter) {
        return;
    }
    if let Move::Rollover { modulus_kwh, .. } = gone {
        let mut proof = registers(pair.point, (was, was_kwh), (at, kwh));
        proof.figures.push(Figure::of(pair.point, Fact::RegisterModulus, modulus_kwh));
        event((Rule::Counter, Level::Notice), subject, (at, at, at), proof, out);
        return;
    }
    let most_kwh = own.register.most_kwh(at.since(was), pair.now.power_w.get());
    let begun = Suspect { base: (was, was_kwh), gone: (at, kwh), what: What::Back, most_kwh };
    *suspect = begun.again(gone, (at, kwh));
}

impl Suspect {
    /// It went elsewhere than before; `None` if it is where it should be after all.
    fn again(self, gone: Move, to: (UtcMs, f64)) -> Option<Suspect> {
        let what = match gone {
            Move::Forward(_) | Move::Rollover { .. } => return None,
            Move::Reset | Move::Rollback => What::Back,
            Move::Jump(_) => What::Jump,
            Move::Prefix(factor) => What::Prefix(factor),
        };
        Some(Suspect { gone: to, what, ..self })
    }

    fn proof(&self, point: u16) -> Proof {
        let mut proof = registers(point, self.base, self.gone);
        match self.what {
            What::Prefix(factor) => proof.figures.push(Figure::of(point, Fact::PrefixFactor, factor)),
            What::Jump | What::Back => {
                proof.figures.push(Figure::of(point, Fact::RegisterMost, self.most_kwh));
            }
        }
        proof
    }
}

fn registers(point: u16, before: (UtcMs, f64), after: (UtcMs, f64)) -> Proof {
    Proof {
        figures: vec![
            Figure::of(point, Fact::RegisterBefore, before.1),
            Figure::of(point, Fact::RegisterAfter, after.1),
        ],
        instants: vec![(point, before.0), (point, after.0)],
    }
}
