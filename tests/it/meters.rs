//! Every meter profile that comes with the program, against the facts it was made from.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use submeterd::config::check::profile::Profiles;
use submeterd::config::problem::Report;
use submeterd::config::texts::Text;
use submeterd::config::{library, typed};
use submeterd::model::meter::{Coding, Profile, RegisterType, Table, WordOrder};
use submeterd::model::quantity::{Channel, Phase, Quantity};

#[derive(Deserialize)]
struct Fact {
    vendor: String,
    model: String,
    function_code: u8,
    word_order: WordOrder,
    #[serde(default)]
    secondary_side: bool,
    registers: Vec<RegisterFact>,
}

#[derive(Deserialize)]
struct RegisterFact {
    quantity: String,
    phase: Phase,
    address: u16,
    r#type: RegisterType,
    scale: f64,
    unit: String,
}

/// The facts file lies beside the repository, not in it.
fn facts() -> Option<Vec<Fact>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/meters.json");
    match fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            println!("SKIPPED: {} cannot be read: {error}", path.display());
            None
        }
    }
}

fn profiles(folder: &[Text]) -> Profiles {
    let mut report = Report::default();
    let profiles = library::profiles(folder, &mut report);
    let problems = report.finish(|_, _| None);
    assert!(problems.errors.is_empty() && problems.warnings.is_empty(), "{problems} {:?}", problems.warnings);
    profiles
}

/// The profile each set of facts went into.
const NAMES: &[(&str, &str, &str)] = &[
    ("Eastron", "SDM630", "eastron-sdm630"),
    ("Eastron", "SDM120", "eastron-sdm120"),
    ("Eastron", "SDM230", "eastron-sdm230"),
    ("Schneider Electric", "iEM3155", "schneider-iem3x55"),
    ("Schneider Electric", "PM5100", "schneider-pm5xxx"),
    ("Schneider Electric", "iEM3150", "schneider-iem3x50"),
    ("ABB", "B23", "abb-b23"),
    ("Chint", "DTSU666", "chint-dtsu666"),
    ("Acrel", "ADL400", "acrel-adl400"),
    ("Acrel", "ADW300", "acrel-adw300"),
    ("Carlo Gavazzi", "EM24 ", "carlo-gavazzi-em24"),
    ("Carlo Gavazzi", "EM24_E1", "carlo-gavazzi-em340"),
    ("Janitza", "UMG 96RM", "janitza-umg96rm"),
    ("Janitza", "UMG 604", "janitza-umg604"),
    ("Janitza", "B21", "janitza-b23"),
    ("Socomec", "Countis E23", "socomec-countis-e24"),
    ("Socomec", "Countis E34", "socomec-countis-e44"),
    ("Siemens", "PAC2200", "siemens-pac2200"),
    ("Siemens", "PAC3120", "siemens-pac3120"),
    ("Siemens", "PAC3200", "siemens-pac3200"),
    ("Siemens", "PAC4200", "siemens-pac4200"),
    ("Siemens", "PAC1600", "siemens-pac1600"),
    ("Shelly", "Pro 3EM", "shelly-pro3em"),
    ("Inepro", "PRO380", "inepro-pro380"),
    ("Lovato", "DMG610", "lovato-dmg610"),
];

fn quantity(name: &str) -> Quantity {
    serde_json::from_value(serde_json::Value::String(name.trim_end_matches("_f32").into())).unwrap()
}

