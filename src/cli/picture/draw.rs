//! A scene as SVG: title, legend, alerts, a row a unit, the time axis, and the list of alerts beneath.

use std::fmt::Write as _;

use super::axis;
use super::curve::Curve;
use super::legend;
use super::scene::{Interval, Row, Scene};
use super::svg::{Anchor, Letters, Svg, cut, escaped, number, width};
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::wording::words::{self, Lang};

/// Width of the whole, px.
pub const WIDTH: f64 = 1_200.0;
/// Where the curves begin.
pub const LEFT: f64 = 232.0;
/// Where they end.
pub const RIGHT: f64 = WIDTH - 24.0;
/// Height of a curve.
const CURVE: f64 = 92.0;
/// Height of a band of states.
const BAND: f64 = 16.0;
/// Between curve and band.
const GAP: f64 = 4.0;
/// From one row to the next.
const ROW: f64 = CURVE + GAP + BAND + 18.0;
/// Height of a lane of alerts.
const LANE: f64 = 17.0;
/// Height of the time axis with its texts.
const AXIS: f64 = 46.0;
/// Lanes of alerts; those that would need a further one share the last.
const N_LANES_MAX: usize = 5;
/// Narrower than this a state has no letter.
const LETTER_WIDTH_MIN: f64 = 13.0;
/// About so far apart ticks stand at least.
const TICK_WIDTH_MIN: f64 = 62.0;
/// Height of the letters of an alert's bar.
const TAG_SIZE: f64 = 10.5;
/// The colour of alerts: vermilion, told from blue with every kind of colour vision.
const ALERT: &str = "#d55e00";
/// The colour of curves.
const INK: &str = "#1b2a38";

/// Columns a curve is thinned out to: one a pixel.
#[must_use]
pub fn n_columns() -> u32 {
    (RIGHT - LEFT) as u32
}

/// The picture of a scene.
#[must_use]
pub fn svg(scene: &Scene, lang: Lang) -> String {
    let lanes = lanes(scene);
    let n_lanes = lanes.iter().max().map_or(0, |last| last + 1);
    let strip = legend::TOP + legend::HEIGHT;
    let rows = strip + n_lanes as f64 * LANE + if n_lanes > 0 { 8.0 } else { 0.0 };
    let axis = rows + scene.rows.len() as f64 * ROW - 18.0 + 6.0;
    let list = axis + AXIS;
    let height = list + legend::list_height(scene.alerts.len());
    let mut svg = Svg::new(WIDTH, height, &format!("{} · {}", scene.title, scene.process));
    legend::head(&mut svg, scene, lang);
    let picture = Picture { scene, rows, axis };
    picture.grid(&mut svg);
    picture.shades(&mut svg, strip);
    for (i, row) in scene.rows.iter().enumerate() {
        picture.row(&mut svg, row, rows + i as f64 * ROW, lang);
    }
    picture.tags(&mut svg, strip, &lanes, lang);
    picture.time_axis(&mut svg);
    legend::list(&mut svg, scene, list, lang);
    svg.finish()
}

/// The lane of each alert: those that overlap lie in different ones.
fn lanes(scene: &Scene) -> Vec<usize> {
    let mut ends: Vec<UtcMs> = Vec::new();
    let mut lanes = Vec::new();
    for alert in &scene.alerts {
        let end = alert.to.unwrap_or(scene.span.to).min(scene.span.to);
        let free = ends.iter().position(|e| *e <= alert.from);
        let lane = free.unwrap_or(ends.len()).min(N_LANES_MAX - 1);
        if lane == ends.len() {
            ends.push(end);
        } else {
            ends[lane] = ends[lane].max(end);
        }
        lanes.push(lane);
    }
    lanes
}

/// Where a moment of the scene stands, px; what lies outside stands at the edge.
#[must_use]
pub fn x_of(scene: &Scene, at: UtcMs) -> f64 {
    let span = scene.span;
    let share = at.since(span.from) as f64 / span.to.since(span.from).max(1) as f64;
    LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
}

/// A scene with the places of its parts.
struct Picture<'a> {
    scene: &'a Scene,
    /// Where the first row begins.
    rows: f64,
    /// Where the time axis stands.
    axis: f64,
}

