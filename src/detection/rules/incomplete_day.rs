//! R8 `incomplete_day`: the state of a unit could be told for less than nine tenths of a local day.
//!
//! Silence is not all that hides a unit: a meter may speak and never say a power, or one that fits no state, or come more
//! seldom than its period. An alarm at midnight, of the gateway where it is so of all its units; cleared at the midnight
//! that ends a day that was whole. What nobody listened to, and what lies before the unit was supervised, is not asked for.
//! Source: rule catalogue, R8.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::day::midnight_after;
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::finding::Finding;
use crate::model::rule::{Level, Rule};
use crate::model::time::{HOUR_MS, UtcMs};

/// So many tenths of a day must be known.
const TENTHS_MIN: i64 = 9;

/// A day that was supervised for less says nothing: half of one, which is ours.
const SUPERVISED_MIN_MS: i64 = 12 * HOUR_MS;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    first: UtcMs,
    /// Unknown time of the days so far, ms.
    unknown_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit {
    /// Supervised since then.
    since: UtcMs,
    is_known: bool,
    known_ms: i64,
    open: Option<Box<Open>>,
}

/// State of the rule for one site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncompleteDay {
    judged: UtcMs,
    /// The local day that `judged` lies in.
    day: (UtcMs, UtcMs),
    units: Vec<Unit>,
    gateways: Vec<Option<Box<Open>>>,
    /// Changes still to come: when, which point, whether its state is known from there on.
    queue: Vec<(UtcMs, u16, bool)>,
    /// When nobody listened.
    excused: Vec<(UtcMs, UtcMs)>,
}

impl IncompleteDay {
    /// A site of so many points and gateways, supervised since `since`.
    #[must_use]
    pub fn new(n_points: usize, n_gateways: usize, since: UtcMs) -> IncompleteDay {
        let unit = Unit { since, is_known: false, known_ms: 0, open: None };
        IncompleteDay {
            judged: since,
            day: (since, UtcMs::MIN),
            units: vec![unit; n_points],
            gateways: vec![None; n_gateways],
            queue: Vec::new(),
            excused: Vec::new(),
        }
    }

    /// From `at` on the state of a point is known, or not any more.
    pub fn edge(&mut self, point: u16, at: UtcMs, is_known: bool) {
        self.queue.push((at, point, is_known));
    }

    /// When the day is over, about which alone it speaks; before the first, when that begins.
    #[must_use]
    pub fn due(&self) -> UtcMs {
        self.day.1.max(self.judged)
    }

    /// Nobody listened from `from` to `to`.
    pub fn excuse(&mut self, from: UtcMs, to: UtcMs) {
        self.excused.push((from, to));
    }

    /// Takes over what was known before the site was configured anew: of points by `index_of`, which tells the new index of
    /// each old one, and of gateways, old and new, by name.
    pub fn carry_over(
        &mut self,
        old: &IncompleteDay,
        index_of: &[Option<u16>],
        (old_gateways, gateways): (&[Box<str>], &[Box<str>]),
    ) {
        let moved = |point: u16| index_of.get(usize::from(point)).copied().flatten();
        for (unit, moved) in old.units.iter().zip(index_of) {
            if let Some(i) = moved {
                self.units[usize::from(*i)] = unit.clone();
            }
        }
        for (open, name) in self.gateways.iter_mut().zip(gateways) {
            *open = old_gateways.iter().position(|g| g == name).and_then(|i| old.gateways[i].clone());
        }
        self.queue = old.queue.iter().filter_map(|(at, p, known)| Some((*at, moved(*p)?, *known))).collect();
        (self.judged, self.day, self.excused) = (old.judged, old.day, old.excused.clone());
    }

    /// Judges up to `to`, before which no unit will change any more. `gateway_of` has the gateway of each point that is
    /// judged at all; where the rule is not on, days are counted and nothing is raised.
    pub fn advance(
        &mut self,
        to: UtcMs,
        zone: &TimeZone,
        (gateway_of, is_on): (&[Option<u16>], bool),
        out: &mut impl FnMut(Finding),
    ) {
        if to <= self.judged {
            return;
        }
        let mut queue = std::mem::take(&mut self.queue);
        queue.sort_by_key(|(at, point, _)| (*at, *point));
        let n_due = queue.partition_point(|(at, _, _)| *at <= to);
        for (at, point, is_known) in queue.drain(..n_due) {
            self.pass(at, zone, (gateway_of, is_on), out);
            self.units[usize::from(point)].is_known = is_known;
        }
        self.queue = queue;
        self.pass(to, zone, (gateway_of, is_on), out);
    }

