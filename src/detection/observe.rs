//! A reading as detection sees it: what is judged, and nothing else, in few bytes. Many of them wait in memory.

use serde::{Deserialize, Serialize};

use crate::model::quantity::Channel;
use crate::model::reading::{Offset, power_of};
use crate::model::time::UtcMs;

/// A reading as detection sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Index into the site's points.
    pub point: u16,
    /// Measuring time.
    pub at: UtcMs,
    /// Total active power, W.
    pub power_w: Option<f64>,
    /// Import register, kWh.
    pub energy_kwh: Option<f64>,
    /// The message it came in.
    pub offset: Offset,
}

impl Observation {
    /// What is judged of a reading's values. The same from the message as from history, whatever the order of the values.
    #[must_use]
    pub fn of(point: u16, at: UtcMs, offset: Offset, values: &[(Channel, f64)]) -> Observation {
        let energy = values.iter().find(|(c, _)| *c == Channel::ENERGY).map(|(_, v)| *v);
        Observation { point, at, power_w: power_of(values), energy_kwh: energy, offset }
    }
}
