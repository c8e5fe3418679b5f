//! The local day of a process: where it ends, what of it is night, what of it is declared working time.
//!
//! Looked up only where it changes, a few times a day. Hours that a change of the zone's clocks leaves out begin when the
//! clocks have gone on; of hours that come twice the first counts.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::scene::Piece;
use crate::model::time::{DAY_MS, UtcMs};
use crate::model::working_time::WorkingTime;

/// What is looked up.
#[derive(Clone, Copy)]
pub struct Hours<'a> {
    /// The site's zone.
    pub zone: &'a TimeZone,
    /// Begin and end of the night, ms after local midnight; the same where there is none.
    pub night: (i64, i64),
    /// Declared working time.
    pub working: Option<&'a WorkingTime>,
}

/// The stretch of the calendar that was looked up last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    day: (UtcMs, UtcMs),
    until: UtcMs,
    is_night: bool,
    is_working: Option<bool>,
}

impl Calendar {
    /// Nothing was looked up yet, or what was holds no longer.
    pub const BLANK: Calendar =
        Calendar { day: (UtcMs::MIN, UtcMs::MIN), until: UtcMs::MIN, is_night: false, is_working: None };

    /// Hours may be others now: they are looked up anew for what comes.
    pub fn expire(&mut self) {
        self.until = UtcMs::MIN;
    }

    /// Begin and end of the local day.
    #[must_use]
    pub fn day(&self) -> (UtcMs, UtcMs) {
        self.day
    }

    /// Up to when the stretch looked up last goes; before every time where none was.
    #[must_use]
    pub fn until(&self) -> UtcMs {
        self.until
    }

    /// Whether the stretch looked up last lies outside working time that was declared.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.is_working == Some(false)
    }

    /// What lies before `to` of the stretch that `from` is in; `hours` is asked where a new one begins.
    pub fn piece<'a>(&mut self, from: UtcMs, to: UtcMs, hours: impl FnOnce() -> Hours<'a>) -> Piece {
        if from >= self.until {
            *self = Calendar::at(from, &hours());
        }
        let to = to.min(self.until);
        Piece { from, to, day_ends: self.day.1, is_night: self.is_night, is_working: self.is_working }
    }

    fn at(t: UtcMs, hours: &Hours<'_>) -> Calendar {
        let zone = hours.zone;
        let Ok(stamp) = Timestamp::from_millisecond(t.0) else {
            // Where the calendar cannot say, days are 24 h.
            let ends = t.plus(DAY_MS);
            return Calendar { day: (t, ends), until: ends, is_night: false, is_working: None };
        };
        let today = stamp.to_zoned_datetime(zone.clone()).date();
        let day = (moment(today, 0, zone), moment(today, DAY_MS, zone));
        let (is_night, night_until) = in_any(t, day.1, spells(today, |_| Some(hours.night), zone));
        let mut until = night_until;
        let is_working = hours.working.map(|working| {
            let mut is_working = false;
            for shift in &working.shifts {
                let on = |date: Date| {
                    let weekday = u8::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
                    shift.begins_on(weekday).then_some((i64::from(shift.from_ms), i64::from(shift.to_ms)))
                };
                let (is_in, shift_until) = in_any(t, day.1, spells(today, on, zone));
                is_working |= is_in;
                until = until.min(shift_until);
            }
            is_working
        });
        Calendar { day, until, is_night, is_working }
    }
}

/// Begin and end of what `hours_on` tells of yesterday and today, which may go on into the next day.
fn spells(
    today: Date,
    hours_on: impl Fn(Date) -> Option<(i64, i64)>,
    zone: &TimeZone,
) -> impl Iterator<Item = (UtcMs, UtcMs)> {
    [today.saturating_sub(1.day()), today].into_iter().filter_map(move |date| {
        let (from_ms, to_ms) = hours_on(date).filter(|(from, to)| from != to)?;
        let over_midnight_ms = if to_ms < from_ms { DAY_MS } else { 0 };
        Some((moment(date, from_ms, zone), moment(date, to_ms + over_midnight_ms, zone)))
    })
}

/// Whether `t` lies in one of the spells, and up to when, at most `ends`, that is so.
fn in_any(t: UtcMs, ends: UtcMs, spells: impl Iterator<Item = (UtcMs, UtcMs)>) -> (bool, UtcMs) {
    let (mut is_in, mut until) = (false, ends);
    for (from, to) in spells {
        is_in |= from <= t && t < to;
        for bound in [from, to] {
            if bound > t {
                until = until.min(bound);
            }
        }
    }
    (is_in, until)
}

