//! Learning on made-up loads: those with clear levels are learned and then judged right by detection itself, those with one
//! level are refused. Source of the kinds of load: rule catalogue, 3.2.

use std::f64::consts::TAU;

use submeterd::detection::sample::Sample;
use submeterd::detection::state::{UnitLimits, UnitState};
use submeterd::learning::acceptance::Failed;
use submeterd::learning::adopt;
use submeterd::learning::minute::Minute;
use submeterd::learning::split::{Needs, Outcome, learn};
use submeterd::model::basis::Basis;
use submeterd::model::site::{Point, PointKind, Thresholds};
use submeterd::model::state::State;
use submeterd::model::thresholds::fallback;
use submeterd::model::time::{MINUTE_MS, UtcMs};

const DAYS: i64 = 15;
const N_MINUTES: i64 = DAYS * 1_440;

/// Numbers that look random and are the same every time.
struct Noise(fastrand::Rng);

impl Noise {
    fn new(seed: u64) -> Noise {
        Noise(fastrand::Rng::with_seed(seed))
    }

    fn within(&mut self, from: f64, to: f64) -> f64 {
        from + self.0.f64() * (to - from)
    }

    /// About 1, with this deviation.
    fn about_one(&mut self, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.0.f64()).sum();
        (1.0 + deviation * (sum - 6.0)).max(0.0)
    }
}

/// What a unit draws, and whether it runs.
struct Load {
    name: &'static str,
    kind: PointKind,
    rated_w: f64,
    minutes: Vec<Minute>,
    runs: Vec<bool>,
    has_idle: bool,
}

/// A level of a load: its power, W, the noise on it, whether the unit runs at it, how long it is kept, min.
type Level = (f64, f64, bool, (f64, f64));

/// Goes from level to level, the next one each time. It changes somewhere within a minute, whose mean is of both.
fn steps(name: &'static str, kind: PointKind, rated_w: f64, levels: &[Level], seed: u64) -> Load {
    let mut noise = Noise::new(seed);
    let (mut minutes, mut runs) = (Vec::new(), Vec::new());
    let (mut at, mut next) = (0, 0);
    while at < N_MINUTES {
        let (power_w, deviation, is_running, (from, to)) = levels[next % levels.len()];
        #[expect(clippy::cast_possible_truncation, reason = "some minutes")]
        let ends = (at + noise.within(from, to) as i64).min(N_MINUTES);
        let before = next.checked_sub(1).map_or(levels[0], |b| levels[b % levels.len()]);
        let changes_after = noise.within(0.0, 1.0);
        let begin = at;
        while at < ends {
            let share = if at == begin { changes_after } else { 0.0 };
            let mean_w = share * before.0 + (1.0 - share) * power_w;
            minutes.push(Minute::new(at, mean_w * noise.about_one(deviation)));
            runs.push(if share > 0.5 { before.2 } else { is_running });
            at += 1;
        }
        next += 1;
    }
    Load { name, kind, rated_w, minutes, runs, has_idle: levels.len() == 3 }
}

fn loads_of_two_levels() -> Vec<Load> {
    use PointKind::{Production, Treatment};
    let mut all = vec![
        steps(
            "fan, day shift",
            Treatment,
            5.5e3,
            &[(1.0, 0.5, false, (700.0, 900.0)), (4.6e3, 0.02, true, (500.0, 700.0))],
            1,
        ),
        steps(
            "batch over a heater",
            Production,
            45e3,
            &[(12e3, 0.03, false, (60.0, 300.0)), (42e3, 0.05, true, (40.0, 200.0))],
            2,
        ),
        steps(
            "mixer, 1 h a day",
            Production,
            11e3,
            &[(5.0, 0.3, false, (1_300.0, 1_440.0)), (9e3, 0.08, true, (50.0, 70.0))],
            3,
        ),
        steps(
            "extractor with standby",
            Treatment,
            15e3,
            &[(300.0, 0.05, false, (100.0, 600.0)), (11e3, 0.04, true, (100.0, 900.0))],
            4,
        ),
    ];
    let mut turned_down = steps(
        "fan with a drive, off at night",
        Treatment,
        30e3,
        &[(0.0, 0.0, false, (500.0, 700.0)), (27e3, 0.03, true, (700.0, 900.0))],
        8,
    );
    for minute in &mut turned_down.minutes {
        // Its speed goes up and down between 0.75 and 1 in half a day; power follows the cube of speed.
        minute.power_w *= (0.875 + 0.125 * (TAU * minute.at as f64 / 720.0).sin()).powi(3);
    }
    all.push(turned_down);
    all
}

