//! The words of the house: sites, points, processes, meters, messages, readings. No IO, no clock, nothing spawned.
//!
//! Everything above imports this; this imports nothing of ours.

pub mod baseline;
pub mod basis;
pub mod by_source;
pub mod command;
pub mod commissioning;
pub mod deed;
pub mod exchange;
pub mod maintenance;
pub mod mapping;
pub mod message;
pub mod meter;
pub mod param;
#[cfg(test)]
pub mod press_and_fan;
pub mod proposal;
pub mod quantity;
pub mod reading;
pub mod registry;
pub mod rule;
pub mod site;
pub mod state;
pub mod thresholds;
pub mod time;
pub mod version;
pub mod words;
pub mod working_time;
