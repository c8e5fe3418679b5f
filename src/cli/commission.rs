//! `submeterd commission`: a supervised test, off, idle and at full load, guided step by step; or its times from a script.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::access::Access;
use super::alerts::Zones;
use super::failure::hinted;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::thresholds;
use super::who;
use crate::api::judging::Commissioned;
use crate::api::lesson::Trial;
use crate::engine::decide::Verdict;
use crate::learning::commission::{FULL_LOAD_MINUTES_MIN, QUIET_MINUTES_MIN};
use crate::model::commissioning::{CommissioningRecord, Phase, PhaseKind};
use crate::model::time::{Clock, MINUTE_MS, UtcMs};
use crate::wording::said::said;
use crate::wording::when;
use crate::wording::words::{self, Lang, Words, words};

/// Between two looks at the powers.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A test of one process of a site.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Site id.
    site: String,
    /// Process id; may be left out where the site has one.
    #[arg(long)]
    process: Option<String>,
    /// Who supervises the test.
    #[arg(long)]
    who: Option<String>,
    /// When everything was switched off, `FROM..TO` in the site's zone; at least 10 min. Without it the test is guided.
    #[arg(long, value_name = "FROM..TO", requires = "full")]
    off: Option<String>,
    /// When units were powered and not loaded, at least 10 min; may be left out.
    #[arg(long, value_name = "FROM..TO", requires = "off")]
    idle: Option<String>,
    /// When production ran at full load and treatment as it must then, at least 30 min.
    #[arg(long, value_name = "FROM..TO", requires = "off")]
    full: Option<String>,
    /// Record the test if it is accepted, without asking.
    #[arg(long)]
    yes: bool,
}

const WHO: Words = words("Who supervises the test? ", "试验监督人姓名：");
const RECORD: Words =
    words("Record this test and put it in force? [y/N] ", "是否记录本次试验并使其生效？[y/N] ");
const WAIT: Words = words("Press Enter to begin", "准备好后按回车键开始");
const END: Words = words("Enter ends this phase", "按回车键结束本阶段");
const AT_LEAST: Words = words("at least, min:", "至少（分钟）：");
const SKIP: Words = words("Enter to begin, or s and Enter to leave it out", "按回车开始；输入 s 并回车跳过");
const NOT_RECORDED: Words = words("Nothing was recorded.", "未作记录。");
const ACCEPTED: Words = words("The test is accepted.", "试验合格。");
const REFUSED: Words = words("The test proves nothing yet:", "试验不合格：");
const RUNNING: Words = words("running from … down to", "运行阈值");
const AT_FULL: Words = words("at full load", "满负荷功率");

const fn task(kind: PhaseKind) -> Words {
    match kind {
        PhaseKind::Off => words(
            "OFF. Switch off every unit of the process, production and treatment, and leave it so.",
            "【停机】关停本工艺全部生产设施和治污设施，并保持停机。",
        ),
        PhaseKind::Idle => words(
            "IDLE. Switch the units on and do not load them: no material, no product.",
            "【空载】设备通电但不带料、不生产。",
        ),
        PhaseKind::FullLoad => words(
            "FULL LOAD. Run production at full load, with all treatment that must run then.",
            "【满负荷】生产设施满负荷运行，治污设施按要求同时运行。",
        ),
    }
}

/// Whom the dialogue is with, and by whose clock.
pub trait Terminal {
    /// Whether somebody is there who could answer.
    fn is_there(&self) -> bool;

    /// Shows a line.
    ///
    /// # Errors
    /// Whoever reads it has gone.
    fn say(&self, text: &str) -> anyhow::Result<()>;

    /// Asks, and reads a line.
    ///
    /// # Errors
    /// Nothing more comes.
    fn ask(&self, text: &str) -> impl Future<Output = anyhow::Result<String>> + Send;

    /// The time now.
    fn now(&self) -> UtcMs;
}

/// The terminal the program was started from.
#[derive(Debug)]
struct Console;

impl Terminal for Console {
    fn is_there(&self) -> bool {
        std::io::stdin().is_terminal()
    }

