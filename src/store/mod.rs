//! 5. The store: what the engine has made of the journal. One SQLite file, `store.db`.
//!
//! *In*: one [`write::Transaction`] a step of the engine, with everything that follows from it and the cursor.
//! *Out*: [`views::Views`] for whoever wants to read, also while the daemon is down.
//! *State*: the file. The engine alone writes results; outbox senders take their own rows away when they are
//! delivered. All of it can be deleted: the journal makes it again. Never done here: judging.

pub mod alert_list;
pub mod error;
pub mod exchanges;
pub mod judging;
pub mod learned;
pub mod notices;
pub mod overview;
pub mod queue;
pub mod records;
pub mod revising;
pub mod schema;
pub mod snapshot;
pub mod suppressing;
pub mod trail;
pub mod views;
pub mod write;
