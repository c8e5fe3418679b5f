//! A span of time that somebody asks about, checked.

use crate::api::problem::Problem;
use crate::model::time::{DAY_MS, UtcMs};

/// No longer span is answered at once: two years and a bit.
const SPAN_MS_MAX: i64 = 800 * DAY_MS;

/// Moments that are asked about lie between these: 1970 and 2200.
const UTC_MS_MAX: i64 = 7_258_118_400_000;

/// A span from two moments that were asked for.
///
/// # Errors
/// It has no length, is too long, or lies outside of what can be meant.
pub fn span(from: UtcMs, to: UtcMs) -> Result<(UtcMs, UtcMs), Problem> {
    let bounds = 0..=UTC_MS_MAX;
    if !bounds.contains(&from.0) || !bounds.contains(&to.0) {
        return Err(Problem::bad_request("from and to are UTC in ms, from 1970 to 2200".into()));
    }
    if to <= from {
        return Err(Problem::bad_request("to is not after from".into()));
    }
    if to.since(from) > SPAN_MS_MAX {
        return Err(Problem::bad_request("more than 800 days are asked for".into()));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_length_that_can_be_meant() {
        let of = |from, to| span(UtcMs(from), UtcMs(to)).is_ok();
        assert!(of(0, 1) && of(5, 5 + SPAN_MS_MAX));
        assert!(!of(1, 1) && !of(2, 1) && !of(-1, 1) && !of(5, 6 + SPAN_MS_MAX));
        assert!(!of(i64::MIN, i64::MAX) && !of(0, UTC_MS_MAX + 1));
    }
}
