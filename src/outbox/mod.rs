//! 6. The outbox: what must leave, to where it must go.
//!
//! *In*: entries of the store's queue, written in the transaction that made them. *Out*: line protocol to InfluxDB, or
//! to whatever speaks its v2 write API; notices to those who are told of alerts, by webhook, Alertmanager, MQTT or mail,
//! each receiver in order and for itself. *State*: none that matters; an entry is taken away only when the far side has
//! taken it, so that a sender killed anywhere sends it again, and a point sent twice is the same point, as a notice has the
//! same id.
//!
//! A sender never judges, never waits for the engine, and is never waited for by it: a far side that is down delays
//! itself and nothing else. What it refuses for the line's own sake is set aside with its words.

pub mod alertmanager;
pub mod answer;
pub mod couriers;
pub mod desk;
pub mod event;
pub mod http;
pub mod influx;
pub mod lanes;
pub mod lent;
pub mod line;
pub mod mail;
pub mod notices;
pub mod pieces;
pub mod publish;
pub mod pulse;
pub mod signature;
pub mod status;
pub mod text;
pub mod tray;
pub mod web;
pub mod webhook;

#[cfg(test)]
mod line_tests;
