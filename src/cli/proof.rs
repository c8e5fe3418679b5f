//! What an alert rests on beside powers and registers: figures, readings shown whole, and what late readings changed. Pure.

use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::table::{right, with_head};
use crate::alerts::alert::Alert;
use crate::alerts::evidence::WholeReading;
use crate::wording::words::{Lang, Words, words};
use crate::wording::{figures, revised};

const RETROACTIVE: Words =
    words("found only when late readings had come", "补传数据到达后才发现，当时无法得知");
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
        alert.evidence.figures.iter().map(|f| format!("  {}", figures::sentence(f, zone, lang))).collect();
    if !alert.evidence.readings.is_empty() {
        lines.push(readings(&alert.evidence.readings, zone, lang));
    }
    if alert.retroactive {
        lines.push(format!("  {}", RETROACTIVE.in_lang(lang)));
    }
    for revision in &alert.revisions {
        lines.extend(revised::lines(revision, zone, lang).iter().map(|line| format!("  {line}")));
    }
    lines
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status;
    use crate::alerts::evidence::NamedFigure;
    use crate::alerts::figure::Fact;
    use crate::alerts::revision::{Difference, Late, Revision};
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
