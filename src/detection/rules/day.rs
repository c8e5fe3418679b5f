//! How a process spent its local day: producing, and producing with treatment off.

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::model::time::{DAY_MS, HOUR_MS, UtcMs};

/// Before so much production the share of a day says nothing. The catalogue sets no floor for R1; this is the one
/// it sets for daily ratios (R5).
const PRODUCTION_MIN_MS: i64 = 2 * HOUR_MS;

/// Times of the local day so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    ends: UtcMs,
    production_ms: i64,
    off_ms: i64,
}

impl Day {
    /// A day that is over: the first stretch begins a new one.
    pub const OVER: Day = Day { ends: UtcMs::MIN, production_ms: 0, off_ms: 0 };

    /// The local day is the one that ends at `ends`.
    pub fn roll(&mut self, ends: UtcMs) {
        if ends != self.ends {
            *self = Day { ends, production_ms: 0, off_ms: 0 };
        }
    }

    /// Adds a stretch of production.
    pub fn add(&mut self, length_ms: i64, off: bool) {
        self.production_ms += length_ms;
        if off {
            self.off_ms += length_ms;
        }
    }

    /// Whether treatment was off for more than half of the day's production.
    #[must_use]
    pub fn mostly_off(&self) -> bool {
        self.production_ms >= PRODUCTION_MIN_MS && self.off_ms * 2 > self.production_ms
    }

    /// If production goes on with treatment off from `t`: when that becomes true, or when it became.
    #[must_use]
    pub fn mostly_off_at(&self, t: UtcMs) -> UtcMs {
        let majority_ms = self.production_ms - 2 * self.off_ms + 1;
        let floor_ms = PRODUCTION_MIN_MS - self.production_ms;
        t.plus(majority_ms.max(floor_ms))
    }
}

/// The first local midnight after `t`; 24 h later where the calendar cannot say.
#[must_use]
pub fn midnight_after(t: UtcMs, zone: &TimeZone) -> UtcMs {
    Timestamp::from_millisecond(t.0)
        .ok()
        .and_then(|t| t.to_zoned_datetime(zone.clone()).tomorrow().ok())
        .and_then(|z| z.start_of_day().ok())
        .map_or(t.plus(DAY_MS), |z| UtcMs(z.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_ends_at_local_midnight() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let ends = midnight_after(UtcMs(1_661_789_400_000), &shanghai); // 2022-08-30 00:10 in Shanghai
        assert_eq!(ends.local(&shanghai), "2022-08-31 00:00:00");
    }
}