impl Picture<'_> {
    /// From where to where an alert goes, px; never nothing.
    fn edges(&self, alert: &Interval) -> (f64, f64) {
        let from = x_of(self.scene, alert.from);
        let to = x_of(self.scene, alert.to.unwrap_or(self.scene.span.to));
        (from, to.max(from + 1.0))
    }

    fn grid(&self, svg: &mut Svg) {
        for tick in self.ticks() {
            let x = x_of(self.scene, tick.at);
            let stroke = if tick.date.is_some() { "#b8bec4" } else { "#e7eaed" };
            svg.line([x, self.rows, x, self.axis], &[("stroke", &stroke), ("stroke-width", &"1")]);
        }
    }

    fn ticks(&self) -> Vec<axis::Tick> {
        axis::times(self.scene.span, &self.scene.zone, ((RIGHT - LEFT) / TICK_WIDTH_MIN) as u32)
    }

    /// Alerts as light areas over the rows they are about.
    fn shades(&self, svg: &mut Svg, strip: f64) {
        for alert in &self.scene.alerts {
            let (from, to) = self.edges(alert);
            let whole = [(strip, self.axis - 6.0 - strip)];
            let own: Vec<(f64, f64)> =
                alert.rows.iter().map(|i| (self.rows + *i as f64 * ROW - 4.0, ROW - 10.0)).collect();
            let areas = if own.is_empty() { &whole[..] } else { &own[..] };
            for (top, height) in areas {
                let rule = alert.rule.name();
                svg.area(
                    [from, *top, to - from, *height],
                    &[("class", &"alert"), ("data-rule", &rule), ("fill", &ALERT), ("fill-opacity", &"0.14")],
                );
                for x in [from, to] {
                    let dash: [(&str, &dyn std::fmt::Display); 3] =
                        [("stroke", &ALERT), ("stroke-width", &"0.8"), ("stroke-dasharray", &"2 2")];
                    svg.line([x, *top, x, top + height], &dash);
                }
            }
        }
    }

    /// Alerts as bars above the rows, with number and rule where there is room.
    fn tags(&self, svg: &mut Svg, strip: f64, lanes: &[usize], lang: Lang) {
        let mut used = [LEFT; N_LANES_MAX];
        for (i, (alert, lane)) in self.scene.alerts.iter().zip(lanes).enumerate() {
            let (from, to) = self.edges(alert);
            let top = strip + *lane as f64 * LANE;
            let bar = [from, top, to - from, LANE - 3.0];
            svg.area(bar, &[("class", &"tag"), ("fill", &ALERT)]);
            let later = self.scene.alerts.iter().zip(lanes).skip(i + 1).find(|(_, l)| *l == lane);
            let free_to = later.map_or(RIGHT, |(next, _)| self.edges(next).0);
            let short = (i + 1).to_string();
            let name = format!("{short} {}", words::rule(alert.rule).in_lang(lang));
            let place = |text: &str, room: f64| width(text, TAG_SIZE) + 6.0 <= room;
            let (middle, dark) = (f64::midpoint(from, to), "#a34700");
            let (text, x, anchor, fill) = if place(&name, to - from) {
                (&name, from + 4.0, Anchor::Right, "#ffffff")
            } else if place(&name, free_to - to) {
                (&name, to + 3.0, Anchor::Right, dark)
            } else if width(&short, TAG_SIZE) + 2.0 <= to - from {
                (&short, middle, Anchor::Middle, "#ffffff")
            } else if place(&short, free_to - to) {
                (&short, to + 3.0, Anchor::Right, dark)
            } else if place(&short, from - used[*lane]) {
                (&short, from - 3.0, Anchor::Left, dark)
            } else {
                used[*lane] = to;
                continue;
            };
            used[*lane] = if anchor == Anchor::Right { to.max(x + width(text, TAG_SIZE)) } else { to };
            svg.text([x, top + LANE - 6.5], Letters { size: TAG_SIZE, fill, is_bold: true, anchor }, text);
        }
    }

    fn row(&self, svg: &mut Svg, row: &Row, top: f64, lang: Lang) {
        let bottom = top + CURVE;
        label(svg, row, top, lang);
        let (low, high) = row.curve.range().unwrap_or((0.0, 0.0));
        let (low, high) = (low.min(0.0), high.max(row.running_above_kw).max(1e-3) * 1.06);
        let y_of = |kw: f64| bottom - (kw - low) / (high - low) * CURVE;
        let values = axis::powers(low, high);
        for (i, value) in values.iter().enumerate() {
            let unit = if i + 1 == values.len() { " kW" } else { "" };
            let y = y_of(*value);
            svg.line([LEFT - 4.0, y, LEFT, y], &[("stroke", &"#6b747c"), ("stroke-width", &"1")]);
            let letters = Letters { size: 10.0, fill: "#4a535b", anchor: Anchor::Left, ..Letters::default() };
            svg.text([LEFT - 7.0, y + 3.5], letters, &format!("{}{unit}", trimmed(*value)));
        }
        let frame: [(&str, &dyn std::fmt::Display); 3] =
            [("fill", &"none"), ("stroke", &"#9aa3ab"), ("stroke-width", &"1")];
        svg.area([LEFT, top, RIGHT - LEFT, CURVE], &frame);
        for (kw, dash) in [(row.running_above_kw, "7 3"), (row.running_below_kw, "1.5 3")] {
            let y = y_of(kw);
            let line: [(&str, &dyn std::fmt::Display); 4] = [
                ("class", &"threshold"),
                ("stroke", &legend::RUNNING),
                ("stroke-width", &"1.2"),
                ("stroke-dasharray", &dash),
            ];
            svg.line([LEFT, y, RIGHT, y], &line);
        }
        self.curve(svg, &row.curve, y_of);
        self.band(svg, row, bottom + GAP, lang);
    }

    fn curve(&self, svg: &mut Svg, curve: &Curve, y_of: impl Fn(f64) -> f64) {
        let mut path = String::new();
        for stroke in curve.clone().strokes() {
            let mut letter = 'M';
            for (at, kw) in &stroke {
                let (x, y) = (number(x_of(self.scene, *at)), number(y_of(*kw)));
                let _ = write!(path, "{letter}{x} {y}");
                letter = 'L';
            }
            if stroke.len() == 1 {
                path.push_str("h0.8");
            }
        }
        let line: [(&str, &dyn std::fmt::Display); 6] = [
            ("class", &"power"),
            ("d", &path),
            ("fill", &"none"),
            ("stroke", &INK),
            ("stroke-width", &"1.1"),
            ("stroke-linejoin", &"round"),
        ];
        svg.element("path", &line);
    }

    /// What a unit did: filled, striped, empty and dotted, with a letter where there is room.
    fn band(&self, svg: &mut Svg, row: &Row, top: f64, lang: Lang) {
        let span = self.scene.span;
        let mut changes: Vec<(UtcMs, State)> = vec![(span.from, State::Unknown)];
        for (at, state) in &row.states {
            if *at <= span.from {
                changes[0].1 = *state;
            } else if *at < span.to {
                changes.push((*at, *state));
            }
        }
        for (i, (at, state)) in changes.iter().enumerate() {
            let from = x_of(self.scene, *at);
            let to = changes.get(i + 1).map_or(RIGHT, |(next, _)| x_of(self.scene, *next));
            legend::state(svg, *state, [from, top, to - from, BAND]);
            if to - from >= LETTER_WIDTH_MIN {
                legend::letter(svg, *state, [f64::midpoint(from, to), top + BAND - 4.5], lang);
            }
        }
        let frame: [(&str, &dyn std::fmt::Display); 3] =
            [("fill", &"none"), ("stroke", &"#5d666e"), ("stroke-width", &"0.8")];
        svg.area([LEFT, top, RIGHT - LEFT, BAND], &frame);
    }

    fn time_axis(&self, svg: &mut Svg) {
        let axis = self.axis;
        svg.line([LEFT, axis, RIGHT, axis], &[("stroke", &"#333333"), ("stroke-width", &"1")]);
        let ticks = self.ticks();
        let letters = Letters { size: 11.0, anchor: Anchor::Middle, fill: "#222222", ..Letters::default() };
        for tick in &ticks {
            let x = x_of(self.scene, tick.at);
            svg.line([x, axis, x, axis + 5.0], &[("stroke", &"#333333"), ("stroke-width", &"1")]);
            let is_day = tick.time.is_empty();
            svg.text(
                [x, axis + 17.0],
                letters,
                if is_day { tick.date.as_deref().unwrap_or("") } else { &tick.time },
            );
            if let Some(date) = tick.date.as_deref().filter(|_| !is_day) {
                svg.text([x, axis + 31.0], Letters { is_bold: true, ..letters }, date);
            }
        }
        // Where no day begins near the left edge, the date stands there all the same.
        let first = ticks.iter().find(|t| t.date.is_some()).map_or(RIGHT, |t| x_of(self.scene, t.at));
        if first > LEFT + 80.0 && !ticks.iter().any(|t| t.time.is_empty()) {
            let date = self.scene.span.from.local(&self.scene.zone);
            let date = date.split(' ').next().unwrap_or_default().to_owned();
            let letters = Letters { is_bold: true, anchor: Anchor::Right, ..letters };
            svg.text([LEFT, axis + 31.0], letters, &date);
        }
    }
}

