//! The difference between a replay's alerts and those that are stored, as people read it.

use std::collections::BTreeSet;

use comfy_table::Cell;
use jiff::tz::TimeZone;

use crate::alerts::alert::Alert;
use crate::alerts::compare::{Aspect, Brief, Difference, Moved, Span};
use crate::cli::alerts::Zones;
use crate::cli::table::{right, with_head};
use crate::model::time::UtcMs;
use crate::store::views::{AlertFilter, Views};
use crate::wording::when;
use crate::wording::words::{self, Lang, Words, words};

/// Widest table: it is to fit a page.
const WIDTH_MAX: u16 = 100;

const HEAD: [Words; 7] = [
    words("change", "变化"),
    words("subject", "对象"),
    words("rule", "规则"),
    words("begin", "开始"),
    words("end", "结束"),
    words("level", "级别"),
    words("lasted", "持续"),
];
const OPENED: Words = words("opened", "新增");
const GONE: Words = words("gone", "消失");
const MOVED: Words = words("moved", "变动");
const OPEN: Words = words("open", "进行中");

/// The stored alerts that can be compared: those of the sites that were judged. Beside them how many are of others.
///
/// # Errors
/// The store cannot be read.
pub fn stored(views: &Views, span: Span, sites: &BTreeSet<&str>) -> anyhow::Result<(Vec<Alert>, usize)> {
    let all = views.alerts(&AlertFilter::default())?;
    let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|a| sites.contains(&*a.site));
    Ok((own, others.iter().filter(|alert| span.holds(alert)).count()))
}

/// The difference in words: a table of what changed, and how many alerts did so.
#[must_use]
pub fn told(difference: &Difference, zones: &Zones, span_zone: Option<&TimeZone>, lang: Lang) -> String {
    let Difference { span, opened, gone, moved, same } = difference;
    let mut lines = Vec::new();
    if !(opened.is_empty() && gone.is_empty() && moved.is_empty()) {
        lines.push(table(difference, zones, lang));
    }
    // In the zone that all sites have in common, else in UTC, which says so.
    let [from, to] =
        [span.from, span.to].map(|at| span_zone.map_or_else(|| at.iso(), |zone| minute(at, zone)));
    lines.push(match lang {
        Lang::En => format!(
            "{from} to {to}:\n{} opened (only in the replay), {} gone (only stored), {} moved, {same} the same",
            opened.len(),
            gone.len(),
            moved.len()
        ),
        Lang::Zh => format!(
            "{from} 至 {to}：\n新增 {}（仅在重放中）、消失 {}（仅在库中）、变动 {}、相同 {same}",
            opened.len(),
            gone.len(),
            moved.len()
        ),
    });
    lines.join("\n")
}

/// A line of the table.
enum Line<'a> {
    One(Words, &'a Brief),
    Pair(&'a Moved),
}

fn table(difference: &Difference, zones: &Zones, lang: Lang) -> String {
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    let width = table.width().unwrap_or(WIDTH_MAX).min(WIDTH_MAX);
    table.set_width(width);
    let opened = difference.opened.iter().map(|b| Line::One(OPENED, b));
    let gone = difference.gone.iter().map(|b| Line::One(GONE, b));
    let mut lines: Vec<Line<'_>> =
        opened.chain(gone).chain(difference.moved.iter().map(Line::Pair)).collect();
    lines.sort_by_key(|line| match line {
        Line::One(_, brief) => brief.begin,
        Line::Pair(moved) => moved.stored.begin.min(moved.replayed.begin),
    });
    for line in &lines {
        let (change, brief, after, changed) = match line {
            Line::One(change, brief) => (*change, *brief, *brief, &[][..]),
            Line::Pair(moved) => (MOVED, &moved.stored, &moved.replayed, &moved.changed[..]),
        };
        let zone = zones.of_site(&brief.site);
        let both = |aspect: Aspect, say: &dyn Fn(&Brief) -> String| {
            if changed.contains(&aspect) { format!("{}\n→ {}", say(brief), say(after)) } else { say(after) }
        };
        let end = |b: &Brief| b.end.map_or_else(|| OPEN.in_lang(lang).to_owned(), |end| minute(end, &zone));
        let level =
            |b: &Brief| format!("{} {}", words::level_mark(b.level), words::level(b.level).in_lang(lang));
        table.add_row([
            Cell::new(change.in_lang(lang)),
            Cell::new(format!("{}/{}", brief.site, brief.subject)),
            Cell::new(words::rule(brief.rule).in_lang(lang)),
            Cell::new(both(Aspect::Begin, &|b| minute(b.begin, &zone))),
            Cell::new(both(Aspect::End, &end)),
            Cell::new(both(Aspect::Level, &level)),
            right(both(Aspect::Duration, &|b| when::length(b.certain_ms))),
        ]);
    }
    table.to_string()
}

/// `2026-11-24 18:05`, with seconds where there are any.
fn minute(at: UtcMs, zone: &TimeZone) -> String {
    let whole = at.local(zone);
    whole.strip_suffix(":00").map(str::to_owned).unwrap_or(whole)
}
