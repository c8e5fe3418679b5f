//! `submeterd sites`: list, show, import.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::Access;
use super::alerts::{Zones, listing};
use super::failure::hinted;
use super::meters;
use super::output::{print, print_json};
use super::rules;
use super::setup::{self, Globals};
use super::silent;
use super::table::{right, with_head};
use crate::api::answers::{SiteAnswer, SiteRow};
use crate::config::import;
use crate::model::site::{Process, Site};
use crate::wording::said::said;
use crate::wording::words::{self, Lang, Words, words};

/// What to do with sites.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all sites.
    List,
    /// Show one site: its points with what they do now, its processes, what no rule says of it and why, its open alerts.
    Show {
        /// Its id.
        id: String,
    },
    /// List the rules, what can be set about each, its default and its bounds. Needs no daemon.
    Rules,
    /// Make site files from a spreadsheet saved as CSV (UTF-8), one row a point. Writes nothing if any row is wrong.
    #[command(after_help = import::CSV_HELP)]
    Import {
        /// The CSV file.
        file: PathBuf,
        /// Folder for the site files.
        #[arg(long, value_name = "FOLDER", default_value = "sites")]
        into: PathBuf,
        /// Replace files that are there.
        #[arg(long)]
        force: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// The configuration or the spreadsheet has mistakes, or nobody answers.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let lang = globals.lang();
    match args.what {
        What::List => {
            let sites = Access::open(&setup::daemon(globals)?).await?.sites().await?;
            if globals.json {
                return print_json(&sites);
            }
            print(&list(&sites, lang))
        }
        What::Show { id } => {
            let access = Access::open(&setup::daemon(globals)?).await?;
            let answer = access.site(&id).await?;
            if globals.json {
                return print_json(&answer);
            }
            print(&show(&answer, &Zones::of(&access).await?, lang))
        }
        What::Rules => rules::list(globals),
        What::Import { file, into, force } => import_into(&file, &into, force, lang),
    }
}

fn import_into(file: &Path, into: &Path, force: bool, lang: Lang) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let sites = import::sites(&file.display().to_string(), &bytes)?;
    let path = |name: &str| into.join(name);
    if let Some(there) = sites.iter().map(|(name, _)| path(name)).find(|p| p.exists() && !force) {
        let error = anyhow::anyhow!("{} is there already; nothing was written", there.display());
        return Err(hinted(error, "--force replaces files, --into names another folder"));
    }
    std::fs::create_dir_all(into).with_context(|| format!("cannot make the folder {}", into.display()))?;
    for (name, toml) in &sites {
        let path = path(name);
        std::fs::write(&path, toml).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let (n, into) = (sites.len(), into.display());
    print(&match lang {
        Lang::En => format!("{n} site files written to {into}; `submeterd check` looks them over"),
        Lang::Zh => format!("已向 {into} 写入 {n} 个企业文件；可用 `submeterd check` 检查"),
    })
}

const NO_SITES: Words = words("No sites.", "没有企业。");
const LIST_HEAD: [Words; 9] = [
    words("id", "编号"),
    words("name", "名称"),
    words("region", "地区"),
    words("industry", "行业"),
    words("running", "运行"),
    words("idle", "待机"),
    words("off", "停运"),
    words("unknown", "未知"),
    words("open alerts", "未解除告警"),
];

fn list(sites: &[SiteRow], lang: Lang) -> String {
    if sites.is_empty() {
        return NO_SITES.in_lang(lang).to_owned();
    }
    let mut table = with_head(&LIST_HEAD.map(|w| w.in_lang(lang)));
    for site in sites {
        let alerts = site
            .worst
            .map_or_else(String::new, |worst| format!("{} {}", words::level_mark(worst), site.n_open));
        let mut row = [&site.id, &site.name, &site.region, &site.industry].map(Cell::new).to_vec();
        row.extend(site.states.map(right));
        row.push(right(alerts));
        table.add_row(row);
    }
    table.to_string()
}

const SHOW_HEAD: [Words; 8] = [
    words("point", "监测点"),
    words("kind", "类别"),
    words("state", "工况"),
    words("since", "始于"),
    words("power, kW", "功率 kW"),
    words("running from, kW", "运行阈值 kW"),
    words("rated, kW", "额定 kW"),
    words("meter", "电表"),
];

fn show(answer: &SiteAnswer, zones: &Zones, lang: Lang) -> String {
    let site = &answer.site;
    let zone = TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC);
    let mut lines = vec![
        format!("{}  {}", site.id, site.name),
        format!("{} · {} · {}", site.region, site.industry, site.time_zone),
    ];
    let mut table = with_head(&SHOW_HEAD.map(|w| w.in_lang(lang)));
    for point in &answer.points {
        table.add_row([
            Cell::new(format!("{} {}", point.id, point.name)),
            Cell::new(words::kind(point.kind).in_lang(lang)),
            Cell::new(words::state(point.state).in_lang(lang)),
            Cell::new(point.since.map_or_else(String::new, |t| t.local(&zone))),
            right(point.power_kw.map_or("–".into(), |kw| format!("{kw:.2}"))),
            right(running_from(site, &point.id, point.running_above_kw, lang)),
            right(point.rated_kw),
            Cell::new(&point.meter),
        ]);
    }
    lines.push(table.to_string());
    lines.extend(site.processes.iter().map(|p| process(site, p, lang)));
    let silent = silent::table(&answer.silent, lang);
    if !silent.is_empty() {
        lines.push(silent);
    }
    lines.extend(answer.remarks.iter().map(|(point, remark)| format!("{point}: {}", said(remark, lang))));
    if !answer.exchanged.is_empty() {
        lines.push(meters::listing(&answer.exchanged, zones, lang));
    }
    if !answer.open.is_empty() {
        lines.push(listing(&answer.open, zones, lang));
    }
    lines.join("\n")
}

/// `15 (learned, v1234)`
fn running_from(site: &Site, point: &str, kw: f64, lang: Lang) -> String {
    let own = site.points.iter().find(|p| *p.id == *point).map(|p| &p.thresholds);
    own.map_or_else(
        || kw.to_string(),
        |t| format!("{kw} ({}, v{})", words::basis(t.basis).in_lang(lang), t.version),
    )
}

/// `line-1: press, dryer → 1 of fan-a, fan-b`
fn process(site: &Site, process: &Process, lang: Lang) -> String {
    let names = |points: &[u16]| {
        let ids = points.iter().filter_map(|p| site.points.get(usize::from(*p))).map(|p| &*p.id);
        ids.collect::<Vec<_>>().join(", ")
    };
    let group = |g: &crate::model::site::TreatmentGroup| {
        if usize::from(g.need) == g.points.len() {
            names(&g.points)
        } else {
            match lang {
                Lang::En => format!("{} of {}", g.need, names(&g.points)),
                Lang::Zh => format!("{} 中 {} 台", names(&g.points), g.need),
            }
        }
    };
    let treatment: Vec<String> = process.treatment.iter().map(group).collect();
    format!("{}: {} → {}", process.id, names(&process.production), treatment.join(" + "))
}
