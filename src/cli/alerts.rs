//! `submeterd alerts`: list, show, follow; what is done about one is in `deeds`.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::access::Access;
use super::deeds;
use super::output::{print, print_json};
use super::proof;
use super::setup::{self, Globals};
use super::story;
use super::table::{right, with_head};
use crate::alerts::alert::{Alert, Status};
use crate::alerts::evidence::PointEvidence;
use crate::model::rule::{Level, Rule};
use crate::model::site::Thresholds;
use crate::model::time::Clock;
use crate::store::views::AlertFilter;
use crate::wording::words::{self, Lang, Words, words};
use crate::wording::{sentence, suppressed, when};

/// Between two looks of `watch`.
const WATCH_EVERY: Duration = Duration::from_millis(500);

/// What to do with alerts.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

const AFTER_HELP: &str = "\
Examples:
  submeterd alerts list --open --level alarm
  submeterd alerts show 3f2a                                    the begin of an id will do
  submeterd alerts ack 3f2a --note \"seen, calling the plant\"
  submeterd alerts declare 3f2a --cause treatment_fault --note \"fan belt torn\"
  submeterd alerts confirm 3f2a --note \"photo seen\"
What is done goes into the journal with who did it, and closes nothing: only readings do.";

#[derive(Debug, Subcommand)]
enum What {
    /// List alerts, newest first.
    List(Filter),
    /// Show one alert with all its evidence.
    Show {
        /// Its id, or the begin of it.
        id: String,
    },
    #[command(flatten)]
    Deed(deeds::What),
    /// Show open alerts, then every change as it comes, until Ctrl-C.
    Watch(Filter),
}

/// Which alerts.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Filter {
    /// Only those still open.
    #[arg(long)]
    open: bool,
    /// Only those nobody has acknowledged.
    #[arg(long)]
    unacknowledged: bool,
    /// Of this site.
    #[arg(long)]
    site: Option<String>,
    /// By this rule: treatment_off, late_start, data_missing and so on; a name that is none is answered with all.
    #[arg(long, value_parser = rule)]
    rule: Option<Rule>,
    /// At least this grave.
    #[arg(long, value_enum)]
    level: Option<LevelArg>,
    /// Raised at this moment or later: `2026-11-24`, `"2026-11-24 22:00"`, `12h`.
    #[arg(long)]
    since: Option<String>,
    /// Raised before this moment.
    #[arg(long)]
    until: Option<String>,
    /// Only those nobody is told of: maintenance, commissioning, power cuts, outside working time.
    #[arg(long, conflicts_with = "no_suppressed")]
    suppressed: bool,
    /// Without those nobody is told of.
    #[arg(long)]
    no_suppressed: bool,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelArg {
    Notice,
    Warning,
    Alarm,
    Critical,
}

fn rule(text: &str) -> Result<Rule, String> {
    let known = || Rule::ALL.iter().map(|r| r.name()).collect::<Vec<_>>().join(", ");
    Rule::from_name(text).ok_or_else(|| format!("rules are {}", known()))
}

impl Filter {
    fn ready(&self) -> anyhow::Result<AlertFilter> {
        let now = Clock::System.now();
        let moment = |text: &Option<String>| {
            text.as_deref().map(|t| when::parse(t, now, &TimeZone::system())).transpose()
        };
        Ok(AlertFilter {
            status: self.open.then_some(Status::Open),
            site: self.site.clone(),
            rule: self.rule,
            level: self.level.map(|level| match level {
                LevelArg::Notice => Level::Notice,
                LevelArg::Warning => Level::Warning,
                LevelArg::Alarm => Level::Alarm,
                LevelArg::Critical => Level::Critical,
            }),
            acknowledged: self.unacknowledged.then_some(false),
            since: moment(&self.since)?,
            until: moment(&self.until)?,
            changed_after: None,
            limit: Some(self.limit),
            suppressed: (self.suppressed || self.no_suppressed).then_some(self.suppressed),
        })
    }
}

