//! What was received and not yet acknowledged, on one connection, in order. Pure.

use std::collections::VecDeque;

use crate::model::reading::Offset;

/// How a message is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ack {
    /// The broker's number for it, on this connection only.
    pub(super) packet: u16,
    /// QoS 2: its first answer is another packet. Never subscribed to; a broker may send it all the same.
    pub(super) twice: bool,
}

/// Acknowledgements wait here for the journal's durable mark to pass their message.
#[derive(Debug, Default)]
pub(super) struct Unacknowledged {
    queue: VecDeque<(Offset, Ack)>,
}

impl Unacknowledged {
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn push(&mut self, offset: Offset, ack: Ack) {
        self.queue.push_back((offset, ack));
    }

    /// The next one that may be sent, now that messages up to `durable` are on disk.
    pub(super) fn due(&mut self, durable: Offset) -> Option<Ack> {
        self.queue.pop_front_if(|(offset, _)| *offset <= durable).map(|(_, ack)| ack)
    }

    /// The connection is gone, and with it every packet number: none of them may be sent on the next one.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_disk_is_acknowledged_and_in_order() {
        let mut queue = Unacknowledged::default();
        for n in 1..=4 {
            queue.push(u64::from(n), Ack { packet: 10 + n, twice: false });
        }
        let mut drain = |durable| -> Vec<u16> {
            std::iter::from_fn(|| queue.due(durable)).map(|ack| ack.packet).collect()
        };
        assert_eq!(drain(0), [0; 0]);
        assert_eq!(drain(2), [11, 12]);
        assert_eq!(drain(3), [13]);
        queue.clear();
        assert_eq!((queue.len(), queue.due(9)), (0, None), "a lost connection takes its numbers with it");
    }
}
