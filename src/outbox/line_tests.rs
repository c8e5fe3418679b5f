//! Lines, read back by a parser that knows nothing of how they are written.

use proptest::prelude::*;

use super::line::{Lines, Series};
use crate::alerts::alert::{Acknowledgement, Alert, Status};
use crate::alerts::evidence::{Evidence, PointEvidence};
use crate::model::quantity::{Channel, N_CHANNELS};
use crate::model::reading::Quality;
use crate::model::rule::{Level, Rule};
use crate::model::site::{Basis, PointKind, Thresholds};
use crate::model::state::State;
use crate::model::time::UtcMs;

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Float(f64),
    Integer(i64),
    Boolean(bool),
    Text(String),
}

#[derive(Clone, Debug, PartialEq)]
struct Parsed {
    measurement: String,
    tags: Vec<(String, String)>,
    fields: Vec<(String, Value)>,
    time: i64,
}

/// Takes characters up to an unescaped one of `ends`. A backslash stands for itself unless a special one follows.
fn word(text: &mut std::iter::Peekable<std::str::Chars<'_>>, ends: &str) -> String {
    let mut found = String::new();
    while let Some(c) = text.peek().copied() {
        if ends.contains(c) {
            break;
        }
        assert!(!"\n\r,= ".contains(c), "an unescaped {c:?} after {found:?}");
        text.next();
        match (c, text.peek().copied()) {
            ('\\', Some(special @ (',' | '=' | ' '))) => {
                text.next();
                found.push(special);
            }
            _ => found.push(c),
        }
    }
    assert!(!found.is_empty(), "an empty key or value");
    found
}

fn value(text: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Value {
    if text.next_if_eq(&'"').is_none() {
        let bare = word(text, ", ");
        return match (bare.as_str(), bare.strip_suffix('i')) {
            ("t", _) => Value::Boolean(true),
            ("f", _) => Value::Boolean(false),
            (_, Some(digits)) => Value::Integer(digits.parse().unwrap()),
            (number, None) => Value::Float(number.parse().unwrap()),
        };
    }
    let mut found = String::new();
    loop {
        match text.next().expect("a quote is not closed") {
            '"' => return Value::Text(found),
            '\\' => found.push(text.next_if(|c| "\"\\".contains(*c)).unwrap_or('\\')),
            c => found.push(c),
        }
    }
}

fn parse(line: &str) -> Parsed {
    let mut text = line.chars().peekable();
    let measurement = word(&mut text, ", ");
    let (mut tags, mut fields) = (Vec::new(), Vec::new());
    while text.next_if_eq(&',').is_some() {
        let key = word(&mut text, "=");
        assert_eq!(text.next(), Some('='));
        tags.push((key, word(&mut text, ", ")));
    }
    assert_eq!(text.next(), Some(' '));
    loop {
        let key = word(&mut text, "=");
        assert_eq!(text.next(), Some('='));
        fields.push((key, value(&mut text)));
        match text.next() {
            Some(',') => {}
            Some(' ') => break,
            other => panic!("{other:?} after a field of {line:?}"),
        }
    }
    let time: String = text.collect();
    Parsed { measurement, tags, fields, time: time.parse().unwrap() }
}

fn parse_all(lines: &Lines) -> Vec<Parsed> {
    let body = String::from_utf8(lines.body(0..lines.len()).to_vec()).unwrap();
    assert!(body.is_empty() || body.ends_with('\n'));
    let parsed: Vec<Parsed> = body.lines().map(parse).collect();
    assert_eq!(parsed.len(), lines.len(), "as many lines as it says: {body:?}");
    parsed
}

/// Names as nobody should give them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9_.-]{1,12}",
        proptest::collection::vec(
            prop_oneof![
                Just(' '),
                Just(','),
                Just('='),
                Just('"'),
                Just('\\'),
                Just('\n'),
                Just('\r'),
                Just('\0'),
                Just('#'),
                Just('厂'),
                any::<char>()
            ],
            1..12
        )
        .prop_map(|chars| chars.into_iter().collect()),
    ]
}

