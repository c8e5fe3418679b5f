//! Where ticks stand: on times a person of the zone calls round, and on round powers.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use crate::alerts::compare::Span;
use crate::model::time::{DAY_MS, MINUTE_MS, UtcMs};

/// A tick of the time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Its moment.
    pub at: UtcMs,
    /// Time of day `18:00`; empty where only days are told.
    pub time: String,
    /// The local date, where a day begins.
    pub date: Option<String>,
}

/// Between two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Minutes, counted from local midnight.
    Minutes(i16),
    /// Days; whole weeks begin on Monday.
    Days(i32),
    /// Months, counted from January.
    Months(i8),
}

/// Steps and their shortest length, the finest first.
const STEPS: &[(Step, i64)] = &[
    (Step::Minutes(1), MINUTE_MS),
    (Step::Minutes(2), 2 * MINUTE_MS),
    (Step::Minutes(5), 5 * MINUTE_MS),
    (Step::Minutes(10), 10 * MINUTE_MS),
    (Step::Minutes(15), 15 * MINUTE_MS),
    (Step::Minutes(30), 30 * MINUTE_MS),
    (Step::Minutes(60), 60 * MINUTE_MS),
    (Step::Minutes(120), 120 * MINUTE_MS),
    (Step::Minutes(180), 180 * MINUTE_MS),
    (Step::Minutes(360), 360 * MINUTE_MS),
    (Step::Minutes(720), 720 * MINUTE_MS),
    (Step::Days(1), DAY_MS),
    (Step::Days(2), 2 * DAY_MS),
    (Step::Days(7), 7 * DAY_MS),
    (Step::Days(14), 14 * DAY_MS),
    (Step::Months(1), 28 * DAY_MS),
    (Step::Months(3), 90 * DAY_MS),
    (Step::Months(12), 365 * DAY_MS),
];

/// Longest time that gets ticks: a lifetime of a plant.
const N_DAYS_MAX: usize = 366 * 50;

/// The ticks of a span, at most about `n_max`.
#[must_use]
pub fn times(span: Span, zone: &TimeZone, n_max: u32) -> Vec<Tick> {
    let length_ms = span.to.since(span.from);
    let fits = |(_, ms): &&(Step, i64)| length_ms / ms <= i64::from(n_max);
    let step = STEPS.iter().find(fits).map_or(Step::Months(12), |(step, _)| *step);
    let Ok(from) = Timestamp::from_millisecond(span.from.0) else { return Vec::new() };
    let mut ticks: Vec<Tick> = Vec::new();
    let mut day = Some(from.to_zoned_datetime(zone.clone()).date());
    for _ in 0..N_DAYS_MAX {
        let Some(date) = day else { break };
        match of_day(date, step, span, zone, &mut ticks) {
            Some(begin) if begin < span.to => day = date.tomorrow().ok(),
            _ => break,
        }
    }
    ticks
}

/// Adds the ticks of a local day; says when the day begins.
fn of_day(date: Date, step: Step, span: Span, zone: &TimeZone, ticks: &mut Vec<Tick>) -> Option<UtcMs> {
    let minutes = match step {
        Step::Minutes(minutes) => minutes,
        Step::Days(_) | Step::Months(_) => 24 * 60,
    };
    let begin = moment(date.at(0, 0, 0, 0), zone)?;
    if !begins_step(date, step) {
        return Some(begin);
    }
    for minute in (0..24 * 60).step_by(usize::try_from(minutes).unwrap_or(24 * 60)) {
        let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
        let at = moment(date.at(hour, minute, 0, 0), zone)?;
        // An hour that the clock leaves out has no tick of its own.
        let is_new = ticks.last().is_none_or(|last| last.at < at);
        if at < span.from || at >= span.to || !is_new {
            continue;
        }
        let time = if minutes < 24 * 60 { format!("{hour:02}:{minute:02}") } else { String::new() };
        ticks.push(Tick { at, time, date: ((hour, minute) == (0, 0)).then(|| date.to_string()) });
    }
    Some(begin)
}

