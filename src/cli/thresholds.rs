//! `submeterd thresholds`: what is in force and where it comes from, what was learned, and what people say to it.

use clap::Subcommand;
use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::Access;
use super::alerts::Zones;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::table::{right, with_head};
use super::who;
use crate::api::judged_by::{DecisionRow, JudgedBy, PointJudged};
use crate::api::judging::{Answer, Verdict as Spoken};
use crate::engine::decide::{Decided, Matter, Verdict};
use crate::model::baseline::N_LEVELS;
use crate::wording::said::said;
use crate::wording::words::{self, Lang, Words, words};

/// What to do with thresholds.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what is in force and where it comes from, what was learned, and what is odd: labels, ratings.
    List {
        /// Site id; all sites without one.
        site: Option<String>,
    },
    /// Learn from a site's history now; the daemon does so by itself once a day.
    Learn {
        /// Site id.
        site: String,
    },
    /// Take what was learned as true. A usual power only against a recorded commissioning test.
    Confirm(Saying),
    /// Refuse what was learned, and take back what of it is in force.
    Reject(Saying),
}

#[derive(Debug, clap::Args)]
struct Saying {
    /// Site id.
    site: String,
    /// Only this point; may be given more than once. All of the site without it.
    #[arg(long = "point", value_name = "ID")]
    points: Vec<String>,
    /// Who says so; by default the user's name.
    #[arg(long)]
    who: Option<String>,
    /// Why.
    #[arg(long, short, default_value = "")]
    note: String,
}

impl Saying {
    fn spoken(self) -> anyhow::Result<(String, Spoken)> {
        Ok((self.site, Spoken { points: self.points, who: who::name(self.who)?, note: self.note }))
    }
}

/// Runs the command.
///
/// # Errors
/// The configuration or the request has mistakes, nobody answers, or what was asked for was denied.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let answer = match args.what {
        What::List { site } => return list(globals, &access, site).await,
        What::Learn { site } => access.say(&site, "thresholds/learn", &serde_json::json!({})).await?,
        What::Confirm(saying) => {
            let (site, spoken) = saying.spoken()?;
            access.say(&site, "thresholds/confirm", &spoken).await?
        }
        What::Reject(saying) => {
            let (site, spoken) = saying.spoken()?;
            access.say(&site, "thresholds/reject", &spoken).await?
        }
    };
    let answer: Answer = answer;
    if globals.json {
        print_json(&answer)?;
    } else {
        let lang = globals.lang();
        let zone = Zones::of(&access).await?.of_site(&answer.judged_by.site);
        print(&told(&answer.decided, lang))?;
        print(&full(&answer.judged_by, &zone, lang))?;
    }
    let is_denied = |row: &DecisionRow| row.decided.verdict == Verdict::Denied;
    if !answer.decided.is_empty() && answer.decided.iter().all(is_denied) {
        anyhow::bail!("nothing of it was done; the reasons stand above");
    }
    Ok(())
}

async fn list(globals: &Globals, access: &Access, site: Option<String>) -> anyhow::Result<()> {
    let ids = match site {
        Some(site) => vec![site],
        None => access.sites().await?.into_iter().map(|s| s.id).collect(),
    };
    let zones = Zones::of(access).await?;
    let mut all = Vec::new();
    for id in ids {
        all.push(access.thresholds(&id).await?);
    }
    if globals.json {
        return print_json(&all);
    }
    for own in &all {
        print(&full(own, &zones.of_site(&own.site), globals.lang()))?;
    }
    Ok(())
}

const NOTHING: Words = words("Nothing to decide: no news.", "没有新的内容。");

/// What was decided, a line each.
#[must_use]
pub fn told(decided: &[DecisionRow], lang: Lang) -> String {
    if decided.is_empty() {
        return NOTHING.in_lang(lang).to_owned();
    }
    let line = |row: &DecisionRow| {
        let Decided { matter, of, verdict, why } = &row.decided;
        format!(
            "{of}: {}, {}: {}",
            self::matter(*matter).in_lang(lang),
            self::verdict(*verdict).in_lang(lang),
            said(why, lang)
        )
    };
    decided.iter().map(line).collect::<Vec<_>>().join("\n")
}

const fn matter(matter: Matter) -> Words {
    match matter {
        Matter::Thresholds => words("thresholds", "阈值"),
        Matter::Baseline => words("usual power", "常值功率"),
        Matter::Test => words("commissioning test", "调试验收"),
    }
}

const fn verdict(verdict: Verdict) -> Words {
    match verdict {
        Verdict::InForce => words("in force", "已生效"),
        Verdict::Waits => words("waits for a person", "待人工确认"),
        Verdict::Denied => words("denied", "未予采纳"),
        Verdict::Withdrawn => words("withdrawn", "已撤回"),
    }
}

