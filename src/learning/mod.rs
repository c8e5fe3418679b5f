//! What minutes of power teach of a plant: thresholds, running medians, ratings that cannot be right. Pure.
//!
//! *In*: minutes of points, the site they belong to. *Out*: proposals ([`Learned`](crate::model::basis::Basis::Learned)),
//! remarks, and the record of a commissioning test; or a refusal that names every test it failed, with the figure.
//! *State*: none; a daily job brings 14 to 28 days of minutes and takes the outcome away.
//!
//! A plant that runs sham from its first day teaches a sham. So nothing learned here is in force by itself for more than a
//! warning: a person confirms it, and a baseline only against a recorded commissioning test.
//! Never done here: IO, reading a clock, filling in a minute that is missing.

pub mod acceptance;
pub mod adopt;
pub mod commission;
pub mod confirm;
pub mod histogram;
pub mod minute;
pub mod plausible;
pub mod running;
pub mod split;

#[cfg(test)]
mod tests;
