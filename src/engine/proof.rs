//! Readings that are shown whole in an alert's evidence, looked up where they are kept.

use rusqlite::Connection;

use crate::alerts::evidence::WholeReading;
use crate::alerts::finding::AlertFinding;
use crate::history::{self, HistoryError, span::Span};
use crate::model::meter::Meter;
use crate::model::reading::Offset;
use crate::model::site::Site;

/// Readings shown of one alert, at most.
const N_SHOWN_MAX: usize = 24;

/// The readings a finding asks for, of those that came up to message `up_to`.
///
/// # Errors
/// History cannot be read.
pub fn readings(
    conn: &Connection,
    (site, meters): (&Site, &[Meter]),
    finding: &AlertFinding,
    up_to: Offset,
) -> Result<Vec<WholeReading>, HistoryError> {
    let mut found = Vec::new();
    for (index, at) in finding.instants.iter().take(N_SHOWN_MAX) {
        let Some(point) = site.points.get(usize::from(*index)) else { continue };
        let Some(meter) = meters.get(point.meter as usize) else { continue };
        let span = Span { from: *at, to: at.plus(1), up_to };
        history::span::visit(conn, &[&meter.id], span, &mut |_, reading| {
            found.push(WholeReading {
                point: point.id.clone(),
                at: reading.time,
                received: reading.received,
                offset: reading.offset,
                values: reading.values.iter().map(|(c, v)| (c.name().into(), *v)).collect(),
            });
        })?;
    }
    Ok(found)
}
