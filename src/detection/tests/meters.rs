//! The rules about one meter: what they say, and each false alarm of the catalogue that can be played.

use proptest::prelude::*;

use super::plant::plant;
use super::wall::{Line, Said, fan, lines, said_of, sound, told, told_late};
use crate::alerts::figure::Fact;
use crate::alerts::finding::{AlertFinding, Change};
use crate::model::meter::Counting;
use crate::model::rule::{Level, Rule};
use crate::model::time::MINUTE_MS;

use Change::{Cleared, Escalated, Raised};
use Level::{Alarm, Notice, Warning};

const NOTHING: [Line; 0] = [];

#[test]
fn a_sound_meter_is_told_nothing_of() {
    assert_eq!(said_of(&fan(600, |_| {})), NOTHING);
    // Without phases, without a register, without either.
    assert_eq!(said_of(&fan(300, |s| (s.u, s.i) = ([f64::NAN; 3], [f64::NAN; 3]))), NOTHING);
    assert_eq!(said_of(&fan(300, |s| s.kwh = None)), NOTHING);
}

fn frozen_from(from: i64, to: i64) -> impl Fn(&mut Said) {
    move |s| {
        if (from..to).contains(&s.minute) {
            let still = sound(1, from);
            (s.u, s.i, s.kw) = (still.u, still.i, still.kw);
        }
    }
}

#[test]
fn values_that_do_not_move_under_load_are_frozen() {
    let found = told(&plant(), &fan(60, frozen_from(20, 40)), MINUTE_MS);
    assert_eq!(
        lines(&found),
        [(Rule::Frozen, Raised, 30, 20, Warning), (Rule::Frozen, Cleared, 40, 20, Warning)]
    );
    assert_eq!((found[0].figures[0].what, found[0].figures[0].value), (Fact::SameReadings, 11.0));
    assert_eq!(found[0].instants.len(), 2);
    assert_eq!(said_of(&fan(60, frozen_from(20, 29))), NOTHING, "too short");
    // One reading in between that moved begins it anew; one second in silence too.
    let moved = fan(60, |s| {
        if s.minute != 28 {
            frozen_from(20, 37)(s)
        }
    });
    assert_eq!(said_of(&moved), NOTHING);
    let mut silent = fan(60, frozen_from(20, 37));
    silent.retain(|s| !(25..33).contains(&s.minute));
    assert_eq!(said_of(&silent), NOTHING, "what lay in the silence is not known");
}

#[test]
fn what_is_off_or_coarse_may_stand_still() {
    // Off: only voltages are compared, and they move.
    assert_eq!(said_of(&fan(180, |s| (s.i, s.kw, s.kwh) = ([0.0; 3], 0.0, Some(1_000.25)))), NOTHING);
    // Off, and its voltages stand: 60 min.
    let off = fan(180, |s| {
        (s.i, s.kw, s.kwh) = ([0.0; 3], 0.0, Some(1_000.25));
        s.u = [221.5, 220.1, 222.0];
    });
    assert_eq!(said_of(&off), [(Rule::Frozen, Raised, 60, 0, Warning)]);
    // A meter that shows whole volts: an hour under load, nothing when off.
    let coarse = |s: &mut Said| (s.u, s.i, s.kw) = ([221.0; 3], [9.0; 3], 6.0);
    assert_eq!(said_of(&fan(59, coarse)), NOTHING);
    assert_eq!(said_of(&fan(70, coarse)), [(Rule::Frozen, Raised, 60, 0, Warning)]);
    let coarse_off = fan(180, |s| (s.u, s.i, s.kw, s.kwh) = ([221.0; 3], [0.0; 3], 0.0, Some(1_000.25)));
    assert_eq!(said_of(&coarse_off), NOTHING);
}

