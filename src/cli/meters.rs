//! `submeterd meters`: tell that a meter was exchanged, list those that were.

use anyhow::Context as _;
use clap::Subcommand;
use comfy_table::Cell;

use super::access::Access;
use super::alerts::Zones;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::table::{right, with_head};
use super::who;
use crate::api::exchanges::ExchangesQuery;
use crate::model::exchange::Exchange;
use crate::model::time::Clock;
use crate::store::exchanges::Exchanged;
use crate::wording::when;
use crate::wording::words::{Lang, Words, words};

/// What to do with meters.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Tell that a meter was exchanged for another one under the same id. What is measured from that moment on is of the
    /// new meter: no register is compared, and no energy worked out, across it. What was judged otherwise is judged again.
    /// A wrong moment is mended by telling the right one too.
    Replaced(Told),
    /// List meters that were exchanged, the last that was told first.
    List {
        /// Of this site alone.
        site: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Told {
    /// The meter, as SITE/METER.
    meter: String,
    /// When the old meter was taken off, in the site's zone: `"2026-11-24 22:00"`, `2h` (ago), `now`.
    #[arg(long)]
    at: String,
    /// Last register of the old meter, kWh, as `readings` shows it: with the ratio of its transformers.
    #[arg(long, value_name = "KWH")]
    old_register: Option<f64>,
    /// First register of the new one, likewise.
    #[arg(long, value_name = "KWH")]
    new_register: Option<f64>,
    /// Serial number of the new one.
    #[arg(long)]
    serial: Option<String>,
    /// Who says so; by default the user's name.
    #[arg(long, visible_alias = "by")]
    who: Option<String>,
    /// Work order, or whatever else is to be known of it.
    #[arg(long, default_value = "")]
    note: String,
}

/// Runs the command.
///
/// # Errors
/// The configuration or the request has mistakes, or nobody answers.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let zones = Zones::of(&access).await?;
    let all = match args.what {
        What::Replaced(told) => {
            let own = access.exchange(&exchange(told, &zones)?).await?;
            if globals.json {
                return print_json(&own);
            }
            vec![own]
        }
        What::List { site } => {
            let all = access.exchanges(&ExchangesQuery { site }).await?;
            if globals.json {
                return print_json(&all);
            }
            all
        }
    };
    print(&listing(&all, &zones, globals.lang()))
}

fn exchange(told: Told, zones: &Zones) -> anyhow::Result<Exchange> {
    let (site, _) = told.meter.split_once('/').context("name the meter as SITE/METER")?;
    Ok(Exchange {
        at: when::parse(&told.at, Clock::System.now(), &zones.of_site(site))?,
        meter: told.meter.into(),
        old_register_kwh: told.old_register,
        new_register_kwh: told.new_register,
        serial: told.serial.map(Into::into),
        who: who::name(told.who)?.into(),
        note: told.note.into(),
    })
}

const NONE: Words = words("No meter was exchanged.", "没有换表记录。");
const HEAD: [Words; 7] = [
    words("meter exchanged", "换表"),
    words("point", "监测点"),
    words("at", "换表时间"),
    words("register, kWh", "电能示值 kWh"),
    words("serial of the new one", "新表编号"),
    words("who, and when it was told", "登记人、登记时间"),
    words("note", "说明"),
];

/// Exchanges as a table.
#[must_use]
pub fn listing(all: &[Exchanged], zones: &Zones, lang: Lang) -> String {
    if all.is_empty() {
        return NONE.in_lang(lang).to_owned();
    }
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    let kwh = |kwh: Option<f64>| kwh.map_or("–".to_owned(), |kwh| kwh.to_string());
    for own in all {
        let (zone, told) = (zones.of_site(&own.site), &own.exchange);
        table.add_row([
            Cell::new(&told.meter),
            Cell::new(&own.point),
            Cell::new(told.at.local(&zone)),
            right(format!("{} → {}", kwh(told.old_register_kwh), kwh(told.new_register_kwh))),
            Cell::new(told.serial.as_deref().unwrap_or("–")),
            Cell::new(format!("{}, {}", told.who, own.said.local(&zone))),
            Cell::new(&told.note),
        ]);
    }
    table.to_string()
}
