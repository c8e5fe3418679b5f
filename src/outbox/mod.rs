//! 6. The outbox: what must leave, to where it must go.
//!
//! *In*: entries of the store's queue, written in the transaction that made them. *Out*: line protocol to InfluxDB, or
//! to whatever speaks its v2 write API. *State*: none that matters; an entry is taken away only when the far side has
//! taken it, so that a sender killed anywhere sends it again, and a point sent twice is the same point.
//!
//! A sender never judges, never waits for the engine, and is never waited for by it: a far side that is down delays
//! itself and nothing else. What it refuses for the line's own sake is set aside with its words.

pub mod answer;
pub mod desk;
pub mod http;
pub mod influx;
pub mod lanes;
pub mod line;
pub mod pieces;
pub mod status;

#[cfg(test)]
mod line_tests;