fn loads_of_three_levels() -> Vec<Load> {
    use PointKind::Production;
    vec![
        steps(
            "pelletizer, off, idle, loaded",
            Production,
            90e3,
            &[
                (0.0, 0.0, false, (300.0, 600.0)),
                (5e3, 0.1, false, (30.0, 90.0)),
                (84e3, 0.05, true, (200.0, 500.0)),
            ],
            5,
        ),
        steps(
            "compressor, off, unloaded, loaded",
            Production,
            22e3,
            &[
                (20.0, 0.2, false, (300.0, 600.0)),
                (5.5e3, 0.03, false, (20.0, 60.0)),
                (20e3, 0.03, true, (120.0, 300.0)),
            ],
            6,
        ),
        steps(
            "mill, off, idle, broad load",
            Production,
            55e3,
            &[
                (0.0, 0.0, false, (200.0, 400.0)),
                (4e3, 0.04, false, (40.0, 80.0)),
                (40e3, 0.12, true, (200.0, 500.0)),
            ],
            7,
        ),
    ]
}

fn point(load: &Load) -> Point {
    let powers = fallback(load.kind).map(|share| share * load.rated_w);
    let thresholds = Thresholds::new(powers, 120_000, 180_000, Basis::Fallback);
    Point {
        id: load.name.into(),
        name: load.name.into(),
        kind: load.kind,
        rated_w: load.rated_w,
        meter: 0,
        thresholds,
        commissioning: None,
    }
}

/// The share of minutes in which detection, by these thresholds, says "running" exactly when it is so.
fn right(load: &Load, thresholds: &Thresholds) -> f64 {
    let limits =
        UnitLimits { thresholds, period_ms: MINUTE_MS, heartbeat_ms: MINUTE_MS, gap_ms: 5 * MINUTE_MS };
    let mut edges = Vec::new();
    let mut unit = UnitState::unknown(UtcMs(-1));
    for minute in &load.minutes {
        let at = UtcMs(minute.at * MINUTE_MS);
        let power_w = Some(minute.power_w);
        let sample = Sample { at, until: at, last: at, power_w, ..Sample::default() };
        unit.offer(&sample, &limits, &mut |edge| {
            edges.push((edge.at, edge.state));
        });
    }
    let state_at = |at: UtcMs| {
        let after = edges.partition_point(|(from, _)| *from <= at);
        edges[..after].last().map_or(State::Unknown, |(_, state)| *state)
    };
    let is_right = |(minute, runs): &(&Minute, &bool)| match state_at(UtcMs(minute.at * MINUTE_MS)) {
        State::Unknown => false,
        state => (state == State::Running) == **runs,
    };
    load.minutes.iter().zip(&load.runs).filter(is_right).count() as f64 / load.runs.len() as f64
}

#[test]
fn loads_with_clear_levels_are_learned_and_judged_right() {
    println!("| load | T_on W | T_off W | idle W | right | right by shares of rated |");
    for load in loads_of_two_levels().into_iter().chain(loads_of_three_levels()) {
        let outcome = learn(&load.minutes, load.rated_w, Needs::default());
        let Outcome::Accepted(split) = &outcome else { panic!("{}: {outcome:?}", load.name) };
        let point = point(&load);
        let (learned, by_rated) =
            (right(&load, &adopt::thresholds(split, &point)), right(&load, &point.thresholds));
        println!(
            "| {} | {:.0} | {:.0} | {:.0?} | {learned:.4} | {by_rated:.4} |",
            load.name,
            split.running.on_w,
            split.running.off_w,
            split.idle.map(|idle| idle.figures.high_median_w)
        );
        assert!(learned >= 0.99, "{}: {learned}", load.name);
        assert_eq!(split.idle.is_some(), load.has_idle, "{}: {split:?}", load.name);
        if load.name == "batch over a heater" {
            assert!(by_rated < 0.5, "15 % of rated lies below the heater: always on, {by_rated}");
        }
    }
}

