//! `submeterd status`: how the daemon is, or what the files tell of it.

use jiff::tz::TimeZone;

use super::access::Access;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use crate::api::status::Status;
use crate::config::receivers::SINK_PREFIX;
use crate::model::rule::Level;
use crate::model::time::{Clock, UtcMs};
use crate::outbox::status::{SinkKind, SinkState, SinkStatus};
use crate::sources::modbus::status::{LinkStatus, SlaveState};
use crate::sources::mqtt::status::BrokerStatus;
use crate::wording::when;
use crate::wording::words::{self, Lang, Words, words};

const RUNNING: Words = words("running since", "运行中，启动于");
const DOWN: Words = words("not running; this is what its files tell", "未运行；以下来自数据文件");
const JOURNAL: Words = words("journal", "日志");
const ENGINE: Words = words("engine", "引擎");
const ALERTS: Words = words("open alerts", "未解除告警");
const MESSAGES: Words = words("messages", "报文");
const OF: Words = words("of", "/ 上限");
const CONNECTED: Words = words("connected", "已连接");
const NOT_CONNECTED: Words = words("NOT CONNECTED", "未连接");
const SINCE: Words = words("since", "始于");
const EVERY: Words = words("every", "采集周期");
const UNIT: Words = words("unit", "从站");
const REFUSED: Words = words("REFUSED", "订阅被拒");
const SILENT: Words = words("SILENT", "无数据");
const HELD_BACK: Words = words("HELD BACK", "暂停应答");
const NOT_SUBSCRIBED: Words = words("NOT SUBSCRIBED", "未订阅");
const RECEIVER: Words = words("notices to", "通知对象");
const REJECTS: Words = words("rejects", "被拒报文");

/// Runs the command.
///
/// # Errors
/// The configuration has mistakes, or nobody answers.
pub async fn run(globals: &Globals) -> anyhow::Result<()> {
    let access = Access::open(&setup::daemon(globals)?).await?;
    let status = access.status().await?;
    if globals.json {
        return print_json(&status);
    }
    print(&text(&status, Clock::System.now(), globals.lang()))
}

pub(super) fn text(status: &Status, now: UtcMs, lang: Lang) -> String {
    let zone = TimeZone::system();
    let life = match status.started {
        Some(started) if status.running => format!("{} {}", RUNNING.in_lang(lang), started.local(&zone)),
        _ => DOWN.in_lang(lang).to_owned(),
    };
    let mut lines = vec![format!("submeterd {}: {life}", status.version)];
    let mut fact = |what: &str, value: String| lines.push(format!("  {what}: {value}"));
    let journal = &status.journal;
    let bound = status
        .journal_bytes_max
        .map_or_else(String::new, |max| format!(" {} {}", OF.in_lang(lang), size(max)));
    fact(
        JOURNAL.in_lang(lang),
        format!(
            "{} {} … {}, {}{bound}",
            MESSAGES.in_lang(lang),
            journal.first,
            journal.last,
            size(journal.bytes)
        ),
    );
    fact(ENGINE.in_lang(lang), engine(status, lang));
    let levels = [Level::Critical, Level::Alarm, Level::Warning, Level::Notice];
    let open =
        levels.map(|l| format!("{} {}", status.open_alerts[l as usize], words::level(l).in_lang(lang)));
    fact(ALERTS.in_lang(lang), open.join(", "));
    let rejects: Vec<String> =
        status.rejects.iter().map(|(code, n)| format!("{n} {}", words::key(code, lang))).collect();
    fact(REJECTS.in_lang(lang), if rejects.is_empty() { "0".into() } else { rejects.join(", ") });
    lines.extend(
        status.brokers.iter().map(|(name, s)| format!("  mqtt {name}: {}", broker(s, (now, &zone), lang))),
    );
    for (name, status) in &status.links {
        lines.push(format!("  modbus {name}: {}", link(status, &zone, lang)));
    }
    lines.extend(
        status.sinks.iter().map(|(name, s)| format!("  {}: {}", sink_name(name, lang), sink(s, lang))),
    );
    lines.join("\n")
}

fn engine(status: &Status, lang: Lang) -> String {
    let progress = &status.progress;
    let (n_sites, n_points, passed) = (progress.n_sites, progress.n_points, progress.passed);
    let behind = status.journal.last.saturating_sub(passed);
    let counts = &progress.counts;
    let (n, late, rejudged) = (counts.readings, counts.late, counts.rejudged);
    let (too_late, unassigned) = (counts.too_late, counts.unassigned);
    match lang {
        Lang::En => format!(
            "{n_sites} sites, {n_points} points; passed {passed} ({behind} behind), {n} readings, \
             {late} late ({rejudged} of them judged, {too_late} too late), {unassigned} of no point"
        ),
        Lang::Zh => format!(
            "企业 {n_sites} 家，监测点 {n_points} 个；已处理至 {passed}（积压 {behind}），读数 {n} 条，\
             迟到 {late} 条（已重新判定 {rejudged}，过晚 {too_late}），不属任何监测点 {unassigned} 条"
        ),
    }
}