    fn say(&self, text: &str) -> anyhow::Result<()> {
        print(text)
    }

    /// A line is read on a thread of its own.
    async fn ask(&self, text: &str) -> anyhow::Result<String> {
        let mut out = std::io::stdout();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to the terminal")?;
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|n| (n > 0).then_some(line))
        });
        let line = read.await?.context("cannot read from the terminal")?;
        Ok(line.context("nothing more comes from the terminal")?.trim().to_owned())
    }

    fn now(&self) -> UtcMs {
        Clock::System.now()
    }
}

/// Runs the command.
///
/// # Errors
/// The request has mistakes, no daemon answers, or the test was refused.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    talk(globals, args, &Console).await
}

/// The same, with whoever sits at that terminal.
///
/// # Errors
/// As [`run`].
pub async fn talk(globals: &Globals, args: Args, terminal: &impl Terminal) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let lang = globals.lang();
    let zone = Zones::of(&access).await?.of_site(&args.site);
    let is_guided = args.off.is_none();
    if is_guided && !terminal.is_there() {
        let error = anyhow::anyhow!("a guided test needs a terminal");
        return Err(hinted(error, "in a script say --off FROM..TO --full FROM..TO --who NAME --yes"));
    }
    let (who, phases) = if is_guided {
        let who = match args.who {
            Some(who) => who,
            None => terminal.ask(WHO.in_lang(lang)).await?,
        };
        (who, guided(&access, &args.site, terminal, lang).await?)
    } else {
        let now = terminal.now();
        (who::name(args.who)?, phases(&args.off, &args.idle, &args.full, (now, &zone))?)
    };
    let trial = Trial { process: args.process, who, phases, record: false };
    let seen: Commissioned = access.say(&args.site, "commission", &trial).await?;
    let Some(record) = &seen.tried.record else {
        if globals.json {
            print_json(&seen)?;
        }
        let reasons = seen.tried.refusals.iter().map(|why| format!("\n  {}", said(why, lang)));
        anyhow::bail!("{}{}", REFUSED.in_lang(lang), reasons.collect::<String>());
    };
    if !globals.json {
        terminal.say(&shown(record, lang))?;
    }
    let is_wanted = args.yes
        || (terminal.is_there()
            && matches!(&*terminal.ask(RECORD.in_lang(lang)).await?, "y" | "Y" | "yes" | "是"));
    if !is_wanted {
        return if globals.json { print_json(&seen) } else { terminal.say(NOT_RECORDED.in_lang(lang)) };
    }
    let done: Commissioned = access.say(&args.site, "commission", &Trial { record: true, ..trial }).await?;
    if globals.json {
        print_json(&done)?;
    } else {
        terminal.say(&thresholds::told(&done.decided, lang))?;
    }
    anyhow::ensure!(
        done.decided.iter().any(|row| row.decided.verdict == Verdict::InForce),
        "the test was not recorded; the reasons stand above"
    );
    Ok(())
}

/// The phases of a script.
fn phases(
    off: &Option<String>,
    idle: &Option<String>,
    full: &Option<String>,
    (now, zone): (UtcMs, &TimeZone),
) -> anyhow::Result<Vec<Phase>> {
    let kinds = [(PhaseKind::Off, off), (PhaseKind::Idle, idle), (PhaseKind::FullLoad, full)];
    let phase = |(kind, text): (PhaseKind, &String)| {
        let (from, to) = text
            .split_once("..")
            .with_context(|| format!("{text:?} is no span; write \"2026-11-24 09:00..2026-11-24 09:15\""))?;
        let (from, to) = (when::parse(from, now, zone)?, when::parse(to, now, zone)?);
        anyhow::ensure!(from < to, "{text:?} ends before it begins");
        Ok(Phase { kind, from, to })
    };
    kinds.into_iter().filter_map(|(kind, text)| Some((kind, text.as_ref()?))).map(phase).collect()
}

