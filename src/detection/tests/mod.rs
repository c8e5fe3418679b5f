//! A site over minutes, judged.

mod days;
mod edges;
mod hours;
mod minutes;
pub(super) mod plant;
mod reconfigured;
mod usual;
