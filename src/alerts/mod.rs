//! 4. Alerts: a condition that held, from when to when, with its evidence and its life cycle. Pure.
//!
//! *In*: findings of detection, acknowledgements of people. *Out*: [`alert::Alert`], the record that is kept.
//! *State*: none here; the store keeps the records. An alert has two lives side by side: open or cleared, which only
//! readings decide, and unacknowledged or acknowledged, which only people decide. Nothing is ever deleted: what late readings
//! change is revised, retracted or found afterwards ([`reconcile`]), and reasons for which nobody is told stand beside it
//! ([`suppression`]).

pub mod alert;
pub mod compare;
pub mod evidence;
pub mod figure;
pub mod finding;
pub mod matching;
pub mod reason;
pub mod reconcile;
pub mod revision;
pub mod suppression;

#[cfg(test)]
mod suppression_tests;
#[cfg(test)]
mod tests;
