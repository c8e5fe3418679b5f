//! A site over minutes, judged.

mod days;
mod minutes;
mod plant;
mod reconfigured;
