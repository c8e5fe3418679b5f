//! Where the readings of a replay come from, each by its own way into the engine.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::history::{self, Reading};
use super::spool::{N_IN_MEMORY, Spool};
use super::table::{self, Feed};
use super::window::Window;
use crate::cli::failure::hinted;
use crate::config::check::columns;
use crate::engine::replay::{self, Heard, Part, Replay};
use crate::engine::step::Engine;
use crate::journal::Reader;
use crate::model::registry::Registry;
use crate::model::time::UtcMs;
use crate::sources::mqtt::recorded;
use crate::store::views::Views;
use crate::store::write::Store;
use crate::wording::words::Lang;

/// What a replay came to: the engine at its end, and when it heard something.
pub type Replayed = (Engine, Option<Heard>);

/// A name that stands for standard input.
const STDIN: &str = "-";

/// A line, with when it counts as received.
struct Line<'a> {
    received: UtcMs,
    text: &'a str,
}

/// Native messages, one a line.
///
/// # Errors
/// The input cannot be read, or a line has no time.
pub fn messages(input: &Path, registry: &Registry, window: Window, store: Store) -> anyhow::Result<Replayed> {
    let mut text = String::new();
    let cannot_read = || format!("cannot read {}", name_of(input));
    open(input)?.read_to_string(&mut text).with_context(cannot_read)?;
    let mut lines = Vec::new();
    for (number, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let received = recorded::received_at(text.as_bytes())
            .map_err(|reject| anyhow::anyhow!("{}:{number}: {reject}", input.display()))?;
        if window.reads(received) {
            lines.push(Line { received, text });
        }
    }
    lines.sort_by_key(|line| line.received);
    let begin = lines.first().map_or(UtcMs(0), |line| line.received);
    let bar = progress_bar(lines.len() as u64);
    let mut replay = Replay::begin(store, registry, begin)?;
    for line in &lines {
        replay.message(line.received, line.text.as_bytes())?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let heard = replay.heard();
    Ok((replay.finish()?, heard))
}

/// A CSV, read by a column map. Values wait in `folder` where they are many.
///
/// # Errors
/// The map has mistakes, the CSV cannot be read, or no value of it could be taken.
pub fn csv(
    (input, map): (&Path, &Path),
    registry: &Registry,
    window: Window,
    (store, folder): (Store, &Path),
    lang: Lang,
) -> anyhow::Result<Replayed> {
    let map = columns::load(map, registry)?;
    let file = name_of(input);
    let bytes = std::fs::metadata(input).map_or(0, |found| found.len());
    let bar = progress_bar(bytes);
    let mut spool = Spool::new(folder.to_owned(), N_IN_MEMORY);
    let mut n_outside = 0_u64;
    let mut take = |value: super::spool::Value| {
        if window.reads(value.time) {
            return spool.push(value);
        }
        n_outside += 1;
        Ok(())
    };
    let faults = table::read(bar.wrap_read(open(input)?), &file, &map, &mut take)?;
    bar.finish_and_clear();
    faults.shown.iter().for_each(|fault| eprintln!("{fault}"));
    if faults.n_rows > 0 {
        let (n, n_shown) = (faults.n_rows, faults.shown.len());
        match lang {
            Lang::En => eprintln!(
                "{n} rows of {file} could not be taken, or not in whole; {n_shown} of them are shown"
            ),
            Lang::Zh => eprintln!("{file} 有 {n} 行未能（完整）读取，以上列出 {n_shown} 行"),
        }
    }
    let n = spool.n();
    if n == 0 {
        let error = anyhow::anyhow!("no value of {file} could be taken");
        let hint = if n_outside > 0 {
            format!("{n_outside} values lie outside --from and --to")
        } else {
            "see the rows above, and whether the map names the right columns".into()
        };
        return Err(hinted(error, hint));
    }
    let mut feed = Feed::new(spool).context("cannot read a temporary file")?;
    let begin = feed.peek().map_or(UtcMs(0), |value| value.time);
    let mut replay = Replay::begin(store, registry, begin)?;
    let bar = progress_bar(n);
    loop {
        let n_fed = feed.step(&mut replay)?;
        if n_fed == 0 {
            break;
        }
        bar.inc(n_fed);
    }
    bar.finish_and_clear();
    if feed.n_contradictions > 0 {
        let n = feed.n_contradictions;
        match lang {
            Lang::En => eprintln!(
                "{n} values contradict another one of the same meter, quantity and time: the first is judged"
            ),
            Lang::Zh => eprintln!("有 {n} 个数值与同一电表、同一量、同一时刻的另一数值矛盾：以先出现者判定"),
        }
    }
    let heard = replay.heard();
    Ok((replay.finish()?, heard))
}

/// A daemon's history, of one site or of all.
///
/// # Errors
/// History cannot be read, or has nothing of that time.
pub fn history(
    views: &Views,
    registry: &Registry,
    (site, window): (Option<u32>, Window),
    store: Store,
    lang: Lang,
) -> anyhow::Result<Replayed> {
    let mut reading = Reading::new(views, registry, site, window);
    let (from, to) = reading.bounds();
    let mut judged = registry.clone();
    let others = judged.sites.iter_mut().zip(0_u32..).filter(|(_, i)| site.is_some_and(|site| site != *i));
    // What is not read must not seem silent.
    others.for_each(|(site, _)| (site.points, site.processes) = (Vec::new(), Vec::new()));
    let bar = progress_bar(to.since(from).unsigned_abs());
    let mut replay = Replay::begin(store, &judged, from)?;
    for own in history::exchanges(views, registry, (from, to))? {
        replay.exchange(from, &own)?;
    }
    while let Some(done) = reading.step(&mut replay)? {
        bar.set_position(done.since(from).unsigned_abs());
    }
    bar.finish_and_clear();
    if reading.n() == 0 {
        let error = anyhow::anyhow!("history has no readings of these meters from {from} to {to}");
        let hint = "`submeterd readings SITE/METER --from ...` shows what a meter said; older readings go after history.days_max";
        return Err(hinted(error, hint));
    }
    let silent: BTreeSet<&str> = reading.silent().into_iter().collect();
    if !silent.is_empty() {
        let names: Vec<&str> = silent.into_iter().collect();
        let names = names.join(", ");
        match lang {
            Lang::En => eprintln!("history has nothing in that time of {names}"),
            Lang::Zh => eprintln!("该时段内没有以下电表的历史数据：{names}"),
        }
    }
    let heard = replay.heard();
    Ok((replay.finish_at(history::listened(views)?.min(to))?, heard))
}

/// A journal or a part of it, judged by the registries in it or by `registry`.
///
/// # Errors
/// The journal cannot be read.
pub fn journal(
    folder: &Path,
    registry: Option<Registry>,
    window: Window,
    store: Store,
) -> anyhow::Result<Replayed> {
    let mut reader = Reader::open(folder)?;
    let stats = reader.stats()?;
    let bar = progress_bar(stats.last.saturating_sub(stats.first));
    let part = Part { from: window.reads_from(), to: window.reads_to(), registry };
    let told = |offset: u64| bar.set_position(offset.saturating_sub(stats.first));
    let replayed = replay::part_of_journal(store, &mut reader, &part, told)?;
    bar.finish_and_clear();
    Ok(replayed)
}

fn name_of(input: &Path) -> String {
    if input == Path::new(STDIN) { "standard input".into() } else { input.display().to_string() }
}

fn open(input: &Path) -> anyhow::Result<Box<dyn Read>> {
    if input == Path::new(STDIN) {
        return Ok(Box::new(std::io::stdin()));
    }
    let file = File::open(input).with_context(|| format!("cannot read {}", input.display()))?;
    Ok(Box::new(file))
}

fn progress_bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent} %  {eta} left") {
        bar.set_style(style);
    }
    bar
}
