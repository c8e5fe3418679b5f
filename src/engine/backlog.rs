//! What lay in the journal, not yet passed, when the daemon started, counted by source. With what was passed before and
//! what comes after it makes all that was ever received.

use super::outcome::Outcomes;
use crate::journal::{JournalError, Reader};
use crate::model::by_source::BySource;
use crate::model::reading::Offset;

/// Batches of the journal that are counted between two steps, so that counting keeps ahead and judging goes on.
const N_BATCHES: usize = 16;

/// The count, while it goes on.
#[derive(Debug)]
pub(super) struct Backlog {
    counted: Offset,
    upto: Offset,
    received: BySource<u64>,
}

impl Backlog {
    /// Between the store's cursor, up to which `outcomes` go, and the last message of earlier runs.
    pub(super) fn new(outcomes: &BySource<Outcomes>, cursor: Offset, upto: Offset) -> Backlog {
        let mut received = BySource::default();
        for (kind, source, own) in outcomes.iter() {
            received.change(kind, source, |n| *n = own.passed());
        }
        Backlog { counted: cursor, upto, received }
    }

    /// Counts a bounded piece. All that was received before this run, once it is known.
    ///
    /// # Errors
    /// The journal cannot be read, or is damaged.
    pub(super) fn count(&mut self, reader: &mut Reader) -> Result<Option<&BySource<u64>>, JournalError> {
        for _ in 0..N_BATCHES {
            if self.counted >= self.upto {
                break;
            }
            let Some(batch) = reader.next(self.counted)? else { return Ok(None) };
            let last = batch.last().min(self.upto);
            for (offset, message) in batch.messages() {
                if offset > self.counted && offset <= last {
                    self.received.change(message.kind, message.source, |n| *n += 1);
                }
            }
            self.counted = last;
        }
        Ok((self.counted >= self.upto).then_some(&self.received))
    }

    /// The last message that is counted.
    pub(super) fn counted(&self) -> Offset {
        self.counted
    }
}
