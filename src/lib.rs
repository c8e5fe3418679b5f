//! # submeterd: the map of the house
//!
//! Plants meter production and pollution treatment apart. This daemon reads those meters, decides for every unit
//! whether it runs, and raises an alert with evidence where treatment is off while production runs.
//!
//! The tree is the story of a reading, top to bottom:
//!
//! ```text
//!  meters ── mqtt ──┐                                        ┌── history   compressed readings, per meter and hour
//!  meters ─ modbus ─┤   journal            engine            ├── alerts    life cycle, evidence
//!  operators ───────┼─► append, fsync ─►   decode, judge  ──►├── state     unit states, cursor, snapshot
//!  clock ticks ─────┘   then acknowledge   one transaction   └── outbox ─► InfluxDB
//!                                               ▲
//!                      api · cli read the store; what they change goes in through the journal
//! ```
//!
//! Who may import whom is held by `tests/it/tidy.rs`.
//!
//! ## Invariants
//!
//! Each names the test that holds it.
#![forbid(unsafe_code)]

pub mod alerts;
pub mod api;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod detection;
//pub mod engine;
pub mod history;
pub mod journal;
pub mod model;
pub mod outbox;
pub mod sources;
//pub mod store;
