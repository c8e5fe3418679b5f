//! Arrival order does not matter in the end: late, shuffled, doubled, cut into any steps, with restarts, the alerts and
//! states are those of perfect order.

use proptest::prelude::*;

use super::step::{Engine, Sinks};
use super::tests::{START, registry};
use crate::alerts::alert::{Alert, Status};
use crate::config::settings::History;
use crate::model::baseline::Baseline;
use crate::model::message::{Delivery, Kind, Message};
use crate::model::meter::Meter;
use crate::model::param::Param;
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::site::Basis;
use crate::model::time::{HOUR_MS, MINUTE_MS, UtcMs};
use crate::model::working_time::{Shift, WorkingTime};
use crate::store::revising;
use crate::store::write::Store;

const KEEP_ALL: History = History { days_max: u32::MAX, bytes_max: u64::MAX };
const PERIOD_MS: i64 = 2 * MINUTE_MS;
/// Less than what counts as not listening.
const TICK_MS: i64 = 110_000;
/// Nothing comes later than so long after it was measured.
const DELAY_MS_MAX: i64 = 90 * MINUTE_MS;
/// Plants judged by one engine, each a case of its own: what they cost together is shared.
const N_PLANTS: usize = 10;
/// So often a run is killed, at most: what was taken since the last save is taken again each time.
const N_KILLS_MAX: u32 = 2;

#[derive(Clone, Debug)]
struct Received {
    at: UtcMs,
    kind: Kind,
    topic: String,
    payload: Vec<u8>,
}

/// Powers of press and fan at one moment, kW; `None` where nothing is sent.
type Moment = (Option<f64>, Option<f64>);

/// How readings arrive.
#[derive(Clone, Debug)]
struct Disorder {
    /// Delays of single readings, taken in turn, ms.
    delays_ms: Vec<i64>,
    /// Blocks kept back together: from which moment, how many, until how long after, ms.
    blocks: Vec<(usize, usize, i64)>,
    /// Every so manyth reading comes twice, the second time so much later.
    double: usize,
    double_ms: i64,
}

/// How the journal is taken: messages a step, and what is done after each: 0 kill, 1 save, 2 fold.
#[derive(Clone, Debug)]
struct Course {
    steps: Vec<usize>,
    acts: Vec<u8>,
}

type Plant = (Vec<Moment>, Disorder);

/// So many plants as the one of the other tests, with a reading every two minutes.
fn plants() -> Registry {
    let mut registry = registry();
    let (meters, mut site) = (std::mem::take(&mut registry.meters), registry.sites.remove(0));
    (site.step_ms, site.gap_ms) = (120_000, 360_000);
    let process = &mut site.processes[0];
    process.lag_ms = 300_000;
    // The fan at 5 kW draws far less than usual, and the night ends within the test: more rules have something to say.
    process.baselines = vec![Baseline::new(1, [Some(12_000.0); 4], None, Basis::Confirmed)];
    process.rules.settings.set(Param::NightTo, 3_600_000.0);
    let shift = Shift { days: 0x7f, from_ms: 1_800_000, to_ms: 4_200_000 };
    process.working_time = Some(WorkingTime { shifts: vec![shift] });
    for point in &mut site.points {
        (point.thresholds.on_for_ms, point.thresholds.off_for_ms) = (120_000, 240_000);
    }
    for (index, i) in (0_u32..).zip(0..N_PLANTS) {
        let mut own = site.clone();
        own.id = name(i).into();
        for (point, meter) in own.points.iter_mut().zip(&meters) {
            point.meter = u32::try_from(registry.meters.len()).unwrap();
            let id = format!("{}/{}", own.id, point.id).into();
            let period_ms = u32::try_from(PERIOD_MS).unwrap();
            registry.meters.push(Meter { id, site: index, period_ms, ..meter.clone() });
        }
        registry.sites.push(own);
    }
    registry
}

fn name(plant: usize) -> String {
    format!("plant-{plant}")
}

fn after(moments: usize) -> UtcMs {
    START.plus(i64::try_from(moments).unwrap() * PERIOD_MS)
}

