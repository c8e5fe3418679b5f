//! R8, gap while producing: production certainly on, and whether treatment runs cannot be told.
//!
//! The answer to whoever cuts the meter instead of the fan. A warning once it has lasted `offline_ms`; an alarm after
//! `critical_ms`, the time after which "off" itself would be critical. Time in which production is unknown too is
//! neither counted nor a break. Source: rule catalogue, R8; the alarm step is ours.

use super::case::Member;
use crate::alerts::finding::Tally;
use crate::detection::debounce::{Limits, OnUnknown, Transition, Truth};
use crate::detection::rules::case::Case;
use crate::model::rule::Level;
use crate::model::{site::RuleLimits, time::UtcMs};

/// Whether production runs unseen, from what is known of production and of "treatment failed".
#[must_use]
pub fn holds(production: Truth, treatment_failed: Truth) -> Truth {
    match (production, treatment_failed) {
        (Truth::Yes, Truth::Unknown) => Truth::Yes,
        (Truth::Unknown, Truth::Unknown) => Truth::Unknown,
        _ => Truth::No,
    }
}

/// One stretch of it.
pub fn stretch(
    case: &mut Case,
    span: (UtcMs, UtcMs),
    holds: Truth,
    rules: &RuleLimits,
    members: &[Member],
    out: &mut impl FnMut(Transition, &[Tally]),
) {
    let limits = Limits {
        raise_ms: i64::from(rules.offline_ms),
        clear_ms: i64::from(rules.clear_ms),
        level: Level::Warning,
        steps: &[(i64::from(rules.critical_ms), Level::Alarm)],
        on_unknown: OnUnknown::Pause,
    };
    case.stretch(span, holds, &limits, members, out);
}