fn begins_step(date: Date, step: Step) -> bool {
    let monday = Date::new(1970, 1, 5).unwrap_or(date);
    match step {
        Step::Minutes(_) => true,
        Step::Days(n) if n % 7 == 0 => {
            date.weekday() == Weekday::Monday && days_since(monday, date).rem_euclid(i64::from(n)) == 0
        }
        Step::Days(n) => days_since(monday, date).rem_euclid(i64::from(n)) == 0,
        Step::Months(n) => date.day() == 1 && (date.month() - 1) % n == 0,
    }
}

fn days_since(earlier: Date, date: Date) -> i64 {
    let midnight = |date: Date| {
        let utc = date.at(0, 0, 0, 0).to_zoned_datetime(TimeZone::UTC);
        utc.map_or(0, |z| z.timestamp().as_millisecond())
    };
    (midnight(date) - midnight(earlier)).div_euclid(DAY_MS)
}

fn moment(local: DateTime, zone: &TimeZone) -> Option<UtcMs> {
    let at = local.to_zoned_datetime(zone.clone()).ok()?;
    Some(UtcMs(at.timestamp().as_millisecond()))
}

/// Round values from `low` to `high`, both within, at most five.
#[must_use]
pub fn powers(low: f64, high: f64) -> Vec<f64> {
    let wanted = (high - low) / 4.0;
    if !(wanted.is_finite() && wanted > 0.0) {
        return vec![low];
    }
    let decade = 10_f64.powf(wanted.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|n| n * decade).find(|step| *step >= wanted);
    let step = step.unwrap_or(10.0 * decade);
    let first = (low / step).ceil();
    (0..8).map(|i| (first + f64::from(i)) * step).take_while(|value| *value <= high + step * 1e-9).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, to: &str) -> Span {
        let at = |text: &str| UtcMs(text.parse::<Timestamp>().unwrap().as_millisecond());
        Span { from: at(from), to: at(to) }
    }

    fn said(span: Span, zone: &str, n_max: u32) -> Vec<String> {
        let ticks = times(span, &TimeZone::get(zone).unwrap(), n_max);
        ticks.iter().map(|t| format!("{} {}", t.time, t.date.as_deref().unwrap_or("-"))).collect()
    }

    #[test]
    fn ticks_stand_on_round_local_times_and_days_tell_their_date() {
        let day = span("2026-11-23T22:30:00Z", "2026-11-24T10:30:00Z");
        assert_eq!(
            said(day, "Asia/Shanghai", 5),
            ["09:00 -", "12:00 -", "15:00 -", "18:00 -"],
            "06:30 to 18:30 in Shanghai"
        );
        let night = span("2026-11-24T14:00:00Z", "2026-11-24T17:00:00Z");
        assert_eq!(said(night, "Asia/Shanghai", 4), ["22:00 -", "23:00 -", "00:00 2026-11-25"]);
        let month = span("2026-10-31T16:00:00Z", "2026-11-30T16:00:00Z");
        let mondays = ["2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23", "2026-11-30"];
        assert_eq!(said(month, "Asia/Shanghai", 6), mondays.map(|d| format!(" {d}")));
        let years = span("2024-06-01T00:00:00Z", "2026-06-01T00:00:00Z");
        assert_eq!(said(years, "UTC", 3), [" 2025-01-01", " 2026-01-01"]);
    }

    #[test]
    fn a_clock_that_is_set_does_not_move_the_ticks_of_the_day() {
        let forward = said(span("2023-03-25T23:00:00Z", "2023-03-26T05:00:00Z"), "Europe/Zurich", 8);
        assert_eq!(forward, ["00:00 2023-03-26", "01:00 -", "02:00 -", "04:00 -", "05:00 -", "06:00 -"]);
        let back = said(span("2023-10-28T22:00:00Z", "2023-10-29T22:00:00Z"), "Europe/Zurich", 4);
        assert_eq!(back, ["00:00 2023-10-29", "06:00 -", "12:00 -", "18:00 -"]);
    }

    #[test]
    fn powers_are_round() {
        assert_eq!(powers(0.0, 48.6), [0.0, 20.0, 40.0]);
        assert_eq!(powers(-2.0, 10.0), [0.0, 5.0, 10.0]);
        assert_eq!(powers(0.0, 0.0), [0.0]);
        assert_eq!(powers(0.0, 4.0), [0.0, 1.0, 2.0, 3.0, 4.0]);
    }
}
