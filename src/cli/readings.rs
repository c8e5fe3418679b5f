//! `submeterd readings`: what a meter said.

use anyhow::Context as _;
use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::Access;
use super::alerts::Zones;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::table::{right, with_head};
use crate::api::answers::ReadingRow;
use crate::api::server::ReadingsQuery;
use crate::model::quantity::Channel;
use crate::model::time::Clock;
use crate::wording::when;
use crate::wording::words::{self, Lang, Words, words};

/// Which readings.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The meter, as SITE/METER.
    meter: String,
    /// From this moment on: `2026-11-24`, `"2026-11-24 22:00"` in the site's zone, `2h` (ago).
    #[arg(long, default_value = "1h")]
    from: String,
    /// Up to, not with, this moment.
    #[arg(long, default_value = "now")]
    to: String,
    /// Only these channels, such as `power_w,energy_import_kwh`.
    #[arg(long, value_delimiter = ',', value_parser = channel)]
    only: Vec<Channel>,
    /// CSV instead of a table.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

fn channel(text: &str) -> Result<Channel, String> {
    Channel::from_name(text).ok_or_else(|| format!("no channel is called {text:?}; try power_w"))
}

const TIME: Words = words("measured", "测量时间");
const QUALITY: Words = words("remarks", "备注");
const NONE: Words = words("No readings in that time.", "该时段内没有读数。");

/// Runs the command.
///
/// # Errors
/// The configuration or the request has mistakes, or nobody answers.
pub async fn run(globals: &Globals, args: &Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let (site, _) = args.meter.split_once('/').context("name the meter as SITE/METER")?;
    let zone = Zones::of(&access).await?.of_site(site);
    let now = Clock::System.now();
    let query = ReadingsQuery {
        meter: args.meter.clone(),
        from: when::parse(&args.from, now, &zone)?,
        to: when::parse(&args.to, now, &zone)?,
    };
    let mut rows = access.readings(&query).await?;
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|c| c.name() == name);
    rows.iter_mut().for_each(|row| row.values.retain(|(name, _)| wanted(name)));
    if globals.json {
        return print_json(&rows);
    }
    if args.csv {
        return print_csv(&rows);
    }
    if rows.is_empty() {
        return print(NONE.in_lang(globals.lang()));
    }
    let names = columns(&rows);
    let lang = globals.lang();
    let head: Vec<&str> = std::iter::once(TIME.in_lang(lang))
        .chain(names.iter().copied())
        .chain(std::iter::once(QUALITY.in_lang(lang)))
        .collect();
    let mut table = with_head(&head);
    for row in &rows {
        table.add_row(cells(row, &names, &zone, lang));
    }
    print(&table.to_string())
}

/// Every channel that some reading has, in channel order.
fn columns(rows: &[ReadingRow]) -> Vec<&'static str> {
    let has = |c: &Channel| rows.iter().any(|row| row.values.iter().any(|(name, _)| name == c.name()));
    Channel::all().filter(has).map(Channel::name).collect()
}

fn value(row: &ReadingRow, name: &str) -> String {
    row.values.iter().find(|(n, _)| n == name).map_or_else(String::new, |(_, v)| v.to_string())
}

fn cells(row: &ReadingRow, names: &[&str], zone: &TimeZone, lang: Lang) -> Vec<Cell> {
    let mut cells = vec![Cell::new(row.time.local(zone))];
    cells.extend(names.iter().map(|name| right(value(row, name))));
    cells.push(Cell::new(
        row.quality.iter().map(|remark| words::key(remark, lang)).collect::<Vec<_>>().join(", "),
    ));
    cells
}

fn print_csv(rows: &[ReadingRow]) -> anyhow::Result<()> {
    let names = columns(rows);
    let mut csv = csv::Writer::from_writer(std::io::stdout());
    csv.write_record(["time", "received"].into_iter().chain(names.iter().copied()).chain(["quality"]))?;
    for row in rows {
        let mut record = vec![row.time.iso(), row.received.iso()];
        record.extend(names.iter().map(|name| value(row, name)));
        record.push(row.quality.join(" "));
        csv.write_record(&record)?;
    }
    csv.flush().context("write to standard output")
}
