//! What of an alert is told to a receiver, and when.
//!
//! An alert is heard of when it changes ([`hear`]); nothing is told then. Each tick looks at what is due ([`due`]) and tells
//! what there is of a site together ([`tick`]). A tick before anything is due changes nothing, so that it does not matter
//! how often time is told. Every moment here is one that the journal says.

use jiff::tz::TimeZone;

use super::item::{Item, News, Told, What};
use super::quiet::{after_quiet, is_quiet};
use crate::alerts::alert::Status;
use crate::config::receivers::Policy;
use crate::model::rule::Level;
use crate::model::time::UtcMs;

/// An alert as it is now, as far as a receiver is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Level.
    pub level: Level,
    /// Open, cleared or retracted.
    pub status: Status,
    /// Whether somebody took note.
    pub acknowledged: bool,
    /// Whether it is suppressed, or not what the receiver asks for.
    pub quelled: bool,
    /// Whether it came to be known after the receiver was there.
    pub is_new: bool,
}

/// What the receiver knows of an alert after it changed; `None` if it has nothing to do with it.
#[must_use]
pub fn hear(known: Option<Item>, heard: &Heard, policy: &Policy) -> Option<Item> {
    let mut item = match known {
        Some(item) => item,
        None if heard.quelled || heard.status == Status::Retracted => return None,
        None if heard.status == Status::Cleared && !heard.is_new => return None,
        None => Item {
            level: heard.level,
            status: heard.status,
            acknowledged: false,
            quelled: false,
            told: None,
            news: None,
            passed_over: false,
            region: "".into(),
        },
    };
    item.level = heard.level;
    item.status = heard.status;
    item.acknowledged = heard.acknowledged;
    item.quelled = heard.quelled;
    // Who waits for what nobody takes note of need not hear of what somebody did.
    let is_done = policy.after_ms > 0 && item.acknowledged;
    if item.status == Status::Open {
        item.passed_over = is_done && !item.stands();
    }
    // What waits goes on waiting while it is of the same kind.
    let before = item.news;
    item.news = news(&item).map(|what| News {
        what,
        since: before.filter(|n| n.what == what).and_then(|n| n.since),
        stood: what.stands() || before.is_some_and(|n| n.stood),
    });
    Some(item)
}

/// What is to be told of it, by what was.
fn news(item: &Item) -> Option<What> {
    let ended = item.told.as_ref().map(|told| told.ended);
    match (item.status, ended) {
        (Status::Open, None | Some(Some(_))) => (!item.quelled && !item.passed_over).then_some(What::Raised),
        (Status::Open, Some(None)) => {
            let highest = item.told.as_ref().and_then(|told| told.levels.last().copied());
            (!item.quelled && highest < Some(item.level)).then_some(What::Escalated)
        }
        (Status::Cleared, None) => (!item.quelled && !item.passed_over).then_some(What::Past),
        (Status::Cleared, Some(None)) => Some(What::Cleared),
        (Status::Retracted, Some(None | Some(Status::Open | Status::Cleared))) => Some(What::Retracted),
        (Status::Cleared | Status::Retracted, _) => None,
    }
}

/// When, from `now` on, something of it is to be told next, or to be looked at: [`UtcMs::MIN`] for the next tick, `None` for
/// never. A tick that comes late must not tell what would have been told before the quiet hours it falls into.
#[must_use]
pub fn due(item: &Item, policy: &Policy, zone: &TimeZone, now: UtcMs) -> Option<UtcMs> {
    let at = match item.news {
        Some(News { since: None, .. }) => return Some(UtcMs::MIN),
        Some(News { what, since: Some(since), .. }) => since.plus(wait_ms(what, item.level, policy)),
        None => {
            let told = item.told.as_ref().filter(|_| may_remind(item))?;
            told.at.plus(policy.repeat_ms[item.level as usize]?)
        }
    };
    Some(after_quiet(&policy.quiet, item.level, zone, at.max(now)))
}

/// How long news waits for more of the same site.
fn wait_ms(what: What, level: Level, policy: &Policy) -> i64 {
    match what {
        What::Raised if policy.after_ms > 0 => policy.after_ms,
        What::Escalated => 0,
        What::Raised if level == Level::Critical => 0,
        _ => policy.wait_ms,
    }
}

fn may_remind(item: &Item) -> bool {
    item.stands() && item.status == Status::Open && !item.acknowledged && !item.quelled
}

/// Time has come to `now`: what is told of a site to a receiver, in the order of its items; nothing where nothing is due.
pub fn tick(items: &mut [Item], policy: &Policy, zone: &TimeZone, now: UtcMs) -> Vec<Option<What>> {
    for item in items.iter_mut() {
        first_look(item, policy, zone, now);
    }
    let is_due = |item: &Item| due(item, policy, zone, now).is_some_and(|due| due <= now);
    let n_due = items.iter().filter(|i| is_due(i)).count();
    let reminds = items.iter().any(|i| i.news.is_none() && is_due(i));
    let told = |item: &mut Item| {
        // One request tells of the site: what waits only for company goes along, and so do reminders with each other.
        let goes_along = !is_quiet(&policy.quiet, item.level, zone, now)
            && match item.news {
                Some(news) => policy.after_ms == 0 || news.what != What::Raised,
                None => reminds && may_remind(item) && policy.repeat_ms[item.level as usize].is_some(),
            };
        let what = match item.news {
            _ if n_due == 0 || !(goes_along || is_due(item)) => return None,
            Some(news) => news.what,
            None => What::Reminder,
        };
        tell(item, what, now);
        Some(what)
    };
    items.iter_mut().map(told).collect()
}

/// News begins to wait with the first tick after it came. What is over by then, before it could be told, is told to nobody
/// where it was to be told only if it still held.
fn first_look(item: &mut Item, policy: &Policy, zone: &TimeZone, now: UtcMs) {
    let Some(news @ News { since: None, .. }) = &mut item.news else { return };
    news.since = Some(now);
    let is_over = news.what == What::Past && news.stood;
    if is_over && (policy.after_ms > 0 || is_quiet(&policy.quiet, item.level, zone, now)) {
        item.news = None;
        item.passed_over = true;
    }
}

fn tell(item: &mut Item, what: What, now: UtcMs) {
    let ended = (!what.stands()).then_some(item.status);
    let begins_anew = what == What::Raised;
    let mut levels = item.told.take().map(|told| told.levels).filter(|_| !begins_anew).unwrap_or_default();
    if levels.last() < Some(&item.level) {
        levels.push(item.level);
    }
    item.told = Some(Told { at: now, levels, ended });
    item.news = None;
}
