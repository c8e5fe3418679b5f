//! Readings of a daemon's history into a replay, in the order in which they were received.

use std::path::Path;

use anyhow::Context as _;
use rusqlite::Connection;

use super::window::Window;
use crate::engine::replay::Replay;
use crate::history::read::{Query, visit};
use crate::model::exchange::Exchange;
use crate::model::reading::{Quality, ReadingBatch};
use crate::model::registry::Registry;
use crate::model::time::{DAY_MS, HOUR_MS, UtcMs};
use crate::sources::mqtt::kept::Kept;
use crate::sources::mqtt::moment::AHEAD_MS_MAX;
use crate::store::exchanges;
use crate::store::schema::STORE_FILE;
use crate::store::views::Views;

/// So many readings are held at once, some 50 MB, where each meter speaks once a minute.
const N_AT_ONCE: i64 = 500_000;

/// Opens the store of a data folder.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn open(folder: &Path) -> anyhow::Result<Views> {
    let path = folder.join(STORE_FILE);
    Views::open(&path).with_context(|| format!("{} is not the data folder of a daemon", folder.display()))
}

/// The registry a daemon judged by last.
///
/// # Errors
/// The store cannot be read, or has never judged anything.
pub fn registry(views: &Views, folder: &Path) -> anyhow::Result<Registry> {
    let stored = views.registry()?;
    Ok(stored
        .with_context(|| format!("the daemon of {} has not judged anything", folder.display()))?
        .registry)
}

/// Meters that were exchanged in a span of time, as far as the registry has them.
///
/// # Errors
/// The store cannot be read.
pub fn exchanges(
    views: &Views,
    registry: &Registry,
    (from, to): (UtcMs, UtcMs),
) -> anyhow::Result<Vec<Exchange>> {
    let told = exchanges::list(views.conn(), None)?.into_iter().map(|own| own.exchange);
    let is_wanted = |own: &Exchange| {
        own.at > from && own.at < to && registry.meters.iter().any(|meter| meter.id == own.meter)
    };
    Ok(told.filter(is_wanted).collect())
}

/// How far the daemon listened.
///
/// # Errors
/// The store cannot be read.
pub fn listened(views: &Views) -> anyhow::Result<UtcMs> {
    Ok(UtcMs(views.meta::<i64>("now_ms")?.unwrap_or(UtcMs::MIN.0)))
}

/// A span of time and the meters that are read in it.
#[derive(Debug)]
pub struct Reading<'a> {
    conn: &'a Connection,
    /// Index and id.
    meters: Vec<(u32, &'a str)>,
    next: UtcMs,
    to: UtcMs,
    step_ms: i64,
    /// Read, and not fed yet.
    waiting: ReadingBatch,
    /// By meter of `meters`: how many readings it has.
    n_of: Vec<u64>,
}

impl<'a> Reading<'a> {
    /// Readings of the meters of `site`, or of all, as far as `window` wants them; it has a begin and an end.
    #[must_use]
    pub fn new(views: &'a Views, registry: &'a Registry, site: Option<u32>, window: Window) -> Reading<'a> {
        let meters = (0..).zip(&registry.meters).filter(|(_, m)| site.is_none_or(|site| m.site == site));
        let meters: Vec<(u32, &str)> = meters.map(|(i, m)| (i, &*m.id)).collect();
        let hours = N_AT_ONCE / (60 * i64::try_from(meters.len()).unwrap_or(i64::MAX / 60).max(1));
        Reading {
            conn: views.conn(),
            n_of: vec![0; meters.len()],
            meters,
            next: window.reads_from().unwrap_or(UtcMs(0)),
            to: window.reads_to().unwrap_or(UtcMs(0)),
            step_ms: (hours * HOUR_MS).clamp(HOUR_MS, DAY_MS),
            waiting: ReadingBatch::default(),
        }
    }

    /// From where to where it reads.
    #[must_use]
    pub fn bounds(&self) -> (UtcMs, UtcMs) {
        (self.next, self.to)
    }

    /// Meters of which nothing was found so far.
    #[must_use]
    pub fn silent(&self) -> Vec<&'a str> {
        let none = self.meters.iter().zip(&self.n_of).filter(|(_, n)| **n == 0);
        none.map(|((_, id), _)| *id).collect()
    }

    /// How many readings were found so far.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n_of.iter().sum()
    }

    /// Reads on, and feeds what was received by then. Says how far it is; `None` when all has been fed.
    ///
    /// # Errors
    /// History cannot be read, or the store of the replay not be written.
    pub fn step(&mut self, replay: &mut Replay) -> anyhow::Result<Option<UtcMs>> {
        if self.next >= self.to {
            return Ok(None);
        }
        let upto = self.next.plus(self.step_ms).min(self.to);
        for ((meter, id), n) in self.meters.iter().zip(&mut self.n_of) {
            visit(self.conn, &Query::new(id, self.next, upto), &mut |point| {
                *n += 1;
                self.waiting.begin(*meter, point.time, point.received, point.offset, point.quality);
                self.waiting.push_checked(point.values.iter().copied());
            })?;
        }
        self.next = upto;
        // What is measured later may have been received earlier, by so much; at the end nothing comes any more.
        let settled = if upto < self.to { upto.plus(-AHEAD_MS_MAX) } else { UtcMs(i64::MAX) };
        self.feed(settled, replay)?;
        Ok(Some(upto))
    }

    /// Feeds what was received before `settled`, and keeps the rest.
    fn feed(&mut self, settled: UtcMs, replay: &mut Replay) -> anyhow::Result<()> {
        let mut order: Vec<usize> = (0..self.waiting.len()).collect();
        let heads = self.waiting.heads();
        order.sort_by_key(|i| (heads[*i].received, heads[*i].offset));
        let mut rest = ReadingBatch::default();
        for index in order {
            let head = &heads[index];
            let values = self.waiting.values(head);
            if head.received >= settled {
                rest.begin(head.meter, head.time, head.received, head.offset, head.quality);
                rest.push_checked(values.iter().copied());
                continue;
            }
            // Whether it comes late is for this judgement to say.
            let quality = Quality(head.quality.0 & !Quality::LATE.0);
            replay.reading(head.received, &Kept { meter: head.meter, time: head.time, quality, values })?;
        }
        self.waiting = rest;
        Ok(())
    }
}
