//! 2. The journal: the one door in, and the ground truth. One SQLite file, `journal.db`, one row a committed batch.
//!
//! *In*: messages, by [`handle::Journal::append`], staged in memory and committed together (group commit).
//! *Out*: [`handle::Journal::durable`], the last message that is on disk, which is when a source may acknowledge;
//! [`read::Reader`], the messages in order.
//! *State*: owned by one named thread, [`writer`]. Every row carries SHA-256 over the row before and itself, so a later
//! change shows. Rows are removed by age and size, never past what the engine still needs; at the size bound the
//! journal refuses, loudly, rather than drop anything. Never done here: looking into a payload.

pub mod chain;
pub mod error;
pub mod frame;
pub mod handle;
pub mod read;
pub mod schema;
mod shared;
pub mod staging;
pub mod writer;
pub mod written;

pub use error::{AppendError, JournalError};
pub use handle::Journal;
pub use read::Reader;

#[cfg(test)]
mod tests;
