//! To be written.

pub mod modbus;
pub mod mqtt;
