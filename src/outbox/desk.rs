//! The sender's side of the store: takes entries out of the queue, makes lines of them, takes away what is delivered.
//! Everything here blocks for as long as SQLite does, a bounded piece of work at a time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::line::{Lines, Series};
use crate::history::{self, HistoryError};
use crate::model::reading::{Offset, ReadingBatch};
use crate::model::registry::Registry;
use crate::model::site::PointKind;
use crate::model::time::UtcMs;
use crate::store::error::StoreError;
use crate::store::queue::{self, Backlog, BadLine, Entry, Lane};
use crate::store::records;
use crate::store::schema::{self, OpenError};

/// Name of the sink in the queue.
pub const SINK: &str = "influx";

/// Entries looked at in one go; a load has no more, however few lines they make.
const N_ENTRIES_MAX: u32 = 1_000;

/// Entries fetched at once.
const N_ENTRIES_FETCHED: u32 = 50;

/// The queue is counted so often at most: a long one takes some time to count.
const COUNT_EVERY: Duration = Duration::from_millis(500);

/// Why the store cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// It cannot be opened.
    #[error("the outbox cannot open the store")]
    Open {
        /// Why.
        #[source]
        source: OpenError,
    },
    /// The queue or the registry cannot be read or written.
    #[error("the outbox cannot work with its queue")]
    Queue {
        /// Why.
        #[source]
        source: StoreError,
    },
    /// A row of readings cannot be read.
    #[error("the outbox cannot read the readings of row {row}")]
    Readings {
        /// The row.
        row: i64,
        /// Why.
        #[source]
        source: HistoryError,
    },
    /// The names of meters cannot be read.
    #[error("the outbox cannot read the names of meters")]
    Meters {
        /// Why.
        #[source]
        source: HistoryError,
    },
}

impl DeskError {
    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, DeskError::Queue { source } if source.is_busy())
    }
}

/// Entries of a lane as lines, ready to be sent.
#[derive(Debug)]
pub struct Load {
    /// Where they come from.
    pub lane: Lane,
    /// The last entry; 0 = nothing is in the lane.
    pub last: i64,
    /// The lines, shared with whoever packs a piece of them.
    pub lines: Arc<Lines>,
    /// What is set aside: first what could not be made a line, then what the far side refuses.
    pub bad: Vec<BadLine>,
    /// When the oldest of its readings was received.
    pub oldest: Option<UtcMs>,
    /// The newest entry of the queue, after the load was taken.
    pub newest: i64,
}

/// The desk.
#[derive(Debug)]
pub struct Desk {
    conn: Connection,
    /// The beginnings of readings' lines, by meter key.
    series: Vec<Option<Series>>,
    /// The registry they were made by.
    registry: Option<Offset>,
    batch: ReadingBatch,
    counted: Option<(Instant, Backlog)>,
}

