//! Time as the house keeps it: UTC milliseconds since 1970, shown in the site's own zone.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// One second, minute, hour and day in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day of 24 hours.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// The earliest moment there is: before every reading.
    pub const MIN: UtcMs = UtcMs(i64::MIN / 4);

    /// This moment moved by `ms`.
    #[must_use]
    pub fn plus(self, ms: i64) -> UtcMs {
        UtcMs(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: UtcMs) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As ISO 8601 in UTC, for JSON and logs.
    #[must_use]
    pub fn iso(self) -> String {
        Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |t| t.to_string())
    }

    /// As a person of that zone writes it: `2026-11-24 18:05:09`.
    #[must_use]
    pub fn local(self, zone: &TimeZone) -> String {
        Timestamp::from_millisecond(self.0).map_or_else(
            |_| self.0.to_string(),
            |t| t.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        )
    }
}

impl fmt::Display for UtcMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

/// Where "now" comes from: the system clock in the daemon, a hand-set one in tests.
///
/// Only the edges (sources, the tick task, the command line) hold one; what judges takes time as an input.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands until it is set.
    Manual(std::sync::Arc<std::sync::atomic::AtomicI64>),
}

impl Clock {
    /// The present moment by this clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> UtcMs {
        match self {
            Clock::System => UtcMs(Timestamp::now().as_millisecond()),
            Clock::Manual(ms) => UtcMs(ms.load(std::sync::atomic::Ordering::Acquire)),
        }
    }
}
