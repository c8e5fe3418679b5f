//! Configuration: as typed, then checked, then ready.
//!
//! *In*: `submeterd.toml` over the embedded defaults and under `SUBMETERD__section__key` variables; a folder of site
//! files; folders of meter profiles and field mappings that add to the embedded ones.
//! *Out*: a [`Config`], valid by construction, with the warnings found on the way; or [`Problems`]: all that is wrong in
//! all files at once, each with file, line, key and what to do.
//! *State*: none. Files are read in [`texts`] and [`check::secret`] only; the environment is an input.
//! Never done here: working out scan times, connecting to anything, guessing what was meant.

pub mod check;
pub mod columns;
pub mod document;
pub mod import;
pub mod layers;
pub mod library;
pub mod problem;
pub mod receivers;
pub mod secret;
pub mod settings;
pub mod suggest;
pub mod texts;
pub mod typed;
pub mod words;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::model::param::Settings;
use crate::model::registry::Registry;
use check::ground::Ground;
use check::plant;
use check::{broker, daemon, influx, link, mapping, notices, rules, secret::Places, web};
use layers::Layered;
use problem::{Problem, Problems, Report, Spot};
use receivers::Receiver;
use settings::{Broker, Daemon, History, Influx, Journal, Learning, Link, Log};
use texts::Texts;

/// Everything that was configured, checked: a `Config` that exists is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The daemon itself.
    pub daemon: Daemon,
    /// What is logged.
    pub log: Log,
    /// The journal.
    pub journal: Journal,
    /// The history.
    pub history: History,
    /// MQTT brokers.
    pub brokers: Vec<Broker>,
    /// Modbus links.
    pub links: Vec<Link>,
    /// Where time series go.
    pub influx: Option<Influx>,
    /// What the engine judges by: sites by id, meters in the order of their sites and files.
    pub registry: Registry,
    /// The daily job that learns.
    pub learning: Learning,
    /// Where `/metrics` and `/health` are served, if anywhere.
    pub telemetry: Option<SocketAddr>,
    /// Where the page and the API are served, if anywhere.
    pub web: Option<settings::Web>,
    /// Who is told of alerts.
    pub receivers: Vec<Receiver>,
}

