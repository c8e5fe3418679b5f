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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;
    use crate::journal::writer::Retention;
    use crate::model::message::{Delivery, Kind, Message};
    use crate::model::time::{Clock, UtcMs};

    #[tokio::test]
    async fn what_was_passed_what_waited_and_what_comes_now_is_all_that_was_received() {
        let folder = tempfile::tempdir().unwrap();
        let roomy = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };
        let append = async |journal: &Journal, kind: Kind, n: u64| {
            for _ in 0..n {
                let received = UtcMs(1_661_789_400_000);
                let (delivery, source, topic) = (Delivery::PLAIN, "city", "");
                let message = Message { kind, delivery, received, source, topic, payload: b"{}" };
                journal.append_durable(&message).await.unwrap();
            }
        };
        let (journal, thread) = Journal::open(folder.path(), roomy, Clock::System).unwrap();
        append(&journal, Kind::Mqtt, 10).await;
        append(&journal, Kind::Modbus, 3).await;
        thread.finish().unwrap();

        let (journal, thread) = Journal::open(folder.path(), roomy, Clock::System).unwrap();
        append(&journal, Kind::Mqtt, 2).await;
        assert_eq!((journal.opened_at(), journal.received()), (13, None), "not told before it is known");
        let mut passed = BySource::<Outcomes>::default();
        passed.change(Kind::Mqtt, "city", |own| *own = Outcomes { stored: 3, partly: 0, rejected: 1 });
        let mut reader = Reader::open(folder.path()).unwrap();
        let mut backlog = Backlog::new(&passed, 4, journal.opened_at());
        let before = backlog.count(&mut reader).unwrap().unwrap().clone();
        journal.set_received_before(before);
        let received = journal.received().unwrap();
        assert_eq!(
            received.iter().collect::<Vec<_>>(),
            [(Kind::Mqtt, "city", &12), (Kind::Modbus, "city", &3)]
        );
        assert_eq!(journal.written().rows.get(), 2);
        thread.finish().unwrap();
    }
}
