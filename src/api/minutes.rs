//! Minutes of power from history, as learning takes them.

use rusqlite::Connection;

use crate::history::HistoryError;
use crate::history::read::{self, Query};
use crate::learning::minute::Minute;
use crate::model::meter::Meter;
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::reading::{Quality, power_of};
use crate::model::registry::Registry;
use crate::model::site::Site;
use crate::model::time::{MINUTE_MS, UtcMs};

/// What is read of a meter: its power, whole or by phases, and its power factor.
const CHANNELS: [Channel; 5] = [
    Channel::POWER,
    Channel::of(Quantity::ActivePower, Phase::L1),
    Channel::of(Quantity::ActivePower, Phase::L2),
    Channel::of(Quantity::ActivePower, Phase::L3),
    Channel::of(Quantity::PowerFactor, Phase::Total),
];

/// Sums of a minute on the way.
#[derive(Default)]
struct Sum {
    at: i64,
    power_w: f64,
    n: u32,
    factor: f64,
    n_factors: u32,
}

impl Sum {
    fn mean(&self, lasts: u16) -> Option<Minute> {
        #[expect(clippy::cast_possible_truncation, reason = "no meter is more exact than an f32")]
        let factor = (self.n_factors > 0).then(|| (self.factor / f64::from(self.n_factors)).abs() as f32);
        (self.n > 0).then(|| Minute {
            at: self.at,
            lasts,
            power_w: self.power_w / f64::from(self.n),
            power_factor: factor,
        })
    }
}

/// The minutes of a meter in `from..to`: means over a minute, or over its period where that is longer. What a device itself
/// doubts is left out; a minute of which nothing was read is absent.
///
/// # Errors
/// History cannot be read.
pub fn of_meter(
    conn: &Connection,
    meter: &Meter,
    (from, to): (UtcMs, UtcMs),
) -> Result<Vec<Minute>, HistoryError> {
    let period = (i64::from(meter.period_ms) + MINUTE_MS / 2) / MINUTE_MS;
    let lasts = u16::try_from(period.max(1)).unwrap_or(u16::MAX);
    let mut minutes = Vec::new();
    let mut sum = Sum::default();
    let query = Query { only: Some(&CHANNELS), ..Query::new(&meter.id, from, to) };
    read::visit(conn, &query, &mut |reading| {
        let Some(power_w) = power_of(reading.values).filter(|_| is_sound(reading.quality)) else { return };
        let at = reading.time.0.div_euclid(MINUTE_MS * i64::from(lasts)) * i64::from(lasts);
        if at != sum.at {
            minutes.extend(sum.mean(lasts));
            sum = Sum { at, ..Sum::default() };
        }
        (sum.power_w, sum.n) = (sum.power_w + power_w, sum.n + 1);
        let factor = Channel::of(Quantity::PowerFactor, Phase::Total);
        for (_, value) in reading.values.iter().filter(|(channel, _)| *channel == factor) {
            (sum.factor, sum.n_factors) = (sum.factor + value, sum.n_factors + 1);
        }
    })?;
    minutes.extend(sum.mean(lasts));
    Ok(minutes)
}

/// The minutes of every point of a site, in the order of its points.
///
/// # Errors
/// History cannot be read.
pub fn of_site(
    conn: &Connection,
    registry: &Registry,
    site: &Site,
    span: (UtcMs, UtcMs),
) -> Result<Vec<Vec<Minute>>, HistoryError> {
    let meter = |index: u32| registry.meters.get(index as usize);
    let of_point = |m: Option<&Meter>| m.map_or(Ok(Vec::new()), |meter| of_meter(conn, meter, span));
    site.points.iter().map(|point| of_point(meter(point.meter))).collect()
}

fn is_sound(quality: Quality) -> bool {
    let undated = quality.has(Quality::RETAINED) && quality.has(Quality::RECEIVE_TIME);
    !quality.has(Quality::DOUBTFUL) && !undated
}
