//! A site over minutes: what is raised and cleared, and that batching and order within the window change nothing.

use proptest::prelude::*;

use super::plant::{
    FAN, Minute, OFF, ON, PRESS, REORDER_MS, START, alerts_of, judge, observations, stretch, told,
};
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::finding::Finding;
use crate::model::rule::{Level, Rule};
use crate::model::time::MINUTE_MS;

fn alerts(minutes: &[Minute]) -> Vec<AlertFinding> {
    let end = START.plus(minutes.len() as i64 * MINUTE_MS);
    alerts_of(judge(&observations(minutes), MINUTE_MS, end))
}

#[test]
fn treatment_off_is_raised_dated_back_rises_and_clears() {
    let day = [stretch((ON, ON), 20), stretch((ON, OFF), 40), stretch((ON, ON), 20)].concat();
    let found = alerts(&day);
    assert_eq!(
        told(&found),
        [
            (Rule::TreatmentOff, Change::Raised, 30, 20, Level::Warning),
            (Rule::TreatmentOff, Change::Escalated, 50, 20, Level::Alarm),
            (Rule::TreatmentOff, Change::Cleared, 65, 20, Level::Alarm),
        ]
    );
    let cleared = &found[2];
    assert_eq!((cleared.certain_ms / MINUTE_MS, cleared.unknown_ms), (40, 0));
    let press = cleared.tallies.iter().find(|t| t.point == PRESS).unwrap();
    let fan = cleared.tallies.iter().find(|t| t.point == FAN).unwrap();
    assert_eq!((press.mean_w(), fan.mean_w(), fan.max_w), (Some(5_000.0), Some(0.0), 0.0));
    assert_eq!((press.n_samples, fan.n_samples), (40, 40), "what is seen before and after is no proof");
}

#[test]
fn a_short_gap_is_no_alert_and_neither_is_idle_production() {
    assert!(alerts(&[stretch((ON, ON), 5), stretch((ON, OFF), 9), stretch((ON, ON), 9)].concat()).is_empty());
    assert!(alerts(&stretch((Some(500.0), OFF), 300)).is_empty());
}

#[test]
fn a_second_trip_is_a_second_alert() {
    let trip = [stretch((ON, ON), 10), stretch((ON, OFF), 15)].concat();
    let raised: Vec<_> = alerts(&[trip.clone(), trip].concat())
        .into_iter()
        .filter(|a| a.change == Change::Raised)
        .map(|a| a.first.since(START) / MINUTE_MS)
        .collect();
    assert_eq!(raised, [10, 35]);
}

#[test]
fn attack_cut_the_meter_not_the_fan() {
    let day = [stretch((ON, ON), 20), stretch((ON, None), 60), stretch((ON, ON), 20)].concat();
    let found = alerts(&day);
    assert!(found.iter().all(|a| a.rule != Rule::TreatmentOff), "missing is not off");
    assert_eq!(
        told(&found),
        [
            (Rule::DataMissing, Change::Raised, 49, 19, Level::Warning),
            (Rule::GapWhileProducing, Change::Raised, 49, 19, Level::Warning),
            (Rule::DataMissing, Change::Cleared, 85, 19, Level::Warning),
            (Rule::GapWhileProducing, Change::Cleared, 85, 19, Level::Warning),
        ]
    );
}

#[test]
fn attack_toggle_inside_the_debounce() {
    let toggle = [stretch((ON, OFF), 8), stretch((ON, ON), 3)].concat();
    let found = alerts(&[stretch((ON, ON), 5), toggle.repeat(6)].concat());
    let rules: Vec<_> = found.iter().map(|a| (a.rule, a.change)).collect();
    assert_eq!(rules, [(Rule::Fragmented, Change::Raised)]);
    assert_eq!(found[0].certain_ms / MINUTE_MS, 32);
    assert_eq!(found[0].fragments.len(), 4);
}

#[test]
fn a_silent_gateway_is_one_alert_and_opens_no_off() {
    let day = [stretch((ON, ON), 10), stretch((None, None), 90), stretch((ON, ON), 15)].concat();
    let found = alerts(&day);
    assert!(matches!(found[0].subject, Subject::Gateway(0)));
    assert_eq!(
        told(&found),
        [
            (Rule::DataMissing, Change::Raised, 39, 9, Level::Warning),
            (Rule::DataMissing, Change::Cleared, 105, 9, Level::Warning),
        ]
    );
}

#[test]
fn silence_neither_clears_nor_counts_in_an_open_alert() {
    let day = [stretch((ON, OFF), 15), stretch((None, None), 20), stretch((ON, OFF), 10)].concat();
    let found: Vec<_> = alerts(&day).into_iter().filter(|a| a.rule == Rule::TreatmentOff).collect();
    assert_eq!(told(&found), [(Rule::TreatmentOff, Change::Raised, 10, 0, Level::Warning)]);
}

fn minutes() -> impl Strategy<Value = Vec<Minute>> {
    let power = || prop_oneof![4 => Just(ON), 4 => Just(OFF), 1 => Just(Some(700.0)), 2 => Just(None)];
    let piece = (power(), power(), 1_usize..45).prop_map(|(press, fan, n)| vec![(press, fan); n]);
    proptest::collection::vec(piece, 1..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn ticks_order_and_duplicates_within_the_window_change_nothing(
        minutes in minutes(),
        tick_ms in 1_000_i64..200_000,
        shuffle in proptest::collection::vec(0_u32..REORDER_MS, 1..50),
        again in 1_usize..9,
    ) {
        let end = START.plus(minutes.len() as i64 * MINUTE_MS + 1);
        let seen = observations(&minutes);
        let mut delayed: Vec<_> = seen
            .iter()
            .zip(shuffle.iter().cycle())
            .map(|(o, delay_ms)| (o.at.plus(i64::from(*delay_ms) / 2), *o))
            .collect();
        let copies: Vec<_> = delayed.iter().step_by(again).copied().collect();
        delayed.extend(copies.into_iter().map(|(t, o)| (t.plus(500), o)));
        delayed.sort_by_key(|(t, o)| (*t, o.point));
        let delayed: Vec<_> = delayed.into_iter().map(|(_, o)| o).collect();
        prop_assert_eq!(by_time(judge(&seen, MINUTE_MS, end)), by_time(judge(&delayed, tick_ms, end)));
    }
}

/// Findings in the order of the moments at which they hold; how late each became known is not compared.
fn by_time(findings: Vec<Finding>) -> Vec<String> {
    let mut all: Vec<_> = findings
        .into_iter()
        .map(|f| match &f {
            Finding::State { at, .. } => (*at, format!("{f:?}")),
            Finding::Alert(a) => (a.at, format!("{f:?}")),
        })
        .collect();
    all.sort();
    all.into_iter().map(|(_, text)| text).collect()
}
