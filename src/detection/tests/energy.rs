//! Power from energy: the same load told by power, by register and by both; and that batching changes nothing.

use proptest::prelude::*;

use super::plant::{FAN, PRESS, REORDER_MS, START, judge, plant};
use crate::detection::finding::Finding;
use crate::detection::observe::{Observation, Stamp};
use crate::detection::site::{Offer, SiteContext, SiteJudge};
use crate::model::meter::Counting;
use crate::model::quantity::Channel;
use crate::model::state::State;
use crate::model::time::{HOUR_MS, MINUTE_MS, UtcMs};

/// Power of the fan through a minute, kW; its register counts hundredths. Seen at each full minute.
fn told_by(minutes_kw: &[f64], begin_kwh: f64, speaks: impl Fn(usize) -> (bool, bool)) -> Vec<Observation> {
    let mut kwh = begin_kwh;
    let mut seen = Vec::new();
    for (minute, kw) in minutes_kw.iter().enumerate() {
        let at = START.plus(minute as i64 * MINUTE_MS);
        let (power, energy) = speaks(minute);
        let register = (kwh * 100.0 + 1e-6).floor() / 100.0;
        let power_w = power.then_some(kw * 1_000.0);
        if power || energy {
            seen.push(Observation::plain(FAN, at, power_w, energy.then_some(register), 1 + minute as u64));
        }
        kwh += kw / 60.0;
    }
    seen
}

/// States of the fan by minute.
fn states(seen: &[Observation]) -> Vec<(i64, State)> {
    let end = seen.last().map_or(START, |o| o.at).plus(2 * HOUR_MS);
    let state = |f| match f {
        Finding::State { point: FAN, at, state } => Some((at.since(START) / MINUTE_MS, state)),
        _ => None,
    };
    judge(seen, MINUTE_MS, end).into_iter().filter_map(state).collect()
}

fn day(pieces: &[(f64, usize)]) -> Vec<f64> {
    pieces.iter().flat_map(|(kw, n)| vec![*kw; *n]).collect()
}

#[test]
fn energy_alone_tells_what_power_tells_up_to_its_step() {
    let load = day(&[(5.0, 30), (0.0, 30), (5.0, 30)]);
    let by_power = states(&told_by(&load, 77.0, |_| (true, false)));
    assert_eq!(by_power[..3], [(0, State::Running), (30, State::Off), (60, State::Running)]);
    let by_energy = states(&told_by(&load, 77.0, |_| (false, true)));
    // 0.01 kWh needs a minute to be told from 0.6 kW: changes are known to the minute or two.
    let known: Vec<_> = by_energy.iter().filter(|(_, s)| *s != State::Unknown).collect();
    assert_eq!(
        known.iter().map(|(_, s)| *s).collect::<Vec<_>>(),
        [State::Running, State::Off, State::Running]
    );
    for ((at, _), true_at) in known.iter().zip([0, 30, 60]) {
        assert!((0..=3).contains(&(at - true_at)), "{by_energy:?}");
    }
}

#[test]
fn a_coarse_register_tells_less_and_guesses_nothing() {
    // The fan draws 5 kW and its register counts whole kWh: 12 min a step, 100 min to tell that it stands.
    let load = day(&[(5.0, 120), (0.0, 300), (5.0, 120)]);
    let mut seen = told_by(&load, 77.0, |_| (false, true));
    for own in &mut seen {
        own.energy_kwh = own.energy_kwh.get().map(f64::floor).into();
    }
    let (site, mut meters) = plant();
    meters[1].counting = Counting { step_kwh: Some(1.0), ..Counting::default() }.boxed();
    let context = SiteContext::new(&site, &meters);
    let mut own = SiteJudge::new(&site, &context, START.plus(-1));
    let mut out = Vec::new();
    seen.iter().for_each(|o| assert_eq!(own.offer(*o), Offer::Accepted));
    own.advance(&site, &context, START.plus(12 * HOUR_MS), &mut |f| out.push(f));
    let told: Vec<_> = out
        .iter()
        .filter_map(|f| match f {
            Finding::State { point: FAN, at, state } => Some((at.since(START) / MINUTE_MS, *state)),
            _ => None,
        })
        .collect();
    let states: Vec<_> = told.iter().map(|(_, s)| *s).collect();
    use State::{Off, Running, Unknown};
    assert_eq!(states, [Running, Unknown, Off, Unknown, Running], "{told:?}");
    let is_right = |(at, state): &(i64, State)| match state {
        Running => !(120..420).contains(at),
        Off => (120..420).contains(at),
        _ => true,
    };
    assert!(told.iter().all(is_right), "{told:?}");
}

#[test]
fn a_register_that_begins_anew_or_was_reset_makes_no_power_of_its_own() {
    let load = day(&[(5.0, 60)]);
    for begin in [9_999.0, 99_998.5] {
        let mut seen = told_by(&load, begin, |_| (false, true));
        for own in &mut seen {
            own.energy_kwh = own.energy_kwh.get().map(|kwh| kwh % if begin < 1e4 { 1e4 } else { 1e5 }).into();
        }
        assert_eq!(states(&seen)[..1], [(1, State::Running)]);
        assert_eq!(states(&seen).len(), 2, "running, and unknown at the end: {:?}", states(&seen));
    }
    let mut seen = told_by(&load, 500.0, |_| (false, true));
    for own in &mut seen[30..] {
        own.energy_kwh = own.energy_kwh.get().map(|kwh| kwh - 502.0).into();
    }
    let runs: Vec<_> = states(&seen).into_iter().filter(|(_, s)| *s != State::Unknown).collect();
    assert_eq!(runs, [(1, State::Running)], "nothing else is made of it");
}

