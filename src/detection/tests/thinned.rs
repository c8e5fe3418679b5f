//! A quarter of the readings is missing: what is said must be borne out by the whole, and time adds up.

use proptest::prelude::*;

use super::plant::{FAN, Minute, OFF, ON, PRESS, START, alerts_of, judge, observations};
use crate::alerts::finding::{AlertFinding, Change};
use crate::detection::finding::Finding;
use crate::model::rule::Rule;
use crate::model::state::State;
use crate::model::time::{MINUTE_MS, UtcMs};

/// Pieces of a day, shorter and longer than the time to raise (10 min) and than what silence is borne (5 min).
fn days() -> impl Strategy<Value = Vec<Minute>> {
    let power = || prop_oneof![Just(ON), Just(OFF)];
    let piece = (power(), power(), 1_usize..60).prop_map(|(press, fan, n)| vec![(press, fan); n]);
    proptest::collection::vec(piece, 4..30).prop_map(|pieces| pieces.concat())
}

/// Of each unit: minutes lost in blocks of so many, until a quarter is, or each for itself.
fn losses() -> impl Strategy<Value = (usize, [Vec<u32>; 2])> {
    let dice = || proptest::collection::vec(any::<u32>(), 400);
    (prop_oneof![Just(1), 2_usize..40], dice(), dice()).prop_map(|(n, a, b)| (n, [a, b]))
}

fn thinned(whole: &[Minute], (n, dice): &(usize, [Vec<u32>; 2])) -> Vec<Minute> {
    let is_lost = |unit: usize, minute: usize| dice[unit][minute / n % dice[unit].len()] % 4 == 0;
    let minute = |(i, (press, fan)): (usize, &Minute)| {
        (press.filter(|_| !is_lost(0, i)), fan.filter(|_| !is_lost(1, i)))
    };
    whole.iter().enumerate().map(minute).collect()
}

fn findings(minutes: &[Minute]) -> Vec<Finding> {
    judge(&observations(minutes), MINUTE_MS, START.plus(minutes.len() as i64 * MINUTE_MS))
}

fn is_of_missing(rule: Rule) -> bool {
    matches!(rule, Rule::DataMissing | Rule::GapWhileProducing | Rule::IncompleteDay | Rule::PowerCut)
}

/// What is told of a stretch of "off" of which too little is certain for an alert of its own: what its pieces sum up to, or
/// that it lay before the start or the stop.
fn is_told_for_it(rule: Rule) -> bool {
    matches!(rule, Rule::Fragmented | Rule::LateStart | Rule::EarlyStop)
}

/// First moment and last certain one of every alert, by rule; of one that is still open, the end of time.
fn spans(alerts: &[AlertFinding]) -> Vec<(Rule, UtcMs, UtcMs)> {
    let mut all: Vec<(Rule, UtcMs, UtcMs)> = Vec::new();
    for a in alerts {
        match a.change {
            Change::Raised => all.push((a.rule, a.first, UtcMs(i64::MAX))),
            Change::Escalated => {}
            Change::Cleared => {
                let own = all.iter_mut().rfind(|(rule, first, _)| (*rule, *first) == (a.rule, a.first));
                own.unwrap().2 = a.last_certain;
            }
        }
    }
    all
}

/// How long it was certain, certainly not, and unknown from `from` to `to` that the press runs and the fan does not, ms.
fn time_of(findings: &[Finding], from: UtcMs, to: UtcMs) -> [i64; 3] {
    let mut edges: Vec<(UtcMs, u16, State)> = findings
        .iter()
        .filter_map(|f| {
            if let Finding::State { point, at, state } = f { Some((*at, *point, *state)) } else { None }
        })
        .collect();
    edges.sort_by_key(|e| e.0);
    edges.push((to, PRESS, State::Unknown));
    let (mut states, mut t, mut sums) = ([State::Unknown; 2], from, [0; 3]);
    for (at, point, state) in edges {
        let at = at.clamp(t, to);
        let kind = match (states[usize::from(PRESS)], states[usize::from(FAN)]) {
            (State::Idle | State::Off, _) | (_, State::Running) => 1,
            (State::Running, State::Idle | State::Off) => 0,
            _ => 2,
        };
        sums[kind] += at.since(t);
        (t, states[usize::from(point)]) = (at, state);
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn nothing_is_said_of_treatment_that_the_whole_does_not_bear_out(whole in days(), lost in losses()) {
        let borne = spans(&alerts_of(findings(&whole)));
        let thin = thinned(&whole, &lost);
        for (rule, first, last) in spans(&alerts_of(findings(&thin))) {
            let bears_out = |(r, from, to): &(Rule, UtcMs, UtcMs)| {
                let is_same = *r == rule || *r == Rule::TreatmentOff && is_told_for_it(rule);
                is_same && *from <= last && first <= *to
            };
            prop_assert!(
                is_of_missing(rule) || borne.iter().any(bears_out),
                "{rule:?} from {first} to {last} of {borne:?}"
            );
        }
    }

    #[test]
    fn certain_time_and_unknown_time_are_what_the_states_say(whole in days(), lost in losses()) {
        let found = findings(&thinned(&whole, &lost));
        let alerts = alerts_of(found.clone());
        for a in alerts.iter().filter(|a| a.rule == Rule::TreatmentOff && a.change == Change::Cleared) {
            let [certain_ms, not_ms, unknown_ms] = time_of(&found, a.first, a.at);
            prop_assert_eq!((a.certain_ms, a.unknown_ms), (certain_ms, unknown_ms));
            prop_assert_eq!(a.certain_ms + a.unknown_ms + not_ms, a.at.since(a.first), "nothing is left over");
        }
    }
}
