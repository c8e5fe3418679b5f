//! Processes: which treatment must run while which production runs.

use std::collections::HashMap;

use super::must::{self, Bounds, Once};
use super::rules;
use super::working_time;
use crate::config::problem::{Report, Spot};
use crate::config::suggest;
use crate::config::typed::quantity::Span;
use crate::config::typed::site as typed;
use crate::model::param::Settings;
use crate::model::site::{Point, PointKind, Process, RuleLimits, TreatmentGroup};

/// Treatment must run on this long after production, ms.
pub const LAG_MS: u32 = 5 * 60_000;

/// A process while its members are looked up.
struct Members<'a> {
    typed: &'a [typed::Point],
    points: &'a [Point],
    index: &'a HashMap<&'a str, u16>,
    in_a_process: Vec<bool>,
    /// What the site sets about rules.
    settings: &'a Settings,
}

/// Checks the processes of a site, and that no point was forgotten.
pub fn check_all(
    site: &typed::Site,
    points: &[Point],
    index: &HashMap<&str, u16>,
    file: &Spot,
    settings: &Settings,
    report: &mut Report,
) -> Vec<Process> {
    let mut members =
        Members { typed: &site.points, points, index, in_a_process: vec![false; points.len()], settings };
    let mut ids = Once::new("process");
    let mut processes = Vec::with_capacity(site.processes.len());
    for (i, typed) in site.processes.iter().enumerate() {
        let at = file.item("processes", i);
        let own = one(typed, &mut members, &at, report);
        ids.take(&own.id, &at.key("id"), "every process of a site has an id of its own", report);
        processes.push(own);
    }
    for (i, point) in points.iter().enumerate() {
        let judged = matches!(point.kind, PointKind::Production | PointKind::Treatment);
        if judged && !members.in_a_process[i] {
            let what = format!(
                "{} point {:?} is in no process: nobody asks whether treatment runs",
                point.kind.name(),
                point.id
            );
            report.warn(&file.item("points", i), what, "add it to a [[processes]]");
        }
    }
    processes
}

fn one(typed: &typed::Process, members: &mut Members<'_>, at: &Spot, report: &mut Report) -> Process {
    let id = must::id(typed.id.as_ref(), &at.key("id"), "id = \"coating\"", report);
    if typed.production.is_empty() {
        let hint = "production = [\"line-1\"]: the ids of its production points";
        report.error(&at.key("production"), "the process has no production", hint);
    }
    if typed.treatment.is_empty() {
        let hint = "treatment = [{ points = [\"fan-1\"] }]: the ids of its treatment points";
        report.error(&at.key("treatment"), "the process has no treatment", hint);
    }
    let production =
        look_up(&typed.production, PointKind::Production, members, &at.key("production"), report);
    let mut treatment = Vec::with_capacity(typed.treatment.len());
    let mut seen = Vec::new();
    for (i, group) in typed.treatment.iter().enumerate() {
        let spot = at.item("treatment", i);
        let points = look_up(&group.points, PointKind::Treatment, members, &spot.key("points"), report);
        for point in &points {
            if seen.contains(point) {
                let name = &members.points[usize::from(*point)].id;
                let what = format!("{name:?} is in two groups of this process: it would count twice");
                report.error(&spot.key("points"), what, "a unit belongs to one group");
            }
        }
        seen.extend(&points);
        treatment.push(TreatmentGroup { need: need(group, &spot, report), points });
    }
    let lead = Bounds::ms(0, 86_400_000);
    Process {
        id: id.into(),
        name: typed.name.as_deref().unwrap_or(id).into(),
        production,
        treatment,
        lead_ms: must::ms(typed.lead, 0, lead, &at.key("lead"), report),
        lag_ms: must::ms(typed.lag, LAG_MS, lead, &at.key("lag"), report),
        rules: limits(typed, members.settings, at, report),
        baselines: Vec::new(),
        working_time: working_time::check(typed.working_time.as_ref(), at, "working_time", report),
    }
}

