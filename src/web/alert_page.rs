//! One alert: the sentence, the picture, the proof, what was done, and what can be done.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::alert_facts;
use super::frame;
use super::parts;
use super::story;
use super::view::View;
use crate::accounts::role::Act as May;
use crate::alerts::alert::{Alert, Status};
use crate::api::board::plant::{Board, Plant};
use crate::api::context::Shared;
use crate::api::problem::Problem;
use crate::api::v1::alerts::of_id;
use crate::model::deed::{Act, Cause};
use crate::model::site::PointKind;
use crate::model::time::{HOUR_MS, MINUTE_MS, UtcMs};
use crate::wording::words;
use crate::wording::{sentence, suppressed};

/// The picture shows as much before and after as the alert is long, within these bounds, ms.
const MARGIN_MS: (i64, i64) = (MINUTE_MS, 6 * HOUR_MS);

/// The alert.
///
/// # Errors
/// There is none, or it is out of sight.
pub async fn show(State(context): Shared, view: View, Path(id): Path<String>) -> Result<Markup, Problem> {
    let alert = of_id(&context, &view.caller, &id).await?;
    let board = Arc::clone(&context.board.borrow());
    let plant = board.plant(&alert.site).map(|plant| &**plant);
    let zone = plant.map_or(TimeZone::UTC, |plant| parts::zone_of(&plant.site));
    let lang = view.lang();
    let body = html! {
        p.lead {
            (parts::level(alert.level, lang)) " "
            span class={"status " (alert.status.name())} { (words::status(alert.status).in_lang(lang)) } " "
            a href={"/sites/" (alert.site)} { (plant.map_or(&alert.site, |p| &p.site.name)) }
            " · " (alert.subject) " · " code { (alert.id) }
        }
        p.evidence { (sentence::of_alert(&alert, &zone, lang)) }
        @for own in &alert.suppressed { p.quiet { (suppressed::sentence(own, &zone, lang)) } }
        @if let Some(plant) = plant { (picture(&view, &alert, plant, &board)) }
        div.columns {
            section { (alert_facts::facts(&view, &alert, &zone, board.now)) }
            section { (story::story(&view, &alert, &zone)) }
        }
        (alert_facts::proof(&view, &alert, &zone))
        (forms(&view, &alert))
    };
    Ok(frame::page(&view, &parts::rule(alert.rule, lang), &body))
}

/// What the picture is drawn from; the script asks for the readings.
fn picture(view: &View, alert: &Alert, plant: &Plant, board: &Board) -> Markup {
    let end = alert.cleared.unwrap_or(board.now).max(alert.raised).max(alert.first.plus(1));
    let margin_ms = end.since(alert.first).clamp(MARGIN_MS.0, MARGIN_MS.1);
    let (from, to) =
        (alert.first.plus(-margin_ms), end.plus(margin_ms).min(board.now.max(end).plus(MINUTE_MS / 6)));
    let points = alert.evidence.points.iter().filter_map(|p| {
        let own = plant.site.points.iter().find(|own| own.id == p.point)?;
        Some((own, p.thresholds.running_above_w, p.thresholds.running_below_w))
    });
    let mut series: Vec<_> =
        points.map(|(p, above, below)| one(&p.id, &p.name, p.kind, above, below)).collect();
    if series.is_empty() {
        let own = plant.site.points.iter().filter(|p| p.id == alert.subject);
        series.extend(own.map(|p| {
            one(&p.id, &p.name, p.kind, p.thresholds.running_above_w, p.thresholds.running_below_w)
        }));
    }
    if series.is_empty() {
        return html! {};
    }
    let span = |begin: UtcMs, end: UtcMs| serde_json::json!([begin.0, end.0]);
    let shaded = match alert.status {
        Status::Retracted => Vec::new(),
        Status::Open => vec![span(alert.first, end)],
        Status::Cleared => vec![span(alert.first, alert.cleared.unwrap_or(end))],
    };
    let spec = serde_json::json!({
        "site": alert.site, "from": from.0, "to": to.0, "zone": plant.site.time_zone,
        "series": series, "shaded": shaded,
    });
    chart(view, &spec)
}

