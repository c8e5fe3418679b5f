//! From levels to thresholds, and whether they may replace those in force without a person.

use std::fmt;

use super::split::Split;
use crate::model::basis::Basis;
use crate::model::site::{Point, Thresholds};
use crate::model::thresholds::{fallback, in_proportion};

/// A threshold moves by at most this factor without a person. Source: rule catalogue, 3.2.
pub const MOVE_MAX: f64 = 2.0;

/// The thresholds that follow from the levels of a point. Where no idle level was seen, "idle" and "off" keep the proportion
/// to "running" that they have by the kind of point; durations stay as they are.
#[must_use]
pub fn thresholds(split: &Split, point: &Point) -> Thresholds {
    let running = split.running;
    let idle = split.idle.map(|v| (v.on_w, v.off_w));
    let given =
        [Some(running.on_w), Some(running.off_w), idle.map(|(on_w, _)| on_w), idle.map(|(_, off_w)| off_w)];
    of_powers(given, point, Basis::Learned)
}

/// Thresholds of these powers, W, as far as they are known, with the durations the point has.
#[must_use]
pub fn of_powers(given_w: [Option<f64>; 4], point: &Point, basis: Basis) -> Thresholds {
    let powers = in_proportion(given_w, fallback(point.kind), point.rated_w);
    Thresholds::new(powers, point.thresholds.on_for_ms, point.thresholds.off_for_ms, basis)
}

/// Why a person must look before learned thresholds replace those in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NeedsPerson {
    /// What is in force is more certain than what was learned.
    MoreCertain {
        /// Where what is in force comes from.
        in_force: Basis,
    },
    /// A threshold would move by more than [`MOVE_MAX`].
    Moves {
        /// The one in force, W.
        from_w: f64,
        /// The learned one, W.
        to_w: f64,
    },
    /// There is a level between off and running: whether the plant produces in it cannot be seen from power.
    IdleLevel {
        /// Its median, W.
        median_w: f64,
        /// It counts as idle up to here, W.
        up_to_w: f64,
        /// It would count as running if running began here, W.
        begins_w: f64,
    },
}

impl fmt::Display for NeedsPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            NeedsPerson::MoreCertain { in_force } => {
                write!(f, "the thresholds in force are {}, which goes before learned", in_force.name())
            }
            NeedsPerson::Moves { from_w, to_w } => {
                write!(
                    f,
                    "a threshold would move from {from_w:.0} W to {to_w:.0} W, by more than x{MOVE_MAX:.0}"
                )
            }
            NeedsPerson::IdleLevel { median_w, up_to_w, begins_w } => write!(
                f,
                "there is a level of {median_w:.0} W between off and running; it is taken for idle, up to {up_to_w:.0} W; \
                 if the unit works at that level, running begins at {begins_w:.0} W"
            ),
        }
    }
}

/// Why a person is needed; empty where the learned thresholds may be proposed in the place of those in force unasked.
#[must_use]
pub fn needs_person(split: &Split, learned: &Thresholds, in_force: &Thresholds) -> Vec<NeedsPerson> {
    let powers_w = [learned.running_above_w, learned.running_below_w];
    let mut why = outweighed(powers_w, in_force);
    why.extend(split.idle.map(|idle| NeedsPerson::IdleLevel {
        median_w: idle.figures.high_median_w,
        up_to_w: split.running.off_w,
        begins_w: idle.on_w,
    }));
    why
}

/// What of that can be told from the numbers alone: from where running would begin and end, W, and what is in force.
#[must_use]
pub fn outweighed(running_w: [f64; 2], in_force: &Thresholds) -> Vec<NeedsPerson> {
    let mut why = Vec::new();
    if in_force.basis < Basis::Learned {
        why.push(NeedsPerson::MoreCertain { in_force: in_force.basis });
    }
    let pairs = [(in_force.running_above_w, running_w[0]), (in_force.running_below_w, running_w[1])];
    let far = |(from_w, to_w): &(f64, f64)| from_w.max(*to_w) > MOVE_MAX * from_w.min(*to_w);
    let moves = pairs.into_iter().filter(far).map(|(from_w, to_w)| NeedsPerson::Moves { from_w, to_w });
    why.extend(moves);
    why
}
