//! A site over minutes, judged.

mod days;
mod energy;
mod meters;
mod meters_of_site;
mod minutes;
mod plant;
mod reconfigured;
mod wall;