#[test]
fn a_register_that_stands_still_under_load_is_stuck_and_a_coarse_one_is_not() {
    let stuck = fan(40, |s| s.kwh = Some(sound(1, s.minute.min(20)).kwh.unwrap()));
    let found = told(&plant(), &stuck, MINUTE_MS);
    // It showed tenths: five of them are made in a little more than five minutes.
    assert_eq!(lines(&found), [(Rule::Frozen, Raised, 26, 20, Warning)]);
    assert_eq!(
        found[0].figures.iter().map(|f| f.what).collect::<Vec<_>>(),
        [Fact::StuckEnergy, Fact::RegisterStep]
    );
    let whole = fan(120, |s| s.kwh = s.kwh.map(f64::floor));
    assert_eq!(said_of(&whole), NOTHING, "it counts whole kWh, one in ten minutes");
    let mut typed = plant();
    typed.1[1].counting = Counting { step_kwh: Some(1.0), ..Counting::default() }.boxed();
    let whole_and_stuck = fan(120, |s| s.kwh = Some(1_000.0));
    let found = lines(&told(&typed, &whole_and_stuck, MINUTE_MS));
    assert_eq!(found.len(), 1);
    assert!((50..53).contains(&found[0].2), "five steps of a kWh at 6 kW: {found:?}");
    // A float of 32 bits at 20 GWh moves by 2 kWh at a time.
    typed.1[1].counting = Counting { is_single: true, ..Counting::default() }.boxed();
    let float = fan(240, |s| s.kwh = s.kwh.map(|kwh| f64::from((kwh + 2e7) as f32)));
    assert_eq!(lines(&told(&typed, &float, MINUTE_MS)), NOTHING);
}

/// The register from minute 20 on, given what it would say.
fn register_from_20(to: impl Fn(f64) -> f64) -> Vec<Said> {
    fan(40, move |s| {
        if s.minute >= 20 {
            s.kwh = s.kwh.map(|kwh| (to(kwh) * 100.0).round() / 100.0);
        }
    })
}

#[test]
fn a_register_that_goes_back_or_jumps_is_told_once_it_counts_on_from_there() {
    for (to, level) in [(-1_002.0, Alarm), (-400.0, Alarm), (400.0, Warning)] {
        let found = told(&plant(), &register_from_20(|kwh| kwh + to), MINUTE_MS);
        let expected = [(Rule::Counter, Raised, 21, 20, level), (Rule::Counter, Cleared, 21, 20, level)];
        assert_eq!(lines(&found), expected, "{to}");
        let figures: Vec<_> = found[0].figures.iter().map(|f| (f.what, f.value)).collect();
        assert_eq!(figures[0], (Fact::RegisterBefore, 1_001.9));
        assert_eq!(figures[1], (Fact::RegisterAfter, 1_002.0 + to));
        assert_eq!(found[0].instants.len(), 2);
    }
}

#[test]
fn a_gateway_that_says_zero_for_a_while_resets_no_register() {
    let zeros = fan(40, |s| {
        if (20..23).contains(&s.minute) {
            s.kwh = Some(0.0)
        }
    });
    assert_eq!(said_of(&zeros), NOTHING);
}

#[test]
fn a_register_at_its_end_and_one_in_another_prefix_are_what_they_are() {
    let over = fan(40, |s| s.kwh = s.kwh.map(|kwh| ((kwh + 8_998.0) * 100.0).round() % 1e6 / 100.0));
    let found = told(&plant(), &over, MINUTE_MS);
    assert_eq!(
        lines(&found),
        [(Rule::Counter, Raised, 20, 20, Notice), (Rule::Counter, Cleared, 20, 20, Notice)]
    );
    let mega = told(&plant(), &register_from_20(|kwh| kwh / 1_000.0), MINUTE_MS);
    assert_eq!(mega, [], "in hundredths of a MWh it does not move in 20 min");
    let mut large = register_from_20(|kwh| kwh);
    for s in large.iter_mut().filter(|s| s.point == 1) {
        let kwh = s.kwh.unwrap() + 5e6;
        s.kwh = Some(if s.minute >= 20 { (kwh / 10.0).round() / 100.0 } else { kwh });
    }
    // 6 kW, so hundredths of a MWh move after 100 min: told when they do.
    large.extend((40..240).map(|minute| {
        let kwh = sound(1, minute).kwh.unwrap() + 5e6;
        Said { kwh: Some((kwh / 10.0).round() / 100.0), ..sound(1, minute) }
    }));
    let found = told(&plant(), &large, MINUTE_MS);
    let counter: Vec<_> = found.iter().filter(|a| a.rule == Rule::Counter && a.change == Raised).collect();
    assert_eq!(counter.len(), 1);
    assert_eq!((counter[0].level, counter[0].figures[2].value), (Warning, 0.001));
}

