//! What an alert rests on beside powers and registers: figures, readings shown whole, and what late readings changed. Pure.

use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::table::{right, with_head};
use crate::alerts::alert::Alert;
use crate::alerts::evidence::{NamedFigure, WholeReading};
use crate::alerts::figure::Measure;
use crate::alerts::revision::Revision;
use crate::model::time::UtcMs;
use crate::wording::figures;
use crate::wording::when;
use crate::wording::words::{self, Lang, Words, words};

const RETROACTIVE: Words =
    words("found only when late readings had come", "补传数据到达后才发现，当时无法得知");
const REVISED: Words = words("judged again", "重新判定");
const LATE: Words = words("late readings, the first of", "条补传读数，最早测于");
const EXCHANGED: Words = words("a meter was exchanged at", "电表更换于");
const READINGS: [Words; 4] = [
    words("point", "监测点"),
    words("measured", "测量时间"),
    words("received", "接收时间"),
    words("values", "读数"),
];

/// Lines for people; none where there is nothing of the kind.
#[must_use]
pub fn lines(alert: &Alert, zone: &TimeZone, lang: Lang) -> Vec<String> {
    let mut lines: Vec<String> =
        alert.evidence.figures.iter().map(|f| format!("  {}", figure(f, zone, lang))).collect();
    if !alert.evidence.readings.is_empty() {
        lines.push(readings(&alert.evidence.readings, zone, lang));
    }
    if alert.retroactive {
        lines.push(format!("  {}", RETROACTIVE.in_lang(lang)));
    }
    for revision in &alert.revisions {
        lines.extend(revised(revision, zone, lang));
    }
    lines
}

/// `lateness: 5 min`, `usual_power (fan): 12.00 kW`
fn figure(figure: &NamedFigure, zone: &TimeZone, lang: Lang) -> String {
    let of = figure.point.as_ref().map_or(String::new(), |point| format!(" ({point})"));
    format!("{}{of}: {}", figures::name(figure.what, lang), value(figure.what.measure(), figure.value, zone))
}

#[expect(clippy::cast_possible_truncation, reason = "moments and spans in ms, far below 2^52")]
fn value(measure: Measure, value: f64, zone: &TimeZone) -> String {
    match measure {
        Measure::Moment => UtcMs(value as i64).local(zone),
        Measure::Span if value < 0.0 => format!("-{}", when::length(-value as i64)),
        Measure::Span => when::length(value as i64),
        Measure::Power => format!("{:.2} kW", value / 1e3),
        Measure::Energy => format!("{value:.3} kWh"),
        Measure::Share => format!("{:.1} %", value * 100.0),
        Measure::Number => format!("{}", (value * 1e3).round() / 1e3),
        Measure::Voltage => format!("{value:.1} V"),
        Measure::Current => format!("{value:.2} A"),
    }
}

fn readings(readings: &[WholeReading], zone: &TimeZone, lang: Lang) -> String {
    let mut table = with_head(&READINGS.map(|w| w.in_lang(lang)));
    for reading in readings {
        let values: Vec<String> = reading.values.iter().map(|(name, v)| format!("{name} {v}")).collect();
        table.add_row([
            Cell::new(&reading.point),
            right(reading.at.local(zone)),
            right(reading.received.local(zone)),
            Cell::new(values.join("\n")),
        ]);
    }
    table.to_string()
}

fn revised(revision: &Revision, zone: &TimeZone, lang: Lang) -> Vec<String> {
    let late = &revision.late;
    let why = match late.n_readings {
        0 => EXCHANGED.in_lang(lang).to_owned(),
        n => format!("{n} {}", LATE.in_lang(lang)),
    };
    let (revised, at, from) = (REVISED.in_lang(lang), revision.at.local(zone), late.from.local(zone));
    let (first, last) = (late.first_offset, late.last_offset);
    let mut lines = vec![format!("  {revised} {at}: {why} {from} (#{first} … #{last})")];
    lines.extend(revision.changes.iter().map(|c| {
        let [field, from, to] = [&c.field, &c.from, &c.to].map(|word| words::key(word, lang));
        format!("    {field}: {from} → {to}")
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status;
    use crate::alerts::figure::Fact;
    use crate::alerts::revision::{Difference, Late};
    use crate::model::rule::Rule;
    use crate::wording::sentence::tests::{FIRST, alert};

    #[test]
    fn figures_carry_their_units_and_revisions_say_from_what_to_what() {
        let mut own = alert(Rule::LateStart, Status::Retracted);
        let named = |what, value| NamedFigure { what, point: Some("fan".into()), value };
        own.evidence.figures = vec![named(Fact::Lateness, 300_000.0), named(Fact::UsualPower, 12_000.0)];
        let late = Late { first_offset: 7, last_offset: 9, n_readings: 3, from: FIRST };
        let change = Difference { field: "level".into(), from: "alarm".into(), to: "warning".into() };
        own.revisions = vec![Revision { at: FIRST.plus(60_000), offset: 9, late, changes: vec![change] }];
        let text = lines(&own, &TimeZone::UTC, Lang::En).join("\n");
        for said in
            ["lateness (fan): 5 min", "usual_power (fan): 12.00 kW", "level: alarm → warning", "#7 … #9"]
        {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(lines(&own, &TimeZone::UTC, Lang::Zh).join("\n").contains("补传"));
    }
}
