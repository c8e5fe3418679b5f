//! The daemon: builds every stage from its own section of the config, runs them, stops them in order.
//!
//! *In*: a [`Config`](crate::config::Config), a clock, a signal to stop. *Out*: nothing; it lives until it is told to
//! stop or a task ends unasked. *State*: the tasks and the handles between them. Order of a stop: sources first (what
//! is in flight is journaled), then the journal, then the engine once it has passed the journal's end, then the
//! outbox and the socket; each with a deadline, and those that do not come are named.

pub mod build;
pub mod lessons;
mod outlets;
pub mod run;
pub mod systemd;
pub mod tasks;
pub mod ticks;
