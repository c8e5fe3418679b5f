//! `submeterd replay`: the same engine over recorded readings, a journal or a daemon's history, and its alerts; rules are
//! tried on last month before they go live.
//!
//! *In*: one of four [`sources`]. *Out*: the alerts of the wanted time, or their difference [`against`] those that are
//! stored, and a [`picture`]. *State*: a store in a temporary folder, thrown away at the end. Never done here: writing to
//! any data folder.

pub mod against;
pub mod history;
pub mod picture;
pub mod rows;
pub mod sources;
pub mod spool;
pub mod table;
pub mod window;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::alerts::{Zones, listing};
use super::failure::hinted;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use crate::alerts::alert::Alert;
use crate::alerts::compare::{self, Span};
use crate::config::suggest;
use crate::engine::step::Engine;
use crate::model::registry::Registry;
use crate::model::time::Clock;
use crate::store::schema::STORE_FILE;
use crate::store::views::{AlertFilter, Views};
use crate::store::write::Store;
use crate::wording::said::said;
use crate::wording::words::{self, Lang, Words, words};
use sources::Replayed;
use window::Window;

/// What to replay.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("source").required(true), after_long_help = EXAMPLES)]
pub struct Args {
    /// Native messages, one JSON a line, each with its `site` and `meter`, and `received_at` where it matters; `-` is
    /// standard input. Lines without `received_at` count as received when they were measured. Meters of the configuration
    /// that are read over Modbus may speak too: their values are taken as they stand.
    #[arg(long, value_name = "FILE", group = "source")]
    input: Option<PathBuf>,
    /// A CSV whose first row names its columns; `-` is standard input. Values are taken as they stand: ratios of CT and PT
    /// go into the map's scale. Rows may come in any order; an empty cell is missing.
    #[arg(long, value_name = "FILE", group = "source", requires = "columns")]
    csv: Option<PathBuf>,
    /// What the columns of the CSV are, see below.
    #[arg(long, value_name = "MAP", requires = "csv")]
    columns: Option<PathBuf>,
    /// The data folder of a daemon: its journal, judged by the registries in it, or decoded and judged by the
    /// configuration where --config is given.
    #[arg(long, value_name = "FOLDER", group = "source")]
    journal: Option<PathBuf>,
    /// The data folder of a daemon: its history, judged by the registry it judges by now, or by the configuration where
    /// --config is given. The daemon may run meanwhile. History does not know when the daemon was not there to listen:
    /// that counts as silence.
    #[arg(long, value_name = "FOLDER", group = "source", requires_all = ["from", "to"])]
    history: Option<PathBuf>,
    /// Only from this moment on: `2026-11-01`, `2026-11-01T08:00` in the zone of the sites, `2026-11-01T08:00+08:00`,
    /// `30d` (ago). The two days before are read along, so that what began before is known.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only up to, not with, this moment. The hour after is read along, so that what began before is told.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only this site.
    #[arg(long)]
    site: Option<String>,
    /// Print what differs from the alerts that are stored in this data folder, over the same time.
    #[arg(long, value_name = "FOLDER")]
    against: Option<PathBuf>,
    /// Draw a process over the time as an SVG: powers, thresholds, states and alerts.
    #[arg(long, value_name = "FILE.svg", requires = "process")]
    picture: Option<PathBuf>,
    /// The process to draw.
    #[arg(long, value_name = "SITE/PROCESS", requires = "picture")]
    process: Option<String>,
}

const EXAMPLES: &str = "\
Rules tried on last month, and what they would have changed:
  submeterd replay --history /var/lib/submeterd --from 2026-11-01 --to 2026-12-01 \\
      --config new.toml --against /var/lib/submeterd

The alerts of one night again, as proof, from the messages as they were received:
  submeterd replay --journal /var/lib/submeterd --from 2026-11-23T20:00 --to 2026-11-24T06:00

What a process did, as a picture:
  submeterd replay --history /var/lib/submeterd --from 7d --to now --site print-works \\
      --picture week.svg --process print-works/printing

