//! The audit trail: who did what, and from where.

use axum::extract::{Query, State};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame;
use super::parts;
use super::view::View;
use crate::accounts::role::Act;
use crate::api::context::{Shared, ask};
use crate::api::problem::Problem;
use crate::api::v1::daemon::{N_ROWS, sees_all};
use crate::store::trail::TrailFilter;
use crate::wording::people;

/// What is looked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    subject: String,
    before: Option<u64>,
}

/// The page.
///
/// # Errors
/// They may not, or the store cannot be read.
pub async fn list(
    State(context): Shared,
    view: View,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Problem> {
    view.caller.must(Act::Audit)?;
    sees_all(&view.caller)?;
    let filter = TrailFilter {
        site: None,
        subject: Some(wanted.subject.trim().to_owned()).filter(|s| !s.is_empty()),
        before: wanted.before.filter(|b| i64::try_from(*b).is_ok()),
        limit: u32::try_from(N_ROWS).unwrap_or(u32::MAX),
    };
    let rows = ask(&context, move |files| files.trail(&filter)).await?;
    let (zone, lang) = (TimeZone::system(), view.lang());
    let body = html! {
        form.filters method="get" action="/trail" role="search" {
            label.wide { (view.say("About", "对象")) input type="search" name="subject" value=(wanted.subject)
                placeholder=(view.say("alert, point, user", "告警、监测点、用户")); }
            button.main { (view.say("Show", "查询")) }
        }
        @if rows.is_empty() { (parts::nothing(view.say("Nothing was done yet.", "暂无操作记录。"))) } @else { div.scroll { table.cards {
            thead { tr {
                th { (view.say("When", "时间")) } th { (view.say("Who", "操作人")) } th { (view.say("From", "来源")) }
                th { (view.say("What", "操作")) } th { (view.say("Site", "企业")) } th { (view.say("About", "对象")) }
                th { (view.say("Note", "备注")) }
            } }
            tbody { @for row in &rows { tr {
                td { (parts::moment(row.at, &zone)) " " span.offset { "#" (row.offset) } }
                td { b { (row.who) } } td { (row.origin) } td title=(row.what) { (people::done(&row.what, lang)) }
                td { @if let Some(site) = &row.site { a href={"/sites/" (site)} { (site) } } }
                td { (row.subject) } td { (row.note) }
            } } }
        } } }
        @if let Some(last) = rows.last().filter(|_| rows.len() == N_ROWS) {
            @let more = serde_urlencoded::to_string([("subject", wanted.subject.clone()), ("before", last.offset.to_string())]);
            p.pages { a.button rel="next" href={"/trail?" (more.unwrap_or_default())} { (view.say("Older", "更早")) } }
        }
    };
    Ok(frame::page(&view, view.say("Audit trail", "操作记录"), &body))
}
