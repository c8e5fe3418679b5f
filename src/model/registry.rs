//! All the engine must know to judge: meters, sites, profiles, mappings. It is an input like any other: the daemon
//! journals it whenever it changes, so a replay judges by what was in force at the time.

use std::collections::HashMap;
use std::io::{BufReader, BufWriter, Write as _};

use serde::{Deserialize, Serialize};

use super::mapping::{Mapping, Subscription};
use super::meter::{Meter, Profile};
use super::reading::MeterIdx;
use super::site::Site;

/// zstd's fastest ordinary level.
const COMPRESSION_LEVEL: i32 = 1;

/// What is packed begins with it, and no JSON does.
const PACKED: [u8; 4] = zstd::zstd_safe::MAGICNUMBER.to_le_bytes();

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

    /// As it is journaled and kept: JSON, compressed. That of a hundred thousand points is 50 MB long and is never whole
    /// in memory.
    ///
    /// # Errors
    /// Only memory could be the reason.
    pub fn pack(&self) -> Result<Vec<u8>, serde_json::Error> {
        let packer = zstd::Encoder::new(Vec::new(), COMPRESSION_LEVEL).map_err(serde_json::Error::io)?;
        let mut packer = BufWriter::new(packer);
        serde_json::to_writer(&mut packer, self)?;
        packer.flush().map_err(serde_json::Error::io)?;
        let (packer, _) = packer.into_parts();
        packer.finish().map_err(serde_json::Error::io)
    }

    /// From what [`pack`](Registry::pack) made, or from plain JSON, as earlier releases journaled it.
    ///
    /// # Errors
    /// It is neither.
    pub fn unpack(bytes: &[u8]) -> Result<Registry, serde_json::Error> {
        if !bytes.starts_with(&PACKED) {
            return serde_json::from_slice(bytes);
        }
        let json = zstd::Decoder::with_buffer(bytes).map_err(serde_json::Error::io)?;
        serde_json::from_reader(BufReader::new(json))
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
        let registry = Registry::unpack(FIRST.as_bytes()).unwrap();
        assert_eq!((registry.sites.len(), registry.meters.len(), registry.profiles.len()), (1, 2, 1));
        assert_eq!((registry.sites[0].points.len(), registry.mappings.len()), (2, 1));
    }

    #[test]
    fn what_is_packed_comes_back_and_what_is_cut_is_refused() {
        let registry = Registry::unpack(FIRST.as_bytes()).unwrap();
        let packed = registry.pack().unwrap();
        assert!(packed.len() < FIRST.len() / 2);
        assert_eq!(Registry::unpack(&packed).unwrap(), registry);
        assert!(Registry::unpack(&packed[..packed.len() / 2]).is_err());
        assert!(Registry::unpack(b"no").is_err());
    }

    #[test]
    fn how_a_register_counts_is_written_down_only_where_it_is_known() {
        let json = |counting: &str| format!("{}\"counting\": {counting}, {}", &FIRST[..20], &FIRST[20..]);
        let of =
            |counting: &str| Registry::unpack(json(counting).as_bytes()).unwrap().meters[0].counting.clone();
        let unknown = r#"{"step_kwh": null, "is_single": false, "modulus_kwh": null}"#;
        assert_eq!((of(unknown), of("null")), (None, None));
        assert_eq!(of(r#"{"step_kwh": 0.5}"#).unwrap().step_kwh, Some(0.5));
    }
}