#[test]
fn hours_in_which_register_and_power_contradict_each_other_are_told_and_a_sudden_ct_step_is_an_alarm() {
    let begins = 240;
    let times = |factor: f64| {
        fan(600, move |s| {
            if s.minute >= begins {
                let kwh = sound(1, begins).kwh.unwrap() + (s.minute - begins) as f64 * 0.1 * factor;
                s.kwh = Some((kwh * 100.0 + 1e-6).floor() / 100.0);
            }
        })
    };
    // START lies at ten past a full hour.
    for (factor, level) in [(1.2, Warning), (2.0, Alarm), (0.5, Alarm)] {
        let found = told(&plant(), &times(factor), MINUTE_MS);
        let own: Vec<_> = found.iter().filter(|a| a.rule == Rule::PowerEnergyMismatch).collect();
        assert_eq!((own.len(), own[0].change, own[0].level), (1, Raised, level), "{factor}: {found:?}");
        let ratio = own[0].figures.iter().find(|f| f.what == Fact::RegisterRatio).unwrap().value;
        assert!((ratio / factor - 1.0).abs() < 0.1, "{ratio}");
    }
    assert_eq!(said_of(&times(1.03)), NOTHING, "within 5 %");
    // Power says nothing at all: there is no ratio to tell.
    let nothing = told(&plant(), &fan(300, |s| s.kw = 0.0), MINUTE_MS);
    let figures = &nothing.iter().find(|a| a.rule == Rule::PowerEnergyMismatch).unwrap().figures;
    assert!(figures.iter().all(|f| f.value.is_finite() && f.what != Fact::RegisterRatio));
}

/// Welding: the load comes and goes within the minute, and is seen on or off by chance. The register counts its mean.
#[test]
fn a_load_that_comes_and_goes_between_readings_is_no_contradiction() {
    let welding = fan(600, |s| {
        let on = s.minute * 7919 % 101 < 50;
        s.kw = if on { 9.0 } else { 0.1 };
        s.i = if on { [28.0, 27.0, 0.1] } else { [0.4, 0.4, 0.1] };
        s.kwh = Some((1_000.0 + s.minute as f64 * 0.076).mul_add(100.0, 1e-6).floor() / 100.0);
    });
    assert_eq!(said_of(&welding), NOTHING);
}

fn phases(change: impl Fn(&mut Said) + Copy, from: i64, to: i64) -> Vec<Line> {
    said_of(&fan(120, move |s| {
        if (from..to).contains(&s.minute) {
            change(s)
        }
    }))
}

#[test]
fn wiring_that_is_wrong_is_raised_and_cleared_each_after_its_time() {
    let reverse = phases(|s| s.i[1] = -s.i[1], 20, 60);
    let both = |rule, up, down, level| [(rule, Raised, up, 20, level), (rule, Cleared, down, 20, level)];
    assert_eq!(reverse, both(Rule::ReverseCt, 25, 65, Warning));
    assert_eq!(phases(|s| s.u[2] = 150.0, 20, 60), both(Rule::VoltageLoss, 21, 61, Warning));
    assert_eq!(phases(|s| s.i = [12.0, 12.0, 6.0], 20, 60), both(Rule::Imbalance, 30, 70, Notice));
    let low = phases(|s| s.u = s.u.map(|u| u * 0.85), 20, 60);
    assert_eq!(low, both(Rule::Undervoltage, 30, 70, Notice));
    let long = phases(|s| s.u = s.u.map(|u| u * 0.85), 20, 110);
    assert_eq!(long[1], (Rule::Undervoltage, Escalated, 80, 20, Warning));
    for short in [23, 21] {
        let flicker = phases(|s| (s.u[2], s.i[1]) = (150.0, s.i[1]), 20, short);
        assert_eq!(flicker.len(), if short == 21 { 0 } else { 2 });
    }
}

