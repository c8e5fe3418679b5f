//! A site.

use std::collections::HashMap;

use super::commissioning;
use super::counting;
use super::meter::Meters;
use super::must::{self, Bounds, Once};
use super::point;
use super::process;
use super::rules;
use super::working_time;
use crate::config::problem::{Report, Spot};
use crate::config::suggest;
use crate::config::typed::site as typed;
use crate::model::param::Settings;
use crate::model::site::{PointKind, Site};

/// China has one time zone.
pub const TIME_ZONE: &str = "Asia/Shanghai";
/// Readings are waited for so long before the site is judged past their time, ms.
pub const REORDER_MS: u32 = 2 * 60_000;
/// One sample a minute.
pub const STEP_MS: u32 = 60_000;
/// Silence after which a point is unknown, ms.
pub const GAP_MS: u32 = 5 * 60_000;
/// A point is an index of 16 bits.
const POINTS_MAX: usize = 10_000;

/// Checks a site; its meters go into `meters`.
pub fn check(
    typed: &typed::Site,
    file: &Spot,
    (index, base): (u32, &Settings),
    meters: &mut Meters<'_>,
    report: &mut Report,
) -> Site {
    let id = must::id(typed.id.as_ref(), &file.key("id"), "id = \"plant-17\"", report);
    let time_zone = typed.time_zone.as_deref().unwrap_or(TIME_ZONE);
    must::zone(time_zone, &file.key("time_zone"), report);
    let first = meters.len();
    meters.take_site(id, index, &typed.meters, file, report);
    if typed.points.len() > POINTS_MAX {
        let what = format!("{} points in one site", typed.points.len());
        report.error(&file.key("points"), what, format!("at most {POINTS_MAX}"));
    }
    if typed.points.is_empty() {
        let hint = "[[points]] with id, kind, rated_kw and meter";
        report.warn(&file.key("points"), "the site has no points: nothing of it is judged", hint);
    }
    let mut points = Vec::with_capacity(typed.points.len());
    let mut ids = Once::new("point");
    let mut used = Once::new("meter");
    for (i, p) in typed.points.iter().enumerate() {
        let at = file.item("points", i);
        let mut own = point::check(p, &at, report);
        own.commissioning = commissioning::check(p, time_zone, &at, report);
        ids.take(&own.id, &at.key("id"), "every point of a site has an id of its own", report);
        if let Some(meter) = measured_by(p, typed, first, &at, report) {
            own.meter = meter;
            let name = p.meter.as_deref().unwrap_or_default();
            used.take(
                name,
                &at.key("meter"),
                "a meter measures one point; a sum of points is a point with its own meter",
                report,
            );
        }
        points.push(own);
    }
    unused_meters(typed, file, report);
    let index: HashMap<&str, u16> =
        typed.points.iter().map(|p| p.id.as_deref().unwrap_or_default()).zip(0..).collect();
    let rules = rules::lay(base, &typed.rules, file, false, report);
    let processes = process::check_all(typed, &points, &index, file, &rules, report);
    let step = Bounds::ms(1_000, 15 * 60_000);
    let site = Site {
        id: id.into(),
        name: typed.name.as_deref().unwrap_or(id).into(),
        region: typed.region.as_deref().unwrap_or_default().into(),
        industry: typed.industry.as_deref().unwrap_or_default().into(),
        category: typed.category.unwrap_or_default(),
        positive_list: typed.positive_list.unwrap_or(false),
        grade: typed.grade.unwrap_or_default(),
        time_zone: time_zone.into(),
        reorder_ms: must::ms(
            typed.reorder,
            REORDER_MS,
            Bounds::ms(0, 3_600_000),
            &file.key("reorder"),
            report,
        ),
        step_ms: must::ms(typed.step, STEP_MS, step, &file.key("step"), report),
        gap_ms: must::ms(typed.gap, GAP_MS, Bounds::ms(10_000, 86_400_000), &file.key("gap"), report),
        points,
        processes,
        rules,
        working_time: working_time::check(typed.working_time.as_ref(), file, "working_time", report),
    };
    intervals(&site, typed, meters, first, file, report);
    site
}

/// Index of the meter a point names.
fn measured_by(
    typed: &typed::Point,
    site: &typed::Site,
    first: u32,
    at: &Spot,
    report: &mut Report,
) -> Option<u32> {
    let spot = at.key("meter");
    let name = must::text(typed.meter.as_ref(), &spot, "meter = \"m1\"", report);
    if name.is_empty() {
        return None;
    }
    let ids = site.meters.iter().map(|m| m.id.as_deref().unwrap_or_default());
    let found = (first..).zip(ids.clone()).find(|(_, id)| *id == name).map(|(index, _)| index);
    if found.is_none() {
        report.error(&spot, format!("no meter {name:?} is in this file"), suggest::hint(name, ids));
    }
    found
}

fn unused_meters(site: &typed::Site, file: &Spot, report: &mut Report) {
    for (i, meter) in site.meters.iter().enumerate() {
        let Some(id) = meter.id.as_deref() else { continue };
        if !site.points.iter().any(|p| p.meter.as_deref() == Some(id)) {
            let hint = "name it at a point, or leave it away";
            report.warn(
                &file.item("meters", i),
                format!("meter {id:?} measures no point: it is kept and never judged"),
                hint,
            );
        }
    }
}

/// Settings that cannot do what they say beside each other.
fn intervals(
    site: &Site,
    typed: &typed::Site,
    meters: &Meters<'_>,
    first: u32,
    file: &Spot,
    report: &mut Report,
) {
    for (i, meter) in typed.meters.iter().enumerate() {
        let Some(own) = meters.get(first, i) else { continue };
        let spot = file.item("meters", i).key("period");
        if site.gap_ms < own.period_ms.saturating_mul(3) {
            let gap = must::words(std::time::Duration::from_millis(site.gap_ms.into()));
            let what =
                format!("three periods are longer than gap = {gap}: silence counts after three periods only");
            report.warn(&spot, what, "a shorter period, or a longer gap at the site");
        }
        let id = meter.id.as_deref().unwrap_or_default();
        let measured = site.points.iter().zip(&typed.points).find(|(_, p)| p.meter.as_deref() == Some(id));
        if let Some((point, _)) = measured {
            let at = file.item("meters", i);
            counting::tells_slowly(
                point,
                own.counting.as_deref(),
                meters.profile_of(&own.input),
                &at,
                report,
            );
        }
        let short = site.points.iter().zip(&typed.points).any(|(point, p)| {
            p.meter.as_deref() == Some(id)
                && matches!(point.kind, PointKind::Production | PointKind::Treatment)
                && point.thresholds.on_for_ms.min(point.thresholds.off_for_ms) <= own.period_ms
        });
        if short {
            let what = "a single reading decides whether its point runs";
            report.warn(&spot, what, "a period of at most half of on_for and off_for");
        }
    }
}
