//! All the engine must know to judge: meters, sites, profiles, mappings. It is an input like any other: the daemon
//! journals it whenever it changes, so a replay judges by what was in force at the time.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::mapping::{Mapping, Subscription};
use super::meter::{Meter, Profile};
use super::reading::MeterIdx;
use super::site::Site;

/// Everything the engine judges by. Valid by construction when it comes from `config`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    /// Every meter; readings name them by index.
    pub meters: Vec<Meter>,
    /// Every site.
    pub sites: Vec<Site>,
    /// Register profiles that are in use.
    pub profiles: Vec<Profile>,
    /// MQTT subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Field mappings that are in use.
    pub mappings: Vec<Mapping>,
}

impl Registry {
    /// Meter index by id, for decoders.
    #[must_use]
    pub fn meter_index(&self) -> HashMap<&str, MeterIdx> {
        (0..).zip(&self.meters).map(|(i, m)| (&*m.id, i)).collect()
    }
}
