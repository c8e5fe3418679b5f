//! Meter profiles and field mappings that come with the program, and those a folder adds or puts in their place.

use super::check::mapping::{self, Mappings};
use super::check::profile::{self, Profiles};
use super::document;
use super::problem::{Report, Spot};
use super::texts::Text;
use super::typed;

/// Meter profiles, by file name.
pub const METERS: &[(&str, &str)] = &[
    ("abb-b23.toml", include_str!("../../config/meters/abb-b23.toml")),
    ("acrel-adl400.toml", include_str!("../../config/meters/acrel-adl400.toml")),
    ("acrel-adw300.toml", include_str!("../../config/meters/acrel-adw300.toml")),
    ("carlo-gavazzi-em24.toml", include_str!("../../config/meters/carlo-gavazzi-em24.toml")),
    ("carlo-gavazzi-em340.toml", include_str!("../../config/meters/carlo-gavazzi-em340.toml")),
    ("chint-dtsu666.toml", include_str!("../../config/meters/chint-dtsu666.toml")),
    ("eastron-sdm120.toml", include_str!("../../config/meters/eastron-sdm120.toml")),
    ("eastron-sdm230.toml", include_str!("../../config/meters/eastron-sdm230.toml")),
    ("eastron-sdm630.toml", include_str!("../../config/meters/eastron-sdm630.toml")),
    ("inepro-pro380.toml", include_str!("../../config/meters/inepro-pro380.toml")),
    ("janitza-b23.toml", include_str!("../../config/meters/janitza-b23.toml")),
    ("janitza-umg604.toml", include_str!("../../config/meters/janitza-umg604.toml")),
    ("janitza-umg96rm.toml", include_str!("../../config/meters/janitza-umg96rm.toml")),
    ("lovato-dmg610.toml", include_str!("../../config/meters/lovato-dmg610.toml")),
    ("schneider-iem3x50.toml", include_str!("../../config/meters/schneider-iem3x50.toml")),
    ("schneider-iem3x55.toml", include_str!("../../config/meters/schneider-iem3x55.toml")),
    ("schneider-pm5xxx-float.toml", include_str!("../../config/meters/schneider-pm5xxx-float.toml")),
    ("schneider-pm5xxx.toml", include_str!("../../config/meters/schneider-pm5xxx.toml")),
    ("shelly-pro3em.toml", include_str!("../../config/meters/shelly-pro3em.toml")),
    ("siemens-pac1600.toml", include_str!("../../config/meters/siemens-pac1600.toml")),
    ("siemens-pac2200.toml", include_str!("../../config/meters/siemens-pac2200.toml")),
    ("siemens-pac3120.toml", include_str!("../../config/meters/siemens-pac3120.toml")),
    ("siemens-pac3200.toml", include_str!("../../config/meters/siemens-pac3200.toml")),
    ("siemens-pac4200.toml", include_str!("../../config/meters/siemens-pac4200.toml")),
    ("socomec-countis-e24.toml", include_str!("../../config/meters/socomec-countis-e24.toml")),
    ("socomec-countis-e44.toml", include_str!("../../config/meters/socomec-countis-e44.toml")),
];

/// Field mappings, by file name.
pub const MAPPINGS: &[(&str, &str)] = &[
    ("neuron.toml", include_str!("../../config/mappings/neuron.toml")),
    ("shelly-gen2-em.toml", include_str!("../../config/mappings/shelly-gen2-em.toml")),
    ("tasmota.toml", include_str!("../../config/mappings/tasmota.toml")),
    ("thingsboard.toml", include_str!("../../config/mappings/thingsboard.toml")),
    ("zigbee2mqtt.toml", include_str!("../../config/mappings/zigbee2mqtt.toml")),
];

/// The embedded profiles, with the folder's over them.
pub fn profiles(folder: &[Text], report: &mut Report) -> Profiles {
    let mut all = Profiles::new();
    each(METERS, folder, report, |typed: &typed::profile::Profile, spot, report| {
        let profile = profile::check(typed, spot, report);
        all.insert(profile.name.clone(), profile);
    });
    all
}

/// The embedded mappings, with the folder's over them.
pub fn mappings(folder: &[Text], report: &mut Report) -> Mappings {
    let mut all = Mappings::new();
    each(MAPPINGS, folder, report, |typed: &typed::mapping::Mapping, spot, report| {
        let mapping = mapping::check(typed, None, spot, report);
        if &*mapping.name == "native" {
            report.error(&spot.key("name"), "\"native\" is the name of the native decoder", "another name");
        }
        all.insert(mapping.name.clone(), mapping);
    });
    all
}

fn each<T: serde::de::DeserializeOwned>(
    embedded: &[(&str, &str)],
    folder: &[Text],
    report: &mut Report,
    mut take: impl FnMut(&T, &Spot, &mut Report),
) {
    let own = embedded.iter().map(|(name, text)| (format!("(embedded) {name}"), *text));
    let added = folder.iter().map(|t| (t.name.clone(), &*t.text));
    for (name, text) in own.chain(added) {
        if let Some(read) = document::read::<T>(&name, text, report) {
            take(&read.typed, &Spot::file(&name), report);
        }
    }
}
