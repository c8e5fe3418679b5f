//! Readings of a unit, as many as a picture has room for.
#![expect(unused_qualifications, reason = "the macro that describes a route writes them")]

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::sites::plant;
use super::take::{Json, Query};
use super::window;
use crate::api::caller::Caller;
use crate::api::context::{Shared, ask};
use crate::api::problem::Problem;
use crate::model::time::UtcMs;

/// Pieces in one answer, at most.
const WIDTH_MAX: u32 = 4_000;
const WIDTH: u32 = 800;

/// Which readings are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReadingsQuery {
    /// Site id.
    pub site: String,
    /// Point id.
    pub point: String,
    /// Channel, as readings name it; the active power of all phases if it is not said.
    pub channel: Option<String>,
    /// From, UTC ms.
    #[param(value_type = i64, minimum = 0, maximum = 7258118400000_i64)]
    pub from: UtcMs,
    /// Up to, not with, UTC ms.
    #[param(value_type = i64, minimum = 0, maximum = 7258118400000_i64)]
    pub to: UtcMs,
    /// In how many pieces the span is cut, 1 to 4000; 800 if it is not said.
    #[param(minimum = 1, maximum = 4000)]
    pub width: Option<u32>,
}

/// A series, a column a figure; pieces without a reading are left out, not filled in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// When the first reading of each piece was measured, UTC ms.
    pub at_ms: Vec<i64>,
    /// The least of each piece, in the channel's unit.
    pub min: Vec<f64>,
    /// The mean of each piece.
    pub mean: Vec<f64>,
    /// The most of each piece.
    pub max: Vec<f64>,
    /// How long a piece is, ms.
    pub step_ms: i64,
}

/// Gathers readings into pieces.
#[derive(Clone, Debug)]
pub struct Pieces {
    from: UtcMs,
    series: Series,
    /// The piece that is being filled, its sum and how many are in it.
    piece: Option<(i64, f64, u32)>,
}

impl Pieces {
    /// Of a span, cut so many times.
    #[must_use]
    pub fn new((from, to): (UtcMs, UtcMs), width: u32) -> Pieces {
        let width = i64::from(width.max(1));
        let step_ms = (to.since(from) + width - 1) / width;
        Pieces { from, series: Series { step_ms: step_ms.max(1), ..Series::default() }, piece: None }
    }

    /// A reading; they come in order of time.
    pub fn take(&mut self, at: UtcMs, value: f64) {
        let own = at.since(self.from) / self.series.step_ms;
        match &mut self.piece {
            Some((piece, sum, n)) if *piece == own => {
                *sum += value;
                *n += 1;
                if let Some(min) = self.series.min.last_mut() {
                    *min = min.min(value);
                }
                if let Some(max) = self.series.max.last_mut() {
                    *max = max.max(value);
                }
            }
            _ => {
                self.close();
                self.piece = Some((own, value, 1));
                self.series.at_ms.push(at.0);
                self.series.min.push(value);
                self.series.max.push(value);
            }
        }
    }

    fn close(&mut self) {
        if let Some((_, sum, n)) = self.piece.take() {
            self.series.mean.push(sum / f64::from(n));
        }
    }

    /// All of it.
    #[must_use]
    pub fn finish(mut self) -> Series {
        self.close();
        self.series
    }
}

/// Readings of a unit, the least, mean and most of each of so many pieces of the span.
#[utoipa::path(get, path = "/readings", tag = "readings", params(ReadingsQuery),
    responses((status = 200, body = Series), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn readings(
    State(context): Shared,
    caller: Caller,
    Query(query): Query<ReadingsQuery>,
) -> Result<Json<Series>, Problem> {
    let plant = plant(&context, &caller, &query.site)?;
    let point = plant.site.points.iter().find(|p| *p.id == *query.point);
    let meter = point.and_then(|p| plant.meter(p)).map(|m| m.id.clone());
    let meter = meter.ok_or_else(|| Problem::not_found("point", &query.point))?;
    let span = window::span(query.from, query.to)?;
    let width = query.width.unwrap_or(WIDTH);
    if !(1..=WIDTH_MAX).contains(&width) {
        return Err(Problem::bad_request(format!("width is 1 to {WIDTH_MAX}, not {width}")));
    }
    let channel = query.channel;
    ask(&context, move |files| files.series(&meter, channel.as_deref(), span, width)).await.map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_its_least_mean_and_most_and_an_empty_one_is_left_out() {
        let mut pieces = Pieces::new((UtcMs(1_000), UtcMs(1_100)), 10);
        for (at, value) in [(1_000, 4.0), (1_009, 2.0), (1_010, 7.0), (1_090, -1.0), (1_099, 3.0)] {
            pieces.take(UtcMs(at), value);
        }
        assert_eq!(
            pieces.finish(),
            Series {
                at_ms: vec![1_000, 1_010, 1_090],
                min: vec![2.0, 7.0, -1.0],
                mean: vec![3.0, 7.0, 1.0],
                max: vec![4.0, 7.0, 3.0],
                step_ms: 10,
            }
        );
        assert_eq!(Pieces::new((UtcMs(0), UtcMs(5)), 800).finish().at_ms, Vec::<i64>::new());
    }
}
