//! What every kind of key must hold to: be there, be a name, lie within its bounds.

use std::collections::HashMap;
use std::time::Duration;

use crate::config::problem::{Report, Spot};
use crate::config::typed::quantity::Span;

/// A text that must be there and not be empty.
pub fn text<'a>(value: Option<&'a String>, spot: &Spot, example: &str, report: &mut Report) -> &'a str {
    match value.map(|v| v.trim()) {
        Some("") => report.error(spot, "it is empty", format!("for example {example}")),
        Some(text) => return text,
        None => report.error(spot, "this key is missing", format!("for example {example}")),
    }
    ""
}

/// An id: it becomes part of topics, tags and file names.
pub fn id<'a>(value: Option<&'a String>, spot: &Spot, example: &str, report: &mut Report) -> &'a str {
    let id = text(value, spot, example, report);
    let odd: String = id.chars().filter(|c| !c.is_ascii_alphanumeric() && !"-_.".contains(*c)).collect();
    if !odd.is_empty() {
        report.error(
            spot,
            format!("{id:?} has {odd:?} in it"),
            "an id is made of letters a-z, digits, \"-\", \"_\" and \".\"; what people call it goes into name",
        );
    }
    id
}

/// Names seen so far, to find those that are there twice.
#[derive(Debug)]
pub struct Once {
    what: &'static str,
    seen: HashMap<Box<str>, Spot>,
}

impl Once {
    /// None seen yet; `what` they are called in the message.
    #[must_use]
    pub fn new(what: &'static str) -> Once {
        Once { what, seen: HashMap::new() }
    }

    /// Takes a name; a second time it is an error. Empty ones were complained of elsewhere.
    pub fn take(&mut self, name: &str, spot: &Spot, hint: &str, report: &mut Report) -> bool {
        if name.is_empty() {
            return false;
        }
        if let Some(first) = self.seen.get(name) {
            let place =
                if first.name() == spot.name() { String::new() } else { format!(" in {}", first.name()) };
            report.error(
                spot,
                format!("{} {name:?} is there twice, first{place} at {first}", self.what),
                hint,
            );
            return false;
        }
        self.seen.insert(name.into(), spot.clone());
        true
    }
}

/// Bounds of a duration, both allowed.
#[derive(Clone, Copy, Debug)]
pub struct Bounds(pub Duration, pub Duration);

impl Bounds {
    /// From and to, in ms.
    #[must_use]
    pub const fn ms(from: u64, to: u64) -> Bounds {
        Bounds(Duration::from_millis(from), Duration::from_millis(to))
    }
}

/// A duration within bounds, or the default.
pub fn duration(
    value: Option<Span>,
    default: Duration,
    bounds: Bounds,
    spot: &Spot,
    report: &mut Report,
) -> Duration {
    let Some(Span(given)) = value else { return default };
    if given < bounds.0 || given > bounds.1 {
        report.error(
            spot,
            format!("{} is out of bounds", words(given)),
            format!("from {} to {}", words(bounds.0), words(bounds.1)),
        );
        return default;
    }
    given
}

/// The same in whole milliseconds.
pub fn ms(value: Option<Span>, default_ms: u32, bounds: Bounds, spot: &Spot, report: &mut Report) -> u32 {
    let default = Duration::from_millis(default_ms.into());
    u32::try_from(duration(value, default, bounds, spot, report).as_millis()).unwrap_or(u32::MAX)
}

/// A number within bounds, or the default.
pub fn number<N: PartialOrd + Copy + std::fmt::Display>(
    value: Option<N>,
    default: N,
    (from, to): (N, N),
    spot: &Spot,
    report: &mut Report,
) -> N {
    match value {
        Some(given) if given < from || given > to => {
            report.error(spot, format!("{given} is out of bounds"), format!("from {from} to {to}"));
            default
        }
        Some(given) => given,
        None => default,
    }
}

/// A time zone that is known.
pub fn zone(name: &str, spot: &Spot, report: &mut Report) {
    if jiff::tz::TimeZone::get(name).is_err() {
        let hint = "an IANA name, for example \"Asia/Shanghai\" (all of China) or \"UTC\"";
        report.error(spot, format!("no time zone {name:?} is known"), hint);
    }
}

/// A duration as one types it.
#[must_use]
pub fn words(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)] {
        if ms >= size && ms.is_multiple_of(size) {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}
