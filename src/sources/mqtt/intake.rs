//! From the wire into the journal: one message after the other, with what must be remembered to acknowledge it.

use rumqttc::{Publish, QoS};

use super::acks::{Ack, Unacknowledged};
use super::status::BrokerCounts;
use crate::config::settings::Broker;
use crate::journal::frame::PART_BYTES_MAX;
use crate::journal::{AppendError, Journal};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::time::UtcMs;

/// So much is kept of a message that the journal cannot take, bytes.
const CUT_BYTES: usize = 64 << 10;

/// What takes messages in.
#[derive(Debug)]
pub(super) struct Intake {
    name: Box<str>,
    packet_bytes_max: usize,
    unacknowledged_max: usize,
    pub(super) journal: Journal,
    pub(super) unacknowledged: Unacknowledged,
    /// Since the start.
    pub(super) counts: BrokerCounts,
}

impl Intake {
    pub(super) fn new(broker: &Broker, journal: Journal) -> Intake {
        Intake {
            name: broker.name.clone(),
            packet_bytes_max: broker.packet_bytes_max as usize,
            unacknowledged_max: broker.unacknowledged_max,
            journal,
            unacknowledged: Unacknowledged::default(),
            counts: BrokerCounts::default(),
        }
    }

    /// Whether no more may be taken before something is acknowledged.
    pub(super) fn is_bound(&self) -> bool {
        self.unacknowledged.len() >= self.unacknowledged_max
    }

    /// Puts a message into the journal; `false` if there is no room for it now.
    pub(super) fn take(&mut self, publish: &Publish, received: UtcMs) -> Result<bool, AppendError> {
        let to_acknowledge = publish.qos != QoS::AtMostOnce;
        if to_acknowledge && self.is_bound() {
            return Ok(false);
        }
        let delivery = self.delivery(publish);
        let too_long = publish.payload.len() > PART_BYTES_MAX;
        let message = Message {
            kind: Kind::Mqtt,
            delivery,
            received,
            source: &self.name,
            topic: &publish.topic,
            payload: if too_long { &publish.payload[..CUT_BYTES] } else { &publish.payload },
        };
        let offset = match self.journal.append(&message) {
            Ok(offset) => offset,
            Err(AppendError::Full { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        if to_acknowledge {
            let twice = publish.qos == QoS::ExactlyOnce;
            self.unacknowledged.push(offset, Ack { packet: publish.pkid, twice });
        }
        self.count(publish, delivery);
        if delivery.has(Delivery::OVERSIZED) {
            self.complain(publish, too_long);
        }
        Ok(true)
    }

    fn delivery(&self, publish: &Publish) -> Delivery {
        let flags = [
            (publish.dup, Delivery::DUPLICATE),
            (publish.retain, Delivery::RETAINED),
            (publish.size() > self.packet_bytes_max.min(PART_BYTES_MAX), Delivery::OVERSIZED),
        ];
        flags.iter().filter(|(is, _)| *is).fold(Delivery::PLAIN, |all, (_, flag)| all.with(*flag))
    }

    fn count(&mut self, publish: &Publish, delivery: Delivery) {
        let counts = &mut self.counts;
        counts.received += 1;
        counts.bytes += (publish.topic.len() + publish.payload.len()) as u64;
        counts.duplicates += u64::from(delivery.has(Delivery::DUPLICATE));
        counts.retained += u64::from(delivery.has(Delivery::RETAINED));
        counts.oversized += u64::from(delivery.has(Delivery::OVERSIZED));
    }

    fn complain(&self, publish: &Publish, too_long: bool) {
        let (broker, topic, bytes) = (&*self.name, &*publish.topic, publish.payload.len());
        if too_long {
            tracing::error!(
                broker,
                topic,
                bytes,
                kept = CUT_BYTES,
                "A message too long for the journal was cut."
            );
        } else {
            tracing::warn!(broker, topic, bytes, "A message over packet_bytes_max is kept and not decoded.");
        }
    }
}
