//! Readings thinned out for plots and tables: least, mean and most of each stretch of time.

use rusqlite::Connection;

use super::error::HistoryError;
use super::read::{self, Query};
use crate::model::quantity::Channel;
use crate::model::time::UtcMs;

/// What a channel did in a stretch of time. Every value counts once, however long it held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The stretch begins here.
    pub from: UtcMs,
    /// How many values it has, at least one.
    pub n: u32,
    /// The least of them.
    pub min: f64,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub max: f64,
}

/// A meter's channel in stretches of `step_ms` from `from` on. A stretch without a value is left out, not filled.
///
/// # Errors
/// As [`read::visit`].
pub fn buckets(
    conn: &Connection,
    meter: &str,
    channel: Channel,
    (from, to): (UtcMs, UtcMs),
    step_ms: i64,
) -> Result<Vec<Bucket>, HistoryError> {
    let step_ms = step_ms.max(1);
    let only = [channel];
    let mut found: Vec<Bucket> = Vec::new();
    read::visit(conn, &Query { meter, from, to, only: Some(&only) }, &mut |point| {
        let start = from.plus(point.time.since(from) / step_ms * step_ms);
        for (_, value) in point.values {
            match found.last_mut().filter(|b| b.from == start) {
                Some(bucket) => bucket.add(*value),
                None => found.push(Bucket { from: start, n: 1, min: *value, mean: *value, max: *value }),
            }
        }
    })?;
    Ok(found)
}

impl Bucket {
    fn add(&mut self, value: f64) {
        self.n += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        // Not a sum divided at the end: that could leave the range of numbers.
        let n = f64::from(self.n);
        self.mean = self.mean * ((n - 1.0) / n) + value / n;
    }
}
