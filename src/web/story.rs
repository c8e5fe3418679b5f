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
use crate::wording::words;
use crate::wording::{revised, words::Lang};

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
    let what = match &deed.act {
        Act::Comment => html! { (view.say("comment", "备注")) },
        Act::Assign { to: Some(to) } => html! { (view.say("assigned to", "指派给")) " " b { (to) } },
        Act::Assign { to: None } => html! { (view.say("assigned to nobody", "取消指派")) },
        Act::Declare { cause } => html! {
            (view.say("declared", "申报原因")) " " b { (words::cause(*cause).in_lang(lang)) } " "
            @match alert.is_confirmed(deed.offset) {
                Some(true) => span.done { "✓ " (view.say("confirmed", "已认可")) },
                Some(false) => span.wrong { "✗ " (view.say("refused", "不予认可")) },
                None => span.quiet { (view.say("not judged yet", "待审核")) },
            }
        },
        Act::Confirm { declaration } => {
            html! { (view.say("confirmed the declaration", "认可申报")) " #" (declaration) }
        }
        Act::Refuse { declaration } => {
            html! { (view.say("refused the declaration", "不予认可申报")) " #" (declaration) }
        }
    };
    html! { b { (deed.who) } " " (what) @if !deed.note.is_empty() { ": " q { (deed.note) } } }
}
