//! R8, gap while producing: production certainly on, and whether treatment runs cannot be told.
//!
//! The answer to whoever cuts the meter instead of the fan. A warning once it has lasted `offline_ms`; an alarm after
//! `critical_ms`, the time after which "off" itself would be critical. Time in which production is unknown too is
//! neither counted nor a break. Source: rule catalogue, R8; the alarm step is ours.

use super::case::Case;
use super::scene::{Piece, Scene};
use crate::alerts::finding::Tally;
use crate::detection::debounce::{Limits, OnUnknown, Transition, Truth};
use crate::model::rule::{Level, Rule};

/// Whether production runs unseen, from what is known of production and of "treatment failed".
#[must_use]
pub fn holds(production: Truth, treatment_failed: Truth) -> Truth {
    match (production, treatment_failed) {
        (Truth::Yes, Truth::Unknown) => Truth::Yes,
        (Truth::Unknown, Truth::Unknown) => Truth::Unknown,
        _ => Truth::No,
    }
}

/// One piece of it.
pub fn stretch(
    case: &mut Case,
    piece: &Piece,
    scene: &Scene<'_>,
    out: &mut impl FnMut(Transition, &[Tally]),
) {
    let holds = holds(scene.production, scene.failed);
    if case.is_idle(holds) {
        return;
    }
    let rules = scene.rules();
    let limits = Limits {
        raise_ms: i64::from(rules.offline_ms),
        clear_ms: i64::from(rules.clear_ms),
        level: scene.worth(Level::Warning),
        steps: &[(i64::from(rules.critical_ms), scene.worth(Level::Alarm))],
        on_unknown: OnUnknown::Pause,
    };
    let is_on = scene.is_on(Rule::GapWhileProducing);
    case.stretch(piece.span(), holds, (&limits, is_on), scene.members, out);
}
