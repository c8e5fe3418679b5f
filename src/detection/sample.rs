//! Readings of one step (a minute) become one sample: the mean power, the last register.

use super::observe::Observation;
use serde::{Deserialize, Serialize};

use crate::model::{reading::Offset, time::UtcMs};

/// The mean of a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Time of the first reading in the step: an edge is never dated before something was measured.
    pub at: UtcMs,
    /// Time of the last reading in the step: the mean is of what was read up to here.
    pub last: UtcMs,
    /// Mean power, W.
    pub power_w: Option<f64>,
    /// Last register, kWh.
    pub energy_kwh: Option<f64>,
    /// Last message that went in.
    pub offset: Offset,
}

/// The step being filled.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// When its step ends. Kept, not worked out again, as the length of steps may be configured anew while one is open.
    ends: UtcMs,
    first: UtcMs,
    last: UtcMs,
    sum_w: f64,
    n_powers: u32,
    n: u32,
    energy_kwh: Option<f64>,
    offset: Offset,
}

impl Bucket {
    /// Time of the first reading of the open step, if there is an open one.
    #[must_use]
    pub fn open_since(&self) -> Option<UtcMs> {
        (self.n > 0).then_some(self.first)
    }

    /// Adds a reading; readings come in time order. Returns the sample of the step that ends by it.
    /// A second reading of the same time is the same reading and adds nothing.
    pub fn add(&mut self, seen: &Observation, step_ms: i64) -> Option<Sample> {
        let done = self.close(seen.at);
        if self.n == 0 {
            let ends = UtcMs((seen.at.0.div_euclid(step_ms) + 1).saturating_mul(step_ms));
            *self = Bucket { ends, first: seen.at, ..Bucket::default() };
        } else if seen.at == self.last {
            return done;
        }
        self.last = seen.at;
        self.n += 1;
        if let Some(power_w) = seen.power_w {
            self.sum_w += power_w;
            self.n_powers += 1;
        }
        if seen.energy_kwh.is_some() {
            self.energy_kwh = seen.energy_kwh;
        }
        self.offset = seen.offset;
        done
    }

    /// When the open step ends, if there is one.
    #[must_use]
    pub fn closes(&self) -> Option<UtcMs> {
        (self.n > 0).then_some(self.ends)
    }

    /// The sample of the open step, if time has passed its end.
    pub fn close(&mut self, until: UtcMs) -> Option<Sample> {
        if self.n > 0 && until >= self.ends { self.take() } else { None }
    }

    fn take(&mut self) -> Option<Sample> {
        let power_w = (self.n_powers > 0).then(|| self.sum_w / f64::from(self.n_powers));
        let sample = Sample {
            at: self.first,
            last: self.last,
            power_w,
            energy_kwh: self.energy_kwh,
            offset: self.offset,
        };
        self.n = 0;
        Some(sample)
    }
}
