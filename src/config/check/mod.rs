//! From what was typed to what is valid.
//!
//! Every check says what is wrong to the [`Report`](crate::config::problem::Report) and goes on with some value, so
//! that one run tells everything. What the checks return is used only when the report stayed clean.

pub mod broker;
pub mod columns;
pub mod commissioning;
pub mod counting;
pub mod daemon;
pub mod ground;
pub mod influx;
pub mod link;
pub mod mapping;
pub mod meter;
pub mod must;
pub mod notices;
pub mod plant;
pub mod point;
pub mod process;
pub mod profile;
pub mod rules;
pub mod secret;
pub mod site;
pub mod unit;
pub mod web;
pub mod working_time;
