//! `submeterd maintenance`: file, list, withdraw.

use clap::Subcommand;
use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::Access;
use super::alerts::Zones;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::table::with_head;
use super::who;
use crate::api::maintenance::{MaintenanceQuery, Withdraw};
use crate::model::maintenance::{Filing, Scope};
use crate::model::time::Clock;
use crate::store::suppressing::Maintenance;
use crate::wording::when;
use crate::wording::words::{Lang, Words, words};

/// What to do with maintenance.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// File maintenance before it begins. Alerts that begin within it are judged and kept, and nobody is told of them until
    /// it is over. What is filed once it has begun is kept as a declaration and suppresses nothing.
    File(FileArgs),
    /// List what was filed, the last first.
    List {
        /// Of this site alone.
        site: Option<String>,
    },
    /// Withdraw what was filed: from now on it counts no longer.
    Withdraw {
        /// Its id, as `list` shows it.
        id: String,
        /// Who says so; by default the user's name.
        #[arg(long)]
        who: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct FileArgs {
    /// Id of the site.
    site: String,
    /// Only this process and its points; again for another. Without process and point the whole site is meant.
    #[arg(long)]
    process: Vec<String>,
    /// Only this point, and the processes it is part of; again for another.
    #[arg(long)]
    point: Vec<String>,
    /// Begin, in the site's zone: `"2026-11-24 22:00"`.
    #[arg(long)]
    from: String,
    /// End; at most 31 days later.
    #[arg(long)]
    to: String,
    /// Who files it; by default the user's name.
    #[arg(long)]
    who: Option<String>,
    /// What is done, and why.
    #[arg(long)]
    note: String,
}

/// Runs the command.
///
/// # Errors
/// The configuration or the request has mistakes, or nobody answers.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let lang = globals.lang();
    match args.what {
        What::File(args) => {
            let site = access.site(&args.site).await?.site;
            let zone = TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC);
            let filed = access.file_maintenance(&filing(args, &zone)?).await?;
            if globals.json {
                return print_json(&filed);
            }
            print(&said(&filed, &zone, lang))
        }
        What::List { site } => {
            let all = access.maintenance(&MaintenanceQuery { site }).await?;
            if globals.json {
                return print_json(&all);
            }
            print(&listing(&all, &Zones::of(&access).await?, lang))
        }
        What::Withdraw { id, who } => {
            let own = access.withdraw_maintenance(&id, &Withdraw { who: who::name(who)? }).await?;
            if globals.json {
                return print_json(&own);
            }
            let zone = Zones::of(&access).await?.of_site(&own.filing.site);
            print(&said(&own, &zone, lang))
        }
    }
}

fn filing(args: FileArgs, zone: &TimeZone) -> anyhow::Result<Filing> {
    let now = Clock::System.now();
    let ids = |ids: Vec<String>| ids.into_iter().map(Into::into).collect();
    Ok(Filing {
        site: args.site,
        scope: Scope { processes: ids(args.process), points: ids(args.point) },
        from: when::parse(&args.from, now, zone)?,
        to: when::parse(&args.to, now, zone)?,
        who: who::name(args.who)?,
        note: args.note,
    })
}

/// Who says so, or else who is logged in.
const COUNTS: Words = words("filed beforehand", "事前申报");
const DECLARED: Words = words("declared afterwards: suppresses nothing", "事后申报：不影响通知");
const WITHDRAWN: Words = words("withdrawn", "已撤销");
const WHOLE_SITE: Words = words("whole site", "全厂");

/// What it is worth.
fn standing(own: &Maintenance, zone: &TimeZone, lang: Lang) -> String {
    let filed = if own.counts { COUNTS } else { DECLARED }.in_lang(lang).to_owned();
    match &own.withdrawn {
        Some((at, who)) => format!("{filed}; {} {} {who}", WITHDRAWN.in_lang(lang), at.local(zone)),
        None => filed,
    }
}

fn scope(scope: &Scope, lang: Lang) -> String {
    if scope.is_whole_site() {
        return WHOLE_SITE.in_lang(lang).to_owned();
    }
    scope.processes.iter().chain(&scope.points).map(|id| &**id).collect::<Vec<_>>().join(", ")
}

/// One of them in a line.
fn said(own: &Maintenance, zone: &TimeZone, lang: Lang) -> String {
    let Filing { site, from, to, .. } = &own.filing;
    let what = scope(&own.filing.scope, lang);
    let standing = standing(own, zone, lang);
    format!("{}  {site}  {what}  {} … {}  {standing}", own.id, from.local(zone), to.local(zone))
}

const NONE: Words = words("No maintenance.", "没有检修申报。");
const HEAD: [Words; 8] = [
    words("id", "编号"),
    words("site", "企业"),
    words("of what", "范围"),
    words("from", "开始"),
    words("to", "结束"),
    words("who", "申报人"),
    words("note", "说明"),
    words("standing", "效力"),
];

fn listing(all: &[Maintenance], zones: &Zones, lang: Lang) -> String {
    if all.is_empty() {
        return NONE.in_lang(lang).to_owned();
    }
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for own in all {
        let zone = zones.of_site(&own.filing.site);
        table.add_row([
            Cell::new(&own.id),
            Cell::new(&own.filing.site),
            Cell::new(scope(&own.filing.scope, lang)),
            Cell::new(own.filing.from.local(&zone)),
            Cell::new(own.filing.to.local(&zone)),
            Cell::new(&own.filing.who),
            Cell::new(&own.filing.note),
            Cell::new(standing(own, &zone, lang)),
        ]);
    }
    table.to_string()
}
