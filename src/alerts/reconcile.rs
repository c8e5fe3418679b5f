//! What late readings change about alerts that are known already. Pure.
//!
//! A span of a site is judged again, and its alerts come out anew. One of the same rule and subject whose interval
//! overlaps that of a known one is the same alert: it keeps its id, its acknowledgement and all that people did, and what
//! changed is written down. A known one that no longer comes out is retracted, never deleted. A new one is retroactive.

use super::alert::{Alert, Status, Step};
use super::matching;
use super::revision::{Difference, Late, Revision};
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// When, and why, a span was judged again.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// When, by the journal.
    pub at: UtcMs,
    /// The message by which it became due.
    pub offset: Offset,
    /// Why.
    pub late: Late,
}

/// What becomes of one alert.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It came out just as it is known.
    Same(Alert),
    /// It is another now.
    Changed(Alert),
    /// None is known that it could be. Its id may be that of a known one which now begins elsewhere.
    New(Alert),
}

/// What becomes of `known` alerts of a site, where the same span judged again gives those `anew`. Each known alert and
/// each new one appears exactly once in the outcome.
#[must_use]
pub fn reconcile(known: Vec<Alert>, anew: Vec<Alert>, occasion: Occasion) -> Vec<Outcome> {
    let mut known: Vec<Option<Alert>> = known.into_iter().map(Some).collect();
    let mut anew: Vec<Option<Alert>> = anew.into_iter().map(Some).collect();
    let mut outcome = Vec::with_capacity(known.len().max(anew.len()));
    for (k, n) in pairs(&known, &anew) {
        if let (Some(was), Some(now)) = (known[k].take(), anew[n].take()) {
            outcome.push(revise(was, now, occasion));
        }
    }
    for was in known.into_iter().flatten() {
        outcome.push(if was.status == Status::Retracted {
            Outcome::Same(was)
        } else {
            Outcome::Changed(retract(was, occasion))
        });
    }
    for mut now in anew.into_iter().flatten() {
        now.retroactive = true;
        now.revisions.push(Revision {
            at: occasion.at,
            offset: occasion.offset,
            late: occasion.late,
            changes: Vec::new(),
        });
        outcome.push(Outcome::New(now));
    }
    outcome
}

/// Which known alert is which new one: first those that stand before those that were retracted, the same begin before
/// another, a long overlap before a short one.
fn pairs(known: &[Option<Alert>], anew: &[Option<Alert>]) -> Vec<(usize, usize)> {
    let mut candidates = Vec::new();
    for (k, was) in known.iter().enumerate() {
        for (n, now) in anew.iter().enumerate() {
            let (Some(was), Some(now)) = (was, now) else { continue };
            let same =
                (was.rule, &was.subject_kind, &was.subject) == (now.rule, &now.subject_kind, &now.subject);
            if let Some(overlap_ms) = same.then(|| overlap_ms(was, now)).flatten() {
                let is_retracted = was.status == Status::Retracted;
                let rank = (is_retracted, was.first != now.first, -overlap_ms, was.first, now.first);
                candidates.push((rank, k, n));
            }
        }
    }
    matching::best_first(candidates)
}

/// How long both held, ms; `None` where they do not even touch. An open one goes on for ever.
fn overlap_ms(a: &Alert, b: &Alert) -> Option<i64> {
    let end = |alert: &Alert| match alert.status {
        Status::Open => UtcMs(i64::MAX / 4),
        _ => alert.cleared.unwrap_or(alert.last_certain).max(alert.last_certain),
    };
    let ms = end(a).min(end(b)).since(a.first.max(b.first));
    (ms >= 0).then_some(ms)
}

fn retract(mut alert: Alert, occasion: Occasion) -> Alert {
    let change = Difference {
        field: "status".into(),
        from: alert.status.name().into(),
        to: Status::Retracted.name().into(),
    };
    alert.status = Status::Retracted;
    note(&mut alert, "retracted", vec![change], occasion);
    alert
}

fn note(alert: &mut Alert, what: &str, changes: Vec<Difference>, occasion: Occasion) {
    let Occasion { at, offset, late } = occasion;
    alert.history.push(Step { at, what: what.into(), level: alert.level, offset });
    alert.revisions.push(Revision { at, offset, late, changes });
}

/// `was` with all that is judged as in `now`.
fn revise(was: Alert, mut now: Alert, occasion: Occasion) -> Outcome {
    let changes = differences(&was, &now);
    let evidence_differs = {
        let means = |a: &Alert| -> Vec<_> {
            a.evidence.points.iter().map(|p| (p.point.clone(), p.mean_kw, p.energy_kwh)).collect()
        };
        means(&was) != means(&now)
    };
    // What people did stays, between what the readings say now.
    let mut steps = now.history;
    steps.extend(was.history.into_iter().filter(|step| !is_judged(step)));
    steps.sort_by_key(|step| step.at);
    now = Alert {
        id: was.id,
        acknowledged: was.acknowledged,
        deeds: was.deeds,
        retroactive: was.retroactive,
        raised_before: was.raised_before.or((was.raised != now.raised).then_some(was.raised)),
        revisions: was.revisions,
        suppressed: was.suppressed,
        history: steps,
        ..now
    };
    if changes.is_empty() && !evidence_differs {
        return Outcome::Same(now);
    }
    note(&mut now, "revised", changes, occasion);
    Outcome::Changed(now)
}