/// Runs the command.
///
/// # Errors
/// The configuration or the request has mistakes, or nobody answers.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let lang = globals.lang();
    match args.what {
        What::List(filter) => {
            let alerts = access.alerts(&filter.ready()?).await?;
            if globals.json {
                return print_json(&alerts);
            }
            print(&listing(&alerts, &Zones::of(&access).await?, lang))
        }
        What::Show { id } => {
            let alert = access.alert(&id).await?;
            if globals.json {
                return print_json(&alert);
            }
            print(&full(&alert, &Zones::of(&access).await?.of_site(&alert.site), lang))
        }
        What::Deed(what) => {
            let alert = deeds::perform(&access, what).await?;
            if globals.json {
                return print_json(&alert);
            }
            print(&full(&alert, &Zones::of(&access).await?.of_site(&alert.site), lang))
        }
        What::Watch(filter) => watch(globals, &access, filter.ready()?).await,
    }
}

/// Prints open alerts, then every change.
async fn watch(globals: &Globals, access: &Access, filter: AlertFilter) -> anyhow::Result<()> {
    let zones = Zones::of(access).await?;
    let mut seen = access.status().await?.progress.passed;
    let mut due = access.alerts(&AlertFilter { status: Some(Status::Open), ..filter.clone() }).await?;
    loop {
        // Newest first is how they come; people read on at the bottom.
        for alert in due.iter().rev() {
            let line = if globals.json {
                serde_json::to_string(alert)?
            } else {
                change_line(alert, &zones.of_site(&alert.site), globals.lang())
            };
            print(&line)?;
        }
        let newest = due.iter().filter_map(|a| a.history.last()).map(|step| step.offset).max();
        seen = seen.max(newest.unwrap_or(0));
        tokio::select! {
            () = tokio::time::sleep(WATCH_EVERY) => {}
            interrupted = tokio::signal::ctrl_c() => return interrupted.context("cannot listen for Ctrl-C"),
        }
        due =
            access.alerts(&AlertFilter { changed_after: Some(seen), limit: None, ..filter.clone() }).await?;
    }
}

/// The zones in which sites' times are shown.
pub struct Zones(HashMap<String, TimeZone>);

impl Zones {
    /// Those of all sites.
    ///
    /// # Errors
    /// The sites cannot be listed.
    pub async fn of(access: &Access) -> anyhow::Result<Zones> {
        let sites = access.sites().await?;
        let zone = |name: &str| TimeZone::get(name).unwrap_or(TimeZone::UTC);
        Ok(Zones(sites.into_iter().map(|s| (s.id, zone(&s.time_zone))).collect()))
    }

    /// Those of a registry's sites.
    #[must_use]
    pub fn of_registry(registry: &crate::model::registry::Registry) -> Zones {
        let zone = |name: &str| TimeZone::get(name).unwrap_or(TimeZone::UTC);
        Zones(registry.sites.iter().map(|s| (s.id.to_string(), zone(&s.time_zone))).collect())
    }

    /// That of a site; UTC for one that is gone.
    #[must_use]
    pub fn of_site(&self, site: &str) -> TimeZone {
        self.0.get(site).cloned().unwrap_or(TimeZone::UTC)
    }
}

/// One line of `watch`: what happened last, and the evidence.
fn change_line(alert: &Alert, zone: &TimeZone, lang: Lang) -> String {
    let last = alert.history.last();
    let (at, what) = last.map_or((alert.raised, ""), |step| (step.at, &*step.what));
    format!(
        "{}  {:<4}{} {}  {}/{}  {}  {}",
        at.local(zone),
        words::level_mark(alert.level),
        story::step_words(what, lang),
        words::rule(alert.rule).in_lang(lang),
        alert.site,
        alert.subject,
        sentence::of_alert(alert, zone, lang),
        alert.id
    )
}

const NONE: Words = words("No alerts.", "没有告警。");
const HEAD: [Words; 8] = [
    words("raised", "触发时间"),
    words("", ""),
    words("site", "企业"),
    words("subject", "对象"),
    words("rule", "规则"),
    words("lasted", "持续"),
    words("status", "状态"),
    words("id", "编号"),
];
const ACKNOWLEDGED: Words = words("acknowledged", "已确认");

/// Alerts as a table.
#[must_use]
pub fn listing(alerts: &[Alert], zones: &Zones, lang: Lang) -> String {
    if alerts.is_empty() {
        return NONE.in_lang(lang).to_owned();
    }
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for alert in alerts {
        let mut status = words::status(alert.status).in_lang(lang).to_owned();
        if alert.acknowledged.is_some() {
            status = format!("{status}, {}", ACKNOWLEDGED.in_lang(lang));
        }
        if let Some(why) = suppressed::in_short(alert, lang) {
            status = format!("{status}, {why}");
        }
        table.add_row([
            Cell::new(alert.raised.local(&zones.of_site(&alert.site))),
            Cell::new(format!(
                "{} {}",
                words::level_mark(alert.level),
                words::level(alert.level).in_lang(lang)
            )),
            Cell::new(&alert.site),
            Cell::new(&alert.subject),
            Cell::new(words::rule(alert.rule).in_lang(lang)),
            right(when::length(alert.certain_ms)),
            Cell::new(status),
            Cell::new(&alert.id),
        ]);
    }
    table.to_string()
}

