//! A picture of a process out of what a replay left in its store.

use anyhow::Context as _;
use jiff::tz::TimeZone;

use crate::alerts::alert::Alert;
use crate::alerts::compare::Span;
use crate::cli::failure::hinted;
use crate::cli::picture::curve::Curve;
use crate::cli::picture::draw;
use crate::cli::picture::scene::{Interval, Row, Scene};
use crate::config::suggest;
use crate::history::read::{Query, visit};
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::reading::Quality;
use crate::model::registry::Registry;
use crate::model::site::{Process, Site};
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::store::views::Views;

/// A meter is joined to a line over so many of its periods, as a unit is known for so long without a sample.
const PERIODS_MIN: i64 = 3;

const PHASES: [Channel; 3] = [
    Channel::of(Quantity::ActivePower, Phase::L1),
    Channel::of(Quantity::ActivePower, Phase::L2),
    Channel::of(Quantity::ActivePower, Phase::L3),
];

/// The process that is meant by `SITE/PROCESS`.
///
/// # Errors
/// There is none of that name; those that there are are told.
pub fn find<'a>(registry: &'a Registry, name: &str) -> anyhow::Result<(&'a Site, &'a Process)> {
    let all = registry.sites.iter().flat_map(|site| site.processes.iter().map(move |p| (site, p)));
    let id = |(site, process): &(&Site, &Process)| format!("{}/{}", site.id, process.id);
    let found = all.clone().find(|both| id(both) == name);
    found.ok_or_else(|| {
        let known: Vec<String> = all.map(|both| id(&both)).collect();
        let hint = suggest::hint(name, known.iter().map(String::as_str));
        hinted(anyhow::anyhow!("no process {name:?} is known"), hint)
    })
}

/// The scene of a process: its units from production to treatment, and the alerts about it and them.
///
/// # Errors
/// The store of the replay cannot be read.
pub fn scene(
    views: &Views,
    registry: &Registry,
    name: &str,
    span: Span,
    alerts: &[Alert],
) -> anyhow::Result<Scene> {
    let (site, process) = find(registry, name)?;
    let groups = process.treatment.iter().flat_map(|group| group.points.iter().copied());
    let mut members: Vec<u16> = Vec::new();
    for point in process.production.iter().copied().chain(groups) {
        if !members.contains(&point) {
            members.push(point);
        }
    }
    let rows: Result<Vec<Row>, _> =
        members.iter().map(|point| row(views, registry, site, *point, span)).collect();
    let about = |alert: &Alert| about(alert, site, process, registry, &members);
    let alerts = alerts.iter().filter(|a| a.site == site.id).filter_map(|alert| {
        Some(Interval {
            from: alert.first,
            to: alert.cleared.map(|_| alert.last_certain),
            rule: alert.rule,
            level: alert.level,
            subject: alert.subject.to_string(),
            rows: about(alert)?,
        })
    });
    let own = |name: &str, id: &str| if name.is_empty() { id.to_owned() } else { name.to_owned() };
    Ok(Scene {
        title: format!("{} · {}", own(&site.name, &site.id), own(&process.name, &process.id)),
        process: name.to_owned(),
        span,
        zone: TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC),
        zone_name: site.time_zone.to_string(),
        rows: rows?,
        alerts: alerts.collect(),
    })
}

/// The rows an alert is about, none for all of them; `None` where it is about something else.
fn about(
    alert: &Alert,
    site: &Site,
    process: &Process,
    registry: &Registry,
    members: &[u16],
) -> Option<Vec<usize>> {
    let of = |is_meant: &dyn Fn(u16) -> bool| -> Option<Vec<usize>> {
        let rows: Vec<usize> = (0..).zip(members).filter(|(_, m)| is_meant(**m)).map(|(i, _)| i).collect();
        (!rows.is_empty()).then_some(rows)
    };
    let point = |index: u16| site.points.get(usize::from(index));
    match &*alert.subject_kind {
        "process" => (alert.subject == process.id).then(Vec::new),
        "point" => of(&|i| point(i).is_some_and(|p| p.id == alert.subject)),
        "gateway" => of(&|i| {
            let meter = point(i).and_then(|p| registry.meters.get(p.meter as usize));
            meter.is_some_and(|m| m.gateway == alert.subject)
        }),
        _ => None,
    }
}

fn row(views: &Views, registry: &Registry, site: &Site, point: u16, span: Span) -> anyhow::Result<Row> {
    let point = site.points.get(usize::from(point)).context("a process names a point that is not there")?;
    let meter =
        registry.meters.get(point.meter as usize).context("a point names a meter that is not there")?;
    let period_ms = i64::from(meter.period_ms).max(i64::from(site.step_ms));
    let gap_ms = i64::from(site.gap_ms).max(PERIODS_MIN * period_ms).max(i64::from(meter.heartbeat_ms));
    let mut curve = Curve::new(span, draw::n_columns(), gap_ms);
    let powers = [Channel::POWER, PHASES[0], PHASES[1], PHASES[2]];
    let query = Query { only: Some(&powers), ..Query::new(&meter.id, span.from, span.to) };
    visit(views.conn(), &query, &mut |reading| {
        if let Some(power_w) = power_w(reading.values).filter(|_| !reading.quality.has(Quality::DOUBTFUL)) {
            curve.push(reading.time, power_w / 1_000.0);
        }
    })?;
    let changes = views.state_changes(&site.id, &point.id)?;
    let state = |name: &str| State::ALL.into_iter().find(|s| s.name() == name).unwrap_or(State::Unknown);
    let states: Vec<(UtcMs, State)> = changes.iter().map(|c| (c.since, state(&c.state))).collect();
    Ok(Row {
        name: point.name.to_string(),
        id: point.id.to_string(),
        kind: point.kind,
        running_above_kw: point.thresholds.running_above_w / 1_000.0,
        running_below_kw: point.thresholds.running_below_w / 1_000.0,
        curve,
        states,
    })
}

/// As detection takes it: the power of the whole, or the sum of all three phases.
fn power_w(values: &[(Channel, f64)]) -> Option<f64> {
    let value = |channel| values.iter().find(|(c, _)| *c == channel).map(|(_, v)| *v);
    value(Channel::POWER).or_else(|| Some(value(PHASES[0])? + value(PHASES[1])? + value(PHASES[2])?))
}
