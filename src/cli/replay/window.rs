//! Which time is wanted of a recording, and which of its readings must be seen for it. Pure.

use jiff::tz::TimeZone;

use crate::alerts::compare::Span;
use crate::cli::failure::hinted;
use crate::engine::replay::Heard;
use crate::model::registry::Registry;
use crate::model::time::{DAY_MS, HOUR_MS, UtcMs};
use crate::wording::when;

/// So much before the wanted time is read along, ms: no rule looks back further than a local day, and what went on at the
/// begin is to be seen to begin.
const BEFORE_MS: i64 = 2 * DAY_MS;

/// So much after the wanted time is read along, ms: a state is told some minutes after it began, and so is an alert.
const AFTER_MS: i64 = HOUR_MS;

/// What was asked for; `None` where a recording is taken from its begin, or to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Window {
    /// From this moment on.
    pub from: Option<UtcMs>,
    /// Up to, not with, this moment.
    pub to: Option<UtcMs>,
}

impl Window {
    /// What was typed, in the one zone that sites have in common where a moment has none of its own.
    ///
    /// # Errors
    /// A text is no moment, or may be several, or the end is not after the begin.
    pub fn parse(
        (from, to): (Option<&str>, Option<&str>),
        now: UtcMs,
        zones: &[TimeZone],
    ) -> anyhow::Result<Window> {
        let moment = |text: Option<&str>| text.map(|text| in_all(text, now, zones)).transpose();
        let window = Window { from: moment(from)?, to: moment(to)? };
        if let (Some(from), Some(to)) = (window.from, window.to) {
            anyhow::ensure!(from < to, "--to must be later than --from: {} is not after {}", to, from);
        }
        Ok(window)
    }

    /// Readings from here on are read.
    #[must_use]
    pub fn reads_from(&self) -> Option<UtcMs> {
        self.from.map(|from| from.plus(-BEFORE_MS))
    }

    /// Readings before this are read.
    #[must_use]
    pub fn reads_to(&self) -> Option<UtcMs> {
        self.to.map(|to| to.plus(AFTER_MS))
    }

    /// Whether a reading of that time is read.
    #[must_use]
    pub fn reads(&self, at: UtcMs) -> bool {
        self.reads_from().is_none_or(|from| at >= from) && self.reads_to().is_none_or(|to| at < to)
    }

    /// The wanted time, within what was heard where it was not said.
    #[must_use]
    pub fn span(&self, heard: Option<Heard>) -> Span {
        let heard = heard.unwrap_or(Heard { first: UtcMs(0), last: UtcMs(0) });
        Span { from: self.from.unwrap_or(heard.first), to: self.to.unwrap_or(heard.last.plus(1)) }
    }
}

/// The zones of the sites, each once; of one site where one is asked for.
#[must_use]
pub fn zones(registry: &Registry, site: Option<&str>) -> Vec<TimeZone> {
    let asked = registry.sites.iter().filter(|s| site.is_none_or(|site| *s.id == *site));
    let mut names: Vec<&str> = asked.map(|s| &*s.time_zone).collect();
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| TimeZone::get(name).unwrap_or(TimeZone::UTC)).collect()
}

fn in_all(text: &str, now: UtcMs, zones: &[TimeZone]) -> anyhow::Result<UtcMs> {
    let first = when::parse(text, now, zones.first().unwrap_or(&TimeZone::UTC))?;
    let last = when::parse(text, now, zones.last().unwrap_or(&TimeZone::fixed(jiff::tz::offset(1))))?;
    for zone in zones {
        if when::parse(text, now, zone)? != first {
            return Err(elsewhere(text, "sites lie in several time zones"));
        }
    }
    if first == last { Ok(first) } else { Err(elsewhere(text, "no site is known whose time it could be")) }
}

fn elsewhere(text: &str, why: &str) -> anyhow::Error {
    let error = anyhow::anyhow!("{text:?} has no time zone, and {why}");
    hinted(error, "write it with its zone, 2026-11-01T00:00+08:00, or name a --site")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(names: &[&str]) -> Vec<TimeZone> {
        names.iter().map(|name| TimeZone::get(name).unwrap()).collect()
    }

    fn parse(from: &str, to: &str, names: &[&str]) -> anyhow::Result<Window> {
        Window::parse((Some(from), Some(to)), UtcMs(1_800_000_000_000), &zones(names))
    }

    #[test]
    fn a_moment_is_meant_in_the_sites_zone_and_refused_where_that_is_not_one() {
        let local = parse("2026-11-01", "2026-11-01T08:00", &["Asia/Shanghai"]).unwrap();
        assert_eq!(local.from.unwrap().iso(), "2026-10-31T16:00:00Z");
        assert_eq!(local.to.unwrap().iso(), "2026-11-01T00:00:00Z");
        let zoned = ("2026-11-01T00:00+08:00", "2026-11-01T08:00+08:00");
        assert_eq!(parse(zoned.0, zoned.1, &[]).unwrap(), local);
        assert_eq!(parse(zoned.0, zoned.1, &["Europe/Zurich", "Asia/Shanghai"]).unwrap(), local);
        for names in [&[][..], &["Europe/Zurich", "Asia/Shanghai"]] {
            assert!(parse("2026-11-01", "2026-11-02", names).is_err(), "{names:?}");
        }
        let order = parse("2026-11-02", "2026-11-01", &["UTC"]).unwrap_err().to_string();
        assert!(order.contains("--to must be later than --from"), "{order}");
    }

    #[test]
    fn two_days_before_and_an_hour_after_are_read_along() {
        let window = Window { from: Some(UtcMs(10 * DAY_MS)), to: Some(UtcMs(11 * DAY_MS)) };
        let edges = [8 * DAY_MS - 1, 8 * DAY_MS, 11 * DAY_MS + HOUR_MS - 1, 11 * DAY_MS + HOUR_MS];
        assert_eq!(edges.map(|at| window.reads(UtcMs(at))), [false, true, true, false]);
        assert!(Window::default().reads(UtcMs::MIN));
        let heard = Some(Heard { first: UtcMs(5), last: UtcMs(9) });
        assert_eq!(Window::default().span(heard), Span { from: UtcMs(5), to: UtcMs(10) });
    }
}
