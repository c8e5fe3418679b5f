//! Line protocol, written by hand into one growing body. Pure.
//!
//! Three measurements: `reading` (tags site, meter, point, kind; a field a channel), `state` (tags site, point, kind)
//! and `alert` (tags site, rule, subject_kind, subject). A tag is what a series is made of and never changes during
//! the life of a point in the database; what may change (level, status, figures) is a field. The time of an alert is
//! when it was first raised, so that a later change of it overwrites the same point. A field cannot be taken back from a
//! point: a figure of an alert that is no longer known keeps its last value there.

use std::ops::Range;

use crate::alerts::alert::{Alert, Status};
use crate::model::quantity::Channel;
use crate::model::reading::Quality;
use crate::model::site::PointKind;
use crate::model::state::State;
use crate::model::time::UtcMs;

/// Begin of a reading's line, measurement and tags, escaped once for all lines of a meter.
#[derive(Clone, Debug, PartialEq)]
pub struct Series(Box<[u8]>);

impl Series {
    /// The readings of a meter; a meter that measures no point has none to name.
    #[must_use]
    pub fn of_meter(site: &str, meter: &str, point: Option<(&str, PointKind)>) -> Series {
        let mut head = b"reading".to_vec();
        tag(&mut head, "site", site);
        tag(&mut head, "meter", meter);
        if let Some((point, kind)) = point {
            tag(&mut head, "point", point);
            tag(&mut head, "kind", kind.name());
        }
        Series(head.into())
    }

    /// The readings of a meter of which nothing but a number is known: never sent, but set aside in this form.
    #[must_use]
    pub fn of_key(key: u32) -> Series {
        let mut head = b"reading,meter_key=".to_vec();
        integer(&mut head, i64::from(key));
        Series(head.into())
    }
}

/// Lines, one after the other in one body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    body: Vec<u8>,
    /// Where each line ends in the body, behind its line feed.
    ends: Vec<usize>,
}

impl Lines {
    /// How many lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The body of these lines; empty where there are no such lines.
    #[must_use]
    pub fn body(&self, lines: Range<usize>) -> &[u8] {
        let start = lines.start.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let end = lines.end.checked_sub(1).and_then(|last| self.ends.get(last).copied());
        start.zip(end).and_then(|(start, end)| self.body.get(start..end)).unwrap_or_default()
    }

    /// One line, without its line feed.
    #[must_use]
    pub fn text(&self, line: usize) -> String {
        String::from_utf8_lossy(self.body(line..line + 1)).trim_end_matches('\n').to_owned()
    }

    /// A reading. One without values has nothing to send and makes no line.
    pub fn reading(&mut self, series: &Series, values: &[(Channel, f64)], quality: Quality, time: UtcMs) {
        self.body.extend_from_slice(&series.0);
        let mut fields = Fields::begin(&mut self.body);
        for (channel, value) in values {
            fields.float(channel.name(), Some(*value));
        }
        if fields.n > 0 && quality != Quality::GOOD {
            fields.integer("quality", i64::from(quality.0));
        }
        self.end(time);
    }

    /// A unit's new state: as a word to read and as a code to draw.
    pub fn state(&mut self, (site, point): (&str, &str), kind: PointKind, state: State, since: UtcMs) {
        let body = &mut self.body;
        body.extend_from_slice(b"state");
        tag(body, "site", site);
        tag(body, "point", point);
        tag(body, "kind", kind.name());
        let mut fields = Fields::begin(&mut self.body);
        fields.text("state", state.name());
        fields.integer("code", code(state));
        self.end(since);
    }

