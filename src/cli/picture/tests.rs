//! Pictures are sound XML, and what is in them stands where it happened.

use jiff::tz::TimeZone;

use super::curve::Curve;
use super::draw::{self, LEFT, RIGHT};
use super::scene::{Interval, Row, Scene};
use crate::alerts::compare::Span;
use crate::model::rule::{Level, Rule};
use crate::model::site::PointKind;
use crate::model::state::State;
use crate::model::time::{HOUR_MS, UtcMs};
use crate::wording::words::Lang;

/// 2026-11-24 00:00 in Shanghai.
const MIDNIGHT: UtcMs = UtcMs(1_795_449_600_000);

fn at(hour: i64) -> UtcMs {
    MIDNIGHT.plus(hour * HOUR_MS)
}

fn row(id: &str, kind: PointKind, span: Span) -> Row {
    let mut curve = Curve::new(span, draw::n_columns(), HOUR_MS);
    (0..24 * 60).for_each(|m| curve.push(MIDNIGHT.plus(m * 60_000), if m % 7 == 0 { 40.0 } else { 2.0 }));
    Row {
        name: format!("<{id}> & \"Söhne\" 喷漆\u{7}"),
        id: id.into(),
        kind,
        running_above_kw: 12.0,
        running_below_kw: 11.5,
        curve,
        states: vec![(at(-5), State::Off), (at(6), State::Running), (at(18), State::Idle)],
    }
}

fn interval(from: i64, to: Option<i64>, rows: &[usize]) -> Interval {
    Interval {
        from: at(from),
        to: to.map(at),
        rule: Rule::TreatmentOff,
        level: Level::Alarm,
        subject: "line & <co>".into(),
        rows: rows.to_vec(),
    }
}

fn scene(alerts: Vec<Interval>) -> Scene {
    let span = Span { from: at(0), to: at(24) };
    Scene {
        title: "Plant <A> & 'B' · 喷漆".into(),
        process: "plant/line".into(),
        span,
        zone: TimeZone::get("Asia/Shanghai").unwrap(),
        zone_name: "Asia/Shanghai".into(),
        rows: vec![row("press", PointKind::Production, span), row("fan", PointKind::Treatment, span)],
        alerts,
    }
}

/// Elements as (name, attributes), in order; panics where the text is not well-formed XML.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let is_escaped = |text: &str| {
        let mut rest = text.split('&');
        !rest.next().unwrap().contains(['<', '>'])
            && rest.all(|part| {
                ["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|e| part.starts_with(e))
                    && !part.contains(['<', '>'])
            })
    };
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(is_escaped(text), "{text:?}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        assert!(text.trim().is_empty() || !open.is_empty() || !tag.ends_with('/'), "text outside: {text:?}");
        let (inner, is_empty) = tag.strip_suffix('/').map_or((tag, false), |inner| (inner, true));
        let (name, mut rest) = inner.split_once(' ').unwrap_or((inner, ""));
        let mut attributes: Vec<(String, String)> = Vec::new();
        while let Some((key, value)) = rest.trim_start().split_once("=\"") {
            let (value, after) = value.split_once('"').unwrap();
            assert!(is_escaped(value) && attributes.iter().all(|(k, _)| k != key), "{key}={value:?}");
            attributes.push((key.to_owned(), value.to_owned()));
            rest = after;
        }
        assert!(rest.trim().is_empty(), "{tag:?}");
        found.push((name.to_owned(), attributes));
        if !is_empty {
            open.push(name.to_owned());
        }
    }
    assert_eq!(open, Vec::<String>::new(), "everything is closed");
    found
}

/// Left edge and width of the boxes of a class, px.
fn boxes(xml: &str, class: &str) -> Vec<(f64, f64)> {
    let value = |attributes: &[(String, String)], key: &str| {
        attributes.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone())
    };
    elements(xml)
        .iter()
        .filter(|(name, a)| name == "rect" && value(a, "class").as_deref() == Some(class))
        .map(|(_, a)| ["x", "width"].map(|key| value(a, key).unwrap().parse().unwrap()))
        .map(|[x, width]: [f64; 2]| (x, width))
        .collect()
}

