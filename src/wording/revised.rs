//! What late readings changed about an alert, in words. Pure.

use jiff::tz::TimeZone;

use super::words::{self, Lang, Words, words};
use crate::alerts::revision::Revision;

const REVISED: Words = words("judged again", "重新判定");
const LATE: Words = words("late readings, the first of", "条补传读数，最早测于");
const EXCHANGED: Words = words("a meter was exchanged at", "电表更换于");

/// What late readings changed, a line each; what changed of it stands indented below.
#[must_use]
pub fn lines(revision: &Revision, zone: &TimeZone, lang: Lang) -> Vec<String> {
    let late = &revision.late;
    let why = match late.n_readings {
        0 => EXCHANGED.in_lang(lang).to_owned(),
        n => format!("{n} {}", LATE.in_lang(lang)),
    };
    let (revised, at, from) = (REVISED.in_lang(lang), revision.at.local(zone), late.from.local(zone));
    let (first, last) = (late.first_offset, late.last_offset);
    let mut lines = vec![format!("{revised} {at}: {why} {from} (#{first} … #{last})")];
    lines.extend(revision.changes.iter().map(|c| {
        let [field, from, to] = [&c.field, &c.from, &c.to].map(|word| words::key(word, lang));
        format!("  {field}: {from} → {to}")
    }));
    lines
}
