//! Modbus, from the socket to the journal.

mod faults;
mod links;
mod recordings;
mod rig;
