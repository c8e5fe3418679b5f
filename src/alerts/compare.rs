//! What differs between two judgements of the same time: the alerts that are stored, and those of a replay. Pure.
//!
//! An alert of one side is paired with at most one of the other: the same rule and subject, and the same begin; what is
//! left, by the longest time in common. All is seen as it was at the end of the span, since no side knows more of it:
//! what was not cleared by then is open.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::alert::{Alert, Status};
use super::matching;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// From a moment up to, not with, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its begin.
    pub from: UtcMs,
    /// Its end.
    pub to: UtcMs,
}

impl Span {
    /// Whether an alert stands and was known at some moment of it: raised before its end, and not cleared before its begin.
    #[must_use]
    pub fn holds(&self, alert: &Alert) -> bool {
        let stands = alert.status != Status::Retracted;
        stands && alert.raised < self.to && alert.cleared.is_none_or(|cleared| cleared > self.from)
    }
}

/// An alert as far as it is compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Brief {
    /// Its id.
    pub id: Box<str>,
    /// Site id.
    pub site: Box<str>,
    /// Rule.
    pub rule: Rule,
    /// `process`, `point` or `gateway`.
    pub subject_kind: Box<str>,
    /// Id of the process or point, or name of the gateway.
    pub subject: Box<str>,
    /// First certain moment.
    pub begin: UtcMs,
    /// Last certain moment; `None` where it was open at the end of the span.
    pub end: Option<UtcMs>,
    /// Level at the end of the span.
    pub level: Level,
    /// Certain time, ms.
    pub certain_ms: i64,
}

impl Brief {
    fn of(alert: &Alert, to: UtcMs) -> Brief {
        let by_then = alert.history.iter().filter(|step| step.at <= to);
        Brief {
            id: alert.id.clone(),
            site: alert.site.clone(),
            rule: alert.rule,
            subject_kind: alert.subject_kind.clone(),
            subject: alert.subject.clone(),
            begin: alert.first,
            end: alert.cleared.filter(|cleared| *cleared <= to).map(|_| alert.last_certain),
            level: by_then.map(|step| step.level).max().unwrap_or(alert.level),
            certain_ms: alert.certain_ms,
        }
    }

    /// Time in common, ms; `None` where there is none. An alert of a single moment has it in common.
    fn overlap_ms(&self, other: &Brief) -> Option<i64> {
        const NEVER: UtcMs = UtcMs(i64::MAX);
        let (end, other_end) = (self.end.unwrap_or(NEVER), other.end.unwrap_or(NEVER));
        let ms = end.min(other_end).since(self.begin.max(other.begin));
        let is_moment = end == self.begin || other_end == other.begin;
        (ms > 0 || ms == 0 && is_moment).then_some(ms)
    }
}

/// What may differ between the two of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// The first certain moment.
    Begin,
    /// The last certain moment, or that there is none yet.
    End,
    /// How grave it is.
    Level,
    /// The certain time.
    Duration,
}

/// An alert that both sides have, not alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// As it is stored.
    pub stored: Brief,
    /// As the replay has it.
    pub replayed: Brief,
    /// In what they differ.
    pub changed: Vec<Aspect>,
}

/// All that differs, each list by begin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What was compared.
    pub span: Span,
    /// Only in the replay.
    pub opened: Vec<Brief>,
    /// Only stored.
    pub gone: Vec<Brief>,
    /// In both, not alike.
    pub moved: Vec<Moved>,
    /// So many are in both, alike.
    pub same: usize,
}

/// Compares alerts over `span`. Both sides may hold alerts beyond it: they find their like, and are not told by themselves.
#[must_use]
pub fn compare(stored: &[Alert], replayed: &[Alert], span: Span) -> Difference {
    let mut difference =
        Difference { span, opened: Vec::new(), gone: Vec::new(), moved: Vec::new(), same: 0 };
    let mut kinds: BTreeMap<_, (Vec<&Alert>, Vec<&Alert>)> = BTreeMap::new();
    let key = |a: &'_ Alert| (a.site.clone(), a.rule, a.subject_kind.clone(), a.subject.clone());
    stored.iter().for_each(|a| kinds.entry(key(a)).or_default().0.push(a));
    replayed.iter().for_each(|a| kinds.entry(key(a)).or_default().1.push(a));
    for (stored, replayed) in kinds.values() {
        let brief = |alerts: &[&Alert]| alerts.iter().map(|a| Brief::of(a, span.to)).collect::<Vec<_>>();
        let briefs = (brief(stored), brief(replayed));
        let pairs = pairs(&briefs.0, &briefs.1);
        for (s, r) in &pairs {
            if span.holds(stored[*s]) || span.holds(replayed[*r]) {
                difference.take_pair(&briefs.0[*s], &briefs.1[*r]);
            }
        }
        let alone =
            |i: usize, alert: &Alert, paired: &BTreeSet<usize>| !paired.contains(&i) && span.holds(alert);
        let (s_paired, r_paired): (BTreeSet<_>, BTreeSet<_>) = pairs.into_iter().unzip();
        let gone = (0..stored.len()).filter(|i| alone(*i, stored[*i], &s_paired));
        difference.gone.extend(gone.map(|i| briefs.0[i].clone()));
        let opened = (0..replayed.len()).filter(|i| alone(*i, replayed[*i], &r_paired));
        difference.opened.extend(opened.map(|i| briefs.1[i].clone()));
    }
    let order = |b: &Brief| (b.begin, b.id.clone());
    difference.opened.sort_by_key(order);
    difference.gone.sort_by_key(order);
    difference.moved.sort_by_key(|m| order(&m.stored));
    difference
}

