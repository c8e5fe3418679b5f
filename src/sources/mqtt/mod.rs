//! MQTT: one session a broker, and the decoders of what it brings.
//!
//! *In*: publishes of the brokers, by [`session`]; they go to the journal byte for byte and are acknowledged once it has
//! them on disk. *Out*: readings, by [`decode::Decoders`], which the engine asks for each message of the journal;
//! [`merge::Merge`] completes those of devices that send only what changed. The native JSON is described in [`native`],
//! foreign payloads in [`mapped`] and in `config/mappings/`. Never done here: decoding before the journal has the bytes.

mod acks;
mod apart;
pub mod decode;
mod document;
mod intake;
pub mod kept;
mod loose;
pub mod mapped;
pub mod merge;
pub mod moment;
mod names;
pub mod native;
pub mod options;
pub mod recorded;
pub mod session;
pub mod sink;
pub mod status;
mod subscribing;
pub mod topic;
mod whole;
mod wire;

#[cfg(test)]
mod tests;