/// Whether readings alone made the step.
fn is_judged(step: &Step) -> bool {
    matches!(&*step.what, "raised" | "escalated" | "cleared")
}

fn differences(was: &Alert, now: &Alert) -> Vec<Difference> {
    let moment = |t: UtcMs| t.iso();
    let cleared = |a: &Alert| a.cleared.map_or_else(|| "-".to_owned(), UtcMs::iso);
    let fields = [
        ("status", was.status.name().to_owned(), now.status.name().to_owned()),
        ("level", was.level.name().to_owned(), now.level.name().to_owned()),
        ("first", moment(was.first), moment(now.first)),
        ("raised", moment(was.raised), moment(now.raised)),
        ("last_certain", moment(was.last_certain), moment(now.last_certain)),
        ("cleared", cleared(was), cleared(now)),
        ("certain_ms", was.certain_ms.to_string(), now.certain_ms.to_string()),
        ("unknown_ms", was.unknown_ms.to_string(), now.unknown_ms.to_string()),
    ];
    fields
        .into_iter()
        .filter(|(_, from, to)| from != to)
        .map(|(field, from, to)| Difference { field: field.into(), from: from.into(), to: to.into() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::evidence::Evidence;
    use crate::model::rule::{Level, Rule};

    const MINUTE: i64 = 60_000;

    fn alert(first: i64, end: Option<i64>) -> Alert {
        let at = |minute: i64| UtcMs(minute * MINUTE);
        let (rule, level) = (Rule::TreatmentOff, Level::Warning);
        Alert {
            id: format!("off-{first}").into(),
            site: "plant".into(),
            rule,
            rule_version: 1,
            subject_kind: "process".into(),
            subject: "line".into(),
            status: if end.is_some() { Status::Cleared } else { Status::Open },
            level,
            first: at(first),
            raised: at(first + 10),
            raised_before: None,
            last_certain: at(end.unwrap_or(first + 10)),
            cleared: end.map(|end| at(end + 5)),
            certain_ms: (end.unwrap_or(first + 10) - first) * MINUTE,
            unknown_ms: 0,
            evidence: Evidence::default(),
            acknowledged: None,
            deeds: Vec::new(),
            history: vec![Step { at: at(first + 10), what: "raised".into(), level, offset: 1 }],
            said: 0,
            retroactive: false,
            revisions: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    fn reconciled(known: &[Alert], anew: &[Alert]) -> Vec<Outcome> {
        let late = Late { first_offset: 7, last_offset: 9, n_readings: 3, from: UtcMs(0) };
        reconcile(known.to_vec(), anew.to_vec(), Occasion { at: UtcMs(99), offset: 9, late })
    }

    #[test]
    fn one_that_overlaps_is_the_same_and_keeps_what_people_did() {
        let mut known = alert(0, Some(60));
        known.acknowledge(
            crate::alerts::alert::Acknowledgement { who: "li".into(), at: UtcMs(5), note: "seen".into() },
            3,
        );
        let anew = [alert(5, Some(20)), alert(40, Some(55))];
        let [Outcome::Changed(first), Outcome::New(second)] = &reconciled(&[known], &anew)[..] else {
            panic!("a revised and a retroactive one")
        };
        assert_eq!((&*first.id, first.raised_before), ("off-0", Some(UtcMs(10 * MINUTE))));
        assert!(first.acknowledged.is_some() && first.history.iter().any(|s| s.what.starts_with("ack")));
        let fields: Vec<_> = first.revisions[0].changes.iter().map(|c| &*c.field).collect();
        assert_eq!(fields, ["first", "raised", "last_certain", "cleared", "certain_ms"]);
        assert!(second.retroactive && &*second.id == "off-40");
    }

    #[test]
    fn what_no_longer_comes_out_is_retracted_once_and_comes_back_as_itself() {
        let [Outcome::Changed(gone)] = &reconciled(&[alert(0, None)], &[])[..] else { panic!("retracted") };
        assert_eq!((gone.status, gone.revisions.len()), (Status::Retracted, 1));
        assert_eq!(reconciled(std::slice::from_ref(gone), &[]), [Outcome::Same(gone.clone())]);
        let [Outcome::Changed(back)] = &reconciled(std::slice::from_ref(gone), &[alert(0, None)])[..] else {
            panic!("it holds after all")
        };
        assert_eq!((back.status, back.revisions.len(), back.retroactive), (Status::Open, 2, false));
    }

    #[test]
    fn what_comes_out_alike_is_no_revision() {
        let all = [alert(0, Some(20)), alert(40, None)];
        for outcome in reconciled(&all, &all) {
            let Outcome::Same(own) = outcome else { panic!("{outcome:?}") };
            assert!(own.revisions.is_empty() && !own.retroactive);
        }
    }
}