/// What a tag shows of a name: what no database can hold is replaced, one for one.
fn shown(name: &str, shown: &str) -> bool {
    name.chars().count() == shown.chars().count()
        && name.chars().zip(shown.chars()).all(|(was, is)| match was {
            '\\' => is == '＼',
            c if c.is_ascii_control() => ('\u{2400}'..='\u{2421}').contains(&is),
            c => is == c,
        })
}

proptest! {
    #[test]
    fn a_reading_comes_back_whatever_its_names_and_values(
        site in name(), meter in name(), point in proptest::option::of(name()),
        values in proptest::collection::btree_map(0..N_CHANNELS, any::<f64>(), 0..8),
        quality in 0_u8..64, time in any::<i64>(),
    ) {
        let values: Vec<(Channel, f64)> =
            values.into_iter().map(|(c, v)| (Channel(u8::try_from(c).unwrap()), v)).collect();
        let series = Series::of_meter(&site, &meter, point.as_deref().map(|p| (p, PointKind::Treatment)));
        let mut lines = Lines::default();
        lines.reading(&series, &values, Quality(quality), UtcMs(time));
        lines.state((&site, "p"), PointKind::Total, State::Idle, UtcMs(7));

        let parsed = parse_all(&lines);
        let mut expected: Vec<(String, Value)> = values
            .iter()
            .filter(|(_, v)| v.is_finite())
            .map(|(c, v)| (c.name().to_owned(), Value::Float(*v)))
            .collect();
        if !expected.is_empty() {
            if quality != 0 {
                expected.push(("quality".to_owned(), Value::Integer(i64::from(quality))));
            }
            let reading = &parsed[0];
            prop_assert_eq!(&reading.measurement, "reading");
            prop_assert_eq!(&reading.fields, &expected);
            prop_assert_eq!(reading.time, time);
            let keys: Vec<&str> = reading.tags.iter().map(|(k, _)| k.as_str()).collect();
            let with_point = ["site", "meter", "point", "kind"];
            prop_assert_eq!(&keys[..], &with_point[..if point.is_some() { 4 } else { 2 }]);
            prop_assert!(shown(&site, &reading.tags[0].1), "{:?}", reading.tags);
            prop_assert!(shown(&meter, &reading.tags[1].1), "{:?}", reading.tags);
            if let Some(point) = &point {
                prop_assert!(shown(point, &reading.tags[2].1), "{:?}", reading.tags);
            }
        }
        prop_assert_eq!(&parsed.last().unwrap().measurement, "state", "a line spoils none behind it");
        prop_assert_eq!(parsed.len(), if expected.is_empty() { 1 } else { 2 });
    }

    #[test]
    fn an_alert_comes_back_whatever_its_names(site in name(), subject in name(), id in name()) {
        let alert = Alert { site: site.into(), subject: subject.into(), id: id.into(), ..alert() };
        let mut lines = Lines::default();
        lines.alert(&alert);
        let parsed = &parse_all(&lines)[0];
        prop_assert!(shown(&alert.site, &parsed.tags[0].1));
        prop_assert!(shown(&alert.subject, &parsed.tags[3].1));
        let Value::Text(id) = &parsed.fields[0].1 else { panic!("{parsed:?}") };
        // A quoted text may hold a backslash.
        prop_assert!(shown(&alert.id.replace('\\', "/"), &id.replace('\\', "/")), "{id:?}");
    }
}

