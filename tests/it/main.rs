//! Integration tests, one binary: a theme a file, fakes in `harness`.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod harness;

mod cases;
mod cli;
mod commissioning;
mod config;
#[cfg(feature = "demo")]
mod dashboards;
mod demo;
mod deploy;
mod durability;
mod endtoend;
mod exchanges;
mod history;
mod learning;
mod maintenance;
mod meters;
mod mistakes;
mod modbus;
mod mqtt;
mod mqtt_tls;
mod notices;
mod notices_tls;
mod outbox;
mod page;
mod payloads;
mod people;
mod readme;
mod recordings;
mod replay;
mod secrets;
mod telemetry;
mod thresholds;
mod tidy;
