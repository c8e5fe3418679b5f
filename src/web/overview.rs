//! The overview: how it stands, who is worst, and the last day hour by hour.

use std::sync::Arc;

use axum::extract::State;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::frame;
use super::parts;
use super::view::View;
use crate::accounts::role::Act;
use crate::api::board::plant::{Board, N_HOURS, Plant};
use crate::api::context::Shared;
use crate::api::problem::Problem;
use crate::api::v1::daemon::{Overview, overview_of};
use crate::api::v1::sites::seen;
use crate::model::rule::Level;
use crate::model::state::State as UnitState;
use crate::model::time::{HOUR_MS, UtcMs};
use crate::wording::when;
use crate::wording::words;

/// Plants in the strip: more than that nobody looks at before the worst are seen to.
const N_STRIP: usize = 60;

/// The overview.
///
/// # Errors
/// They may not see anything.
pub async fn show(State(context): Shared, view: View) -> Result<Markup, Problem> {
    view.caller.must(Act::See)?;
    let board = Arc::clone(&context.board.borrow());
    let sum = overview_of(board.now, seen(&board, &view.caller));
    let mut worst: Vec<&Plant> = seen(&board, &view.caller).filter(|p| !p.alerts.is_empty()).collect();
    worst.sort_by_cached_key(|plant| {
        let (level, n) = (plant.worst(), plant.open().filter(|a| !a.is_suppressed).count());
        (std::cmp::Reverse((level, n)), plant.site.id.clone())
    });
    worst.truncate(N_STRIP);
    let body = html! {
        (tiles(&view, &sum))
        section {
            h2 { (view.say("Worst first", "问题企业")) }
            @if worst.is_empty() {
                (parts::nothing(view.say(
                    "No alert is open, and none was in the last day.", "当前无告警，过去 24 小时内也无告警。")))
            } @else { (strip(&view, &worst, &board)) }
        }
    };
    Ok(frame::page(&view, view.say("Overview", "总览"), &body))
}

fn tiles(view: &View, sum: &Overview) -> Markup {
    let lang = view.lang();
    let tile = |to: &str, class: &str, n: usize, what: &Markup| {
        html! { a class={"tile " (class)} href=(to) { b { (n) } span { (what) } } }
    };
    html! {
        div.tiles {
            @for (level, n) in Level::ALL.into_iter().zip(sum.n_open).rev() {
                (tile(&format!("/alerts?status=open&level={}", level.name()),
                    if n > 0 { level.name() } else { "calm" }, n, &parts::level(level, lang)))
            }
            (tile("/sites", "", sum.n_sites, &html! { (view.say("sites, ", "家企业，"))
                (sum.n_sites_with_alerts) (view.say(" with alerts", " 家有告警")) }))
        }
        div.tiles.small {
            @for (state, n) in UnitState::ALL.into_iter().zip(sum.n_points) {
                div.tile { b { (n) } span { (parts::state(state, lang)) } }
            }
            div.tile {
                b { (sum.coverage.map_or_else(|| "—".to_owned(), parts::percent)) }
                span { (view.say("of points are known", "监测点工况可知")) }
            }
        }
    }
}

fn strip(view: &View, plants: &[&Plant], board: &Board) -> Markup {
    let lang = view.lang();
    html! {
        div.scroll { table.strip {
            thead { tr {
                th { (view.say("Site", "企业")) }
                th { (view.say("Open", "未解除")) }
                th colspan=(N_HOURS) { (view.say("The last 24 hours, hour by hour; the newest on the right", "过去 24 小时，右侧为最近一小时")) }
            } }
            tbody { @for plant in plants { tr {
                th scope="row" { a href={"/sites/" (plant.site.id)} { (plant.site.name) }
                    span.quiet { " " (plant.site.region) } }
                td { @match plant.worst() {
                    Some(worst) => {
                        a href={"/alerts?status=open&site=" (plant.site.id)} {
                            (parts::level(worst, lang)) " " (plant.open().count()) }
                        " " span.quiet { (since(plant, board.now)) }
                    },
                    None => span.quiet { "—" },
                } }
                @let zone = parts::zone_of(&plant.site);
                @for (ago, hour) in (1_i64..=24).rev().zip(plant.hours(board.now)) { (cell(view, hour, ago, board.now, &zone)) }
            } } }
        } }
    }
}

/// For how long its gravest alert has been open.
fn since(plant: &Plant, now: UtcMs) -> String {
    let worst =
        plant.open().filter(|a| !a.is_suppressed).max_by_key(|a| (a.level, std::cmp::Reverse(a.first)));
    worst.map_or_else(String::new, |alert| when::length(now.since(alert.first).max(0)))
}

fn cell(view: &View, hour: Option<Level>, ago: i64, now: UtcMs, zone: &TimeZone) -> Markup {
    let end = UtcMs((now.0.div_euclid(HOUR_MS) + 1) * HOUR_MS);
    let from = end.plus(-ago * HOUR_MS).local(zone);
    let said =
        hour.map_or(view.say("no alert", "无告警"), |level| words::level(level).in_lang(view.lang()));
    html! {
        td class={"hour " (hour.map_or("calm", Level::name))} title=(format!("{from}: {said}")) {
            (hour.map_or("", words::level_mark))
        }
    }
}