fn alert() -> Alert {
    let point = |kind, mean_kw| PointEvidence {
        point: "p".into(),
        name: "P".into(),
        kind,
        mean_kw,
        max_kw: None,
        energy_first_kwh: None,
        energy_last_kwh: None,
        energy_kwh: Some(12.5),
        n_samples: 3,
        thresholds: Thresholds {
            running_above_w: 2.0,
            running_below_w: 1.0,
            idle_above_w: 0.5,
            off_below_w: 0.25,
            on_for_ms: 0,
            off_for_ms: 0,
            basis: Basis::Configured,
            version: 1,
        },
        thresholds_before: Vec::new(),
    };
    Alert {
        id: "0123456789ab".into(),
        site: "cement-1".into(),
        rule: Rule::TreatmentOff,
        rule_version: 1,
        subject_kind: "process".into(),
        subject: "kiln".into(),
        status: Status::Open,
        level: Level::Warning,
        first: UtcMs(1_000),
        raised: UtcMs(601_000),
        last_certain: UtcMs(602_000),
        cleared: None,
        certain_ms: 601_000,
        unknown_ms: 0,
        evidence: Evidence {
            points: vec![point(PointKind::Production, Some(35.5)), point(PointKind::Treatment, None)],
            data_share: 1.0,
            offsets: Some((1, 2)),
            fragments: Vec::new(),
            figures: Vec::new(),
            readings: Vec::new(),
            changes: Vec::new(),
        },
        acknowledged: None,
        deeds: Vec::new(),
        history: Vec::new(),
        said: 0,
        raised_before: None,
        retroactive: false,
        revisions: Vec::new(),
        suppressed: Vec::new(),
    }
}

#[test]
fn lines_look_like_this() {
    let mut lines = Lines::default();
    let series = Series::of_meter("cement-1", "m 1", Some(("kiln", PointKind::Production)));
    lines.reading(&series, &[(Channel::POWER, 35_200.0), (Channel::ENERGY, 1e-7)], Quality::GOOD, UtcMs(-5));
    lines.reading(
        &Series::of_meter("s", "spare", None),
        &[(Channel::POWER, 0.0)],
        Quality::DOUBTFUL,
        UtcMs(9),
    );
    lines.state(("cement-1", "filter"), PointKind::Treatment, State::Unknown, UtcMs(60_000));
    lines.alert(&alert());
    lines.reading(&Series::of_key(4_000_000_000), &[(Channel::POWER, 1.0)], Quality::GOOD, UtcMs(i64::MIN));
    let expected = [
        r"reading,site=cement-1,meter=m\ 1,point=kiln,kind=production power_w=35200.0,energy_import_kwh=1e-7 -5",
        "reading,site=s,meter=spare power_w=0.0,quality=1i 9",
        r#"state,site=cement-1,point=filter,kind=treatment state="unknown",code=-1i 60000"#,
        concat!(
            r#"alert,site=cement-1,rule=treatment_off,subject_kind=process,subject=kiln id="0123456789ab","#,
            r#"status="open",open=t,level="warning",level_code=1i,rule_version=1i,first_ms=1000i,"#,
            "last_certain_ms=602000i,certain_ms=601000i,unknown_ms=0i,acknowledged=f,suppressed=f,data_share=1.0,",
            "production_kw=35.5,production_kwh=12.5,treatment_kwh=12.5 601000",
        ),
        "reading,meter_key=4000000000 power_w=1.0 -9223372036854775808",
    ];
    for (line, expected) in (0..).zip(expected) {
        assert_eq!(lines.text(line), expected);
    }
    assert_eq!(lines.len(), expected.len());
    assert_eq!(lines.body(1..3), format!("{}\n{}\n", expected[1], expected[2]).as_bytes());
}

#[test]
fn a_later_change_of_an_alert_is_the_same_point() {
    let before = alert();
    let after = Alert {
        status: Status::Cleared,
        level: Level::Critical,
        last_certain: UtcMs(9_000_000),
        cleared: Some(UtcMs(9_900_000)),
        certain_ms: 8_999_000,
        acknowledged: Some(Acknowledgement { who: "li".into(), at: UtcMs(1), note: "\"seen\"".into() }),
        ..alert()
    };
    let mut lines = Lines::default();
    lines.alert(&before);
    lines.alert(&after);
    let parsed = parse_all(&lines);
    let identity = |p: &Parsed| (p.measurement.clone(), p.tags.clone(), p.time);
    assert_eq!(identity(&parsed[0]), identity(&parsed[1]));
    assert_ne!(parsed[0].fields, parsed[1].fields);
}
