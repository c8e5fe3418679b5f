//! What detection says, each with the moment at which it holds.

use crate::alerts::finding::AlertFinding;
use crate::model::{state::State, time::UtcMs};

/// One thing detection has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A point changed its state.
    State {
        /// Index into the site's points.
        point: u16,
        /// Since when: the first sample of the run that decided it.
        at: UtcMs,
        /// The new state.
        state: State,
    },
    /// An alert changed.
    Alert(Box<AlertFinding>),
}