A spreadsheet, before anything is installed:
  submeterd replay --config submeterd.toml --csv readings.csv --columns map.toml

  map.toml, a column a meter:           or a row a value:
    [time]                                [time]
    column = \"Time\"                       column = \"t\"
    form = \"iso\"                          form = \"unix_s\"         # or unix_ms
    zone = \"Asia/Shanghai\"
                                          [meter]
    [[column]]                            column = \"device\"
    name = \"Press kW\"                     site = \"print-works\"
    meter = \"print-works/m1\"              names = { \"Fan 1\" = \"print-works/m2\" }
    quantity = \"power_w\"
    scale = 1000                          [value]
                                          column = \"value\"
    [[column]]                            quantity_column = \"what\"
    name = \"Fan kW\"                       quantities = { P = { quantity = \"power_w\", unit = \"kW\" } }
    meter = \"print-works/m2\"
    quantity = \"power_w\"
    unit = \"kW\"

  A time of another look: format = \"%d.%m.%Y %H:%M\" instead of form. A row of one meter with several
  values: [meter], and [[column]] without meter. What stands for a missing value: missing = [\"NA\"].
  Without a zone in the file and in the map no time is guessed.";

/// So many of what was rejected are told, the last ones.
const N_REJECTS_SHOWN: u32 = 5;

/// Runs the command.
///
/// # Errors
/// The configuration or the column map has mistakes, or the recording cannot be read.
pub fn run(globals: &Globals, args: &Args) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("make a temporary folder")?;
    let path = folder.path().join(STORE_FILE);
    let store = Store::open(&path)?;
    let known = known_registry(globals, args)?;
    let nothing = Registry::default();
    let registry = known.as_ref().unwrap_or(&nothing);
    let site =
        args.site.as_deref().filter(|_| known.is_some()).map(|id| site_index(registry, id)).transpose()?;
    if let (Some(name), Some(registry)) = (&args.process, &known) {
        picture::find(registry, name)?;
    }
    let zones = window::zones(registry, args.site.as_deref());
    let typed = (args.from.as_deref(), args.to.as_deref());
    let window = Window::parse(typed, Clock::System.now(), &zones)?;
    // Opened before the work begins: a folder that is none is told at once.
    let stored = args.against.as_deref().map(history::open).transpose()?;
    let replayed = match (&args.input, &args.csv, &args.journal, &args.history) {
        (Some(input), ..) => sources::messages(input, registry, window, store)?,
        (_, Some(csv), ..) => {
            let map = args.columns.as_deref().unwrap_or(Path::new(""));
            sources::csv((csv, map), registry, window, (store, folder.path()), globals.lang())?
        }
        (.., Some(journal), _) => {
            let own = known.clone().filter(|_| globals.is_config_typed);
            sources::journal(journal, own, window, store)?
        }
        (.., Some(history)) => {
            sources::history(&history::open(history)?, registry, (site, window), store, globals.lang())?
        }
        _ => unreachable!("the command line wants one of them"),
    };
    report(globals, args, (replayed, window), &Views::open(&path)?, stored.as_ref())
}

/// What the readings are judged by, where it is known beforehand.
fn known_registry(globals: &Globals, args: &Args) -> anyhow::Result<Option<Registry>> {
    let of_config = || Ok(Some(setup::load_without_secrets(globals)?.config.registry));
    let folder = match (&args.journal, &args.history) {
        (Some(folder), _) | (_, Some(folder)) if !globals.is_config_typed => folder,
        _ => return of_config(),
    };
    if args.journal.is_some() {
        // The journal has its own; a store beside it only tells of sites and zones.
        let beside = history::open(folder).ok();
        return Ok(beside.and_then(|views| history::registry(&views, folder).ok()));
    }
    history::registry(&history::open(folder)?, folder).map(Some)
}

fn site_index(registry: &Registry, id: &str) -> anyhow::Result<u32> {
    let found = (0..).zip(&registry.sites).find(|(_, site)| *site.id == *id);
    found.map(|(index, _)| index).ok_or_else(|| {
        let hint = suggest::hint(id, registry.sites.iter().map(|s| &*s.id));
        hinted(anyhow::anyhow!("no site {id:?} is known"), hint)
    })
}

