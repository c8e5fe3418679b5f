//! The command line, one file a command.
//!
//! *In*: what was typed. *Out*: text a person reads, in English or Chinese, or JSON for scripts; an exit code (0 done,
//! 1 failed, 2 mistyped, 78 the configuration has mistakes). *State*: none. Reads ask the daemon over its socket, or the
//! files where no daemon runs; what changes something goes through the daemon. Errors are printed once, with their
//! chain of reasons and a hint where there is one.

pub mod access;
pub mod alerts;
pub mod check;
#[cfg(test)]
mod chinese_tests;
pub mod commission;
pub mod deeds;
#[cfg(feature = "demo")]
pub mod demo;
pub mod failure;
pub mod logging;
pub mod maintenance;
pub mod meters;
pub mod output;
pub mod password;
pub mod picture;
pub mod probe;
mod proof;
pub mod readings;
pub mod rejects;
pub mod replay;
pub mod rules;
pub mod run;
pub mod setup;
pub mod silent;
pub mod sites;
pub mod status;
pub mod story;
pub mod table;
pub mod thresholds;
pub mod tokens;
pub mod trail;
pub mod users;
pub mod who;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use setup::Globals;

/// Sub-metered electricity monitoring: proves whether pollution treatment runs while production runs.
///
/// Reads the meters of production and of pollution treatment over MQTT and Modbus, keeps every message, decides for
/// every unit whether it runs, and raises an alert with evidence where treatment is off while production runs.
#[derive(Debug, Parser)]
#[command(name = "submeterd", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Begin here:
  submeterd demo                         see it work, with simulated plants; nothing to install
  submeterd probe --tcp 192.0.2.7:502 --unit 1 --profile eastron-sdm630
                                         read one meter
  submeterd check --config FILE          find every mistake in a configuration at once
  submeterd replay --config FILE --input READINGS.jsonl
                                         try the rules on recorded readings; `replay --help` teaches more
  submeterd run --config FILE            the daemon";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon in the foreground, as systemd does.
    Run,
    /// Check a configuration and report every mistake at once.
    Check,
    #[cfg(feature = "demo")]
    Demo(demo::Args),
    /// Read one Modbus meter and show every quantity, or find the slaves on a link.
    Probe(probe::Args),
    /// List sites, show one, or make site files from a spreadsheet.
    Sites(sites::Args),
    /// List, show and follow alerts; acknowledge, comment, assign, declare, confirm, refuse.
    Alerts(alerts::Args),
    /// Show the readings of a meter.
    Readings(readings::Args),
    /// List messages that could not be taken as readings, or lines a database refused.
    Rejects(rejects::Args),
    /// Show how the daemon is.
    Status,
    /// File maintenance beforehand, list what was filed, or withdraw it.
    Maintenance(maintenance::Args),
    /// Tell that a meter was exchanged for another one, or list those that were.
    Meters(meters::Args),
    /// Judge recorded readings by the same engine: a CSV, a journal, or last month of a daemon's history by other rules.
    Replay(replay::Args),
    /// List, learn, confirm and refuse what units are judged by.
    Thresholds(thresholds::Args),
    /// A supervised test, off, idle and at full load: what every unit draws becomes what it is judged by.
    Commission(commission::Args),
    Trail(trail::Args),
    Users(users::Args),
    Tokens(tokens::Args),
}

/// Parses, runs one command, prints what went wrong once.
#[must_use]
pub fn main() -> ExitCode {
    let cli = parsed();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let outcome = runtime.block_on(perform(cli));
    // What still blocks, such as a read of standard input, must not hold up the end.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| failure::report(&error))
}

fn parsed() -> Cli {
    let matches = Cli::command().get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    cli.globals.is_config_typed = matches.value_source("config") == Some(ValueSource::CommandLine);
    cli
}

async fn perform(cli: Cli) -> anyhow::Result<ExitCode> {
    let globals = cli.globals;
    match cli.command {
        Command::Run => run::run(&globals).await?,
        Command::Check => return check::run(&globals),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(args, globals.lang()).await?,
        Command::Probe(args) => probe::run(&globals, args).await?,
        Command::Sites(args) => sites::run(&globals, args).await?,
        Command::Alerts(args) => alerts::run(&globals, args).await?,
        Command::Readings(args) => readings::run(&globals, &args).await?,
        Command::Rejects(args) => rejects::run(&globals, &args).await?,
        Command::Status => status::run(&globals).await?,
        Command::Maintenance(args) => maintenance::run(&globals, args).await?,
        Command::Meters(args) => meters::run(&globals, args).await?,
        Command::Replay(args) => replay::run(&globals, &args)?,
        Command::Thresholds(args) => thresholds::run(&globals, args).await?,
        Command::Commission(args) => commission::run(&globals, args).await?,
        Command::Trail(args) => trail::run(&globals, args).await?,
        Command::Users(args) => users::run(&globals, args).await?,
        Command::Tokens(args) => tokens::run(&globals, args).await?,
    }
    Ok(ExitCode::SUCCESS)
}