/// The moment at which the clocks of the zone show so many ms after the midnight that begins `date`.
fn moment(date: Date, ms: i64, zone: &TimeZone) -> UtcMs {
    let date = date.saturating_add((ms / DAY_MS).days());
    let wall = date.to_datetime(jiff::civil::Time::midnight()).saturating_add((ms % DAY_MS).milliseconds());
    zone.to_ambiguous_zoned_datetime(wall)
        .compatible()
        .map_or(UtcMs(i64::MAX / 4), |z| UtcMs(z.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{HOUR_MS, MINUTE_MS};
    use crate::model::working_time::Shift;

    fn utc(text: &str) -> UtcMs {
        UtcMs(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    const NIGHT: (i64, i64) = (22 * HOUR_MS, 6 * HOUR_MS);

    /// Begin, is it night, is it working time, of every stretch from `from` to `to`; begins as the clocks of the zone show.
    fn stretches(
        zone: &str,
        from: &str,
        to: &str,
        working: Option<&WorkingTime>,
    ) -> Vec<(String, bool, bool)> {
        let zone = TimeZone::get(zone).unwrap();
        let hours = || Hours { zone: &zone, night: NIGHT, working };
        let (mut calendar, mut t, mut out) = (Calendar::BLANK, utc(from), Vec::new());
        while t < utc(to) {
            let piece = calendar.piece(t, utc(to), hours);
            out.push((t.local(&zone)[5..16].to_owned(), piece.is_night, piece.is_working == Some(true)));
            t = piece.to;
        }
        out
    }

    fn words(stretches: &[(String, bool, bool)]) -> Vec<(&str, bool, bool)> {
        stretches.iter().map(|(at, night, working)| (&**at, *night, *working)).collect()
    }

    #[test]
    fn the_day_the_night_and_working_time_are_those_of_the_zone() {
        // 2022-08-26 was a Friday. A shift over midnight belongs to the day on which it begins.
        let (from_ms, to_ms) = (20 * HOUR_MS as u32, 4 * HOUR_MS as u32);
        let working = WorkingTime { shifts: vec![Shift { days: 0b001_0000, from_ms, to_ms }] };
        let found =
            stretches("Asia/Shanghai", "2022-08-26T04:00:00Z", "2022-08-27T15:00:00Z", Some(&working));
        assert_eq!(
            words(&found),
            [
                ("08-26 12:00", false, false),
                ("08-26 20:00", false, true),
                ("08-26 22:00", true, true),
                ("08-27 00:00", true, true),
                ("08-27 04:00", true, false),
                ("08-27 06:00", false, false),
                ("08-27 22:00", true, false),
            ]
        );
    }

    #[test]
    fn a_day_on_which_clocks_change_has_its_own_length() {
        // Clocks in Berlin go from 02:00 to 03:00 on 2024-03-31, and from 03:00 to 02:00 on 2024-10-27.
        for (from, to, hours) in [
            ("2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z", 23),
            ("2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z", 25),
        ] {
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let mut calendar = Calendar::BLANK;
            calendar.piece(utc(from), utc(to), || Hours { zone: &zone, night: NIGHT, working: None });
            assert_eq!(calendar.day(), (utc(from), utc(to)));
            assert_eq!(utc(to).since(utc(from)), hours * HOUR_MS);
            let found = stretches("Europe/Berlin", from, to, None);
            let nights: Vec<_> = found.iter().map(|(_, night, _)| *night).collect();
            assert_eq!(nights, [true, false, true], "{found:?}");
        }
    }

    #[test]
    fn where_it_is_asked_changes_nothing() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let shifts = vec![Shift { days: 0b111_1111, from_ms: 9_000_000, to_ms: 61_000_000 }];
        let working = WorkingTime { shifts };
        // From half past two to six at night: half past two comes twice on the day the clocks go back.
        let night = (2 * HOUR_MS + 30 * MINUTE_MS, 6 * HOUR_MS);
        let hours = || Hours { zone: &zone, night, working: Some(&working) };
        let (from, to) = (utc("2024-10-26T20:00:00Z"), utc("2024-10-28T20:00:00Z"));
        let mut known = Calendar::BLANK;
        let mut t = from;
        while t < to {
            let mut blank = Calendar::BLANK;
            let fresh = blank.piece(t, to, hours);
            let piece = known.piece(t, t.plus(7 * MINUTE_MS), hours);
            assert_eq!((piece.is_night, piece.is_working), (fresh.is_night, fresh.is_working), "{t}");
            t = piece.to;
        }
    }

    #[test]
    fn where_night_ends_when_it_begins_there_is_none() {
        let zone = TimeZone::UTC;
        let hours = || Hours { zone: &zone, night: (0, 0), working: None };
        let (from, to) = (utc("2024-01-01T00:00:00Z"), utc("2024-01-02T00:00:00Z"));
        let mut blank = Calendar::BLANK;
        let piece = blank.piece(from, to.plus(1), hours);
        assert_eq!((piece.to, piece.is_night, piece.is_working), (to, false, None));
    }
}
