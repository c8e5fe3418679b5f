//! Readings that came behind what their site was judged to: which sites wait to be judged again, and since when. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::alerts::revision::Late;
use crate::model::reading::{Head, Offset};
use crate::model::time::{MINUTE_MS, SECOND_MS, UtcMs};

/// A site is judged again once no late reading has come for so long, ms: a gateway sends what it kept in many messages.
const QUIET_MS: i64 = 30 * SECOND_MS;

/// Or once the first has waited for so long, ms.
const WAIT_MS_MAX: i64 = 5 * MINUTE_MS;

/// Late readings of one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    late: Late,
    first_received: UtcMs,
    last_received: UtcMs,
}

/// The sites that wait, by index.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LateBook {
    waiting: BTreeMap<u32, Waiting>,
}

impl LateBook {
    /// A late reading of a site.
    pub fn note(&mut self, site: u32, head: &Head) {
        let late =
            Late { first_offset: head.offset, last_offset: head.offset, n_readings: 0, from: head.time };
        let own = self.waiting.entry(site).or_insert(Waiting {
            late,
            first_received: head.received,
            last_received: head.received,
        });
        own.late.n_readings += 1;
        own.late.from = own.late.from.min(head.time);
        own.late.last_offset = head.offset;
        own.last_received = own.last_received.max(head.received);
    }

    /// A meter of a site was exchanged at a moment that is judged already.
    pub fn note_exchange(&mut self, site: u32, at: UtcMs, received: UtcMs, offset: Offset) {
        let late = Late { first_offset: offset, last_offset: offset, n_readings: 0, from: at };
        let own = self.waiting.entry(site).or_insert(Waiting {
            late,
            first_received: received,
            last_received: received,
        });
        own.late.from = own.late.from.min(at);
        own.late.last_offset = offset;
        own.last_received = own.last_received.max(received);
    }

    /// The sites that are due at `now`, whoever waits longest first.
    #[must_use]
    pub fn due(&self, now: UtcMs) -> Vec<u32> {
        let is_due = |own: &Waiting| {
            now.since(own.last_received) >= QUIET_MS || now.since(own.first_received) >= WAIT_MS_MAX
        };
        let mut due: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, own)| is_due(own))
            .map(|(site, own)| (own.first_received, *site))
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, site)| site).collect()
    }

    /// All sites that wait, for the end of a replay.
    #[must_use]
    pub fn all(&self) -> Vec<u32> {
        self.waiting.keys().copied().collect()
    }

    /// Takes a site out.
    pub fn take(&mut self, site: u32) -> Option<Late> {
        self.waiting.remove(&site).map(|own| own.late)
    }

    /// Sites have new indices; those that are gone wait no more.
    pub fn renumber(&mut self, index_of: impl Fn(u32) -> Option<u32>) {
        let old = std::mem::take(&mut self.waiting);
        self.waiting = old.into_iter().filter_map(|(site, own)| Some((index_of(site)?, own))).collect();
    }
}