fn report(
    globals: &Globals,
    args: &Args,
    ((engine, heard), window): (Replayed, Window),
    views: &Views,
    stored: Option<&Views>,
) -> anyhow::Result<()> {
    let lang = globals.lang();
    let span = window.span(heard);
    let is_wanted = |alert: &Alert| args.site.as_deref().is_none_or(|site| *alert.site == *site);
    let mut alerts = views.alerts(&AlertFilter::default())?;
    alerts.retain(is_wanted);
    alerts.sort_by(|a, b| (a.first, &a.id).cmp(&(b.first, &b.id)));
    if let Some(stored) = stored {
        differences(globals, args, (&engine, &alerts), span, stored)?;
    }
    if window != Window::default() {
        alerts.retain(|alert| span.holds(alert));
    }
    if stored.is_none() {
        list(globals, &engine, &alerts)?;
    }
    for reject in views.rejects(None, N_REJECTS_SHOWN)?.iter().rev() {
        let (code, why) = (words::key(&reject.code, lang), said(&reject.reason, lang));
        eprintln!("{}: {code}: {why}", REJECTED.in_lang(lang));
    }
    if let (Some(file), Some(process)) = (&args.picture, &args.process) {
        let scene = picture::scene(views, engine.world().registry(), process, span, &alerts)?;
        let svg = super::picture::draw::svg(&scene, lang);
        std::fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))?;
        match lang {
            Lang::En => eprintln!("{} is drawn", file.display()),
            Lang::Zh => eprintln!("已绘制 {}", file.display()),
        }
    }
    Ok(())
}

fn list(globals: &Globals, engine: &Engine, alerts: &[Alert]) -> anyhow::Result<()> {
    if globals.json {
        return print_json(&alerts);
    }
    print(&listing(alerts, &Zones::of_registry(engine.world().registry()), globals.lang()))?;
    counted(engine, globals.lang());
    Ok(())
}

const REJECTED: Words = words("rejected", "被拒报文");

fn counted(engine: &Engine, lang: Lang) {
    let counts = engine.counts();
    let (messages, readings, rejects) = (counts.messages, counts.readings, counts.rejects);
    let (late, unassigned) = (counts.late, counts.unassigned);
    match lang {
        Lang::En => eprintln!(
            "{messages} messages, {readings} readings, {rejects} rejected, {late} late, \
             {unassigned} of meters that measure no point"
        ),
        Lang::Zh => eprintln!(
            "报文 {messages} 条，读数 {readings} 条，被拒 {rejects} 条，迟到 {late} 条，电表不属任何监测点 {unassigned} 条"
        ),
    }
}

/// Prints what differs from the alerts that are stored.
fn differences(
    globals: &Globals,
    args: &Args,
    (engine, replayed): (&Engine, &[Alert]),
    span: Span,
    stored: &Views,
) -> anyhow::Result<()> {
    let registry = engine.world().registry();
    let is_judged = |id: &&str| args.site.as_deref().is_none_or(|site| site == *id);
    let sites: BTreeSet<&str> = registry.sites.iter().map(|s| &*s.id).filter(is_judged).collect();
    let (stored, n_others) = against::stored(stored, span, &sites)?;
    let difference = compare::compare(&stored, replayed, span);
    if globals.json {
        return print_json(&difference);
    }
    let zones = window::zones(registry, args.site.as_deref());
    let zone = zones.first().filter(|_| zones.len() == 1);
    print(&against::told(&difference, &Zones::of_registry(registry), zone, globals.lang()))?;
    if n_others > 0 {
        match globals.lang() {
            Lang::En => eprintln!(
                "{n_others} stored alerts are of sites that were not judged here: they are not compared"
            ),
            Lang::Zh => eprintln!("库中另有 {n_others} 条告警属于本次未判定的企业，未作比对"),
        }
    }
    counted(engine, globals.lang());
    Ok(())
}