fn broker(status: &BrokerStatus, (now, zone): (UtcMs, &TimeZone), lang: Lang) -> String {
    let mut said = connection(status.connected, status.since, status.last_error.as_deref(), zone, lang);
    let counts = &status.counts;
    let (n, acknowledged) = (counts.received, counts.acknowledged);
    let (duplicates, oversized) = (counts.duplicates, counts.oversized);
    said.push_str(&match lang {
        Lang::En => format!(
            "; {n} received, {acknowledged} acknowledged, {duplicates} duplicates, {oversized} oversized"
        ),
        Lang::Zh => format!("；接收 {n}，应答 {acknowledged}，重复 {duplicates}，超限 {oversized}"),
    });
    if let Some(last) = status.last_message {
        let ago = when::length(now.since(last));
        said.push_str(&match lang {
            Lang::En => format!("; last {ago} ago"),
            Lang::Zh => format!("；最近一条在 {ago} 前"),
        });
    }
    for refused in &status.refused {
        said.push_str(&format!("; {} {refused}", REFUSED.in_lang(lang)));
    }
    for (holds, what) in
        [(status.silent, SILENT), (status.held_back, HELD_BACK), (!status.subscribed, NOT_SUBSCRIBED)]
    {
        if holds {
            said.push_str(&format!("; {}", what.in_lang(lang)));
        }
    }
    said
}

fn connection(
    connected: bool,
    since: Option<UtcMs>,
    why: Option<&str>,
    zone: &TimeZone,
    lang: Lang,
) -> String {
    let word = if connected { CONNECTED } else { NOT_CONNECTED }.in_lang(lang);
    let since = since.map_or_else(String::new, |t| format!(" {} {}", SINCE.in_lang(lang), t.local(zone)));
    let why = why.filter(|_| !connected).map_or_else(String::new, |why| format!(" ({why})"));
    format!("{word}{since}{why}")
}

fn link(status: &LinkStatus, zone: &TimeZone, lang: Lang) -> String {
    let mut said = connection(status.connected, Some(status.since), status.last_error.as_deref(), zone, lang);
    if let Some(ms) = status.achieved_ms {
        said.push_str(&format!("; {} {:.1} s", EVERY.in_lang(lang), f64::from(ms) / 1_000.0));
    }
    for slave in status.slaves.iter().filter(|s| s.state != SlaveState::Ok) {
        let why = slave.hint.as_ref().or(slave.last_error.as_ref());
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        let (unit, state) = (UNIT.in_lang(lang), words::slave(slave.state).in_lang(lang));
        said.push_str(&format!("\n    {unit} {} {}: {state}{why}", slave.unit, slave.meter));
    }
    said
}

/// Receivers of notices by their own names.
fn sink_name(name: &str, lang: Lang) -> String {
    let receiver = name.strip_prefix(SINK_PREFIX);
    receiver.map_or_else(|| name.to_owned(), |own| format!("{} {own}", RECEIVER.in_lang(lang)))
}

fn sink(status: &SinkStatus, lang: Lang) -> String {
    let state = sink_word(status.state).in_lang(lang);
    let why = status.last_error.as_deref().filter(|_| status.state != SinkState::Ok);
    let why = why.map_or_else(String::new, |why| format!(" ({why})"));
    let (n, backlog, aside) = (status.n_lines_delivered, status.n_backlog, status.n_set_aside);
    let lag = when::length(status.lag_ms);
    match (status.kind, lang) {
        (SinkKind::Lines, Lang::En) => format!(
            "{state}{why}; {n} lines delivered, {backlog} entries wait, {aside} lines set aside, {lag} behind"
        ),
        (SinkKind::Lines, Lang::Zh) => {
            format!("{state}{why}；已送 {n} 行，待送 {backlog} 批，搁置 {aside} 行，滞后 {lag}")
        }
        (SinkKind::Notices, Lang::En) => {
            format!("{state}{why}; {n} notices delivered, {backlog} wait, {aside} refused, {lag} behind")
        }
        (SinkKind::Notices, Lang::Zh) => {
            format!("{state}{why}；已送通知 {n} 条，待送 {backlog} 条，被拒 {aside} 条，滞后 {lag}")
        }
    }
}

/// Bytes as people say them.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1_024.0 && unit + 1 < units.len() {
        value /= 1_024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}

/// The word for how a sink does.
#[must_use]
pub(super) const fn sink_word(state: SinkState) -> Words {
    match state {
        SinkState::Ok => words("ok", "正常"),
        SinkState::Holding => words("HOLDING", "停发待处理"),
        SinkState::BackingOff => words("BACKING OFF", "等待重试"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_a_status_without_a_daemon_read_well() {
        assert_eq!([0, 1_023, 1_536, 10 << 30].map(size), ["0 B", "1023 B", "1.5 KiB", "10.0 GiB"]);
        let text = text(&Status::default(), UtcMs(0), Lang::En);
        assert!(text.contains("not running") && text.contains("open alerts: 0 critical, 0 alarm"), "{text}");
    }
}
