//! The live view as lines of text: one line a process, then the alerts with their evidence. Pure.
//!
//! Widths are those of the terminal's columns, in which a Chinese character takes two. Every state and level has a
//! symbol beside its colour, so that the view says the same without colours.

use console::{Alignment, Style, pad_str, truncate_str};
use jiff::tz::TimeZone;

use super::scene::{Row, Scene, Side};
use super::story;
use super::text;
use super::wrap::wrapped;
use crate::alerts::alert::{Alert, Status};
use crate::model::rule::Level;
use crate::model::state::State;
use crate::wording::sentence;
use crate::wording::words::{self, Lang};

/// What a sparkline is drawn with, from nothing to rated power.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A second in which a meter was silent.
const SILENT: char = '·';

/// Narrower than this the view does not become: lines are cut then.
const WIDTH_MIN: usize = 64;

/// Columns that do not grow: name, two powers, two states, the blanks between.
const WIDTH_FIXED: usize = 16 + 2 * 6 + 2 * 9 + 7;

/// How the view is drawn.
#[derive(Clone, Debug)]
pub struct Look {
    /// The words.
    pub lang: Lang,
    /// Columns of the terminal.
    pub width: usize,
    /// Lines of the terminal.
    pub height: usize,
    /// Whether colours are wanted.
    pub colour: bool,
    /// Whose time of day is shown.
    pub zone: TimeZone,
    /// Where the page is, and how to get in.
    pub page: String,
}

impl Look {
    fn paint(&self, style: Style, text: &str) -> String {
        style.force_styling(self.colour).apply_to(text).to_string()
    }

    fn dim(&self, text: &str) -> String {
        self.paint(Style::new().dim(), text)
    }
}

/// The view, line by line; no line is wider and there are no more of them than the terminal has.
#[must_use]
pub fn lines(scene: &Scene, look: &Look) -> Vec<String> {
    let mut lines = head(scene, look);
    lines.push(titles(look));
    lines.extend(scene.rows.iter().map(|row| process(row, look)));
    lines.push(String::new());
    lines.push(look.paint(Style::new().bold(), text::ALERTS.in_lang(look.lang)));
    let foot = vec![String::new(), look.page.clone(), look.dim(text::HOW_TO_END.in_lang(look.lang))];
    let room = look.height.saturating_sub(lines.len() + foot.len() + 1);
    lines.extend(alerts(&scene.findings.alerts, room, look));
    lines.extend(foot);
    lines.truncate(look.height.saturating_sub(1));
    lines.iter().map(|line| truncate_str(line, look.width, "…").into_owned()).collect()
}

fn head(scene: &Scene, look: &Look) -> Vec<String> {
    let title = look.paint(Style::new().bold(), text::TITLE.in_lang(look.lang));
    let subtitle = look.dim(text::SUBTITLE.in_lang(look.lang));
    let mut lines = vec![format!("{title}  {}  {subtitle}", elapsed(scene.elapsed_ms))];
    // A line for each plant from the begin on, so that the view does not jump.
    for row in &scene.rows {
        let beat = story::last_beat(&row.plant, scene.elapsed_ms).map(|(at_ms, beat)| {
            let what = beat.what.in_lang(look.lang);
            look.paint(Style::new().cyan(), &format!("▸ {} {}: {what}", elapsed(at_ms), beat.plant))
        });
        lines.push(beat.unwrap_or_default());
    }
    lines.push(String::new());
    lines
}

/// Minutes and seconds since the begin.
#[must_use]
pub fn elapsed(ms: u64) -> String {
    format!("{:02}:{:02}", ms / 60_000, ms / 1_000 % 60)
}

/// Columns of the bar and of each sparkline.
fn widths(width: usize) -> (usize, usize) {
    let free = width.max(WIDTH_MIN) - WIDTH_FIXED;
    let bar = (free / 4).min(16);
    (bar, (free - bar) / 2)
}