/// The journal of all plants: registry, readings as they arrive, ticks; the registry of `reload` comes in between.
fn journal(all_plants: &[Plant], is_disordered: bool, reload: &Option<(usize, Registry)>) -> Vec<Received> {
    let bare = |kind, at, payload| Received { at, kind, topic: String::new(), payload };
    let of_registry = |registry: &Registry| serde_json::to_vec(registry).unwrap();
    let mut all = vec![bare(Kind::Registry, START.plus(-PERIOD_MS), of_registry(&plants()))];
    for (plant, (moments, disorder)) in all_plants.iter().enumerate() {
        readings(&name(plant), moments, is_disordered.then_some(disorder), &mut all);
    }
    let n_moments = all_plants.iter().map(|(moments, _)| moments.len()).max().unwrap_or(0);
    let end = after(n_moments).plus(DELAY_MS_MAX + 10 * MINUTE_MS);
    let mut now = START.plus(-PERIOD_MS + 1);
    while now < end {
        all.push(bare(Kind::Tick, now, Vec::new()));
        now = now.plus(TICK_MS);
    }
    if let Some((moment, registry)) = reload {
        all.push(bare(Kind::Registry, after(*moment).plus(10_000), of_registry(registry)));
    }
    all.sort_by_key(|m| m.at);
    all
}

/// The readings of one plant, each when it arrives.
fn readings(plant: &str, moments: &[Moment], disorder: Option<&Disorder>, all: &mut Vec<Received>) {
    let mut n = 0;
    for (i, (press, fan)) in moments.iter().enumerate() {
        for (point, kw) in [("press", press), ("fan", fan)] {
            let (at, Some(kw)) = (after(i), kw) else { continue };
            let payload = format!(r#"{{"ts":{},"p":{kw},"ep":{}}}"#, at.0, 1_000 + i).into_bytes();
            let topic = format!("submeter/v1/{plant}/{point}/reading");
            let once = |delay_ms: i64| Received {
                at: at.plus(delay_ms.clamp(1_000, DELAY_MS_MAX)),
                kind: Kind::Mqtt,
                topic: topic.clone(),
                payload: payload.clone(),
            };
            let Some(disorder) = disorder else {
                all.push(once(0));
                continue;
            };
            let mut delay_ms = disorder.delays_ms[n % disorder.delays_ms.len()];
            for (from, len, until_ms) in &disorder.blocks {
                if (*from..from + len).contains(&i) {
                    delay_ms = delay_ms.max(after(from + len).plus(*until_ms).since(at));
                }
            }
            all.push(once(delay_ms));
            if n % disorder.double == 0 {
                all.push(once(delay_ms + disorder.double_ms));
            }
            n += 1;
        }
    }
}

fn message(own: &Received) -> Message<'_> {
    Message {
        kind: own.kind,
        delivery: Delivery::PLAIN,
        received: own.at,
        source: "city",
        topic: &own.topic,
        payload: &own.payload,
    }
}

fn restore(store: Store) -> Engine {
    Engine::restore(store, Sinks { outbox: vec!["influx".into()], ..Sinks::default() }, KEEP_ALL).unwrap()
}

fn run(all: &[Received], course: &Course) -> Store {
    let mut engine = restore(Store::in_memory().unwrap());
    let numbered: Vec<(Offset, &Received)> = (1..).zip(all).collect();
    let (mut from, mut n_together, mut n_kills) = (0, 1, 0);
    for (len, act) in course.steps.iter().cycle().zip(course.acts.iter().cycle()) {
        let to = (from + len * n_together).min(numbered.len());
        engine.step(numbered[from..to].iter().map(|(offset, m)| (*offset, message(m)))).unwrap();
        (from, n_together) = (to, 1);
        match act {
            0 if n_kills < N_KILLS_MAX => {
                n_kills += 1;
                engine = restore(engine.into_store());
                let taken = usize::try_from(engine.taken()).unwrap();
                // Whoever is killed at every step must still get on.
                (n_together, from) = (2 + (from - taken) / len, taken);
            }
            1 => drop(engine.save().unwrap()),
            2 => drop(engine.fold().unwrap()),
            _ => {}
        }
        if from == numbered.len() {
            break;
        }
    }
    engine.settle_past().unwrap();
    engine.into_store()
}