/// A configuration and what was found while reading it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What should be looked at.
    pub warnings: Vec<Problem>,
    /// The files it was read from.
    pub files: Vec<PathBuf>,
}

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// The variables of this process that a configuration may use; for the edge.
#[must_use]
pub fn process_environment() -> Environment {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Loads a configuration: the file at `path` if there is one, the folders it names, the environment.
///
/// # Errors
/// All that is wrong in all of them.
pub fn load(path: Option<&Path>, environment: Environment) -> Result<Loaded, Problems> {
    load_with(path, Texts { environment, ..Texts::default() })
}

/// The same for commands that log in nowhere: secrets and certificates stay unread, as whoever runs them may not be
/// allowed to read them.
///
/// # Errors
/// All that is wrong in the rest.
pub fn load_without_secrets(path: Option<&Path>, environment: Environment) -> Result<Loaded, Problems> {
    load_with(path, Texts { environment, without_secrets: true, ..Texts::default() })
}

/// Where the daemon is found: its own section alone, for commands that only ask it.
///
/// # Errors
/// The file cannot be read, has keys that are not known, or that section has mistakes.
pub fn load_daemon(path: Option<&Path>, environment: Environment) -> Result<Daemon, Problems> {
    let mut report = Report::default();
    let texts = main_texts(path, Texts { environment, ..Texts::default() }, &mut report);
    let layered = layers::lay(texts.main.as_ref(), &texts.environment, &mut report);
    let places = Places::new(&texts.base, &texts.environment);
    let at = main_spot(&texts).key("daemon");
    let daemon = daemon::check(&layered.typed.daemon, &at, &places, &mut report);
    if report.is_clean() { Ok(daemon) } else { Err(told(report, &texts)) }
}

/// The texts with the main file among them.
fn main_texts(path: Option<&Path>, texts: Texts, report: &mut Report) -> Texts {
    let base = path.and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
    Texts { main: path.and_then(|p| texts::file(p, report)), base, ..texts }
}

fn load_with(path: Option<&Path>, texts: Texts) -> Result<Loaded, Problems> {
    let mut report = Report::default();
    let mut texts = main_texts(path, texts, &mut report);
    let is_lost = path.is_some() && texts.main.is_none();
    let mut layered = layers::lay(texts.main.as_ref(), &texts.environment, &mut report);
    layered.is_whole &= !is_lost;
    let (all, by_user) = (&layered.typed.daemon, &layered.by_user.daemon);
    let spot = main_spot(&texts).key("daemon");
    let mut folder = |dir: Option<&String>, by_user: Option<&String>, key: &str| {
        let named = by_user.map(|_| spot.key(key));
        match dir {
            // Without a file a relative folder is nowhere: what lies in the working directory is none of ours.
            Some(dir) if path.is_some() || Path::new(dir).is_absolute() => {
                texts::folder(&texts.base.join(dir), named.as_ref(), &mut report)
            }
            _ => Vec::new(),
        }
    };
    let sites = folder(all.sites_dir.as_ref(), by_user.sites_dir.as_ref(), "sites_dir");
    let meters = folder(all.meters_dir.as_ref(), by_user.meters_dir.as_ref(), "meters_dir");
    let mappings = folder(all.mappings_dir.as_ref(), by_user.mappings_dir.as_ref(), "mappings_dir");
    (texts.sites, texts.meters, texts.mappings) = (sites, meters, mappings);
    finish(&layered, &texts, report)
}

/// Makes a configuration of texts, for tests and the demonstration. Only secrets and certificates are read from files.
///
/// # Errors
/// All that is wrong in all of them.
pub fn from_texts(texts: &Texts) -> Result<Loaded, Problems> {
    let mut report = Report::default();
    let layered = layers::lay(texts.main.as_ref(), &texts.environment, &mut report);
    finish(&layered, texts, report)
}

fn main_spot(texts: &Texts) -> Spot {
    Spot::file(texts.main.as_ref().map_or(layers::DEFAULTS_NAME, |t| &t.name))
}

fn finish(layered: &Layered, texts: &Texts, mut report: Report) -> Result<Loaded, Problems> {
    let config = check_all(layered, texts, &mut report);
    let is_clean = report.is_clean();
    let problems = told(report, texts);
    if is_clean {
        Ok(Loaded { config, warnings: problems.warnings, files: texts.files() })
    } else {
        Err(problems)
    }
}

fn told(report: Report, texts: &Texts) -> Problems {
    report.finish(|file, key| texts.named(file).and_then(|text| document::line_of(text, key)))
}

fn check_all(layered: &Layered, texts: &Texts, report: &mut Report) -> Config {
    let typed = &layered.typed;
    let main = main_spot(texts);
    let places =
        Places { without_secrets: texts.without_secrets, ..Places::new(&texts.base, &texts.environment) };
    let profiles = library::profiles(&texts.meters, report);
    let mut mappings = library::mappings(&texts.mappings, report);
    for (name, own) in &typed.mappings {
        let at = main.key("mappings").key(name);
        let mapping = mapping::check(own, Some(name), &at, report);
        mappings.insert(mapping.name.clone(), mapping);
    }
    let mqtt = broker::check(&typed.mqtt.brokers, &main.key("mqtt"), &mappings, &places, report);
    let links = link::check(&typed.modbus.links, &main.key("modbus"), report);
    let mut sites = Vec::with_capacity(texts.sites.len());
    for text in &texts.sites {
        let read = document::read(&text.name, &text.text, report);
        sites.extend(read.map(|r| (Spot::file(&text.name), r.typed)));
    }
    let ground = Ground {
        links: layered.is_whole.then_some(&links[..]),
        profiles: &profiles,
        subscribed: layered.is_whole.then_some(!mqtt.subscriptions.is_empty()),
    };
    let settings = rules::lay(&Settings::DEFAULT, &typed.rules, &main, false, report);
    let plant = plant::check(sites, ground, &settings, report);
    let (journal_days, journal_bytes) = daemon::kept(&typed.journal, &main.key("journal"), report);
    let (history_days, history_bytes) = daemon::kept(&typed.history, &main.key("history"), report);
    let receivers = notices::check(&typed.notices, &main.key("notices"), &plant.sites, &places, report);
    Config {
        daemon: daemon::check(&typed.daemon, &main.key("daemon"), &places, report),
        log: daemon::log(&typed.log, &main.key("log"), report),
        journal: Journal { days_max: journal_days, bytes_max: journal_bytes },
        history: History { days_max: history_days, bytes_max: history_bytes },
        brokers: mqtt.brokers,
        links,
        influx: typed.influx.as_ref().map(|i| influx::check(i, &main.key("influx"), &places, report)),
        registry: Registry {
            meters: plant.meters,
            sites: plant.sites,
            profiles: plant.profiles,
            subscriptions: mqtt.subscriptions,
            mappings: mqtt.mappings,
        },
        learning: daemon::learning(&typed.learning, &main.key("learning"), report),
        telemetry: daemon::telemetry(&typed.telemetry, &main.key("telemetry"), report),
        web: web::check(&typed.web, &main.key("web"), &places, report),
        receivers,
    }
}
