//! Meters and links: how readings come in, and how they go on.

use axum::extract::State;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::frame;
use super::parts;
use super::view::View;
use crate::api::answers::Files;
use crate::api::context::{Shared, ask};
use crate::api::problem::Problem;
use crate::api::status::Status;
use crate::api::v1::daemon::sees_all;
use crate::model::time::UtcMs;
use crate::outbox::status::SinkState;
use crate::sources::modbus::status::{LinkStatus, SlaveState};
use crate::wording::when;
use crate::wording::words;

/// The page.
///
/// # Errors
/// They see a part alone, or the store cannot be read.
pub async fn show(State(context): Shared, view: View) -> Result<Markup, Problem> {
    sees_all(&view.caller)?;
    let files = ask(&context, Files::status).await?;
    let status = context.sensors.over(files);
    let now = context.clock.now();
    let body = html! {
        (brokers(&view, &status, now))
        @for (name, link) in &status.links { (modbus(&view, name, link, now)) }
        (sinks(&view, &status))
        (journal(&view, &status, now))
    };
    Ok(frame::page(&view, view.say("Meters and links", "电表与链路"), &body))
}

fn well(is_well: bool, word: &str) -> Markup {
    html! { span class=(if is_well { "done" } else { "wrong" }) { (if is_well { "✓ " } else { "✗ " }) (word) }
    }
}

fn last(view: &View, at: Option<UtcMs>, now: UtcMs) -> Markup {
    html! { @match at { Some(at) => (parts::ago(at, now, view.lang())), None => (view.say("never", "从未")) } }
}

fn brokers(view: &View, status: &Status, now: UtcMs) -> Markup {
    if status.brokers.is_empty() {
        return html! {};
    }
    html! {
        section { h2 { "MQTT" } div.scroll { table {
            thead { tr {
                th { (view.say("Broker", "服务器")) } th { (view.say("Connection", "连接")) } th { (view.say("Last message", "最近报文")) }
                th.number { (view.say("Received", "接收")) } th.number { (view.say("Acknowledged", "应答")) }
                th.number { (view.say("Duplicates", "重复")) } th.number { (view.say("Oversized", "超限")) } th { (view.say("Last error", "最近错误")) }
            } }
            tbody { @for (name, b) in &status.brokers { tr {
                td { b { (name) } }
                td {
                    @if !b.connected { (well(false, view.say("disconnected", "未连接"))) }
                    @else if !b.subscribed { (well(false, view.say("not subscribed", "未订阅"))) }
                    @else if b.silent { (well(false, view.say("connected but silent", "已连接但无报文"))) }
                    @else { (well(true, view.say("connected", "已连接"))) }
                    @if b.held_back { " " (well(false, view.say("held back: the journal is full", "日志已满，暂停接收"))) }
                }
                td { (last(view, b.last_message, now)) }
                td.number { (b.counts.received) } td.number { (b.counts.acknowledged) }
                td.number { (b.counts.duplicates) } td.number { (b.counts.oversized) }
                td { (b.last_error.as_deref().unwrap_or("—")) }
            } } }
        } } }
    }
}

fn modbus(view: &View, name: &str, link: &LinkStatus, now: UtcMs) -> Markup {
    html! {
        section {
            h2 { "Modbus " (name) " "
                @if link.connected { (well(true, view.say("connected", "已连接"))) }
                @else { (well(false, view.say("disconnected", "未连接"))) } }
            @if let Some(error) = &link.last_error { p.quiet { (error) } }
            div.scroll { table {
                thead { tr {
                    th { (view.say("Meter", "电表")) } th.number { (view.say("Unit", "站号")) } th { (view.say("State", "状态")) }
                    th { (view.say("Last answer", "最近应答")) } th.number { (view.say("Period wanted / reached", "采集周期 设定/实际")) }
                    th.number { (view.say("Timeouts", "超时")) } th.number { (view.say("Garbled", "乱码")) } th { (view.say("Hint", "提示")) }
                } }
                tbody { @for s in &link.slaves { tr {
                    td { code { (s.meter) } } td.number { (s.unit) }
                    td { (well(s.state == SlaveState::Ok, words::slave(s.state).in_lang(view.lang()))) }
                    td { (last(view, s.last_ok, now)) }
                    td.number { (seconds(s.period_ms)) " / "
                        @match s.interval_ms { Some(ms) => (seconds(ms)), None => "—" } }
                    td.number { (s.timeouts) } td.number { (s.garbled) }
                    td { (s.hint.as_deref().or(s.last_error.as_deref()).unwrap_or("—")) }
                } } }
            } }
        }
    }
}

/// A period, to the tenth of a second where it is short.
fn seconds(ms: u32) -> String {
    if ms < 10_000 { format!("{:.1} s", f64::from(ms) / 1_000.0) } else { when::length(i64::from(ms)) }
}

fn sinks(view: &View, status: &Status) -> Markup {
    if status.sinks.is_empty() {
        return html! {};
    }
    html! {
        section { h2 { (view.say("What goes out", "外发")) } div.scroll { table {
            thead { tr {
                th { (view.say("To", "去向")) } th { (view.say("State", "状态")) } th.number { (view.say("Delivered", "已送达")) }
                th.number { (view.say("Waiting", "待发")) } th.number { (view.say("Set aside", "拒收")) }
                th.number { (view.say("Behind", "滞后")) } th { (view.say("Last error", "最近错误")) }
            } }
            tbody { @for (name, s) in &status.sinks { tr {
                td { b { (name) } }
                td { @match s.state {
                    SinkState::Ok => (well(true, view.say("ok", "正常"))),
                    SinkState::Holding => (well(false, view.say("held: somebody must look", "停发待处理"))),
                    SinkState::BackingOff => (well(false, view.say("tries again", "等待重试"))),
                } }
                td.number { (s.n_lines_delivered) } td.number { (s.n_backlog) } td.number { (s.n_set_aside) }
                td.number { (when::length(s.lag_ms)) }
                td { (s.last_error.as_deref().unwrap_or("—")) }
            } } }
        } } }
    }
}

fn journal(view: &View, status: &Status, now: UtcMs) -> Markup {
    let progress = &status.progress;
    html! {
        section { h2 { (view.say("Journal and rules", "日志与判定")) } dl {
            dt { (view.say("Messages judged", "已判定报文")) } dd { "#" (progress.passed) }
            dt { (view.say("Behind the clock", "落后时钟")) } dd { (when::length(now.since(progress.now).max(0))) }
            dt { (view.say("Readings", "读数")) } dd { (progress.counts.readings) }
            dt { (view.say("Late readings", "补传读数")) } dd { (progress.counts.late) }
            dt { (view.say("Rejects", "拒收报文")) } dd { a href="/rejects" { (progress.counts.rejects) } }
            dt { (view.say("Running since", "运行始于")) } dd { @if let Some(at) = status.started { (parts::moment(at, &TimeZone::system())) } }
            dt { (view.say("Version", "版本")) } dd { (status.version) }
        } }
    }
}