/// Left of a row: who it is, and from which powers on it runs and stops.
fn label(svg: &mut Svg, row: &Row, top: f64, lang: Lang) {
    const ROOM: f64 = LEFT - 12.0 - 44.0;
    svg.open("g", &[]);
    svg.raw(&format!("<title>{}</title>\n", escaped(&format!("{} ({})", row.name, row.id))));
    let bold = Letters { size: 13.0, is_bold: true, ..Letters::default() };
    svg.text([12.0, top + 14.0], bold, &cut(&row.name, 13.5, ROOM));
    let small = Letters { size: 11.0, fill: "#4a535b", ..Letters::default() };
    let kind = words::kind(row.kind).in_lang(lang);
    let who = if row.name == row.id { kind.to_owned() } else { format!("{kind} · {}", row.id) };
    svg.text([12.0, top + 30.0], small, &cut(&who, 11.0, ROOM));
    let (above, below) = (trimmed(row.running_above_kw), trimmed(row.running_below_kw));
    let (runs, stops) = match lang {
        Lang::En => (format!("runs from {above} kW"), format!("stops at {below} kW")),
        Lang::Zh => (format!("运行 ≥ {above} kW"), format!("停止 ≤ {below} kW")),
    };
    svg.text([12.0, top + 48.0], small, &runs);
    svg.text([12.0, top + 63.0], small, &stops);
    svg.close("g");
}

/// A power without zeros that say nothing.
fn trimmed(kw: f64) -> String {
    let text = format!("{kw:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}