/// Which goes with which, by index: of one rule and subject.
fn pairs(stored: &[Brief], replayed: &[Brief]) -> Vec<(usize, usize)> {
    let mut candidates = Vec::new();
    for (s, was) in stored.iter().enumerate() {
        for (r, is) in replayed.iter().enumerate() {
            if let Some(overlap_ms) = was.overlap_ms(is) {
                let rank = (was.begin != is.begin, Reverse(overlap_ms), was.begin, is.begin);
                candidates.push((rank, s, r));
            }
        }
    }
    matching::best_first(candidates)
}

impl Difference {
    fn take_pair(&mut self, stored: &Brief, replayed: &Brief) {
        let from = self.span.from;
        let changed = changed(stored, replayed, from);
        if changed.is_empty() {
            self.same += 1;
        } else {
            self.moved.push(Moved { stored: stored.clone(), replayed: replayed.clone(), changed });
        }
    }
}

/// In what two alerts differ, as far as both sides can know it: what lies before the span is not compared, and the
/// certain time only where both are whole.
fn changed(stored: &Brief, replayed: &Brief, from: UtcMs) -> Vec<Aspect> {
    let begins_alike = stored.begin.max(from) == replayed.begin.max(from);
    let is_whole = |b: &Brief| b.end.is_some() && (b.begin >= from || stored.begin == replayed.begin);
    let both_whole = is_whole(stored) && is_whole(replayed);
    let differs = [
        (Aspect::Begin, !begins_alike),
        (Aspect::End, stored.end != replayed.end),
        (Aspect::Level, stored.level != replayed.level),
        (Aspect::Duration, both_whole && stored.certain_ms != replayed.certain_ms),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(aspect, _)| aspect).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alerts::alert::Step;
    use crate::alerts::evidence::Evidence;

    const MINUTE: i64 = 60_000;
    const DAY: Span = Span { from: UtcMs(0), to: UtcMs(1_440 * MINUTE) };

    /// Begin and end in minutes; raised 10 min after its begin, cleared 5 min after its end.
    fn alert(subject: &str, begin: i64, end: Option<i64>) -> Alert {
        let at = |minute: i64| UtcMs(minute * MINUTE);
        let raised = at(begin + 10);
        let (rule, level) = (Rule::TreatmentOff, Level::Warning);
        Alert {
            id: format!("{subject}-{begin}").into(),
            site: "plant".into(),
            rule,
            rule_version: 1,
            subject_kind: "process".into(),
            subject: subject.into(),
            status: if end.is_some() { Status::Cleared } else { Status::Open },
            level,
            first: at(begin),
            raised,
            last_certain: at(end.unwrap_or(begin + 10)),
            cleared: end.map(|end| at(end + 5)),
            certain_ms: (end.unwrap_or(begin + 10) - begin) * MINUTE,
            unknown_ms: 0,
            evidence: Evidence::default(),
            acknowledged: None,
            deeds: Vec::new(),
            history: vec![Step { at: raised, what: "raised".into(), level, offset: 1 }],
            said: 0,
            raised_before: None,
            retroactive: false,
            revisions: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    fn ids(briefs: &[Brief]) -> Vec<&str> {
        briefs.iter().map(|b| &*b.id).collect()
    }

    #[test]
    fn alike_is_counted_and_what_only_one_side_has_is_told() {
        let stored = [alert("a", 60, Some(90)), alert("a", 200, Some(240)), alert("b", 60, Some(90))];
        let replayed = [alert("a", 60, Some(90)), alert("c", 60, Some(90)), alert("a", 300, None)];
        let found = compare(&stored, &replayed, DAY);
        assert_eq!(ids(&found.opened), ["c-60", "a-300"]);
        assert_eq!(ids(&found.gone), ["b-60", "a-200"]);
        assert_eq!((found.moved.len(), found.same), (0, 1));
    }

    #[test]
    fn a_pair_says_in_what_it_differs() {
        let aspects = |stored: &Alert, replayed: &Alert| {
            let found = compare(std::slice::from_ref(stored), std::slice::from_ref(replayed), DAY);
            assert_eq!((found.opened.len(), found.gone.len()), (0, 0));
            found.moved.first().map_or(Vec::new(), |m| m.changed.clone())
        };
        let was = alert("a", 60, Some(90));
        assert_eq!(aspects(&was, &was), []);
        assert_eq!(aspects(&was, &alert("a", 62, Some(95))), [Aspect::Begin, Aspect::End, Aspect::Duration]);
        assert_eq!(aspects(&was, &alert("a", 60, None)), [Aspect::End], "an open one has no length yet");
        let mut graver = was.clone();
        graver.history.push(Step {
            at: UtcMs(85 * MINUTE),
            what: "escalated".into(),
            level: Level::Alarm,
            offset: 2,
        });
        graver.level = Level::Alarm;
        assert_eq!(aspects(&was, &graver), [Aspect::Level]);
        let shorter = Alert { certain_ms: was.certain_ms - MINUTE, unknown_ms: MINUTE, ..was.clone() };
        assert_eq!(aspects(&was, &shorter), [Aspect::Duration]);
    }

    #[test]
    fn the_same_begin_goes_before_a_longer_time_in_common() {
        // Two stored alerts become one that begins with the first and lies longer in the second.
        let stored = [alert("a", 60, Some(70)), alert("a", 80, Some(140))];
        let replayed = [alert("a", 60, Some(140))];
        let found = compare(&stored, &replayed, DAY);
        assert_eq!(found.moved[0].stored.begin, UtcMs(60 * MINUTE));
        assert_eq!(ids(&found.gone), ["a-80"]);
        // With no begin alike the longest time in common decides.
        let found = compare(&stored, &[alert("a", 65, Some(140))], DAY);
        assert_eq!(found.moved[0].stored.begin, UtcMs(80 * MINUTE));
        assert_eq!(ids(&found.gone), ["a-60"]);
    }

    #[test]
    fn alerts_that_only_touch_are_two() {
        let found = compare(&[alert("a", 60, Some(90))], &[alert("a", 90, Some(120))], DAY);
        assert_eq!((found.opened.len(), found.gone.len(), found.moved.len()), (1, 1, 0));
    }

    #[test]
    fn what_lies_beyond_the_span_is_not_compared() {
        // Begun before it, at different times: one side may simply know less of it. Cleared after it: still open then.
        let stored = [alert("a", -300, Some(60)), alert("b", 1_400, Some(1_500)), alert("c", -90, Some(-60))];
        let replayed =
            [alert("a", -200, Some(60)), alert("b", 1_400, Some(1_470)), alert("d", 1_438, Some(1_470))];
        let found = compare(&stored, &replayed, DAY);
        assert_eq!((found.same, found.moved.len()), (2, 0), "{found:#?}");
        assert_eq!(
            (found.opened.len(), found.gone.len()),
            (0, 0),
            "c ended before it, d was raised after it"
        );
    }

    proptest! {
        #[test]
        fn every_alert_is_told_once_and_swapping_the_sides_swaps_what_is_told(
            stored in proptest::collection::btree_map((0_u8..2, 0_i64..40), 0_i64..20, 0..8),
            replayed in proptest::collection::btree_map((0_u8..2, 0_i64..40), 0_i64..20, 0..8),
        ) {
            let alerts = |drawn: &BTreeMap<(u8, i64), i64>| -> Vec<Alert> {
                let name = |subject: u8| if subject == 0 { "a" } else { "b" };
                drawn.iter().map(|((s, begin), length)| alert(name(*s), *begin, Some(begin + length))).collect()
            };
            let (stored, replayed) = (alerts(&stored), alerts(&replayed));
            let found = compare(&stored, &replayed, DAY);
            let paired = found.same + found.moved.len();
            prop_assert_eq!(found.gone.len() + paired, stored.len());
            prop_assert_eq!(found.opened.len() + paired, replayed.len());
            let swapped = compare(&replayed, &stored, DAY);
            let itself = compare(&stored, &stored, DAY);
            prop_assert_eq!(swapped.same, found.same);
            prop_assert_eq!((itself.same, itself.moved.len()), (stored.len(), 0));
        }
    }
}
