//! 1. Sources: receive and append; decode, once the journal has it.
//!
//! *In*: what brokers and meters send. *Out*: messages in the journal, byte for byte, acknowledged once they are on disk;
//! and, when the engine comes to them, readings, or a [`reject::Reject`] that says why there are none. *State*: one task a
//! broker and one a link, each the owner of its connection; decoders have none. Never done here: judging, guessing a value,
//! writing to a meter.

pub mod backoff;
pub mod modbus;
pub mod mqtt;
pub mod reject;