/// Leads through the phases, one after the other.
async fn guided(
    access: &Access,
    site: &str,
    terminal: &impl Terminal,
    lang: Lang,
) -> anyhow::Result<Vec<Phase>> {
    let mut phases = Vec::new();
    for kind in PhaseKind::ALL {
        let minutes_min = if kind == PhaseKind::FullLoad { FULL_LOAD_MINUTES_MIN } else { QUIET_MINUTES_MIN };
        terminal.say(&format!(
            "\n{}\n{} {}",
            task(kind).in_lang(lang),
            AT_LEAST.in_lang(lang),
            minutes_min
        ))?;
        let prompt = if kind == PhaseKind::Idle { SKIP } else { WAIT };
        let answer = terminal.ask(&format!("{}: ", prompt.in_lang(lang))).await?;
        if answer == "s" && kind == PhaseKind::Idle {
            continue;
        }
        let from = terminal.now();
        watch(access, site, terminal, (from, lang)).await?;
        phases.push(Phase { kind, from, to: terminal.now() });
    }
    settle(access, phases.last().map_or(UtcMs::MIN, |p| p.to)).await?;
    Ok(phases)
}

/// Shows the powers until Enter.
async fn watch(
    access: &Access,
    site: &str,
    terminal: &impl Terminal,
    (from, lang): (UtcMs, Lang),
) -> anyhow::Result<()> {
    let power = |p: &crate::api::answers::PointRow| {
        let kw = p.power_kw.map_or("–".to_owned(), |kw| format!("{kw:.2} kW"));
        format!("{} {kw} {}", p.name, words::state(p.state).in_lang(lang))
    };
    terminal.say(END.in_lang(lang))?;
    // One line is awaited all the while: what is typed between two looks is not lost.
    let ended = terminal.ask("");
    tokio::pin!(ended);
    loop {
        let answer = access.site(site).await?;
        let powers: Vec<String> = answer.points.iter().map(power).collect();
        let passed = when::length(terminal.now().since(from));
        terminal.say(&format!("{passed}  {}", powers.join("  ")))?;
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            line = &mut ended => return line.map(drop),
        }
    }
}

/// What was measured last is still under way: waits until the daemon has heard a minute more.
async fn settle(access: &Access, end: UtcMs) -> anyhow::Result<()> {
    while access.status().await?.progress.now < end.plus(MINUTE_MS) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn shown(record: &CommissioningRecord, lang: Lang) -> String {
    let mut lines = vec![ACCEPTED.in_lang(lang).to_owned()];
    let kw = |w: f64| format!("{:.2}", w / 1_000.0);
    for own in &record.points {
        let t = &own.thresholds;
        let mut line = format!(
            "  {}: {} {} … {} kW",
            own.id,
            RUNNING.in_lang(lang),
            kw(t.running_above_w),
            kw(t.running_below_w)
        );
        let medians = record.baselines.iter().filter(|b| b.point == own.point).flat_map(|b| b.median_w);
        for w in medians.flatten() {
            line.push_str(&format!("; {} {} kW", AT_FULL.in_lang(lang), kw(f64::from(w))));
        }
        lines.push(line);
    }
    lines.extend(record.remarks.iter().map(|remark| format!("  {}", said(remark, lang))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_of_a_script_are_in_the_sites_zone_and_in_order() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let span = |text: &str| Some(text.to_owned());
        let off = span("2026-11-24 09:00..2026-11-24 09:15");
        let now = UtcMs(0);
        let full = span("2026-11-24T02:00:00Z..2026-11-24 10:40");
        let all = phases(&off, &None, &full, (now, &zone)).unwrap();
        assert_eq!(all.iter().map(|p| p.kind).collect::<Vec<_>>(), [PhaseKind::Off, PhaseKind::FullLoad]);
        assert_eq!(all[0].from.iso(), "2026-11-24T01:00:00Z");
        assert_eq!(all[1].to.since(all[1].from), 40 * MINUTE_MS);
        for wrong in ["2026-11-24", "2026-11-24 10:00..2026-11-24 09:00", "soon..later"] {
            assert!(phases(&span(wrong), &None, &off, (now, &zone)).is_err(), "{wrong}");
        }
    }
}
