//! Notices: who is told of which alert, and when. Pure.
//!
//! *In*: alerts as they change, and moments of the journal. *Out*: [`notice::Notice`], what goes to one receiver about one
//! site. *State*: an [`item::Item`] for each receiver and alert, kept by the store beside
//! the alert; so a restart tells nothing twice and forgets nothing.
//!
//! Never done here: sending anything, reading a clock. The engine asks [`plan`] when an alert changes and when time has
//! passed, and writes what comes of it in the transaction that writes the alert; the outbox puts it into words and sends it.

pub mod item;
pub mod notice;
pub mod plan;
pub mod quiet;

#[cfg(test)]
mod plan_tests;