fn check_register(profile: &Profile, fact: &RegisterFact) {
    let channel = Channel::of(quantity(&fact.quantity), fact.phase);
    let found = profile.registers.iter().find(|r| r.channel == channel);
    let found = found.unwrap_or_else(|| panic!("{}: no {}", profile.name, channel.name()));
    let place = format!("{} {}", profile.name, channel.name());
    assert_eq!(found.address, fact.address, "{place}");
    assert_eq!(found.kind, fact.r#type, "{place}");
    assert_eq!(found.scale, fact.scale, "{place}");
    assert_eq!(channel.quantity().unit(), fact.unit.split(' ').next().unwrap(), "{place}");
    let coding = match &fact.unit {
        unit if unit.contains("four-quadrant") => Coding::FourQuadrant,
        unit if unit.contains("leading/lagging") => Coding::SignIsLeading,
        _ => Coding::Plain,
    };
    assert_eq!(found.coding, coding, "{place}");
}

#[test]
fn every_register_of_every_profile_is_as_the_facts_say() {
    let Some(facts) = facts() else { return };
    let profiles = profiles(&[]);
    let mut n_registers = 0;
    let mut n_expected: BTreeMap<String, usize> = BTreeMap::new();
    assert_eq!(facts.len(), NAMES.len());
    for fact in &facts {
        let named = |n: &&(&str, &str, &str)| fact.vendor == n.0 && fact.model.starts_with(n.1);
        let (_, _, name) =
            NAMES.iter().find(named).unwrap_or_else(|| panic!("{} {}", fact.vendor, fact.model));
        let profile = &profiles[*name];
        assert_eq!(
            profile.table,
            if fact.function_code == 4 { Table::Input } else { Table::Holding },
            "{name}"
        );
        assert_eq!(profile.word_order, fact.word_order, "{name}");
        assert_eq!(profile.secondary_side, fact.secondary_side, "{name}");
        for register in &fact.registers {
            // A meter says a channel once: the other encoding of the same energy is a profile of its own.
            let own = if register.quantity.ends_with("_f32") {
                format!("{name}-float")
            } else {
                (*name).to_owned()
            };
            check_register(&profiles[own.as_str()], register);
            *n_expected.entry(own).or_default() += 1;
            n_registers += 1;
        }
    }
    assert_eq!(n_registers, 476);
    for (name, n) in n_expected.iter().filter(|(name, _)| !name.ends_with("-float")) {
        assert_eq!(
            profiles[name.as_str()].registers.len(),
            *n,
            "{name} reads something the facts do not name"
        );
    }
}

#[test]
fn the_embedded_profiles_are_the_files_of_the_folder() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config");
    for (sub, embedded) in [("meters", library::METERS), ("mappings", library::MAPPINGS)] {
        let on_disk =
            fs::read_dir(folder.join(sub)).map(|d| d.map(|e| e.unwrap().file_name().into_string().unwrap()));
        let mut on_disk: Vec<_> = on_disk.map(Iterator::collect).unwrap_or_default();
        on_disk.sort();
        let known: Vec<_> = embedded.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(known, on_disk, "config/{sub}");
        for (name, text) in embedded {
            let stem = name.trim_end_matches(".toml");
            assert!(text.contains(&format!("name = \"{stem}\"")), "{name} has another name inside");
        }
    }
}

#[test]
fn what_the_makers_limit_is_kept() {
    let profiles = profiles(&[]);
    for name in ["eastron-sdm630", "eastron-sdm120", "eastron-sdm230"] {
        let p = &profiles[name];
        assert_eq!((p.max_registers, p.even_counts), (80, true), "{name}");
        assert!(p.registers.iter().all(|r| r.address % 2 == 0 && r.kind.words() == 2), "{name}");
    }
    assert!(profiles.values().filter(|p| !p.name.starts_with("eastron")).all(|p| p.max_gap == 0));
}

#[test]
fn a_profile_of_the_folder_adds_to_the_embedded_or_takes_their_place() {
    let own = |name: &str, address: u16| Text {
        name: format!("meters/{name}.toml"),
        text: format!(
            "name = \"{name}\"\ntable = \"holding\"\nword_order = \"little\"\n\
             registers = [{{ address = {address}, type = \"i32\", channel = \"power_w\", unit = \"kW\", scale = 0.1 }}]\n"
        ),
    };
    let profiles = profiles(&[own("abb-b23", 7), own("our-own", 9)]);
    assert_eq!(profiles.len(), library::METERS.len() + 1);
    assert_eq!(profiles["abb-b23"].registers[0].address, 7);
    assert_eq!((profiles["our-own"].registers[0].scale, profiles["our-own"].max_registers), (100.0, 125));
}

#[test]
fn brand_and_model_are_said_in_every_profile() {
    for (name, text) in library::METERS {
        let typed: typed::profile::Profile = toml::from_str(text).unwrap();
        assert!(typed.brand.is_some() && typed.model.is_some(), "{name}");
        assert!(
            text.starts_with("# ") && text.contains("\n# - "),
            "{name} opens with what one must know of it"
        );
    }
}