/// How many of a group must run: all, unless it is written otherwise.
fn need(group: &typed::Group, spot: &Spot, report: &mut Report) -> u16 {
    let n = u16::try_from(group.points.len()).unwrap_or(u16::MAX);
    if n == 0 {
        report.error(&spot.key("points"), "the group has no points", "points = [\"fan-1\", \"fan-2\"]");
    }
    let need = group.need.unwrap_or(n);
    if need > n {
        let what = format!("{need} of {n} units must run: treatment would count as off for ever");
        report.error(&spot.key("need"), what, format!("at most {n}, the number of its points"));
    } else if need == 0 && n > 0 {
        report.error(
            &spot.key("need"),
            "none of its units must run",
            "at least 1; leave it away where all must",
        );
    }
    need
}

/// Indices of points by their ids.
fn look_up(
    ids: &[String],
    kind: PointKind,
    members: &mut Members<'_>,
    spot: &Spot,
    report: &mut Report,
) -> Vec<u16> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(&index) = members.index.get(id.as_str()) else {
            let known = members.points.iter().filter(|p| p.kind == kind).map(|p| &*p.id);
            report.error(spot, format!("no point {id:?} is in this file"), suggest::hint(id, known));
            continue;
        };
        let own = members.points[usize::from(index)].kind;
        // Where the kind itself is faulty, that was told at the point.
        if own != kind && members.typed[usize::from(index)].kind.is_some() {
            let what = format!("point {id:?} is {}, not {}", own.name(), kind.name());
            report.error(spot, what, "check the kind of the point");
        }
        if found.contains(&index) {
            report.error(spot, format!("point {id:?} is there twice"), "name it once");
            continue;
        }
        members.in_a_process[usize::from(index)] = true;
        found.push(index);
    }
    found
}

fn limits(typed: &typed::Process, settings: &Settings, at: &Spot, report: &mut Report) -> RuleLimits {
    let default = RuleLimits::DEFAULT;
    let mut ms = |given: Option<Span>, default_ms: u32, key: &str| {
        must::ms(given, default_ms, Bounds::ms(1_000, 7 * 86_400_000), &at.key(key), report)
    };
    let rules = RuleLimits {
        raise_ms: ms(typed.raise, default.raise_ms, "raise"),
        clear_ms: ms(typed.clear, default.clear_ms, "clear"),
        alarm_ms: ms(typed.alarm, default.alarm_ms, "alarm"),
        critical_ms: ms(typed.critical, default.critical_ms, "critical"),
        stale_ms: ms(typed.stale, default.stale_ms, "stale"),
        offline_ms: ms(typed.offline, default.offline_ms, "offline"),
        offline_alarm_ms: ms(typed.offline_alarm, default.offline_alarm_ms, "offline_alarm"),
        fragmented_ms: ms(typed.fragmented, default.fragmented_ms, "fragmented"),
        settings: rules::lay(settings, &typed.rules, at, true, report),
    };
    let ordered = [
        (("raise", rules.raise_ms, typed.raise), ("alarm", rules.alarm_ms, typed.alarm)),
        (("alarm", rules.alarm_ms, typed.alarm), ("critical", rules.critical_ms, typed.critical)),
        (("stale", rules.stale_ms, typed.stale), ("offline", rules.offline_ms, typed.offline)),
        (
            ("offline", rules.offline_ms, typed.offline),
            ("offline_alarm", rules.offline_alarm_ms, typed.offline_alarm),
        ),
    ];
    for ((first, first_ms, _), (second, second_ms, typed)) in ordered {
        if second_ms < first_ms {
            let words = |ms: u32| must::words(std::time::Duration::from_millis(ms.into()));
            let what = format!("{second} is {} and {first} is {}", words(second_ms), words(first_ms));
            let key = if typed.is_some() { second } else { first };
            report.error(&at.key(key), what, format!("{second} comes after {first}: it must not be shorter"));
        }
    }
    rules
}
