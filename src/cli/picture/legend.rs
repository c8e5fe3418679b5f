//! What stands around the curves: title, the meaning of colours and lines, and the alerts in words.

use super::scene::{Interval, Scene};
use super::svg::{Anchor, Letters, Svg, cut, width};
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::wording::when;
use crate::wording::words::{self, Lang, Words, words};

/// Blue: told from vermilion and orange with every kind of colour vision, and dark on paper.
pub const RUNNING: &str = "#0072b2";

/// Where the legend's line begins.
pub const TOP: f64 = 62.0;

/// Its height, with the room beneath.
pub const HEIGHT: f64 = 34.0;

/// Alerts that are listed; the others are counted.
const N_LISTED: usize = 40;

const LINE: f64 = 17.0;

const POWER: Words = words("power", "功率");
const FROM: Words = words("runs from", "运行阈值");
const DOWN_TO: Words = words("stops at", "停止阈值");
const ALERT: Words = words("alert", "告警");
const NONE: Words = words("No alerts in this time.", "该时段内没有告警。");
const STILL_OPEN: Words = words("open", "进行中");

/// Title, span, and the legend; with the patterns that states are filled with.
pub fn head(svg: &mut Svg, scene: &Scene, lang: Lang) {
    svg.raw(
        "<defs>\n\
         <pattern id=\"idle\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\n\
         <rect width=\"6\" height=\"6\" fill=\"#fdeccb\"/>\n\
         <path d=\"M-1 7L7 -1M-1 1L1 -1M5 7L7 5\" stroke=\"#e69f00\" stroke-width=\"1.6\"/>\n</pattern>\n\
         <pattern id=\"unknown\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\n\
         <rect width=\"5\" height=\"5\" fill=\"#ececec\"/>\n\
         <circle cx=\"1.5\" cy=\"1.5\" r=\"0.9\" fill=\"#7a7a7a\"/>\n</pattern>\n</defs>\n",
    );
    svg.text([12.0, 26.0], Letters { size: 18.0, is_bold: true, ..Letters::default() }, &scene.title);
    let (from, to) = (minute(scene.span.from, scene), minute(scene.span.to, scene));
    let line = format!("{} · {from} – {to} · {}", scene.process, scene.zone_name);
    svg.text([12.0, 46.0], Letters { size: 12.0, fill: "#4a535b", ..Letters::default() }, &line);
    let letters = Letters { size: 11.0, fill: "#222222", ..Letters::default() };
    let mut x = 12.0;
    let mut entry = |svg: &mut Svg, text: &str, draw: &dyn Fn(&mut Svg, [f64; 4])| {
        draw(svg, [x, TOP, 26.0, 14.0]);
        svg.text([x + 32.0, TOP + 11.0], letters, text);
        x += 32.0 + width(text, 11.0) + 20.0;
    };
    for own in State::ALL {
        entry(svg, words::state(own).in_lang(lang), &|svg, [x, y, w, h]| {
            state(svg, own, [x, y, w, h]);
            svg.area([x, y, w, h], &[("fill", &"none"), ("stroke", &"#5d666e"), ("stroke-width", &"0.8")]);
            letter(svg, own, [x + w / 2.0, y + h - 3.5], lang);
        });
    }
    for (word, stroke, dash) in
        [(POWER, "#1b2a38", "none"), (FROM, RUNNING, "7 3"), (DOWN_TO, RUNNING, "1.5 3")]
    {
        entry(svg, word.in_lang(lang), &|svg, [x, y, w, h]| {
            let middle = y + h / 2.0;
            svg.line(
                [x, middle, x + w, middle],
                &[("stroke", &stroke), ("stroke-width", &"1.3"), ("stroke-dasharray", &dash)],
            );
        });
    }
    entry(svg, ALERT.in_lang(lang), &|svg, place| {
        svg.area(place, &[("fill", &"#d55e00"), ("fill-opacity", &"0.14"), ("stroke", &"#d55e00")]);
    });
}

/// A stretch of a state: running is filled, idle striped, off empty, unknown dotted.
pub fn state(svg: &mut Svg, state: State, place: [f64; 4]) {
    let fill = match state {
        State::Running => RUNNING,
        State::Idle => "url(#idle)",
        State::Off => "#ffffff",
        State::Unknown => "url(#unknown)",
    };
    svg.area(place, &[("class", &state.name()), ("fill", &fill)]);
}

/// The letter of a state: the first of its word.
pub fn letter(svg: &mut Svg, state: State, place: [f64; 2], lang: Lang) {
    let first = words::state(state).in_lang(lang).chars().next().unwrap_or('?');
    let letter = first.to_uppercase().to_string();
    let fill = if state == State::Running { "#ffffff" } else { "#222222" };
    svg.text(place, Letters { size: 10.0, is_bold: true, fill, anchor: Anchor::Middle }, &letter);
}

/// How high the list of so many alerts is.
#[must_use]
pub fn list_height(n_alerts: usize) -> f64 {
    let n_lines = n_alerts.clamp(1, N_LISTED) + usize::from(n_alerts > N_LISTED);
    n_lines as f64 * LINE + 22.0
}

/// The alerts, a line each.
pub fn list(svg: &mut Svg, scene: &Scene, top: f64, lang: Lang) {
    let letters = Letters { size: 11.5, fill: "#222222", ..Letters::default() };
    if scene.alerts.is_empty() {
        return svg.text([12.0, top + LINE], letters, NONE.in_lang(lang));
    }
    for (i, alert) in scene.alerts.iter().enumerate().take(N_LISTED) {
        let y = top + (i + 1) as f64 * LINE;
        let number = Letters { is_bold: true, anchor: Anchor::Left, fill: "#a34700", ..letters };
        svg.text([30.0, y], number, &(i + 1).to_string());
        let level = format!("{} {}", words::level_mark(alert.level), words::level(alert.level).in_lang(lang));
        let cells = [
            (40.0, level),
            (130.0, words::rule(alert.rule).in_lang(lang).to_owned()),
            (290.0, cut(&alert.subject, 11.5, 170.0)),
            (470.0, interval(alert, scene, lang)),
        ];
        for (x, text) in &cells {
            svg.text([*x, y], letters, text);
        }
        if let Some(to) = alert.to {
            let right = Letters { anchor: Anchor::Left, ..letters };
            svg.text([840.0, y], right, &when::length(to.since(alert.from)));
        }
    }
    if scene.alerts.len() > N_LISTED {
        let n = scene.alerts.len() - N_LISTED;
        let more = match lang {
            Lang::En => format!("and {n} more"),
            Lang::Zh => format!("另有 {n} 条"),
        };
        svg.text([40.0, top + (N_LISTED + 1) as f64 * LINE], letters, &more);
    }
}

/// `2026-11-24 18:05 – 19:10`
fn interval(alert: &Interval, scene: &Scene, lang: Lang) -> String {
    let from = minute(alert.from, scene);
    let Some(to) = alert.to else {
        return format!("{from} – {}", STILL_OPEN.in_lang(lang));
    };
    let end = minute(to, scene);
    let end = match (from.split_once(' '), end.split_once(' ')) {
        (Some((day, _)), Some((last_day, time))) if day == last_day => time.to_owned(),
        _ => end,
    };
    format!("{from} – {end}")
}

fn minute(at: UtcMs, scene: &Scene) -> String {
    let whole = at.local(&scene.zone);
    whole.strip_suffix(":00").map(str::to_owned).unwrap_or(whole)
}
