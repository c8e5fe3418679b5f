//! History: every reading, compressed, kept for years, read in milliseconds.
//!
//! *In*: the readings of an engine step, [`batch::append`], as one row; now and then [`fold::fold`] and [`retain`], a
//! bounded piece of work each. *Out*: a row's readings for the outbox, [`batch::read`]; a meter's readings in time order,
//! [`read`], wherever they lie by then. *State*: tables of the store ([`SCHEMA`]); all work happens in the caller's
//! transaction, so readings are folded exactly once or not at all.
//!
//! ```text
//! row     one engine step, all meters         written in haste, in arrival order
//!  └─► part    some thousand readings of 128 neighbouring meters of one hour        fold::gather
//!       └─► block   one meter, one hour; kept until retention takes it              fold::close
//! ```
//!
//! What makes two readings one: the same meter, measuring time, channels and values, to the last bit. Of such only the
//! one that arrived first is kept (redelivery, retained copies). Readings of the same time that differ in anything stay
//! apart and are read in order of arrival, so a contradiction shows and nothing is merged by guess.
//! Never done here: reading a clock, rounding a value, dropping a reading that is not a copy.

pub mod batch;
mod bits;
pub mod buckets;
mod close;
pub mod error;
mod floats;
pub mod fold;
mod group;
mod ints;
pub mod meters;
mod pool;
pub mod read;
mod retain;
mod schema;
pub mod span;

pub use error::HistoryError;
pub use retain::{Retention, kept_from, retain};
pub use schema::SCHEMA;

#[cfg(test)]
mod tests;
