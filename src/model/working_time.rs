//! When a plant says that it works.

use serde::{Deserialize, Serialize};

/// A stretch of the local day on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Days on which it begins: bit 0 is Monday, bit 6 Sunday.
    pub days: u8,
    /// Begin, ms after local midnight.
    pub from_ms: u32,
    /// End, ms after local midnight; not after the begin where it lies on the next day.
    pub to_ms: u32,
}

impl Shift {
    /// Whether it begins on that day of the week, 0 being Monday.
    #[must_use]
    pub const fn begins_on(&self, weekday: u8) -> bool {
        self.days >> weekday & 1 == 1
    }
}

/// Declared working time. Outside of all its shifts nothing should be produced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingTime {
    /// At least one.
    pub shifts: Vec<Shift>,
}