fn titles(look: &Look) -> String {
    let (bar, spark) = widths(look.width);
    let name = pad_str(text::PROCESS.in_lang(look.lang), 16, Alignment::Left, None);
    let production_width = bar + 1 + 6 + 1 + spark + 1 + 9;
    let production = pad_str(text::PRODUCTION.in_lang(look.lang), production_width, Alignment::Left, None);
    look.dim(&format!("{name} {production} {}", text::TREATMENT.in_lang(look.lang)))
}

fn process(row: &Row, look: &Look) -> String {
    let (bar_width, spark_width) = widths(look.width);
    let producing = row.production.state == State::Running;
    let name = pad_str(&row.name, 16, Alignment::Left, Some("…"));
    let bar = look.paint(Style::new().blue(), &bar(&row.production, bar_width));
    let production = side(&row.production, spark_width, false, look);
    let treatment = side(&row.treatment, spark_width, producing, look);
    format!("{name} {bar} {production} {treatment}")
}

/// Power, sparkline, state. `grave`: that it does not run is a trespass.
fn side(side: &Side, spark_width: usize, grave: bool, look: &Look) -> String {
    let power_kw = side.powers_kw.last().copied().flatten().map_or("-".to_owned(), |kw| format!("{kw:.1}"));
    let power_kw = pad_str(&power_kw, 6, Alignment::Right, None).into_owned();
    let state = state(side.state, grave, look);
    let state = pad_str(&state, 9, Alignment::Left, None).into_owned();
    format!("{power_kw} {} {state}", sparkline(side, spark_width))
}

