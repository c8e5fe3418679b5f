//! Moments as people type them: `2026-11-24 12:00` in the site's zone, RFC 3339, `2h` for two hours ago, `now`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::model::time::UtcMs;

/// The moment `text` names, seen from `now`, in `zone` where the text has none.
///
/// # Errors
/// It names none.
pub fn parse(text: &str, now: UtcMs, zone: &TimeZone) -> anyhow::Result<UtcMs> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(UtcMs(moment.as_millisecond()));
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return Ok(UtcMs(local.to_zoned_datetime(zone.clone())?.timestamp().as_millisecond()));
    }
    let ago = text.trim_start_matches('-').trim_end_matches("ago").trim();
    if let Ok(span) = ago.parse::<Span>() {
        let at = Timestamp::from_millisecond(now.0)?.to_zoned_datetime(zone.clone()).checked_sub(span)?;
        return Ok(UtcMs(at.timestamp().as_millisecond()));
    }
    anyhow::bail!(
        "{text:?} is no moment; write 2026-11-24, \"2026-11-24 12:00\", 2026-11-24T12:00:00Z, 90min or 7d (ago), or now"
    )
}

/// The same of a moment to come: `90d` is in ninety days.
///
/// # Errors
/// It names none, or one too far away.
pub fn parse_ahead(text: &str, now: UtcMs, zone: &TimeZone) -> anyhow::Result<UtcMs> {
    match text.trim().parse::<Span>() {
        Ok(span) => {
            let at = Timestamp::from_millisecond(now.0)?.to_zoned_datetime(zone.clone()).checked_add(span)?;
            Ok(UtcMs(at.timestamp().as_millisecond()))
        }
        Err(_) => parse(text, now, zone),
    }
}

/// A length as people say it: `1 h 5 min`, `45 s`.
#[must_use]
pub fn length(ms: i64) -> String {
    let total_s = SignedDuration::from_millis(ms).as_secs();
    let (hours, minutes, seconds) = (total_s / 3_600, total_s / 60 % 60, total_s % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) if seconds == 0 || minutes >= 10 => format!("{minutes} min"),
        (0, _) => format!("{minutes} min {seconds} s"),
        (_, 0) => format!("{hours} h"),
        _ => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_understood_in_the_sites_zone_and_from_now() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let now = UtcMs(1_661_789_400_000); // 2022-08-30 00:10 in Shanghai
        let local = |text: &str| parse(text, now, &zone).unwrap().local(&zone);
        assert_eq!(local("2022-08-30 00:05"), "2022-08-30 00:05:00");
        assert_eq!(local("2022-08-29"), "2022-08-29 00:00:00");
        assert_eq!(local("2022-08-29T16:00:00Z"), "2022-08-30 00:00:00");
        assert_eq!(local("90min"), "2022-08-29 22:40:00");
        assert_eq!(local("1d ago"), "2022-08-29 00:10:00");
        assert_eq!(local("now"), "2022-08-30 00:10:00");
        let ahead = |text: &str| parse_ahead(text, now, &zone).unwrap().local(&zone);
        assert_eq!(
            (ahead("30d"), ahead("2023-01-01")),
            ("2022-09-29 00:10:00".into(), "2023-01-01 00:00:00".into())
        );
        assert!(parse("yesterday", now, &zone).unwrap_err().to_string().contains("is no moment"));
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        let said = [45_000, 300_000, 330_000, 3_600_000, 3_900_000].map(length);
        assert_eq!(said, ["45 s", "5 min", "5 min 30 s", "1 h", "1 h 5 min"]);
    }
}