impl Desk {
    /// Opens the store with a connection of its own.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Desk, DeskError> {
        let conn = schema::open(path).map_err(|source| DeskError::Open { source })?;
        Ok(Desk { conn, series: Vec::new(), registry: None, batch: ReadingBatch::default(), counted: None })
    }

    /// The first entries of a lane as lines: at least `n_lines` if there are so many, and not many more.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn load(&mut self, lane: Lane, n_lines: usize, now: UtcMs) -> Result<Load, DeskError> {
        let queue = |source| DeskError::Queue { source };
        let mut making = Making { lines: Lines::default(), bad: Vec::new(), oldest: None, now };
        let (mut last, mut n_entries) = (0, 0);
        while making.lines.len() < n_lines && n_entries < N_ENTRIES_MAX {
            let found = queue::next(&self.conn, SINK, lane, last, N_ENTRIES_FETCHED).map_err(queue)?;
            if found.is_empty() {
                break;
            }
            if n_entries == 0 {
                self.follow_registry()?;
            }
            for queued in found {
                match queued.entry {
                    Ok(Entry::Readings { row }) => self.readings(row, &mut making)?,
                    Ok(Entry::State { site, point, kind, state, since }) => {
                        making.lines.state((&site, &point), kind, state, since);
                    }
                    Ok(Entry::Alert(alert)) => making.lines.alert(&alert),
                    Ok(Entry::Notice(notice)) => {
                        making.set_aside(notice.id.into(), "a notice is no line".to_owned());
                    }
                    Err(damaged) => making.set_aside(damaged.body, damaged.why),
                }
                last = queued.id;
                n_entries += 1;
                if making.lines.len() >= n_lines {
                    break;
                }
            }
        }
        let newest = queue::newest(&self.conn, SINK).map_err(queue)?;
        let Making { lines, bad, oldest, .. } = making;
        Ok(Load { lane, last, lines: Arc::new(lines), bad, oldest, newest })
    }

    /// Takes a load's entries away and keeps what of it is set aside.
    ///
    /// # Errors
    /// The store cannot be written; the load is as it was then.
    pub fn settle(&mut self, load: &Load) -> Result<(), DeskError> {
        let n_gone = queue::settle(&mut self.conn, SINK, load.lane, load.last, &load.bad)
            .map_err(|source| DeskError::Queue { source })?;
        if let Some((_, counted)) = &mut self.counted {
            counted.n_entries = counted.n_entries.saturating_sub(n_gone);
            counted.n_bad += load.bad.len() as u64;
        }
        Ok(())
    }

    /// What waits; a moment old at most.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn backlog(&mut self) -> Result<Backlog, DeskError> {
        if let Some((at, backlog)) = self.counted
            && at.elapsed() < COUNT_EVERY
        {
            return Ok(backlog);
        }
        let backlog = queue::backlog(&self.conn, SINK).map_err(|source| DeskError::Queue { source })?;
        self.counted = Some((Instant::now(), backlog));
        Ok(backlog)
    }

    /// What waits, counted now: for when little does.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn backlog_now(&mut self) -> Result<Backlog, DeskError> {
        self.counted = None;
        self.backlog()
    }

    /// The readings of a history row.
    fn readings(&mut self, row: i64, making: &mut Making) -> Result<(), DeskError> {
        self.batch.clear();
        match history::batch::read(&self.conn, row, &mut self.batch) {
            Ok(true) => {}
            Ok(false) => {
                making.set_aside(format!("readings of history row {row}"), "the row is gone".to_owned());
                return Ok(());
            }
            Err(source @ HistoryError::Sql { .. }) => return Err(DeskError::Readings { row, source }),
            Err(damaged) => {
                making.set_aside(format!("readings of history row {row}"), damaged.to_string());
                return Ok(());
            }
        }
        if self.batch.heads().iter().any(|head| series_of(&self.series, head.meter).is_none()) {
            self.name_meters()?;
        }
        for (head, values) in self.batch.iter() {
            making.oldest = Some(making.oldest.map_or(head.received, |oldest| oldest.min(head.received)));
            if let Some(series) = series_of(&self.series, head.meter) {
                making.lines.reading(series, values, head.quality, head.time);
            } else {
                let mut line = Lines::default();
                line.reading(&Series::of_key(head.meter), values, head.quality, head.time);
                making.set_aside(line.text(0), "no meter has this number".to_owned());
            }
        }
        Ok(())
    }

    /// Names the meters anew if the registry has changed.
    fn follow_registry(&mut self) -> Result<(), DeskError> {
        let offset = records::registry_offset(&self.conn).map_err(|source| DeskError::Queue { source })?;
        if offset != self.registry {
            self.name_meters()?;
            self.registry = offset;
        }
        Ok(())
    }

    /// Gives every meter that has a number its series. One that has left the registry keeps the point it last measured.
    fn name_meters(&mut self) -> Result<(), DeskError> {
        let stored = records::read_registry(&self.conn).map_err(|source| DeskError::Queue { source })?;
        let points = stored.as_ref().map(|s| points_of_meters(&s.registry)).unwrap_or_default();
        let names = history::meters::names(&self.conn).map_err(|source| DeskError::Meters { source })?;
        for (key, name) in names {
            let (site, meter) = name.split_once('/').unwrap_or(("", &name));
            let slot = usize::try_from(key).unwrap_or(usize::MAX);
            if slot >= self.series.len() {
                self.series.resize(slot + 1, None);
            }
            match points.get(&*name) {
                Some(point) => self.series[slot] = Some(Series::of_meter(site, meter, *point)),
                None => {
                    self.series[slot].get_or_insert_with(|| Series::of_meter(site, meter, None));
                }
            }
        }
        Ok(())
    }
}

type PointOfMeter<'a> = std::collections::HashMap<&'a str, Option<(&'a str, PointKind)>>;

/// Every meter of the registry with the point it measures, if it measures one.
fn points_of_meters(registry: &Registry) -> PointOfMeter<'_> {
    let mut found: PointOfMeter<'_> = registry.meters.iter().map(|m| (&*m.id, None)).collect();
    for point in registry.sites.iter().flat_map(|s| &s.points) {
        if let Some(meter) = registry.meters.get(point.meter as usize) {
            found.insert(&meter.id, Some((&point.id, point.kind)));
        }
    }
    found
}

fn series_of(series: &[Option<Series>], key: u32) -> Option<&Series> {
    series.get(usize::try_from(key).ok()?)?.as_ref()
}

/// A load in the making.
struct Making {
    lines: Lines,
    bad: Vec<BadLine>,
    oldest: Option<UtcMs>,
    now: UtcMs,
}

impl Making {
    /// What cannot be made a line never keeps others from leaving.
    fn set_aside(&mut self, line: String, why: String) {
        self.bad.push(BadLine { line, status: 0, why, set_aside: self.now });
    }
}
