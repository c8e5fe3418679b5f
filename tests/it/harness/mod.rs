//! What tests stand on: fakes on port 0, real servers, and waits that end.

pub mod browser;
pub mod fake_influx;
pub mod fake_meter;
pub mod hook;
pub mod mappings;
pub mod mqtt_broker;
pub mod mqtt_session;
pub mod notice_store;
pub mod outbox_store;
pub mod pcap;
pub mod program;
pub mod servers;
pub mod smtp;
pub mod wait;