const HEAD: [Words; 7] = [
    words("point", "监测点"),
    words("kind", "类别"),
    words("rated, kW", "额定 kW"),
    words("in force: running from … down to, kW", "现行运行阈值 kW"),
    words("from, by whom, since", "来源、确认人、始于"),
    words("learned, kW", "学习值 kW"),
    words("remarks", "备注"),
];
const WAITS: Words = words("waits", "待确认");
const IDLE: Words = words("level between off and running", "存在中间功率档");
const WORKS: Words = words("if it works there, running begins at", "若该档为生产状态，运行起点应为");
const LEARNED: Words = words("learned", "学习时间");
const TESTED: Words = words("commissioning test", "调试验收");
const USUAL: [Words; 4] = [
    words("usual power of", "常值功率"),
    words("process", "工艺"),
    words("by level of production, kW", "按生产负荷分档 kW"),
    words("from, by whom, since", "来源、确认人、始于"),
];
const NONE_TESTED: Words = words(
    "no commissioning test is recorded: usual powers cannot be confirmed (submeterd commission)",
    "尚无调试验收记录，常值功率不能确认（submeterd commission）",
);

fn kw(w: f64) -> String {
    format!("{}", (w / 10.0).round() / 100.0)
}

/// What a site is judged by, in full.
#[must_use]
pub fn full(own: &JudgedBy, zone: &TimeZone, lang: Lang) -> String {
    let mut lines = vec![own.site.clone()];
    if let Some((at, from, to)) = own.learned {
        let (at, from, to) = (at.local(zone), from.local(zone), to.local(zone));
        lines.push(format!("{}: {at} ({from} … {to})", LEARNED.in_lang(lang)));
    }
    for test in &own.tests {
        let record = &test.record;
        let (what, at) = (TESTED.in_lang(lang), record.at.local(zone));
        lines.push(format!("{what} {}: {at}, {}", test.process, record.who));
        lines.extend(record.remarks.iter().map(|remark| format!("  {}", said(remark, lang))));
    }
    if own.tests.is_empty() {
        lines.push(NONE_TESTED.in_lang(lang).to_owned());
    }
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for point in &own.points {
        let t = &point.thresholds;
        let from = [
            Some(words::basis(t.basis).in_lang(lang).to_owned()),
            by(point.who.as_deref(), lang),
            point.since.map(|s| s.local(zone)),
        ];
        let (learned, remarks) = lesson(point, lang);
        table.add_row([
            Cell::new(format!("{} {}", point.id, point.name)),
            Cell::new(words::kind(point.kind).in_lang(lang)),
            right(point.rated_kw),
            right(format!("{} … {} (v{})", kw(t.running_above_w), kw(t.running_below_w), t.version)),
            Cell::new(from.into_iter().flatten().collect::<Vec<_>>().join(", ")),
            right(learned),
            Cell::new(remarks),
        ]);
    }
    lines.push(table.to_string());
    lines.extend(usual(own, zone, lang));
    lines.join("\n")
}

fn by(who: Option<&str>, lang: Lang) -> Option<String> {
    who.map(|who| words::key(who, lang).to_owned())
}

fn lesson(point: &PointJudged, lang: Lang) -> (String, String) {
    let Some(own) = &point.lesson else { return ("–".into(), String::new()) };
    let mut learned = own.powers_w.map_or("–".into(), |p| format!("{} … {}", kw(p[0]), kw(p[1])));
    if point.waits {
        learned = format!("{learned}, {}", WAITS.in_lang(lang));
    }
    let mut remarks: Vec<String> = own.remarks.iter().map(|remark| said(remark, lang).into_owned()).collect();
    remarks.extend(own.idle.map(|idle| {
        let (there, works) = (IDLE.in_lang(lang), WORKS.in_lang(lang));
        format!("{there}: {} kW; {works} {} kW", kw(idle.median_w), kw(idle.begins_w))
    }));
    remarks.extend(own.refused.iter().map(|why| said(why, lang).into_owned()));
    (learned, remarks.join("\n"))
}

fn usual(own: &JudgedBy, zone: &TimeZone, lang: Lang) -> Option<String> {
    if own.baselines.is_empty() && own.offered.is_empty() {
        return None;
    }
    let levels = |median_w: &[Option<f32>; N_LEVELS]| {
        let of = |w: &Option<f32>| w.map_or("–".to_owned(), |w| kw(f64::from(w)));
        median_w.iter().map(of).collect::<Vec<_>>().join(" / ")
    };
    let mut table = with_head(&USUAL.map(|w| w.in_lang(lang)));
    for b in &own.baselines {
        let o = &b.origin;
        let (basis, who) = (words::basis(o.basis).in_lang(lang), words::key(&o.who, lang));
        let from = format!("{basis}, {who}, {}", o.since.local(zone));
        table.add_row([b.point.to_string(), b.process.to_string(), levels(&b.median_w), from]);
    }
    for b in &own.offered {
        let waits = WAITS.in_lang(lang).to_owned();
        table.add_row([b.point.to_string(), b.process.to_string(), levels(&b.median_w), waits]);
    }
    Some(table.to_string())
}
