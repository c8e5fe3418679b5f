//! A site over minutes, judged.

mod days;
mod energy;
mod minutes;
mod plant;
mod reconfigured;
