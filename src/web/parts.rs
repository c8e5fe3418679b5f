//! Pieces that stand on many pages. Levels and states are told apart by sign and word, and by colour for those who see it.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::model::rule::{Level, Rule};
use crate::model::site::Site;
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::wording::when;
use crate::wording::words::{self, Lang};

/// A level: sign and word.
#[must_use]
pub fn level(level: Level, lang: Lang) -> Markup {
    html! {
        span class={"level " (level.name())} {
            span.sign aria-hidden="true" { (words::level_mark(level)) } (words::level(level).in_lang(lang))
        }
    }
}

/// What a rule is called, for people: in English the key, written as a name.
#[must_use]
pub fn rule(rule: Rule, lang: Lang) -> String {
    let name = words::rule(rule).in_lang(lang).replace('_', " ");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The sign of a state.
#[must_use]
pub const fn state_sign(state: State) -> &'static str {
    match state {
        State::Running => "▶",
        State::Idle => "◐",
        State::Off => "■",
        State::Unknown => "?",
    }
}

/// A state: sign and word.
#[must_use]
pub fn state(state: State, lang: Lang) -> Markup {
    html! {
        span class={"state " (state.name())} {
            span.sign aria-hidden="true" { (state_sign(state)) } (words::state(state).in_lang(lang))
        }
    }
}

/// A moment in a zone, without the year where it is of no use, and the exact one for whoever points at it.
#[must_use]
pub fn moment(at: UtcMs, zone: &TimeZone) -> Markup {
    let local = at.local(zone);
    html! { time datetime=(at.iso()) title=(format!("{local} ({})", at.iso())) { (local) } }
}

/// How long ago.
#[must_use]
pub fn ago(at: UtcMs, now: UtcMs, lang: Lang) -> Markup {
    let length = when::length(now.since(at).max(0));
    let text = match lang {
        Lang::En => format!("{length} ago"),
        Lang::Zh => format!("{length} 前"),
    };
    html! { span.ago title=(at.iso()) { (text) } }
}

/// The zone of a site; one that is unknown counts as UTC, as it does where it is judged.
#[must_use]
pub fn zone_of(site: &Site) -> TimeZone {
    TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC)
}

/// A share as people read it.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Nothing to show, said so.
#[must_use]
pub fn nothing(text: &str) -> Markup {
    html! { p.nothing { (text) } }
}
