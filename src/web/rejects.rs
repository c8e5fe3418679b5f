//! Messages that could not be read: kept, counted, shown.

use axum::extract::{Query, State};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame;
use super::parts;
use super::view::View;
use crate::api::context::{Shared, ask};
use crate::api::problem::Problem;
use crate::api::v1::daemon::{N_ROWS, sees_all};
use crate::wording::words;

/// Of which reason.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    code: String,
}

/// The page.
///
/// # Errors
/// They see a part alone, or the store cannot be read.
pub async fn list(
    State(context): Shared,
    view: View,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Problem> {
    sees_all(&view.caller)?;
    let code = Some(wanted.code.clone()).filter(|code| !code.is_empty());
    let n = u32::try_from(N_ROWS).unwrap_or(u32::MAX);
    let (counts, rows) =
        ask(&context, move |files| Ok((files.reject_counts()?, files.rejects(code.as_deref(), n)?))).await?;
    let (zone, lang) = (TimeZone::system(), view.lang());
    let body = html! {
        p { (view.say(
            "These messages were acknowledged and kept, and could not be read. Nothing of them was judged.",
            "以下报文已应答并保存，但无法解析，未参与判定。")) }
        p.chips {
            a href="/rejects" aria-current=[wanted.code.is_empty().then_some("true")] { (view.say("all", "全部")) }
            @for (code, n) in &counts {
                " " a href={"/rejects?code=" (code)} aria-current=[(wanted.code == *code).then_some("true")] {
                    (words::key(code, lang)) " " (n) }
            }
        }
        @if rows.is_empty() { (parts::nothing(view.say("None.", "无。"))) } @else { div.scroll { table.cards {
            thead { tr {
                th { (view.say("Received", "接收时间")) } th { (view.say("From", "来源")) } th { (view.say("Topic or meter", "主题或电表")) }
                th { (view.say("Reason", "原因")) } th { (view.say("Begin", "报文开头")) }
            } }
            tbody { @for row in &rows { tr {
                td { (parts::moment(row.received, &zone)) " " span.offset { "#" (row.offset) } }
                td { (row.source) } td { code { (row.topic) } }
                td { (words::key(&row.code, lang)) br; span.quiet { (row.reason) } }
                td { code.payload { (row.payload) } }
            } } }
        } } }
    };
    Ok(frame::page(&view, view.say("Rejects", "拒收报文"), &body))
}