#[test]
fn a_register_that_says_zero_or_another_prefix_is_not_off() {
    let load = day(&[(5.0, 90)]);
    for wrong in [|_: f64| 0.0, |kwh: f64| (kwh / 10.0).round() / 100.0] {
        let mut seen = told_by(&load, 5_000.0, |_| (false, true));
        for own in &mut seen[30..60] {
            own.energy_kwh = own.energy_kwh.get().map(wrong).into();
        }
        let states: Vec<_> = states(&seen).into_iter().map(|(_, s)| s).collect();
        use State::{Running, Unknown};
        assert_eq!(states, [Running, Unknown, Running, Unknown]);
    }
}

/// A meter that sends what changed: its register is filled in from the message before, and says nothing of now.
#[test]
fn a_register_that_was_filled_in_is_not_one_that_stands_still() {
    let load = day(&[(5.0, 60)]);
    let (site, meters) = plant();
    let context = SiteContext::new(&site, &meters);
    let merged = |minute: usize, kwh: f64| {
        let at = START.plus(minute as i64 * MINUTE_MS);
        let stamp = Stamp { at, offset: 1 + minute as u64, is_merged: true };
        Observation::of(FAN, stamp, &[(Channel::ENERGY, kwh)], &context.meters)
    };
    let seen: Vec<_> = told_by(&load, 77.03, |_| (false, true))
        .chunks(4)
        .enumerate()
        .flat_map(|(n, four)| [0, 1, 2, 3].map(|i| merged(4 * n + i, four[0].energy_kwh.get().unwrap())))
        .collect();
    let states: Vec<_> = states(&seen).into_iter().map(|(_, s)| s).collect();
    assert_eq!(states, [State::Running, State::Unknown], "unknown at the end alone");
}

/// A heater that is on half of each minute, never when it is looked at: its register knows.
#[test]
fn a_register_that_is_fine_enough_is_the_better_word() {
    let (_, press) = (FAN, PRESS);
    let readings = |kw_seen: f64| -> Vec<_> {
        (0..60)
            .map(|minute| {
                let at = START.plus(minute * MINUTE_MS);
                let kwh = Some(100.0 + minute as f64 * 0.05);
                Observation::plain(press, at, Some(kw_seen * 1_000.0), kwh, 1 + minute.unsigned_abs())
            })
            .collect()
    };
    let (mut site, meters) = plant();
    // 3 kW in the mean; the threshold is such that 0.01 kWh a minute is a tenth of it.
    let thresholds = &mut site.points[usize::from(press)].thresholds;
    (thresholds.running_above_w, thresholds.running_below_w) = (9_000.0, 6_500.0);
    let context = SiteContext::new(&site, &meters);
    let power = |seen: Vec<Observation>| {
        let mut judge = SiteJudge::new(&site, &context, START.plus(-1));
        seen.iter().for_each(|o| assert_eq!(judge.offer(*o), Offer::Accepted));
        judge.advance(&site, &context, START.plus(HOUR_MS), &mut |_| {});
        judge.point(press).power_w.unwrap().round()
    };
    assert_eq!(power(readings(0.0)), 3_000.0);
    let mut stuck = readings(4.0);
    stuck.iter_mut().for_each(|o| o.energy_kwh = Some(100.0).into());
    assert_eq!(power(stuck), 4_000.0, "a register that stands still may be stuck");
}

fn loads() -> impl Strategy<Value = Vec<(f64, bool, bool)>> {
    let kw = prop_oneof![Just(0.0), Just(5.0), 0.0..8.0_f64];
    let piece = (kw, any::<bool>(), prop_oneof![4 => Just(true), 1 => Just(false)], 1_usize..40)
        .prop_map(|(kw, power, energy, n)| vec![(kw, power, energy); n]);
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_of_the_same_readings_gives_the_same_states(
        load in loads(),
        tick_ms in 1_000_i64..400_000,
        turns_at in 0.0..10.0_f64,
    ) {
        let kw: Vec<_> = load.iter().map(|l| l.0).collect();
        let mut seen = told_by(&kw, 9_990.0 + turns_at, |minute| (load[minute].1, load[minute].2));
        for own in &mut seen {
            own.energy_kwh = own.energy_kwh.get().map(|kwh| kwh % 1e4).into();
        }
        let end = START.plus(load.len() as i64 * MINUTE_MS + 3 * HOUR_MS);
        let by_time = |mut found: Vec<Finding>| {
            found.sort_by_key(|f| match f {
                Finding::State { at, .. } => *at,
                Finding::Alert(a) => a.at,
            });
            found.into_iter().map(|f| format!("{f:?}")).collect::<Vec<_>>()
        };
        let at_once = by_time(at_once(&seen, end));
        prop_assert_eq!(&at_once, &by_time(judge(&seen, tick_ms, end)));
        prop_assert_eq!(at_once, by_time(judge(&seen, i64::from(REORDER_MS) / 7, end)));
    }
}

/// All of it judged in one go.
fn at_once(seen: &[Observation], end: UtcMs) -> Vec<Finding> {
    let (site, meters) = plant();
    let context = SiteContext::new(&site, &meters);
    let mut judge = SiteJudge::new(&site, &context, START.plus(-1));
    let mut out = Vec::new();
    seen.iter().for_each(|o| assert_eq!(judge.offer(*o), Offer::Accepted));
    judge.advance(&site, &context, end, &mut |f| out.push(f));
    out
}