    /// An alert as it is now.
    pub fn alert(&mut self, alert: &Alert) {
        let body = &mut self.body;
        body.extend_from_slice(b"alert");
        tag(body, "site", &alert.site);
        tag(body, "rule", alert.rule.name());
        tag(body, "subject_kind", &alert.subject_kind);
        tag(body, "subject", &alert.subject);
        let mut fields = Fields::begin(&mut self.body);
        fields.text("id", &alert.id);
        fields.text("status", alert.status.name());
        fields.boolean("open", alert.status == Status::Open);
        fields.text("level", alert.level.name());
        fields.integer("level_code", alert.level as i64);
        fields.integer("rule_version", i64::from(alert.rule_version));
        fields.integer("first_ms", alert.first.0);
        fields.integer("last_certain_ms", alert.last_certain.0);
        if let Some(cleared) = alert.cleared {
            fields.integer("cleared_ms", cleared.0);
        }
        fields.integer("certain_ms", alert.certain_ms);
        fields.integer("unknown_ms", alert.unknown_ms);
        fields.boolean("acknowledged", alert.acknowledged.is_some());
        fields.boolean("suppressed", alert.is_suppressed());
        fields.float("data_share", Some(alert.evidence.data_share));
        fields.float("production_kw", alert.evidence.mean_kw(PointKind::Production));
        fields.float("treatment_kw", alert.evidence.mean_kw(PointKind::Treatment));
        fields.float("production_kwh", alert.evidence.energy_kwh(PointKind::Production));
        fields.float("treatment_kwh", alert.evidence.energy_kwh(PointKind::Treatment));
        self.end(alert.raised_before.unwrap_or(alert.raised));
    }

    /// Closes the line begun last, or takes it back if it has no field.
    fn end(&mut self, time: UtcMs) {
        let start = self.ends.last().copied().unwrap_or(0);
        if !self.body[start..].ends_with(&[Fields::END]) {
            self.body.truncate(start);
            return;
        }
        self.body.pop();
        self.body.push(b' ');
        integer(&mut self.body, time.0);
        self.body.push(b'\n');
        self.ends.push(self.body.len());
    }
}

/// The fields of one line. Each ends with a comma; whoever closes the line takes the last one away.
struct Fields<'a> {
    out: &'a mut Vec<u8>,
    n: usize,
}

impl<'a> Fields<'a> {
    const END: u8 = b',';

    fn begin(out: &'a mut Vec<u8>) -> Fields<'a> {
        out.push(b' ');
        Fields { out, n: 0 }
    }

    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'=');
        self.n += 1;
    }

    /// What is not known or not a number makes no field.
    fn float(&mut self, name: &str, value: Option<f64>) {
        let Some(value) = value.filter(|v| v.is_finite()) else { return };
        self.name(name);
        self.out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
        self.out.push(Fields::END);
    }

    fn integer(&mut self, name: &str, value: i64) {
        self.name(name);
        integer(self.out, value);
        self.out.extend_from_slice(&[b'i', Fields::END]);
    }

    fn boolean(&mut self, name: &str, value: bool) {
        self.name(name);
        self.out.extend_from_slice(&[if value { b't' } else { b'f' }, Fields::END]);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.out.push(b'"');
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                self.out.push(b'\\');
            }
            push(self.out, picture(c));
        }
        self.out.extend_from_slice(&[b'"', Fields::END]);
    }
}

/// The number graphs draw a state by; unknown lies apart.
const fn code(state: State) -> i64 {
    match state {
        State::Running => 2,
        State::Idle => 1,
        State::Off => 0,
        State::Unknown => -1,
    }
}

/// Adds a tag. An empty value is no tag at all in line protocol.
///
/// Databases disagree on what a backslash in a tag means before another special character, and at its end it would
/// swallow what follows. There is no form of it that all read alike, so it is written as the full-width one.
fn tag(out: &mut Vec<u8>, key: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    out.push(b',');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    for c in value.chars() {
        if matches!(c, ',' | '=' | ' ') {
            out.push(b'\\');
        }
        push(out, if c == '\\' { '＼' } else { picture(c) });
    }
}

/// Control characters as their pictures (␊ for a line feed): some databases end a line at every line feed, quoted or not.
fn picture(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('␀'),
        '\x7f' => '␡',
        other => other,
    }
}

fn push(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// A whole number in digits, without a detour over a `String`.
fn integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}
