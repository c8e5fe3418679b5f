//! Outlets. Never judges, never writes the store: what people change goes in through the journal.
//!
//! *In*: requests over the daemon's Unix socket, and over TCP for what the daemon says of itself ([`telemetry`]). *Out*: JSON, the same answers whether the daemon gives them
//! ([`server`]) or somebody reads the store while it is down ([`answers`]). *State*: none; every request opens the store
//! for reading. Errors are problem documents (RFC 9457).

pub mod answers;
pub mod asked;
pub mod board;
pub mod caller;
pub mod client;
pub mod context;
pub mod deeds;
pub mod exchanges;
pub mod judged_by;
pub mod judging;
pub mod lesson;
pub mod maintenance;
pub mod metrics;
pub mod minutes;
pub mod people;
pub mod problem;
pub mod serve;
pub mod server;
pub mod status;
pub mod telemetry;
pub mod told;
pub mod v1;
