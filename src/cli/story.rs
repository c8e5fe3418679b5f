//! What happened to an alert, in lines: what the rules said and what people did, in the order of the journal. Pure.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::alerts::alert::Alert;
use crate::model::reading::Offset;
use crate::wording::people;
use crate::wording::said;
use crate::wording::words::{self, Lang};

/// `raised`, or `acknowledged by li (uid 7)`.
#[must_use]
pub fn step_words(what: &str, lang: Lang) -> Cow<'_, str> {
    match words::key(what, lang) {
        same if same == what => said::said(what, lang),
        word => word.into(),
    }
}

/// The story, oldest first.
#[must_use]
pub fn lines(alert: &Alert, zone: &TimeZone, lang: Lang) -> Vec<String> {
    let steps = alert.history.iter().map(|step| {
        let (level, what) = (words::level(step.level).in_lang(lang), step_words(&step.what, lang));
        (step.offset, format!("  {}  {level:<8} {what}  #{}", step.at.local(zone), step.offset))
    });
    let deeds = alert.deeds.iter().map(|deed| {
        let what = people::deed(alert, deed, lang);
        (deed.offset, format!("  {}  {what}  #{}", deed.at.local(zone), deed.offset))
    });
    let mut all: Vec<(Offset, String)> = steps.chain(deeds).collect();
    // Steps of one message stay as they are.
    all.sort_by_key(|(offset, _)| *offset);
    all.into_iter().map(|(_, line)| line).collect()
}