    /// Up to `to` nothing changes.
    fn pass(
        &mut self,
        to: UtcMs,
        zone: &TimeZone,
        (gateway_of, is_on): (&[Option<u16>], bool),
        out: &mut impl FnMut(Finding),
    ) {
        while self.judged < to {
            if self.judged >= self.day.1 {
                self.day = (self.judged, midnight_after(self.judged, zone));
            }
            let next = to.min(self.day.1);
            let length_ms = next.since(self.judged);
            for unit in self.units.iter_mut().filter(|u| u.is_known) {
                unit.known_ms += length_ms;
            }
            self.judged = next;
            if next == self.day.1 {
                self.midnight((gateway_of, is_on), out);
            }
        }
    }

    fn midnight(&mut self, (gateway_of, is_on): (&[Option<u16>], bool), out: &mut impl FnMut(Finding)) {
        let at = self.day.1;
        let lacking: Vec<Option<i64>> = self.units.iter().map(|unit| self.lacking_ms(unit)).collect();
        for (gateway, open) in (0_u16..).zip(&mut self.gateways) {
            let mut behind =
                gateway_of.iter().zip(&lacking).filter(|(g, _)| **g == Some(gateway)).map(|(_, ms)| *ms);
            if behind.clone().all(|ms| ms.is_none()) {
                continue;
            }
            let is_incomplete = behind.clone().count() > 1 && behind.all(|ms| ms.is_some_and(|ms| ms > 0));
            let own = gateway_of.iter().zip(&lacking).zip(&mut self.units);
            let own = (0_u16..).zip(own).filter(|(_, ((g, _), _))| **g == Some(gateway));
            let mut longest_ms = 0;
            for (point, ((_, lacking_ms), unit)) in own {
                let Some(lacking_ms) = *lacking_ms else { continue };
                longest_ms = lacking_ms.max(longest_ms);
                // What its gateway says is not said of the unit once more, but what is said of it already goes on.
                let says_gateway = is_incomplete && unit.open.is_none();
                let lacking_ms = if says_gateway { 0 } else { lacking_ms };
                settle((&mut unit.open, is_on), lacking_ms, self.day, Subject::Point(point), out);
            }
            let lacking_ms = if is_incomplete { longest_ms } else { 0 };
            settle((open, is_on), lacking_ms, self.day, Subject::Gateway(gateway), out);
        }
        self.units.iter_mut().for_each(|unit| unit.known_ms = 0);
        self.excused.retain(|(_, to)| *to > at);
    }

    /// Unknown time of the day where that is more than it may be, else 0; `None` where too little was supervised to say.
    fn lacking_ms(&self, unit: &Unit) -> Option<i64> {
        let (from, to) = (self.day.0.max(unit.since), self.day.1);
        let unheard = |(a, b): &(UtcMs, UtcMs)| b.0.min(to.0).saturating_sub(a.0.max(from.0)).max(0);
        let supervised_ms = to.since(from) - self.excused.iter().map(unheard).sum::<i64>();
        if supervised_ms < SUPERVISED_MIN_MS {
            return None;
        }
        let is_whole = unit.known_ms * 10 >= supervised_ms * TENTHS_MIN;
        Some(if is_whole { 0 } else { supervised_ms - unit.known_ms })
    }
}

fn settle(
    (open, is_on): (&mut Option<Box<Open>>, bool),
    lacking_ms: i64,
    (begin, end): (UtcMs, UtcMs),
    subject: Subject,
    out: &mut impl FnMut(Finding),
) {
    match open {
        None if lacking_ms > 0 && is_on => {
            let own = Open { first: begin, unknown_ms: lacking_ms };
            out(finding(Change::Raised, end, end, own, subject));
            *open = Some(Box::new(own));
        }
        Some(own) if lacking_ms > 0 => own.unknown_ms += lacking_ms,
        Some(own) => {
            out(finding(Change::Cleared, end, begin, **own, subject));
            *open = None;
        }
        None => {}
    }
}

fn finding(change: Change, at: UtcMs, last_certain: UtcMs, open: Open, subject: Subject) -> Finding {
    Finding::Alert(Box::new(AlertFinding {
        rule: Rule::IncompleteDay,
        subject,
        change,
        at,
        first: open.first,
        last_certain,
        level: Level::Alarm,
        certain_ms: 0,
        unknown_ms: open.unknown_ms,
        tallies: Vec::new(),
        fragments: Vec::new(),
        figures: Vec::new(),
        instants: Vec::new(),
    }))
}
