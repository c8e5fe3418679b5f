//! The list of alerts: filters in the address, a page at a time, many acknowledged at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame;
use super::parts;
use super::view::View;
use crate::accounts::role::Act;
use crate::alerts::alert::{Alert, Status};
use crate::api::board::plant::Board;
use crate::api::context::Shared;
use crate::api::problem::Problem;
use crate::api::v1::alerts::{AlertsPage, AlertsQuery, page};
use crate::api::v1::sites::seen;
use crate::model::rule::{Level, Rule};
use crate::wording::words;
use crate::wording::{sentence, suppressed, when};

/// The filters as a form sends them: what is empty does not matter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filters {
    status: String,
    level: String,
    rule: String,
    site: String,
    region: String,
    acknowledged: String,
    assigned: String,
    q: String,
    after: String,
}

fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(text)).ok()
}

fn text(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

impl Filters {
    fn query(&self) -> AlertsQuery {
        AlertsQuery {
            status: word(&self.status),
            level: word(&self.level),
            rule: word(&self.rule),
            site: text(&self.site),
            region: text(&self.region),
            acknowledged: self.acknowledged.parse().ok(),
            assigned: text(&self.assigned),
            q: text(&self.q),
            after: text(&self.after),
            ..AlertsQuery::default()
        }
    }

    fn is_any(&self) -> bool {
        AlertsQuery { after: None, ..self.query() } != AlertsQuery::default()
    }
}

/// The list.
///
/// # Errors
/// Something that is asked for cannot be meant, or the store cannot be read.
pub async fn list(
    State(context): Shared,
    view: View,
    Query(filters): Query<Filters>,
) -> Result<Markup, Problem> {
    let found = page(&context, &view.caller, &filters.query()).await?;
    let board = Arc::clone(&context.board.borrow());
    let body = html! {
        (form(&view, &filters, &board))
        @if found.items.is_empty() {
            (parts::nothing(if filters.is_any() {
                view.say("No alert fits. Take a filter away.", "没有符合条件的告警，可放宽筛选条件。")
            } else {
                view.say("No alert so far.", "暂无告警。")
            }))
        } @else {
            (table(&view, &found, &board))
        }
        @if let Some(next) = &found.next {
            @let more = AlertsQuery { after: Some(next.clone()), ..filters.query() };
            p.pages { a.button rel="next" href={"/alerts?" (serde_urlencoded::to_string(&more).unwrap_or_default())} {
                (view.say("Older", "更早"))
            } }
        }
        p.keys { (view.say(
            "Keys: j k to move, Enter to open, x to select, a to acknowledge, / to search",
            "快捷键：j k 上下移动，回车打开，x 选择，a 确认，/ 搜索",
        )) }
    };
    Ok(frame::page(&view, view.say("Alerts", "告警"), &body))
}

fn choice(label: &str, name: &str, chosen: &str, all: &[(String, String)], any: &str) -> Markup {
    html! {
        label { (label)
            select name=(name) {
                option value="" { (any) }
                @for (value, said) in all { option value=(value) selected[value == chosen] { (said) } }
            }
        }
    }
}

fn form(view: &View, filters: &Filters, board: &Board) -> Markup {
    let lang = view.lang();
    let any = view.say("any", "不限");
    let statuses = [Status::Open, Status::Cleared, Status::Retracted]
        .map(|s| (s.name().to_owned(), words::status(s).in_lang(lang).to_owned()));
    let levels = Level::ALL.map(|l| (l.name().to_owned(), words::level(l).in_lang(lang).to_owned()));
    let rules: Vec<_> = Rule::ALL.iter().map(|r| (r.name().to_owned(), parts::rule(*r, lang))).collect();
    let regions: BTreeSet<&str> = seen(board, &view.caller).map(|p| &*p.site.region).collect();
    let regions: Vec<_> = regions.into_iter().map(|r| (r.to_owned(), r.to_owned())).collect();
    let seen_by = [("true", view.say("acknowledged", "已确认")), ("false", view.say("not yet", "未确认"))]
        .map(|(value, said)| (value.to_owned(), said.to_owned()));
    html! {
        form.filters method="get" action="/alerts" role="search" {
            label.wide { (view.say("Search", "搜索"))
                input type="search" name="q" value=(filters.q) maxlength="200"
                    placeholder=(view.say("site, process, point, rule, id", "企业、工艺、监测点、规则、编号"));
            }
            (choice(view.say("Status", "状态"), "status", &filters.status, &statuses, any))
            (choice(view.say("Level from", "级别不低于"), "level", &filters.level, &levels, any))
            (choice(view.say("Rule", "规则"), "rule", &filters.rule, &rules, any))
            @if regions.len() > 1 {
                (choice(view.say("District", "区县"), "region", &filters.region, &regions, any))
            }
            (choice(view.say("Acknowledged", "确认"), "acknowledged", &filters.acknowledged, &seen_by, any))
            @if !filters.site.is_empty() { input type="hidden" name="site" value=(filters.site); }
            button.main { (view.say("Show", "查询")) }
            @if filters.is_any() { a.button href="/alerts" { (view.say("Clear filters", "清除条件")) } }
        }
    }
}

fn table(view: &View, found: &AlertsPage, board: &Board) -> Markup {
    let may = view.caller.actor.may(Act::Handle);
    html! {
        form method="post" action="/alerts/acknowledge" data-bulk {
            input type="hidden" name="csrf" value=(view.csrf());
            input type="hidden" name="back" value=(view.look.here);
            input type="hidden" name="ids";
            @if may {
                div.bulk {
                    input name="note" maxlength="2000" aria-label=(view.say("Note", "备注"))
                        placeholder=(view.say("Note for the selected", "所选告警的备注"));
                    button.main disabled { (view.say("Acknowledge selected", "确认所选")) " " span data-count {} }
                }
            }
            table.cards data-keys {
                thead { tr {
                    @if may { th.check { input type="checkbox" data-all aria-label=(view.say("Select all", "全选")); } }
                    th { (view.say("Level", "级别")) }
                    th { (view.say("Alert", "告警")) }
                    th { (view.say("Site", "企业")) }
                    th { (view.say("Raised", "触发时间")) }
                    th { (view.say("Lasted", "持续")) }
                    th { (view.say("State", "状态")) }
                } }
                tbody { @for alert in &found.items { (row(view, alert, board, may)) } }
            }
        }
    }
}

fn row(view: &View, alert: &Alert, board: &Board, may: bool) -> Markup {
    let lang = view.lang();
    let plant = board.plant(&alert.site);
    let zone = plant.map_or(jiff::tz::TimeZone::UTC, |plant| parts::zone_of(&plant.site));
    let name = plant.map_or(&alert.site, |plant| &plant.site.name);
    let end = alert.cleared.unwrap_or(board.now).max(alert.first);
    html! {
        tr.open[alert.status == Status::Open] {
            @if may { td.check { input type="checkbox" value=(alert.id)
                aria-label={(view.say("Select", "选择")) " " (alert.id)}; } }
            td { (parts::level(alert.level, lang)) }
            td.what {
                a href={"/alerts/" (alert.id)} { (parts::rule(alert.rule, lang)) }
                " · " (alert.subject)
                p.proof { (sentence::of_alert(alert, &zone, lang)) }
            }
            td { a href={"/sites/" (alert.site)} { (name) } }
            td { (parts::moment(alert.raised, &zone)) }
            td.number { (when::length(end.since(alert.first))) }
            td {
                span class={"status " (alert.status.name())} { (words::status(alert.status).in_lang(lang)) }
                @if alert.acknowledged.is_some() { " " span.done { "✓ " (view.say("acknowledged", "已确认")) } }
                @if let Some(why) = suppressed::in_short(alert, lang) { " " span.quiet { (why) } }
                @if let Some(to) = alert.assigned() { " " span.to { "→ " (to) } }
            }
        }
    }
}
