//! The rules, one a file. Each turns what is certain and what is unknown about a site over time into alert findings.

pub mod case;
pub mod data_missing;
pub mod day;
pub mod fragmented;
pub mod gap_while_producing;
pub mod incomplete_day;
pub mod treatment_off;
