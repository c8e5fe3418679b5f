//! THE HEART: journal → decode → detection → alerts → store, one step, one transaction.
//!
//! *In*: the journal's messages, in order; nothing else. Time is what ticks in the journal say.
//! *Out*: history, alerts, unit states, rejects, outbox rows and the cursor, all in one transaction a step.
//! *State*: [`world::World`], pure and in memory, saved whole every half minute. After a restart it is loaded and the
//! messages since are taken again with their output muted; determinism makes that exact. Never done here: reading a
//! clock to judge by, talking to anything but journal and store.
//!
//! | files | what happens there |
//! |---|---|
//! | `run` `step` `write` `world` `effects` | messages in, one step, one transaction |
//! | `outcome` `backlog` | what became of messages, by source, and what waited at the start |
//! | [`past`] | late readings: the past of a site judged again, a bounded piece a tick |
//! | `book` `decide` `because` `persons` `adopt` `enforce` `changes` | what was learned, confirmed or configured comes into force |
//! | `exchange` | meters that were exchanged |
//! | `suppress` | reasons for which nobody is told of an alert |
//! | `audience` `notify` | who is told of the others, and when |
//! | `restore` `saved` `layout` `pack` | what is kept, and a restart from it |
//! | `replay` | the same over what was recorded |

pub mod adopt;
pub mod audience;
mod backlog;
pub mod because;
pub mod book;
pub mod changes;
pub mod decide;
pub mod effects;
mod enforce;
pub mod error;
mod exchange;
pub mod layout;
mod notify;
pub mod outcome;
pub mod pack;
pub mod past;
mod persons;
pub mod proof;
pub mod replay;
mod restore;
pub mod run;
pub mod saved;
pub mod step;
mod suppress;
pub mod world;
mod write;

#[cfg(test)]
mod exchange_tests;
#[cfg(test)]
mod late_tests;
#[cfg(test)]
mod learned_tests;
#[cfg(test)]
mod notify_tests;
#[cfg(test)]
mod restart_tests;
#[cfg(test)]
mod suppress_tests;
#[cfg(test)]
mod tests;