fn near(found: &[(f64, f64)], expected: &[(f64, f64)]) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() < 0.11;
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(f, e)| close(f.0, e.0) && close(f.1, e.1))
}

#[test]
fn it_is_well_formed_whatever_people_call_their_plants() {
    for lang in [Lang::En, Lang::Zh] {
        let xml = draw::svg(&scene(vec![interval(3, Some(4), &[])]), lang);
        let found = elements(&xml);
        assert_eq!(found[0].0, "svg");
        assert!(found.iter().filter(|(name, _)| name == "text").count() > 20);
        assert!(xml.contains("Plant &lt;A&gt; &amp; &apos;B&apos; · 喷漆") && !xml.contains('\u{7}'));
    }
}

#[test]
fn alerts_stand_where_they_happened() {
    let hour = (RIGHT - LEFT) / 24.0;
    let alerts = vec![interval(-3, Some(2), &[]), interval(6, Some(9), &[1]), interval(20, None, &[])];
    let xml = draw::svg(&scene(alerts), Lang::En);
    let expected = [(LEFT, 2.0 * hour), (LEFT + 6.0 * hour, 3.0 * hour), (LEFT + 20.0 * hour, 4.0 * hour)];
    assert!(near(&boxes(&xml, "alert"), &expected), "{:?} {expected:?}", boxes(&xml, "alert"));
    assert!(near(&boxes(&xml, "tag"), &expected));
    assert!(
        xml.contains(">treatment_off<")
            && xml.contains(">2026-11-24 06:00 – 09:00<")
            && xml.contains(">3 h<"),
        "{xml}"
    );
    assert!(xml.contains("2026-11-24 20:00 – open"));
}

#[test]
fn states_stand_where_they_held_and_the_one_before_the_begin_goes_on() {
    let hour = (RIGHT - LEFT) / 24.0;
    let xml = draw::svg(&scene(Vec::new()), Lang::En);
    // The first of each is in the legend; then come the bands of two rows.
    let running = (LEFT + 6.0 * hour, 12.0 * hour);
    assert!(near(&boxes(&xml, "running")[1..], &[running, running]), "{:?}", boxes(&xml, "running"));
    assert!(near(&boxes(&xml, "off")[1..], &[(LEFT, 6.0 * hour), (LEFT, 6.0 * hour)]));
    let idle = (LEFT + 18.0 * hour, 6.0 * hour);
    assert!(near(&boxes(&xml, "idle")[1..], &[idle, idle]));
    assert_eq!(boxes(&xml, "unknown").len(), 1);
    assert!(xml.contains("No alerts in this time."));
}

#[test]
fn the_size_does_not_grow_with_the_length_of_the_recording() {
    let mut long = scene(Vec::new());
    let mut curve = Curve::new(long.span, draw::n_columns(), HOUR_MS);
    (0..24 * 3_600).for_each(|s| curve.push(MIDNIGHT.plus(s * 1_000), f64::from(s as u32 % 97)));
    long.rows[0].curve = curve;
    assert!(draw::svg(&long, Lang::En).len() < 100_000);
}

#[test]
fn alerts_at_the_same_time_lie_in_lanes_of_their_own() {
    let alerts = (0..8).map(|i| interval(i, Some(i + 12), &[])).collect();
    let xml = draw::svg(&scene(alerts), Lang::Zh);
    let tops: std::collections::BTreeSet<String> = elements(&xml)
        .into_iter()
        .filter(|(_, a)| a.iter().any(|(k, v)| k == "class" && v == "tag"))
        .map(|(_, a)| a.into_iter().find(|(k, _)| k == "y").unwrap().1)
        .collect();
    assert_eq!(tops.len(), 5);
}