/// A unit whose power is `power_w` of the minute.
fn always(power_w: impl FnMut(i64) -> f64, days: i64) -> Vec<Minute> {
    let mut power_w = power_w;
    (0..days * 1_440).map(|m| Minute::new(m, power_w(m))).collect()
}

fn failed(minutes: &[Minute], rated_w: f64) -> Vec<Failed> {
    match learn(minutes, rated_w, Needs::default()) {
        Outcome::Refused(refused) => refused.failed,
        Outcome::Accepted(split) => panic!("{split:?}"),
    }
}

#[test]
fn what_is_always_on_or_always_off_is_refused() {
    let mut noise = Noise::new(11);
    let driven = always(
        |m| 30e3 * noise.about_one(0.02) * (0.82 + 0.18 * (TAU * m as f64 / 720.0).sin()).powi(3),
        DAYS,
    );
    let told = failed(&driven, 30e3);
    assert!(told.iter().any(|f| matches!(f, Failed::Gap { .. })), "a fan with a drive: {told:?}");

    let mut noise = Noise::new(12);
    let two_speed = always(|m| noise.about_one(0.02) * if m % 720 < 400 { 28e3 } else { 11e3 }, DAYS);
    let told = failed(&two_speed, 30e3);
    assert!(matches!(told[..], [Failed::LowOfRated { .. }]), "a fan with two speeds, on at both: {told:?}");

    let mut noise = Noise::new(13);
    let off = always(|_| noise.within(-20.0, 20.0), DAYS);
    let told = failed(&off, 30e3);
    assert!(matches!(told[..], [Failed::Range { .. }]), "off: {told:?}");
}

/// Two speeds and off: it runs at both speeds, so running begins below the lower.
#[test]
fn a_two_speed_fan_that_also_stands_still_runs_at_both_speeds() {
    let mut noise = Noise::new(14);
    let power = |m: i64| [0.0, 12e3, 28e3][usize::try_from(m / 240 % 3).unwrap()];
    let minutes = always(|m| noise.about_one(0.02) * power(m), DAYS);
    let outcome = learn(&minutes, 30e3, Needs::default());
    let split = outcome.accepted().unwrap();
    assert!(split.running.on_w < 11e3 && split.idle.is_none(), "{split:?}");
}

/// Levels of any height, with noise, slow swings, drift, starts, and outages too short to be a level.
#[test]
fn of_three_hundred_loads_with_one_level_none_is_accepted() {
    let needs = Needs { days_min: 3, ..Needs::default() };
    for seed in 0..300 {
        let mut noise = Noise::new(1_000 + seed);
        let rated_w = noise.within(1e3, 200e3);
        let level_w = rated_w * 10_f64.powf(noise.within(-2.5, 0.05));
        let (deviation, swing, period) =
            (noise.within(0.005, 0.25), noise.within(0.0, 0.4), noise.within(60.0, 3_000.0));
        let (drift, every) = (noise.within(-0.3, 0.3), 60 + noise.0.i64(0..2_000));
        let n_out = noise.0.i64(0..20);
        let minutes = always(
            |m| {
                let slow = 1.0 + swing * (TAU * m as f64 / period).sin() + drift * m as f64 / 5_760.0;
                let event = match m % every {
                    0 => 5.0,
                    1 if m / every < n_out => 0.0,
                    _ => 1.0,
                };
                level_w * slow * event * noise.about_one(deviation)
            },
            4,
        );
        let Outcome::Refused(refused) = learn(&minutes, rated_w, needs) else {
            panic!("accepted: seed {seed}")
        };
        let of_levels = |f: &Failed| !matches!(f, Failed::Window { .. } | Failed::FewMinutes { .. });
        assert!(
            refused.failed.iter().any(of_levels),
            "not only for want of minutes: seed {seed}, {refused:?}"
        );
    }
}
