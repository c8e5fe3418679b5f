//! One plant: its processes as lines, the last hours as a picture, its alerts, its meters.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::alert_page::chart;
use super::diagram;
use super::frame;
use super::parts;
use super::view::View;
use crate::alerts::alert::subject_names;
use crate::api::asked::LastRead;
use crate::api::board::plant::Plant;
use crate::api::context::{Shared, ask};
use crate::api::problem::Problem;
use crate::api::v1::sites::plant;
use crate::detection::applicable::{self, Silent};
use crate::model::site::Process;
use crate::model::time::{HOUR_MS, MINUTE_MS, UtcMs};
use crate::wording::silent::because;
use crate::wording::words;

/// The picture shows so much, ms.
const SHOWN_MS: i64 = 12 * HOUR_MS;

/// The plant.
///
/// # Errors
/// There is none, it is out of sight, or the store cannot be read.
pub async fn show(State(context): Shared, view: View, Path(id): Path<String>) -> Result<Markup, Problem> {
    let plant = plant(&context, &view.caller, &id)?;
    let (now, profiles) = {
        let board = context.board.borrow();
        (board.now, Arc::clone(&board.profiles))
    };
    let meters: Vec<Box<str>> = plant.meters.iter().map(|m| m.id.clone()).collect();
    let last = ask(&context, move |files| files.last_read(&meters)).await?;
    let zone = parts::zone_of(&plant.site);
    let silent = applicable::silent(&plant.site, &plant.meters, &profiles);
    let body = html! {
        p.lead { code { (plant.site.id) } " · " (plant.site.region) " · " (plant.site.industry) " · " (plant.site.time_zone) }
        (alerts(&view, &plant, &zone, now))
        @for process in &plant.site.processes {
            section {
                h2 { (process.name) " " code { (process.id) } }
                (diagram::line(&view, &plant, process))
                (picture(&view, &plant, process, now))
            }
        }
        (points(&view, &plant, &last, &zone, now))
        (silence(&view, &plant, &silent))
    };
    Ok(frame::page(&view, &plant.site.name, &body))
}

fn alerts(view: &View, plant: &Plant, zone: &TimeZone, now: UtcMs) -> Markup {
    let lang = view.lang();
    let mut open: Vec<_> = plant.open().collect();
    open.sort_by_key(|a| (std::cmp::Reverse(a.level), a.first));
    html! {
        section {
            h2 { (view.say("Open alerts", "未解除告警")) }
            @if open.is_empty() { (parts::nothing(view.say("None.", "无。"))) }
            @else { ul.alerts { @for alert in open { li {
                (parts::level(alert.level, lang)) " "
                a href={"/alerts/" (alert.id)} { (parts::rule(alert.rule, lang)) } " · " (alert.subject) " · "
                (parts::moment(alert.first, zone)) " " (parts::ago(alert.first, now, lang))
                @if alert.is_acknowledged { " " span.done { "✓ " (view.say("acknowledged", "已确认")) } }
                @if alert.is_suppressed { " " span.quiet { (view.say("suppressed", "不通知")) } }
            } } } }
            p { a href={"/alerts?site=" (plant.site.id)} { (view.say("All alerts of this site", "该企业全部告警")) } }
        }
    }
}

fn picture(view: &View, plant: &Plant, process: &Process, now: UtcMs) -> Markup {
    let treatment = process.treatment.iter().flat_map(|group| &group.points);
    let points =
        process.production.iter().chain(treatment).filter_map(|i| plant.site.points.get(usize::from(*i)));
    let series: Vec<_> = points
        .map(|p| {
            serde_json::json!({
                "point": p.id, "name": p.name, "kind": p.kind.name(),
                "above_kw": p.thresholds.running_above_w / 1_000.0,
                "below_kw": p.thresholds.running_below_w / 1_000.0,
            })
        })
        .collect();
    let from = now.plus(-SHOWN_MS);
    let about = plant.alerts.iter().filter(|a| a.subject == process.id && !a.is_retracted);
    let shaded: Vec<_> = about.map(|a| [a.first.0, a.cleared.unwrap_or(now).0]).collect();
    let spec = serde_json::json!({
        "site": plant.site.id, "from": from.0, "to": now.plus(MINUTE_MS).0, "zone": plant.site.time_zone,
        "series": series, "shaded": shaded,
    });
    chart(view, &spec)
}

fn points(view: &View, plant: &Plant, last: &[Option<LastRead>], zone: &TimeZone, now: UtcMs) -> Markup {
    let lang = view.lang();
    html! {
        section {
            h2 { (view.say("Points and meters", "监测点与电表")) }
            div.scroll { table {
                thead { tr {
                    th { (view.say("Point", "监测点")) } th { (view.say("State", "工况")) } th { (view.say("Since", "始于")) }
                    th.number { (view.say("Power kW", "功率 kW")) } th.number { (view.say("Running from kW", "运行阈值 kW")) }
                    th.number { (view.say("Rated kW", "额定 kW")) } th { (view.say("Last read", "最近读数")) }
                    th { (view.say("Meter", "电表")) }
                } }
                tbody { @for (point, unit) in plant.site.points.iter().zip(&plant.units) {
                    @let read = last.get(point.meter as usize).and_then(Option::as_ref);
                    tr {
                        td { (words::kind(point.kind).in_lang(lang)) " " b { (point.name) } }
                        td { (parts::state(unit.state, lang)) }
                        td { @if let Some(since) = unit.since { (parts::moment(since, zone)) } @else { "—" } }
                        td.number { @match read.and_then(|r| r.power_kw) { Some(kw) => (format!("{kw:.2}")), None => "—" } }
                        td.number { (format!("{:.2}", point.thresholds.running_above_w / 1_000.0)) }
                        td.number { (format!("{:.1}", point.rated_w / 1_000.0)) }
                        td { @match read { Some(r) => (parts::ago(r.at, now, lang)), None => (view.say("never", "从未")) } }
                        td { @if let Some(meter) = plant.meter(point) { code { (meter.id) } " " span.quiet { (meter.gateway) } } }
                    }
                } }
            } }
        }
    }
}

fn silence(view: &View, plant: &Plant, silent: &[Silent]) -> Markup {
    if silent.is_empty() {
        return html! {};
    }
    let lang = view.lang();
    html! {
        details {
            summary { (view.say("Rules that say nothing here", "不作判定的规则")) " (" (silent.len()) ")" }
            ul { @for own in silent {
                @let (_, subject) = subject_names(&plant.site, &[], own.subject);
                li { (parts::rule(own.rule, lang)) " · " (subject) ": " (because(own.why).in_lang(lang)) }
            } }
        }
    }
}
