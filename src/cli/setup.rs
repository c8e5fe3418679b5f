//! What goes with every command, and the configuration it works with.

use std::path::{Path, PathBuf};

use crate::config::settings::Daemon;
use crate::config::{self, Loaded};
use crate::wording::words::{self, Lang};

/// What goes with every command.
#[derive(Clone, Debug, clap::Args)]
pub struct Globals {
    /// Configuration file; without one /etc/submeterd/submeterd.toml where it exists, else the defaults.
    #[arg(long, short, global = true, value_name = "FILE", env = "SUBMETERD_CONFIG")]
    pub config: Option<PathBuf>,
    /// Whether it was named on the command line, not only by the environment.
    #[arg(skip)]
    pub is_config_typed: bool,
    /// JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Language of text; by default that of the locale.
    #[arg(long, global = true, value_enum)]
    pub lang: Option<Lang>,
}

impl Globals {
    /// The language to speak.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(words::of_environment)
    }
}

/// Where a configuration is looked for when none is named.
const SYSTEM_FILE: &str = "/etc/submeterd/submeterd.toml";

/// The file to load, if there is one.
#[must_use]
pub fn file(globals: &Globals) -> Option<PathBuf> {
    let system = || Some(PathBuf::from(SYSTEM_FILE)).filter(|file| Path::exists(file));
    globals.config.clone().or_else(system)
}

/// Loads the configuration.
///
/// # Errors
/// It has mistakes; all of them are told.
pub fn load(globals: &Globals) -> anyhow::Result<Loaded> {
    Ok(config::load(file(globals).as_deref(), config::process_environment())?)
}

/// Loads it for a command that logs in nowhere: whoever runs it need not be able to read passwords.
///
/// # Errors
/// It has mistakes; all of them are told.
pub fn load_without_secrets(globals: &Globals) -> anyhow::Result<Loaded> {
    Ok(config::load_without_secrets(file(globals).as_deref(), config::process_environment())?)
}

/// Where the daemon is found.
///
/// # Errors
/// The file cannot be read, or its section `[daemon]` has mistakes.
pub fn daemon(globals: &Globals) -> anyhow::Result<Daemon> {
    Ok(config::load_daemon(file(globals).as_deref(), config::process_environment())?)
}
