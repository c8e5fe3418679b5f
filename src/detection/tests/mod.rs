//! A site over minutes, judged.

mod days;
mod edges;
mod energy;
mod hours;
mod meters;
mod meters_of_site;
mod minutes;
pub(super) mod plant;
mod reconfigured;
mod thinned;
mod units;
mod usual;
mod wall;