const POINTS: [Words; 7] = [
    words("point", "监测点"),
    words("kind", "类别"),
    words("mean kW", "平均 kW"),
    words("max kW", "最大 kW"),
    words("running from … down to kW", "运行阈值 kW"),
    words("register, kWh", "电能示值 kWh"),
    words("energy, kWh", "电量 kWh"),
];

/// An alert with all its evidence.
#[must_use]
pub fn full(alert: &Alert, zone: &TimeZone, lang: Lang) -> String {
    let say = |w: Words| w.in_lang(lang);
    let mut lines = vec![
        format!(
            "{} {}  {}  {}/{}  {}",
            words::level_mark(alert.level),
            say(words::level(alert.level)),
            say(words::rule(alert.rule)),
            alert.site,
            alert.subject,
            say(words::status(alert.status))
        ),
        sentence::of_alert(alert, zone, lang),
        String::new(),
    ];
    let mut fact = |what: Words, value: String| lines.push(format!("  {}: {value}", say(what)));
    fact(words("id", "编号"), alert.id.to_string());
    fact(words("rule", "规则"), format!("{} {} v{}", alert.rule.id(), alert.rule.name(), alert.rule_version));
    fact(words("first certain", "首次确认"), alert.first.local(zone));
    fact(words("last certain", "最后确认"), alert.last_certain.local(zone));
    fact(words("raised", "触发"), alert.raised.local(zone));
    if let Some(cleared) = alert.cleared {
        fact(words("cleared", "解除"), cleared.local(zone));
    }
    fact(words("certain time", "确定时长"), when::length(alert.certain_ms));
    fact(words("unknown time", "未知时长"), when::length(alert.unknown_ms));
    fact(words("data share", "数据完整率"), format!("{:.1} %", alert.evidence.data_share * 100.0));
    if let Some((from, to)) = alert.evidence.offsets {
        fact(words("messages in the journal", "日志报文"), format!("{from} … {to}"));
    }
    if let Some(by) = &alert.acknowledged {
        fact(ACKNOWLEDGED, format!("{}, {}: {}", by.who, by.at.local(zone), by.note));
    }
    if let Some(to) = alert.assigned() {
        fact(words("sees to it", "负责人"), to.to_owned());
    }
    lines.extend(alert.suppressed.iter().map(|s| format!("  {}", suppressed::sentence(s, zone, lang))));
    if !alert.evidence.points.is_empty() {
        lines.push(points_table(&alert.evidence.points, lang));
    }
    for (from_ms, length_ms) in &alert.evidence.fragments {
        let from = crate::model::time::UtcMs(*from_ms);
        lines.push(format!("  {}  {}", from.local(zone), when::length(*length_ms)));
    }
    lines.extend(proof::lines(alert, zone, lang));
    lines.push(String::new());
    lines.extend(story::lines(alert, zone, lang));
    lines.join("\n")
}

fn points_table(points: &[PointEvidence], lang: Lang) -> String {
    let mut table = with_head(&POINTS.map(|w| w.in_lang(lang)));
    let figure = |value: Option<f64>| right(value.map_or("–".to_owned(), |v| format!("{v:.2}")));
    for point in points {
        let register = match (point.energy_first_kwh, point.energy_last_kwh) {
            (Some(first), Some(last)) => format!("{first:.2} → {last:.2}"),
            _ => "–".to_owned(),
        };
        let in_force = point.thresholds_before.iter().chain([&point.thresholds]);
        let kw =
            |t: &Thresholds| format!("{} … {}", t.running_above_w / 1_000.0, t.running_below_w / 1_000.0);
        let thresholds = in_force.map(kw).collect::<Vec<_>>().join("\n");
        table.add_row([
            Cell::new(&point.name),
            Cell::new(words::kind(point.kind).in_lang(lang)),
            figure(point.mean_kw),
            figure(point.max_kw),
            right(thresholds),
            right(register),
            figure(point.energy_kwh),
        ]);
    }
    table.to_string()
}
