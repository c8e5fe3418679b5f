//! The step from one reading of a meter to its next: what the rules about meters look at.

use super::register::Move;
use crate::detection::observe::Observation;
use crate::model::time::UtcMs;

/// From the reading before to this one.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Index of the point.
    pub point: u16,
    /// The reading before.
    pub was: UtcMs,
    /// Its power, W.
    pub was_w: Option<f64>,
    /// This one.
    pub now: &'a Observation,
    /// Time between, ms; long after a silence.
    pub dt_ms: i64,
    /// Whether the time between is known, that is no silence.
    pub is_known: bool,
    /// The register before, when it was read, and what became of it.
    pub moved: Option<(f64, UtcMs, Move)>,
    /// Step of the register, kWh.
    pub step_kwh: f64,
}
