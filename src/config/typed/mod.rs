//! What was typed, file by file, before anything is checked.
//!
//! Every key may be missing and keeps `None` then: whether it may is for the checks to say, so that a missing key is
//! told beside all other faults. Unknown keys are refused.

pub mod columns;
pub mod daemon;
pub mod mapping;
pub mod notices;
pub mod profile;
pub mod quantity;
pub mod rules;
pub mod site;
pub mod tls;