fn state(state: State, grave: bool, look: &Look) -> String {
    let (symbol, style) = match state {
        State::Running => ('●', Style::new().green()),
        State::Idle if grave => ('◐', Style::new().red().bold()),
        State::Idle => ('◐', Style::new().yellow()),
        State::Off if grave => ('○', Style::new().red().bold()),
        State::Off => ('○', Style::new().dim()),
        State::Unknown => ('?', Style::new().magenta()),
    };
    look.paint(style, &format!("{symbol} {}", words::state(state).in_lang(look.lang)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "columns"
)]
fn share(part: f64, whole: f64, steps: usize) -> usize {
    ((part / whole).clamp(0.0, 1.0) * steps as f64).round() as usize
}

fn bar(side: &Side, width: usize) -> String {
    let power_kw = side.powers_kw.last().copied().flatten().unwrap_or(0.0);
    let full = share(power_kw, side.rated_kw, width);
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

fn sparkline(side: &Side, width: usize) -> String {
    let known = side.powers_kw.len().min(width);
    let drawn = side.powers_kw[side.powers_kw.len() - known..]
        .iter()
        .map(|power_kw| power_kw.map_or(SILENT, |kw| SPARKS[share(kw, side.rated_kw, SPARKS.len() - 1)]));
    " ".repeat(width - known).chars().chain(drawn).collect()
}

fn alerts(alerts: &[Alert], room: usize, look: &Look) -> Vec<String> {
    if alerts.is_empty() {
        return vec![look.dim(text::NO_ALERTS.in_lang(look.lang))];
    }
    let mut lines = Vec::new();
    for alert in alerts {
        let own = alert_lines(alert, look);
        if lines.len() + own.len() > room {
            break;
        }
        lines.extend(own);
    }
    lines
}

/// An alert's line, and its evidence below.
fn alert_lines(alert: &Alert, look: &Look) -> Vec<String> {
    let at = sentence::time_of_day(alert.raised, &look.zone);
    let level_words =
        format!("{} {}", level_symbol(alert.level), words::level(alert.level).in_lang(look.lang));
    let level =
        pad_str(&look.paint(level_style(alert.level), &level_words), 12, Alignment::Left, None).into_owned();
    let status = match alert.cleared.filter(|_| alert.status == Status::Cleared) {
        Some(cleared) => look.paint(
            Style::new().green(),
            &format!(
                "✓ {} {}",
                words::status(Status::Cleared).in_lang(look.lang),
                sentence::time_of_day(cleared, &look.zone)
            ),
        ),
        None => look.paint(Style::new().bold(), words::status(Status::Open).in_lang(look.lang)),
    };
    let status = pad_str(&status, 18, Alignment::Left, None).into_owned();
    let rule = match look.lang {
        Lang::En => alert.rule.name().to_owned(),
        Lang::Zh => format!("{} {}", alert.rule.name(), words::rule(alert.rule).in_lang(look.lang)),
    };
    let first = format!("{at}  {level} {status} {}/{}  {rule}", alert.site, alert.subject);
    let evidence = sentence::of_alert(alert, &look.zone, look.lang);
    let indent = " ".repeat(10);
    let below = wrapped(&evidence, look.width.max(WIDTH_MIN) - indent.len());
    std::iter::once(first).chain(below.iter().map(|line| look.dim(&format!("{indent}{line}")))).collect()
}

const fn level_symbol(level: Level) -> &'static str {
    match level {
        Level::Notice => "·",
        Level::Warning => "!",
        Level::Alarm => "!!",
        Level::Critical => "!!!",
    }
}

fn level_style(level: Level) -> Style {
    match level {
        Level::Notice => Style::new().dim(),
        Level::Warning => Style::new().yellow(),
        Level::Alarm => Style::new().red(),
        Level::Critical => Style::new().red().bold(),
    }
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;

    use super::super::plant::Simulation;
    use super::super::scene::{Findings, Past};
    use super::super::story::PLANTS;
    use super::*;
    use crate::model::rule::Rule;

    fn scene(seconds: u64, findings: Findings) -> Scene {
        let mut simulation = Simulation::new(&PLANTS, 1);
        let mut past = Past::new(&PLANTS);
        (0..=seconds).for_each(|second| past.add(&simulation.read(second * 1_000)));
        past.scene(seconds * 1_000, findings)
    }

    fn findings() -> Findings {
        let states = [
            ("plant-a", "furnace", State::Running),
            ("plant-a", "baghouse-1", State::Off),
            ("plant-a", "baghouse-2", State::Running),
            ("plant-b", "press", State::Running),
            ("plant-b", "scrubber", State::Off),
            ("plant-c", "line", State::Running),
        ];
        let alert = sentence::tests::alert;
        Findings {
            states: states.map(|(site, point, s)| ((site.into(), point.into()), s)).into(),
            alerts: vec![
                alert(Rule::TreatmentOff, Status::Open),
                alert(Rule::GapWhileProducing, Status::Cleared),
            ],
        }
    }

    fn look(lang: Lang, width: usize) -> Look {
        Look {
            lang,
            width,
            height: 24,
            colour: false,
            zone: TimeZone::UTC,
            page: "http://127.0.0.1:1  demo  x".into(),
        }
    }

    fn drawn(look: &Look) -> Vec<String> {
        lines(&scene(22, findings()), look).iter().map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn english_in_eighty_columns() {
        let drawn = drawn(&look(Lang::En, 80));
        assert_eq!(
            drawn,
            [
                "submeterd demo  00:22  3 plants over MQTT and Modbus TCP; 1 s stands for 1 min",
                "▸ 00:12 plant-a: fan 2 takes over from fan 1: one of two is enough",
                "▸ 00:06 plant-b: the scrubber is switched off; the press runs on",
                "▸ 00:04 plant-c: the treatment meter falls silent; the line runs on",
                "",
                "process          production, kW                     treatment, kW",
                "plant-a/melting  ████░░  434.3 ▇▇▇▆▆▆▅▅▆▆ ● running   55.0 ██▆▆▆▆▆▆▆▆ ● running",
                "plant-b/line-1   ████░░   73.7 ▅▆▆▆▆▅▅▅▆▆ ● running    0.0 ▁▁▁▁▁▁▁▁▁▁ ○ off",
                "plant-c/coating  ████░░  119.9 ▆▅▅▅▅▆▆▆▆▆ ● running      - ·········· ? unknown",
                "",
                "alerts, newest first",
                "12:03:20  ! warning    open               plant-b/line-1  treatment_off",
                "          production press 71.2 kW ≥ 50 kW: running; treatment scrubber",
                "          0.0 kW ≤ 10 kW: off; since 12:03:10",
                "12:03:20  ! warning    ✓ cleared 12:03:47 plant-b/line-1  gap_while_producing",
                "          production press 71.2 kW ≥ 50 kW: running; treatment scrubber nothing",
                "          heard: unknown; since 12:03:10",
                "",
                "http://127.0.0.1:1  demo  x",
                "Ctrl-C ends the demo"
            ]
        );
    }

    #[test]
    fn chinese_in_a_hundred_columns() {
        let drawn = drawn(&look(Lang::Zh, 100));
        assert_eq!(
            drawn,
            [
                "submeterd 演示  00:22  3 家企业，经 MQTT 和 Modbus TCP；1 秒代表 1 分钟",
                "▸ 00:12 plant-a: 2 号风机接替 1 号风机：两台运行一台即可",
                "▸ 00:06 plant-b: 喷淋塔被关停，热压线继续生产",
                "▸ 00:04 plant-c: 治污电表不再上报，生产继续",
                "",
                "工艺             生产设施 kW                                     治污设施 kW",
                "plant-a/melting  ████████░░░  434.3 ▆▆▆▅▅▆▆▆▇▇▇▆▆▆▅▅▆▆ ● 运行      55.0 ▆▆▆▆▆▆▆███▆▆▆▆▆▆▆▆ ● 运行",
                "plant-b/line-1   ███████░░░░   73.7 ▅▅▆▆▆▆▅▅▅▆▆▆▆▅▅▅▆▆ ● 运行       0.0 ▆▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ ○ 停运",
                "plant-c/coating  ███████░░░░  119.9 ▅▅▅▅▆▆▆▆▆▅▅▅▅▆▆▆▆▆ ● 运行         - ·················· ? 未知",
                "",
                "告警（最新在前）",
                "12:03:20  ! 预警       进行中             plant-b/line-1  treatment_off 生产期间治污设施停运",
                "          生产设施 press 71.2 kW ≥ 50 kW：运行；治污设施 scrubber 0.0 kW ≤ 10 kW：停运；始于",
                "          12:03:10",
                "12:03:20  ! 预警       ✓ 已解除 12:03:47  plant-b/line-1  gap_while_producing 生产期间治污数据中断",
                "          生产设施 press 71.2 kW ≥ 50 kW：运行；治污设施 scrubber 无数据：状态未知；始于 12:03:10",
                "",
                "http://127.0.0.1:1  demo  x",
                "按 Ctrl-C 结束演示"
            ]
        );
    }

    #[test]
    fn no_line_is_wider_and_no_view_higher_than_the_terminal() {
        for lang in [Lang::En, Lang::Zh] {
            for (width, height) in [(40, 10), (64, 15), (80, 24), (100, 30), (240, 60)] {
                for colour in [false, true] {
                    let look = Look { height, colour, ..look(lang, width) };
                    let lines = lines(&scene(70, findings()), &look);
                    assert!(lines.len() < height, "{height}: {}", lines.len());
                    let widest = lines.iter().map(|l| measure_text_width(l)).max();
                    assert!(widest <= Some(width), "{width}: {widest:?}\n{}", lines.join("\n"));
                    assert_eq!(lines.iter().any(|l| l.contains('\u{1b}')), colour);
                }
            }
        }
    }

    #[test]
    fn columns_stand_one_below_the_other_in_both_languages() {
        for (lang, state) in [(Lang::En, "● running"), (Lang::Zh, "● 运行")] {
            let look = look(lang, 90);
            let row = process(&scene(22, findings()).rows[1], &look);
            let before = row.split(state).next().unwrap();
            let (bar, spark) = widths(90);
            assert_eq!(measure_text_width(before), 16 + 1 + bar + 1 + 6 + 1 + spark + 1, "{row}");
            assert!(measure_text_width(row.trim_end()) <= 90, "{row}");
        }
    }
}
