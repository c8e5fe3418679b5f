//! R15 b `outside_hours`: production certainly runs outside the working time that was declared.
//!
//! Warning after `raise` of certain time; one level higher in the night, at once where it comes into the night. Cleared
//! after `clear_ms` of certainly not: production stands, or working time has begun. Where no working time is declared there
//! is nothing to say. Source: rule catalogue, R15.

use super::case::Case;
use super::scene::{Piece, Scene};
use crate::alerts::finding::Tally;
use crate::detection::debounce::{Limits, OnUnknown, Transition, Truth};
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};

/// Nothing changed in a piece of time.
pub fn stretch(
    case: &mut Case,
    piece: &Piece,
    scene: &Scene<'_>,
    out: &mut impl FnMut(Transition, &[Tally]),
) {
    let holds = match (scene.production, piece.is_working) {
        (Truth::No, _) | (_, Some(true)) => Truth::No,
        (Truth::Yes, Some(false)) => Truth::Yes,
        // Of what was told by a declaration that is no longer there, nobody can say that it is over.
        (Truth::Unknown, _) | (_, None) => Truth::Unknown,
    };
    if case.is_idle(holds) {
        return;
    }
    let level = scene.worth(if piece.is_night { Level::Warning.up() } else { Level::Warning });
    let limits = Limits {
        raise_ms: scene.ms(Param::OutsideRaise),
        clear_ms: i64::from(scene.rules().clear_ms),
        level,
        steps: &[(0, level)],
        on_unknown: OnUnknown::Restart,
    };
    let is_on = scene.is_on(Rule::OutsideHours);
    case.stretch(piece.span(), holds, (&limits, is_on), scene.members, out);
}
