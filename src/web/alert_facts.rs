//! What an alert rests on: times, powers, registers, figures.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::parts;
use super::view::View;
use crate::alerts::alert::Alert;
use crate::alerts::evidence::PointEvidence;
use crate::model::time::UtcMs;
use crate::wording::words;
use crate::wording::{figures, when};

fn fact(name: &str, value: &Markup) -> Markup {
    html! { dt { (name) } dd { (value) } }
}

/// When and how long.
#[must_use]
pub fn facts(view: &View, alert: &Alert, zone: &TimeZone, now: UtcMs) -> Markup {
    let length = |ms: i64| html! { (when::length(ms)) };
    let certain = html! {
        (when::length(alert.certain_ms))
        " (" (parts::percent(alert.evidence.data_share)) " " (view.say("of the time is known", "的时间可判定")) ")"
    };
    html! {
        h2 { (view.say("When", "时间")) }
        dl {
            (fact(view.say("First certain moment", "首次确认"), &parts::moment(alert.first, zone)))
            (fact(view.say("Raised", "触发"), &parts::moment(alert.raised, zone)))
            @match alert.cleared {
                Some(cleared) => (fact(view.say("Cleared", "解除"), &parts::moment(cleared, zone))),
                None => (fact(view.say("Last certain moment", "最后确认"), &html! {
                    (parts::moment(alert.last_certain, zone)) " " (parts::ago(alert.last_certain, now, view.lang()))
                })),
            }
            (fact(view.say("Certain", "确定时长"), &certain))
            (fact(view.say("Unknown", "未知时长"), &length(alert.unknown_ms)))
            (fact(view.say("Rule", "规则"), &html! { (alert.rule.id()) " " code { (alert.rule.name()) }
                " v" (alert.rule_version) }))
            @if let Some((first, last)) = alert.evidence.offsets {
                (fact(view.say("Messages", "报文"), &html! { "#" (first) " … #" (last) }))
            }
            @if alert.retroactive {
                (fact(view.say("Late", "补传"), &html! { (view.say(
                    "found only when late readings had come", "补传数据到达后才发现")) }))
            }
        }
    }
}

/// Powers, registers, thresholds; figures; readings shown whole.
#[must_use]
pub fn proof(view: &View, alert: &Alert, zone: &TimeZone) -> Markup {
    let (evidence, lang) = (&alert.evidence, view.lang());
    html! {
        section {
            h2 { (view.say("Proof", "证据")) }
            @if !evidence.points.is_empty() { (points(view, &evidence.points)) }
            @if !evidence.figures.is_empty() {
                ul.figures { @for figure in &evidence.figures { li { (figures::sentence(figure, zone, lang)) } } }
            }
            @for change in &evidence.changes {
                p { (change.of) ": " (change.from) " → " (change.to) " (" (words::key(&change.who, lang)) ")" }
            }
            @if !evidence.readings.is_empty() {
                details { summary { (view.say("Readings shown whole", "原始读数")) " (" (evidence.readings.len()) ")" }
                    table { thead { tr {
                        th { (view.say("Point", "监测点")) } th { (view.say("Measured", "测量时间")) }
                        th { (view.say("Received", "接收时间")) } th { (view.say("Values", "读数")) }
                    } } tbody { @for reading in &evidence.readings { tr {
                        td { (reading.point) } td { (parts::moment(reading.at, zone)) }
                        td { (parts::moment(reading.received, zone)) }
                        td { @for (name, value) in &reading.values { code { (name) " " (value) } " " } }
                    } } } }
                }
            }
        }
    }
}

fn kilo(value: Option<f64>) -> Markup {
    html! { @match value { Some(v) => (format!("{v:.2}")), None => "—" } }
}

fn points(view: &View, points: &[PointEvidence]) -> Markup {
    let lang = view.lang();
    html! {
        div.scroll { table {
            thead { tr {
                th { (view.say("Point", "监测点")) }
                th.number { (view.say("Mean kW", "平均 kW")) }
                th.number { (view.say("Most kW", "最大 kW")) }
                th.number { (view.say("Running from kW", "运行阈值 kW")) }
                th.number { (view.say("Register from kWh", "起始示数 kWh")) }
                th.number { (view.say("Register to kWh", "结束示数 kWh")) }
                th.number { (view.say("Energy kWh", "电量 kWh")) }
                th { (view.say("Thresholds", "阈值")) }
            } }
            tbody { @for point in points { tr {
                td { (words::kind(point.kind).in_lang(lang)) " " b { (point.name) } }
                td.number { (kilo(point.mean_kw)) }
                td.number { (kilo(point.max_kw)) }
                td.number { (format!("{:.2}", point.thresholds.running_above_w / 1_000.0)) }
                td.number { (kilo(point.energy_first_kwh)) }
                td.number { (kilo(point.energy_last_kwh)) }
                td.number { (kilo(point.energy_kwh)) }
                td { (words::basis(point.thresholds.basis).in_lang(lang)) " v" (point.thresholds.version) }
            } } }
        } }
    }
}
