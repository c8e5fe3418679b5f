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

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first release journaled it. Not to be changed: journals last for years, and one with a registry that
    /// cannot be read stops the engine. What is new gets a default; what changes its form, a further file beside this.
    const FIRST: &str = include_str!("registry_1.json");

    #[test]
    fn a_registry_of_the_first_release_can_still_be_read() {
        let registry: Registry = serde_json::from_str(FIRST).unwrap();
        assert_eq!((registry.sites.len(), registry.meters.len(), registry.profiles.len()), (1, 2, 1));
        assert_eq!((registry.sites[0].points.len(), registry.mappings.len()), (2, 1));
    }
}