fn one(id: &str, name: &str, kind: PointKind, above_w: f64, below_w: f64) -> serde_json::Value {
    serde_json::json!({
        "point": id, "name": name, "kind": kind.name(), "above_kw": above_w / 1_000.0, "below_kw": below_w / 1_000.0,
    })
}

/// A place for a picture.
#[must_use]
pub fn chart(view: &View, spec: &serde_json::Value) -> Markup {
    let words = serde_json::json!({
        "production": view.say("production", "生产"), "treatment": view.say("treatment", "治污"),
        "unknown": view.say("unknown", "未知"), "alert": view.say("alert", "告警"),
        "threshold": view.say("running from", "运行阈值"), "none": view.say("No readings in this time.", "该时段无读数。"),
        "failed": view.say("The picture could not be loaded.", "图表加载失败。"),
    });
    html! {
        figure.chart data-chart=(spec) data-words=(words) {
            figcaption { (view.say(
                "Power in kW. Shaded: the alert. Hatched: nothing is known. Dashed: running from this power.",
                "功率（kW）。阴影：告警时段；斜线：工况未知；虚线：运行阈值。",
            )) }
        }
    }
}

fn note(view: &View, is_needed: bool) -> Markup {
    html! { textarea name="note" rows="2" maxlength="2000" required[is_needed] aria-label=(view.say("Note", "备注"))
    placeholder=(view.say("Note", "备注")) {} }
}

fn form(view: &View, alert: &Alert, act: &str, title: &str, inside: &Markup) -> Markup {
    html! {
        form.card method="post" action={"/alerts/" (alert.id) "/" (act)} {
            input type="hidden" name="csrf" value=(view.csrf());
            (inside)
            button.main { (title) }
        }
    }
}

fn forms(view: &View, alert: &Alert) -> Markup {
    let lang = view.lang();
    let causes = html! {
        label { (view.say("Cause", "原因"))
            select name="cause" { @for cause in Cause::ALL {
                option value=(cause.name()) { (words::cause(cause).in_lang(lang)) }
            } }
        }
        (note(view, false))
    };
    let assign = html! {
        label { (view.say("Who sees to it", "负责人"))
            input name="to" maxlength="64" value=(alert.assigned().unwrap_or_default()); }
    };
    html! {
        section.actions {
            h2 { (view.say("What can be done", "处理")) }
            div.cardset {
                @if view.caller.actor.may(May::Handle) {
                    (form(view, alert, "acknowledge", view.say("Acknowledge", "确认"), &note(view, false)))
                    (form(view, alert, "comment", view.say("Comment", "备注"), &note(view, true)))
                    (form(view, alert, "assign", view.say("Assign", "指派"), &assign))
                }
                @if view.caller.actor.may(May::Declare) {
                    (form(view, alert, "declare", view.say("Declare a cause", "申报原因"), &causes))
                }
            }
            @if view.caller.actor.may(May::Handle) { @for deed in &alert.deeds {
                @if matches!(deed.act, Act::Declare { .. }) && alert.is_confirmed(deed.offset).is_none() {
                    (judge(view, alert, deed))
                }
            } }
        }
    }
}

/// A declaration that nobody has judged yet.
fn judge(view: &View, alert: &Alert, deed: &crate::model::deed::Deed) -> Markup {
    let Act::Declare { cause } = deed.act else { return html! {} };
    html! {
        form.card method="post" action={"/alerts/" (alert.id) "/confirm"} data-declaration {
            input type="hidden" name="csrf" value=(view.csrf());
            input type="hidden" name="declaration" value=(deed.offset);
            p { (view.say("Declared", "申报")) ": " (words::cause(cause).in_lang(view.lang())) " — " (deed.note)
                " (" (deed.who) ")" }
            (note(view, false))
            button.main { (view.say("Confirm the declaration", "认可申报")) } " "
            button formaction={"/alerts/" (alert.id) "/refuse"} { (view.say("Refuse it", "不予认可")) }
        }
    }
}