#[test]
fn loads_and_grids_that_are_so_are_no_faults() {
    let single = phases(|s| (s.i, s.kw) = ([25.0, 0.0, 0.0], 5.5), 20, 100);
    assert_eq!(single, NOTHING, "a load on one phase");
    let three_wires =
        fan(120, |s| (s.u, s.i) = ([383.0 + s.u[0] % 1.0, 0.0, 381.0], [9.0 + s.u[1] % 1.0, 0.0, 9.1]));
    assert_eq!(said_of(&three_wires), NOTHING, "a meter with two elements");
    let sag = (0..120).flat_map(|minute| {
        [0, 1].map(|point| {
            let own = sound(point, minute);
            Said { u: own.u.map(|u| u * 0.85), ..own }
        })
    });
    assert_eq!(said_of(&sag.collect::<Vec<_>>()), NOTHING, "the grid is low for all");
    let unseen = fan(120, |s| {
        if s.point == 1 {
            s.u = s.u.map(|u| u * 0.85)
        }
    });
    let alone: Vec<_> = unseen.into_iter().filter(|s| s.point == 1).collect();
    assert_eq!(said_of(&alone), NOTHING, "nothing is known of the others");
}

#[test]
fn silence_neither_builds_up_nor_clears() {
    let mut said = fan(200, |s| {
        if s.minute < 120 {
            s.u[2] = 150.0
        }
    });
    said.retain(|s| s.minute < 1 || (30..32).contains(&s.minute) || s.minute >= 150);
    // Seen once, silent, seen for two readings, silent, sound.
    assert_eq!(
        said_of(&said).into_iter().filter(|l| l.0 == Rule::VoltageLoss).collect::<Vec<_>>(),
        [(Rule::VoltageLoss, Raised, 31, 30, Warning), (Rule::VoltageLoss, Cleared, 151, 30, Warning)]
    );
}

#[test]
fn a_rule_that_is_off_says_nothing() {
    let mut quiet = plant();
    for rule in [Rule::Frozen, Rule::Counter, Rule::VoltageLoss] {
        quiet.0.rules.turn(rule, false);
    }
    let said = fan(90, |s| {
        frozen_from(20, 40)(s);
        if s.minute > 50 {
            (s.u[2], s.kwh) = (150.0, s.kwh.map(|kwh| kwh - 400.0));
        }
    });
    assert_eq!(lines(&told(&quiet, &said, MINUTE_MS)), NOTHING);
}

fn stories() -> impl Strategy<Value = Vec<Said>> {
    let piece = (0_u8..8, 1_i64..40).prop_map(|(what, n)| (what, n));
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| {
        let mut said = Vec::new();
        let (mut minute, mut offset) = (0, 0.0);
        for (what, n) in pieces {
            for _ in 0..n {
                let mut own = sound(1, minute);
                own.kwh = own.kwh.map(|kwh| kwh + offset);
                match what {
                    0 => (own.u, own.i, own.kw) = (sound(1, 3).u, sound(1, 3).i, 6.0),
                    1 => own.u[2] = 150.0,
                    2 => own.i[1] = -own.i[1],
                    3 => own.u = own.u.map(|u| u * 0.85),
                    4 => own.kwh = Some(1_500.0),
                    5 => offset = 300.0,
                    _ => {}
                }
                if what != 6 {
                    said.extend([sound(0, minute), own]);
                }
                minute += 1;
            }
        }
        said
    })
}

proptest! {
    #[test]
    fn cutting_and_the_order_within_the_window_change_nothing(
        said in stories(),
        tick_ms in 1_000_i64..9_000_000,
        late_ms in proptest::collection::vec(0_i64..60_000, 1..40),
    ) {
        let by_time = |found: Vec<AlertFinding>| {
            let mut found: Vec<_> = found.iter().map(|a| (a.at, format!("{a:?}"))).collect();
            found.sort();
            found
        };
        let plain = by_time(told(&plant(), &said, MINUTE_MS));
        prop_assert_eq!(&plain, &by_time(told(&plant(), &said, tick_ms)));
        let late = told_late(&plant(), &said, tick_ms.min(50_000), &late_ms);
        prop_assert_eq!(plain, by_time(late));
    }
}
