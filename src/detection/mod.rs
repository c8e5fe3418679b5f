//! 3. Detection: readings in, findings out. Pure.
//!
//! *In*: readings of a site, each once, within its reorder window in any order; how far time has gone.
//! *Out*: [`finding::Finding`]s: a unit changed its state; an alert condition began, rose, ended.
//! *State*: one [`site::SiteJudge`] a site, owned by the engine, serializable whole, so that it can be saved,
//! restored and run again over history.
//!
//! All is judged on measuring time. Every finding carries the exact moment at which it holds, worked out from the
//! readings and not from when somebody looked, so the outcome is the same however the readings were batched.
//! Never done here: IO, reading a clock, filling a gap with a guess. What is not known is `Unknown`: it opens no
//! "off", clears nothing and adds to no duration; it has alerts of its own.

pub mod applicable;
pub mod context;
pub mod debounce;
pub mod finding;
pub mod maybe;
pub mod meters;
pub mod observe;
pub mod process;
pub mod rules;
pub mod sample;
pub mod site;
pub mod state;

#[cfg(test)]
mod tests;
