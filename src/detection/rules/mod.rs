//! The rules, one a file. Each turns what is certain and what is unknown about a site over time into alert findings.

pub mod calendar;
pub mod case;
pub mod data_missing;
pub mod day;
pub mod early_stop;
pub mod energy_ratio;
pub mod fragmented;
pub mod gap_while_producing;
pub mod incomplete_day;
pub mod late_start;
pub mod member;
pub mod night;
pub mod of_process;
pub mod outside_hours;
pub mod repeats;
pub mod scene;
pub mod treatment_off;
pub mod treatment_underload;
