//! 1. Sources: receive and append; decode, once the journal has it.

pub mod backoff;
pub mod modbus;
pub mod mqtt;
pub mod reject;
