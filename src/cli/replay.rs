//! `submeterd replay`: the same engine over recorded readings, or over a journal, and its alerts.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::alerts::{Zones, listing};
use super::output::{print, print_json};
use super::setup::{self, Globals};
use crate::alerts::alert::Alert;
use crate::engine::replay::{self, Replay};
use crate::engine::step::Engine;
use crate::journal::Reader;
use crate::model::time::UtcMs;
use crate::sources::mqtt::recorded;
use crate::store::schema::STORE_FILE;
use crate::store::views::{AlertFilter, Views};
use crate::store::write::Store;

/// What to replay.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub struct Args {
    /// Native messages, one JSON a line, each with its `site` and `meter`, and `received_at` where it matters; `-` is
    /// standard input. Lines without `received_at` count as received when they were measured. Meters of the configuration
    /// that are read over Modbus may speak too: their values are taken as they stand.
    #[arg(long, value_name = "FILE", group = "source")]
    input: Option<PathBuf>,
    /// The data folder of a daemon: its whole journal, judged by the registries in it.
    #[arg(long, value_name = "FOLDER", group = "source")]
    journal: Option<PathBuf>,
}

/// So many of what was rejected are told, the last ones.
const N_REJECTS_SHOWN: u32 = 5;

/// Runs the command.
///
/// # Errors
/// The configuration has mistakes, or the input cannot be read.
pub fn run(globals: &Globals, args: &Args) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("make a temporary folder")?;
    let path = folder.path().join(STORE_FILE);
    let store = Store::open(&path)?;
    let engine = match (&args.input, &args.journal) {
        (Some(input), _) => messages(globals, input, store)?,
        (_, Some(journal)) => whole_journal(journal, store)?,
        _ => unreachable!("the command line wants one of the two"),
    };
    let views = Views::open(&path)?;
    let mut alerts = views.alerts(&AlertFilter::default())?;
    alerts.sort_by(|a, b| (a.first, &a.id).cmp(&(b.first, &b.id)));
    report(globals, &engine, &alerts)?;
    for reject in views.rejects(None, N_REJECTS_SHOWN)?.iter().rev() {
        eprintln!("rejected: {}: {}", reject.code, reject.reason);
    }
    Ok(())
}

fn report(globals: &Globals, engine: &Engine, alerts: &[Alert]) -> anyhow::Result<()> {
    if globals.json {
        return print_json(&alerts);
    }
    print(&listing(alerts, &Zones::of_registry(engine.world().registry()), globals.lang()))?;
    let counts = engine.counts();
    eprintln!(
        "{} messages, {} readings, {} rejected, {} late, {} of meters that measure no point",
        counts.messages, counts.readings, counts.rejects, counts.late, counts.unassigned
    );
    Ok(())
}

/// A line, with when it counts as received.
struct Line<'a> {
    received: UtcMs,
    text: &'a str,
}

fn messages(globals: &Globals, input: &Path, store: Store) -> anyhow::Result<Engine> {
    let config = setup::load_without_secrets(globals)?.config;
    let text = read(input)?;
    let mut lines = Vec::new();
    for (number, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let received = recorded::received_at(text.as_bytes())
            .map_err(|reject| anyhow::anyhow!("{}:{number}: {reject}", input.display()))?;
        lines.push(Line { received, text });
    }
    lines.sort_by_key(|line| line.received);
    let begin = lines.first().map_or(UtcMs(0), |line| line.received);
    let bar = progress_bar(lines.len() as u64);
    let mut replay = Replay::begin(store, &config.registry, begin)?;
    for line in &lines {
        replay.message(line.received, line.text.as_bytes())?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(replay.finish()?)
}

fn read(input: &Path) -> anyhow::Result<String> {
    if input != Path::new("-") {
        return std::fs::read_to_string(input).with_context(|| format!("cannot read {}", input.display()));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text)
}

fn whole_journal(folder: &Path, store: Store) -> anyhow::Result<Engine> {
    let mut reader = Reader::open(folder)?;
    let stats = reader.stats()?;
    let bar = progress_bar(stats.last.saturating_sub(stats.first));
    let engine = replay::journal(store, &mut reader, |offset| bar.set_position(offset - stats.first))?;
    bar.finish_and_clear();
    Ok(engine)
}

fn progress_bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent} %  {per_sec}  {eta} left") {
        bar.set_style(style);
    }
    bar
}