/// What must be the same: every judged figure of every alert that stands, every change of state.
fn judged(store: &Store, plant: &str) -> (Vec<String>, Vec<String>) {
    let of = |a: &Alert| {
        let shown = |p: &crate::alerts::evidence::PointEvidence| {
            format!("{} {:?} kW {:?} kWh of {}", p.point, p.mean_kw, p.energy_kwh, p.n_samples)
        };
        format!(
            "{} {} {:?} {:?} first {} raised {} last {} cleared {:?} certain {} unknown {} {:?} {:?} {:?}",
            a.rule.name(),
            a.subject,
            a.status,
            a.level,
            a.first,
            a.raised,
            a.last_certain,
            a.cleared,
            a.certain_ms,
            a.unknown_ms,
            a.evidence.points.iter().map(shown).collect::<Vec<_>>(),
            a.evidence.fragments,
            a.evidence.figures,
        )
    };
    let alerts = revising::alerts_after(store.conn(), plant, 0).unwrap();
    let mut alerts: Vec<_> = alerts.iter().filter(|a| a.status != Status::Retracted).map(of).collect();
    alerts.sort();
    let states = revising::states_after(store.conn(), plant, 0).unwrap();
    (alerts, states.iter().map(|s| format!("{} {} {}", s.at, s.point, s.state)).collect())
}

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let kw =
        || prop_oneof![5 => Just(Some(5.0)), 5 => Just(Some(0.0)), 1 => Just(Some(0.7)), 1 => Just(None)];
    let piece = (kw(), kw(), 1_usize..10).prop_map(|(press, fan, n)| vec![(press, fan); n]);
    proptest::collection::vec(piece, 2..6).prop_map(|pieces| pieces.concat())
}

fn plant() -> impl Strategy<Value = Plant> {
    let delay_ms = prop_oneof![
        16 => 0_i64..100_000,
        2 => 0_i64..40 * MINUTE_MS,
        1 => 0_i64..DELAY_MS_MAX,
    ];
    let disorder = (
        proptest::collection::vec(delay_ms, 1..20),
        proptest::collection::vec((0_usize..30, 1_usize..30, 0_i64..HOUR_MS), 0..3),
        (2_usize..40, 0_i64..HOUR_MS),
    )
        .prop_map(|(delays_ms, blocks, (double, double_ms))| Disorder {
            delays_ms,
            blocks,
            double,
            double_ms,
        });
    (moments(), disorder)
}

fn course() -> impl Strategy<Value = Course> {
    (proptest::collection::vec(1_usize..300, 1..6), proptest::collection::vec(0_u8..7, 1..8))
        .prop_map(|(steps, acts)| Course { steps, acts })
}

/// In some runs half of the plants are configured anew on the way.
fn reload() -> impl Strategy<Value = Option<(usize, Registry)>> {
    let changed = (0_usize..30, 700.0..4_000.0_f64).prop_map(|(moment, above_w)| {
        let mut registry = plants();
        for site in registry.sites.iter_mut().step_by(2) {
            let thresholds = &mut site.points[1].thresholds;
            (thresholds.running_above_w, thresholds.version) = (above_w, 2);
        }
        (moment, registry)
    });
    prop_oneof![2 => Just(None), 1 => changed.prop_map(Some)]
}

fn check(plants: &[Plant], course: &Course, reload: &Option<(usize, Registry)>) -> Result<(), TestCaseError> {
    let at_once = Course { steps: vec![usize::MAX / 4], acts: vec![9] };
    let perfect = run(&journal(plants, false, reload), &at_once);
    let other = run(&journal(plants, true, reload), course);
    for plant in 0..plants.len() {
        prop_assert_eq!(judged(&perfect, &name(plant)), judged(&other, &name(plant)), "{}", plant);
    }
    Ok(())
}

/// Runs of each of the four tests below: ten thousand plants together.
const N_RUNS: u32 = 250;

/// Plants, how their journal is taken, and whether they are configured anew on the way.
fn case() -> impl Strategy<Value = (Vec<Plant>, Course, Option<(usize, Registry)>)> {
    (proptest::collection::vec(plant(), N_PLANTS), course(), reload())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: N_RUNS, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn arrival_order_does_not_matter_in_the_end((plants, course, reload) in case()) {
        check(&plants, &course, &reload)?;
    }

    #[test]
    fn arrival_order_does_not_matter_in_the_end_second_quarter((plants, course, reload) in case()) {
        check(&plants, &course, &reload)?;
    }

    #[test]
    fn arrival_order_does_not_matter_in_the_end_third_quarter((plants, course, reload) in case()) {
        check(&plants, &course, &reload)?;
    }

    #[test]
    fn arrival_order_does_not_matter_in_the_end_last_quarter((plants, course, reload) in case()) {
        check(&plants, &course, &reload)?;
    }
}
