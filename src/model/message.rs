//! What a source received, byte for byte, with where from and when. The journal keeps nothing else.

use serde::{Deserialize, Serialize};

use super::time::UtcMs;

/// What kind of input a message is. The numbers are on disk: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An MQTT publish: source = broker, topic and payload as received.
    Mqtt = 1,
    /// Registers of one meter: source = link, topic = meter id, payload = raw blocks.
    Modbus = 2,
    /// The clock: time passes even when nothing is received. No payload.
    Tick = 3,
    /// The registry the engine is to judge by from here on; payload = it as [`pack`](super::registry::Registry::pack) makes it.
    Registry = 4,
    /// An operator's command (acknowledge, declare, …); payload = its JSON.
    Command = 5,
}

impl Kind {
    /// A short word, as it is written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Mqtt => "mqtt",
            Kind::Modbus => "modbus",
            Kind::Tick => "tick",
            Kind::Registry => "registry",
            Kind::Command => "command",
        }
    }

    /// The kind with that number on disk.
    #[must_use]
    pub const fn from_u8(n: u8) -> Option<Kind> {
        match n {
            1 => Some(Kind::Mqtt),
            2 => Some(Kind::Modbus),
            3 => Some(Kind::Tick),
            4 => Some(Kind::Registry),
            5 => Some(Kind::Command),
            _ => None,
        }
    }
}

/// How a message came over MQTT; a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Delivery(pub u8);

impl Delivery {
    /// A live first delivery.
    pub const PLAIN: Delivery = Delivery(0);
    /// The broker's retained copy.
    pub const RETAINED: Delivery = Delivery(1);
    /// Marked by the broker as sent before.
    pub const DUPLICATE: Delivery = Delivery(2);
    /// Larger than its source takes: kept, not decoded.
    pub const OVERSIZED: Delivery = Delivery(4);

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Delivery) -> Delivery {
        Delivery(self.0 | other.0)
    }

    /// Whether any bit of `other` is set.
    #[must_use]
    pub const fn has(self, other: Delivery) -> bool {
        self.0 & other.0 != 0
    }
}

/// A message as it lies in a buffer: borrowed, so that reading ten thousand of them allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// How it was delivered.
    pub delivery: Delivery,
    /// When it was received.
    pub received: UtcMs,
    /// Name of the broker, link or command channel.
    pub source: &'a str,
    /// MQTT topic or meter id; empty where there is none.
    pub topic: &'a str,
    /// The bytes.
    pub payload: &'a [u8],
}
