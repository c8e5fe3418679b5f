//! A site over minutes: what is raised and cleared, and that batching and order within the window change nothing.

use proptest::prelude::*;

use super::finding::Finding;
use super::sample::Observation;
use super::site::{SiteContext, SiteJudge};
use crate::alerts::finding::{AlertFinding, Change, Level, Rule, Subject};
use crate::model::meter::{Input, Meter};
use crate::model::site::{
    Basis, Category, Grade, Point, PointKind, Process, RuleLimits, Site, Thresholds, TreatmentGroup,
};
use crate::model::time::{MINUTE_MS, UtcMs};

const PRESS: u16 = 0;
const FAN: u16 = 1;
const START: UtcMs = UtcMs(1_661_789_400_000);
const REORDER_MS: u32 = 120_000;

fn thresholds(running_w: f64) -> Thresholds {
    Thresholds {
        running_above_w: running_w,
        running_below_w: running_w * 0.6,
        idle_above_w: running_w * 0.3,
        off_below_w: running_w * 0.2,
        on_for_ms: 120_000,
        off_for_ms: 180_000,
        basis: Basis::Configured,
        version: 7,
    }
}

fn point(id: &str, kind: PointKind, meter: u32) -> Point {
    let thresholds = thresholds(1_000.0);
    Point { id: id.into(), name: id.into(), kind, rated_w: 10_000.0, meter, thresholds }
}

/// A press with its fan, each on a meter of its own.
fn plant() -> (Site, Vec<Meter>) {
    let meter = |id: &str| Meter {
        id: format!("plant/{id}").into(),
        site: 0,
        gateway: "gateway".into(),
        period_ms: 60_000,
        ct: 1.0,
        pt: 1.0,
        input: Input::Mqtt { device: None },
    };
    let site = Site {
        id: "plant".into(),
        name: "Plant".into(),
        region: "".into(),
        industry: "".into(),
        category: Category::General,
        positive_list: false,
        grade: Grade::Ungraded,
        time_zone: "Asia/Shanghai".into(),
        reorder_ms: REORDER_MS,
        step_ms: 60_000,
        gap_ms: 300_000,
        points: vec![point("press", PointKind::Production, 0), point("fan", PointKind::Treatment, 1)],
        processes: vec![Process {
            id: "printing".into(),
            name: "Printing".into(),
            production: vec![PRESS],
            treatment: vec![TreatmentGroup { points: vec![FAN], need: 1 }],
            lead_ms: 0,
            lag_ms: 0,
            rules: RuleLimits::DEFAULT,
        }],
    };
    (site, vec![meter("press"), meter("fan")])
}

/// A power a minute for press and fan; `None` = silence.
type Minute = (Option<f64>, Option<f64>);

fn observations(minutes: &[Minute]) -> Vec<Observation> {
    let mut all = Vec::new();
    for (minute, (press, fan)) in (0_i64..).zip(minutes) {
        for (point, power_w) in [(PRESS, *press), (FAN, *fan)] {
            if power_w.is_some() {
                let at = START.plus(minute * MINUTE_MS);
                let offset = 1 + all.len() as u64;
                all.push(Observation { point, at, power_w, energy_kwh: None, offset });
            }
        }
    }
    all
}

/// Offers everything in the order given, ticking so that nothing is late, and judges to the end.
fn judge(seen: &[Observation], tick_ms: i64, end: UtcMs) -> Vec<Finding> {
    let (site, meters) = plant();
    let context = SiteContext::new(&site, &meters);
    let mut judge = SiteJudge::new(&site, &context, START.plus(-1));
    let mut out = Vec::new();
    let mut now = START;
    for observation in seen {
        let earliest = observation.at.plus(-i64::from(REORDER_MS));
        while now.plus(tick_ms) <= earliest {
            now = now.plus(tick_ms);
            judge.advance(&site, &context, now.plus(-i64::from(REORDER_MS)), &mut |f| out.push(f));
        }
        judge.offer(*observation);
    }
    judge.advance(&site, &context, end, &mut |f| out.push(f));
    out
}

fn alerts(minutes: &[Minute]) -> Vec<AlertFinding> {
    let end = START.plus(minutes.len() as i64 * MINUTE_MS);
    judge(&observations(minutes), MINUTE_MS, end)
        .into_iter()
        .filter_map(|f| if let Finding::Alert(alert) = f { Some(*alert) } else { None })
        .collect()
}

/// Rule, change, minute of the change, first minute, level.
fn told(alerts: &[AlertFinding]) -> Vec<(Rule, Change, i64, i64, Level)> {
    let minute = |t: UtcMs| t.since(START) / MINUTE_MS;
    alerts.iter().map(|a| (a.rule, a.change, minute(a.at), minute(a.first), a.level)).collect()
}

const ON: Option<f64> = Some(5_000.0);
const OFF: Option<f64> = Some(0.0);

fn stretch(minute: Minute, n: usize) -> Vec<Minute> {
    vec![minute; n]
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
    assert_eq!((press.mean_w(), fan.max_w >= 5_000.0), (Some(5_000.0), true), "{fan:?}");
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
