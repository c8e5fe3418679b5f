//! Quiet hours: times of day, in the site's zone, at which some levels are not told.

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::config::receivers::Quiet;
use crate::model::rule::Level;
use crate::model::time::{HOUR_MS, MINUTE_MS, UtcMs};

/// More windows than this do not follow on each other.
const N_CHAINED_MAX: usize = 8;

/// The first moment from `at` on at which a level may be told.
#[must_use]
pub fn after_quiet(quiet: &[Quiet], level: Level, zone: &TimeZone, at: UtcMs) -> UtcMs {
    let mut at = at;
    for _ in 0..N_CHAINED_MAX {
        let own = quiet.iter().filter(|q| q.levels.contains(&level));
        match own.filter_map(|q| end_of(q, zone, at)).max() {
            Some(end) => at = end,
            None => break,
        }
    }
    at
}

/// Whether a level is not told then.
#[must_use]
pub fn is_quiet(quiet: &[Quiet], level: Level, zone: &TimeZone, at: UtcMs) -> bool {
    quiet.iter().any(|q| q.levels.contains(&level) && end_of(q, zone, at).is_some())
}

/// When the quiet time ends that `at` lies in.
fn end_of(quiet: &Quiet, zone: &TimeZone, at: UtcMs) -> Option<UtcMs> {
    let local = Timestamp::from_millisecond(at.0).ok()?.to_zoned_datetime(zone.clone());
    let minute_ms = i64::from(local.hour()) * HOUR_MS + i64::from(local.minute()) * MINUTE_MS;
    let of_day_ms = minute_ms + i64::from(local.second()) * 1_000 + i64::from(local.millisecond());
    let (from, to) = (quiet.from_ms, quiet.to_ms);
    let (is_within, is_tomorrow) = if from < to {
        (of_day_ms >= from && of_day_ms < to, false)
    } else {
        (of_day_ms >= from || of_day_ms < to, of_day_ms >= from)
    };
    if !is_within {
        return None;
    }
    let date = if is_tomorrow { local.date().checked_add(1.day()).ok()? } else { local.date() };
    let time = Time::midnight().wrapping_add(to.milliseconds());
    let end =
        UtcMs(date.to_datetime(time).to_zoned_datetime(zone.clone()).ok()?.timestamp().as_millisecond());
    // Where the clocks are set back the same time of day comes twice.
    Some(if end > at { end } else { at.plus(MINUTE_MS) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL_DAY: i64 = 24 * HOUR_MS;

    fn night() -> Quiet {
        Quiet { levels: vec![Level::Warning], from_ms: 22 * HOUR_MS, to_ms: 7 * HOUR_MS }
    }

    #[test]
    fn the_night_is_over_at_seven_in_the_sites_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        // 2026-11-24 23:30 in Shanghai.
        let at = UtcMs("2026-11-24T15:30:00Z".parse::<Timestamp>().unwrap().as_millisecond());
        let end = after_quiet(&[night()], Level::Warning, &zone, at);
        assert_eq!(end.local(&zone), "2026-11-25 07:00:00");
        assert_eq!(after_quiet(&[night()], Level::Critical, &zone, at), at);
        assert!(!is_quiet(&[night()], Level::Warning, &zone, end));
        assert!(is_quiet(&[night()], Level::Warning, &zone, end.plus(-1)));
        assert!(
            !is_quiet(&[night()], Level::Warning, &TimeZone::UTC, at),
            "half past three in the afternoon"
        );
        let morning = Quiet { levels: vec![Level::Warning], from_ms: 6 * HOUR_MS, to_ms: 9 * HOUR_MS };
        let end = after_quiet(&[morning, night()], Level::Warning, &zone, at);
        assert_eq!(end.local(&zone), "2026-11-25 09:00:00", "one follows on the other");
    }

    proptest! {
        #[test]
        fn what_is_put_off_is_put_off_to_the_first_moment_that_is_not_quiet(
            from in 0_i64..ALL_DAY / MINUTE_MS, to in 0_i64..ALL_DAY / MINUTE_MS, at in 1_700_000_000_000_i64..1_900_000_000_000,
        ) {
            prop_assume!(from != to);
            let quiet = [Quiet { levels: vec![Level::Alarm], from_ms: from * MINUTE_MS, to_ms: to * MINUTE_MS }];
            let zone = TimeZone::get("Asia/Shanghai").unwrap();
            let (at, end) = (UtcMs(at), after_quiet(&quiet, Level::Alarm, &zone, UtcMs(at)));
            prop_assert!(end >= at && end.since(at) <= ALL_DAY + HOUR_MS);
            prop_assert!(!is_quiet(&quiet, Level::Alarm, &zone, end));
            prop_assert_eq!(end == at, !is_quiet(&quiet, Level::Alarm, &zone, at));
            if end > at {
                prop_assert!(is_quiet(&quiet, Level::Alarm, &zone, end.plus(-1)));
            }
            // With summer time it ends, too.
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let end = after_quiet(&quiet, Level::Alarm, &zone, at);
            prop_assert!(end >= at && end.since(at) <= ALL_DAY + 2 * HOUR_MS);
            prop_assert!(!is_quiet(&quiet, Level::Alarm, &zone, end));
        }
    }
}
