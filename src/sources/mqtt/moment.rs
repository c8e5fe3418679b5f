//! Measuring times in payloads: numbers and ISO texts, with and without zone. Pure.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::model::time::UtcMs;

/// Measured so much after it was received: clock drift is taken up to here, ms. 5 min.
pub const AHEAD_MS_MAX: i64 = 5 * 60_000;

/// No reading is older than the house's first meter could be: 2000-01-01. Below it lie clocks that were never set,
/// and seconds taken for milliseconds.
const EARLIEST: UtcMs = UtcMs(946_684_800_000);

/// Milliseconds since 1970.
#[must_use]
pub fn from_ms(ms: f64) -> Option<UtcMs> {
    // Beyond the float's exact integers no time is meant.
    (ms.abs() < 9e15).then(|| UtcMs(ms.floor() as i64)).and_then(plausible)
}

/// Seconds since 1970, rounded to the millisecond.
#[must_use]
pub fn from_s(s: f64) -> Option<UtcMs> {
    from_ms((s * 1000.0).round())
}

/// A time that a device with a set clock could say.
#[must_use]
pub fn plausible(at: UtcMs) -> Option<UtcMs> {
    (at >= EARLIEST).then_some(at)
}

/// ISO 8601: `2026-11-24T18:05:09+08:00`, or without zone, and then in `zone`; the `T` may be a space.
///
/// A local time that the end of summer time makes twice is the one nearer to `received`; one that its begin leaves out
/// is moved on by the gap, as its clock was late to be set.
#[must_use]
pub fn from_iso(text: &str, zone: Option<&TimeZone>, received: UtcMs) -> Option<UtcMs> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let pieces = PARSER.parse_pieces(text.trim()).ok()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    match pieces.to_numeric_offset() {
        Some(offset) => plausible(ms(offset.to_timestamp(local).ok()?)),
        None => from_local(local, zone?, received),
    }
}

/// A local time of `zone`; as in [`from_iso`] where it comes twice or not at all.
#[must_use]
pub fn from_local(local: DateTime, zone: &TimeZone, received: UtcMs) -> Option<UtcMs> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let at = match ambiguous.offset() {
        AmbiguousOffset::Fold { .. } => {
            let (early, late) = (ambiguous.earlier().ok()?, ambiguous.later().ok()?);
            nearer(ms(early), ms(late), received)
        }
        _ => ms(ambiguous.compatible().ok()?),
    };
    plausible(at)
}

fn ms(at: Timestamp) -> UtcMs {
    UtcMs(at.as_millisecond())
}

fn nearer(a: UtcMs, b: UtcMs, to: UtcMs) -> UtcMs {
    if to.since(a).abs() <= to.since(b).abs() { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str, zone: Option<&str>, received: i64) -> Option<i64> {
        let zone = zone.map(|z| TimeZone::get(z).unwrap());
        from_iso(text, zone.as_ref(), UtcMs(received)).map(|t| t.0)
    }

    #[test]
    fn iso_times_are_read_with_their_own_zone_or_the_given_one() {
        let at = 1_661_789_400_000;
        assert_eq!(iso("2022-08-29T16:10:00Z", None, 0), Some(at));
        assert_eq!(iso("2022-08-30T00:10:00+08:00", Some("Europe/Berlin"), 0), Some(at));
        assert_eq!(iso("2022-08-30 00:10:00.123+0800", None, 0), Some(at + 123));
        assert_eq!(iso("2022-08-30T00:10:00", Some("Asia/Shanghai"), 0), Some(at));
        assert_eq!(iso("2022-08-30 00:10:00", Some("Asia/Shanghai"), 0), Some(at));
        assert_eq!(iso("2022-08-30T00:10:00", None, 0), None, "no zone, no time");
        assert_eq!(iso("2022-08-30", Some("Asia/Shanghai"), 0), None);
        assert_eq!(iso("yesterday", Some("Asia/Shanghai"), 0), None);
        assert_eq!(iso("1970-01-01T08:00:12", Some("Asia/Shanghai"), 0), None, "a clock that was never set");
    }

    #[test]
    fn a_local_time_that_comes_twice_is_the_one_nearer_to_its_receipt() {
        let summer = iso("2023-10-29T02:30:00+02:00", None, 0).unwrap();
        let winter = iso("2023-10-29T02:30:00+01:00", None, 0).unwrap();
        let local = |received| iso("2023-10-29T02:30:00", Some("Europe/Berlin"), received).unwrap();
        assert_eq!(local(summer + 2_000), summer);
        assert_eq!(local(winter + 2_000), winter);
    }

    #[test]
    fn a_local_time_that_does_not_exist_is_moved_on_by_the_gap() {
        let local = iso("2023-03-26T02:30:00", Some("Europe/Berlin"), 0).unwrap();
        assert_eq!(local, iso("2023-03-26T03:30:00+02:00", None, 0).unwrap());
    }

    #[test]
    fn numbers_are_taken_where_a_set_clock_could_say_them() {
        assert_eq!(from_ms(1_661_789_400_123.9), Some(UtcMs(1_661_789_400_123)));
        assert_eq!(from_s(1_661_789_400.12), Some(UtcMs(1_661_789_400_120)));
        assert_eq!(from_ms(1_661_789_400.0), None, "seconds taken for milliseconds");
        for odd in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300] {
            assert_eq!(from_ms(odd), None, "{odd}");
        }
    }
}
