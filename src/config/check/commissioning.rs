//! Points that are being put into service: `commissioning_until = "2026-12-01"`, or `in_commissioning = true`.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::config::problem::{Report, Spot};
use crate::config::typed::site as typed;
use crate::model::site::Commissioning;
use crate::model::time::UtcMs;

/// Whether a point is being put into service, and until when in its site's zone.
pub fn check(typed: &typed::Point, zone: &str, at: &Spot, report: &mut Report) -> Option<Commissioning> {
    let Some(until) = &typed.commissioning_until else {
        if typed.in_commissioning != Some(true) {
            return None;
        }
        let what = "as long as this stands, nobody is told of alerts of this point";
        report.warn(&at.key("in_commissioning"), what, "better a day: commissioning_until = \"2026-12-01\"");
        return Some(Commissioning { until: None });
    };
    let spot = at.key("commissioning_until");
    if typed.in_commissioning.is_some() {
        let what = "in_commissioning stands beside it";
        report.error(&spot, what, "one of the two; with a day it ends by itself");
    }
    let Ok(day) = until.parse::<Date>() else {
        let what = format!("{until:?} is no day");
        report.error(&spot, what, "the first day that counts in full: commissioning_until = \"2026-12-01\"");
        return None;
    };
    // A zone that is none was told already.
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let begin = zone.to_ambiguous_zoned_datetime(day.to_datetime(Time::midnight())).compatible().ok()?;
    Some(Commissioning { until: Some(UtcMs(begin.timestamp().as_millisecond())) })
}
