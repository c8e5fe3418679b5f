//! Outlets. Never judges, never writes the store: what people change goes in through the journal.
//!
//! *In*: requests over the daemon's Unix socket ([`server`], for the command line), over TCP by whoever is known ([`caller`],
//! [`v1`], served by [`serve`]), and for what the daemon says of itself ([`telemetry`]). *Out*: JSON; the command line gets the
//! same answers from the files while no daemon runs ([`answers`]). *State*: none that matters; a request opens the store for
//! reading, or looks at the [`board`], which follows the store in memory. Errors are problem documents (RFC 9457).

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
