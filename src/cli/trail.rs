//! `submeterd trail`: who did what, when, and from where.

use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::Access;
use super::alerts::Zones;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::table::{right, with_head};
use crate::api::deeds::TrailQuery;
use crate::store::trail::TrailEntry;
use crate::wording::people;
use crate::wording::words::{Lang, Words, words};

const AFTER_HELP: &str = "\
Examples:
  submeterd trail                               what was done last
  submeterd trail --site print-works
  submeterd trail --subject 3f2a9c0b1d44        about an alert, by its whole id
  submeterd trail --subject chen                about a user
  submeterd trail --limit 1000000 --json        all of it, for a script
Times are those of the site; where there is none, those of this machine.";

/// Show who did what, when, and from where.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// At this site alone.
    #[arg(long)]
    site: Option<String>,
    /// About this alone: an alert, a point, a user, the number of a token.
    #[arg(long)]
    subject: Option<String>,
    /// At most so many, newest first.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// Runs the command.
///
/// # Errors
/// The configuration has mistakes, or nobody answers.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let query = TrailQuery { site: args.site, subject: args.subject, limit: Some(args.limit) };
    let entries = access.trail(&query).await?;
    if globals.json {
        return print_json(&entries);
    }
    print(&listing(&entries, &Zones::of(&access).await?, globals.lang()))
}

const NONE: Words = words("Nothing was done.", "没有操作记录。");
const HEAD: [Words; 8] = [
    words("message", "日志号"),
    words("when", "时间"),
    words("who", "操作人"),
    words("from", "来源"),
    words("what", "操作"),
    words("site", "企业"),
    words("about", "对象"),
    words("note", "备注"),
];

fn listing(entries: &[TrailEntry], zones: &Zones, lang: Lang) -> String {
    if entries.is_empty() {
        return NONE.in_lang(lang).to_owned();
    }
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for entry in entries {
        let zone = entry.site.as_deref().map_or_else(TimeZone::system, |site| zones.of_site(site));
        table.add_row([
            right(entry.offset),
            Cell::new(entry.at.local(&zone)),
            Cell::new(&entry.who),
            Cell::new(&entry.origin),
            Cell::new(people::done(&entry.what, lang)),
            Cell::new(entry.site.as_deref().unwrap_or_default()),
            Cell::new(&entry.subject),
            Cell::new(&entry.note),
        ]);
    }
    table.to_string()
}
