//! What happened to an alert, oldest first: what the rules said, what people did, what late readings changed.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::parts;
use super::view::View;
use crate::alerts::alert::Alert;
use crate::model::deed::{Act, Deed};
use crate::model::reading::Offset;
use crate::model::time::UtcMs;
use crate::wording::said::said;
use crate::wording::words::{self, Lang};
use crate::wording::{people, revised};

/// One line: when, by which message, and what.
type Line = (UtcMs, Offset, Markup);

/// The story.
#[must_use]
pub fn story(view: &View, alert: &Alert, zone: &TimeZone) -> Markup {
    let lang = view.lang();
    let mut lines: Vec<Line> = Vec::new();
    for step in &alert.history {
        let what = words::known_key(&step.what).filter(|_| lang == Lang::Zh);
        let what = what.map_or_else(|| said(&step.what, lang).into_owned(), Into::into);
        let note = alert.acknowledged.as_ref().filter(|a| a.at == step.at).map(|a| &a.note);
        lines.push((
            step.at,
            step.offset,
            html! {
                (parts::level(step.level, lang)) " " (what)
                @if let Some(note) = note.filter(|n| !n.is_empty()) { ": " q { (note) } }
            },
        ));
    }
    lines.extend(alert.deeds.iter().map(|deed| (deed.at, deed.offset, done(view, alert, deed))));
    for revision in &alert.revisions {
        let text = revised::lines(revision, zone, lang);
        lines.push((revision.at, revision.offset, html! { @for line in &text { (line) br; } }));
    }
    lines.sort_by_key(|(_, offset, _)| *offset);
    html! {
        h2 { (view.say("What happened", "经过")) }
        ol.story { @for (at, offset, what) in &lines {
            li { (parts::moment(*at, zone)) " " span.offset title=(view.say("message in the journal", "日志报文号")) {
                "#" (offset) } div { (what) } }
        } }
    }
}

fn done(view: &View, alert: &Alert, deed: &Deed) -> Markup {
    let lang = view.lang();
    let judged = alert.is_confirmed(deed.offset);
    let (mark, class) = match judged {
        Some(true) => ("✓ ", "done"),
        Some(false) => ("✗ ", "wrong"),
        None => ("", "quiet"),
    };
    html! {
        b { (deed.who) } " " (people::act(&deed.act).in_lang(lang))
        @if let Some(object) = people::object(&deed.act, lang) { " " b { (object) } }
        @if matches!(deed.act, Act::Declare { .. }) {
            " " span class=(class) { (mark) (people::standing(judged).in_lang(lang)) }
        }
        @if !deed.note.is_empty() { ": " q { (deed.note) } }
    }
}
