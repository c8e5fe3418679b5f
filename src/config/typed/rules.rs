//! `[rules.RULE]`, as typed: in `submeterd.toml` for all sites, in a site file, or at a process.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Keys and values of each rule that is named.
pub type Rules = BTreeMap<String, BTreeMap<String, Value>>;

/// What may stand behind a key; which of them fits, the key decides.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `on = false`
    Switch(bool),
    /// `samples_min = 20`
    Number(f64),
    /// `tolerance = "5min"`, `share = "30%"`, `night_from = "21:30"`
    Text(String),
}
