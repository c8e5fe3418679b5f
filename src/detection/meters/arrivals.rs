//! What is judged on when readings arrive, not on when they were measured: clocks, and senders that start again.
//!
//! It stands beside the judges of sites: what arrives in another order is another thing here, and a past that is judged again
//! leaves it as it is.

use serde::{Deserialize, Serialize};

use super::clock::Clocks;
use super::restart::{Behind, Senders};
use crate::detection::finding::Finding;
use crate::model::param::Settings;
use crate::model::reading::Head;
use crate::model::registry::Registry;
use crate::model::time::UtcMs;

/// What is known of all meters.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Arrivals {
    clocks: Clocks,
    senders: Senders,
}

impl Arrivals {
    /// Takes a reading of a point as it was received; `heard` tells the newest reading of the meter that was judged.
    pub fn take(
        &mut self,
        head: &Head,
        (point, behind): (u16, Behind<'_>),
        settings: &Settings,
        heard: impl FnOnce() -> UtcMs,
        out: &mut impl FnMut(Finding),
    ) {
        self.clocks.take(head, point, settings, heard, out);
        self.senders.take(head, behind, settings, out);
    }

    /// Carries what is known over to another registry.
    pub fn renumber(&mut self, old: &Registry, new: &Registry) {
        self.clocks.renumber(old, new);
        self.senders.renumber(old, new);
    }
}
