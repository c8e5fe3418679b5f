//! `submeterd status`: how the daemon is, or what the files tell of it.

use jiff::tz::TimeZone;

use super::access::Access;
use super::output::{print, print_json};
use super::words::{self, Lang, Words, words};
use super::{
    setup::{self, Globals},
    when,
};
use crate::api::status::Status;
use crate::model::rule::Level;
use crate::model::time::{Clock, UtcMs};
use crate::outbox::status::{SinkState, SinkStatus};
use crate::sources::modbus::status::{LinkStatus, SlaveState};
use crate::sources::mqtt::status::BrokerStatus;

const RUNNING: Words = words("running since", "运行中，启动于");
const DOWN: Words = words("not running; this is what its files tell", "未运行；以下来自数据文件");
const JOURNAL: Words = words("journal", "日志");
const ENGINE: Words = words("engine", "引擎");
const ALERTS: Words = words("open alerts", "未解除告警");
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

fn text(status: &Status, now: UtcMs, lang: Lang) -> String {
    let zone = TimeZone::system();
    let life = match status.started {
        Some(started) if status.running => format!("{} {}", RUNNING.in_lang(lang), started.local(&zone)),
        _ => DOWN.in_lang(lang).to_owned(),
    };
    let mut lines = vec![format!("submeterd {}: {life}", status.version)];
    let mut fact = |what: &str, value: String| lines.push(format!("  {what}: {value}"));
    let journal = &status.journal;
    let bound = status.journal_bytes_max.map_or_else(String::new, |max| format!(" of {}", size(max)));
    fact(
        JOURNAL.in_lang(lang),
        format!("messages {} … {}, {}{bound}", journal.first, journal.last, size(journal.bytes)),
    );
    let progress = &status.progress;
    let behind = journal.last.saturating_sub(progress.passed);
    fact(
        ENGINE.in_lang(lang),
        format!(
            "{} sites, {} points; passed {} ({behind} behind), {} readings, {} late ({} of them judged, {} too late), {} of no point",
            progress.n_sites,
            progress.n_points,
            progress.passed,
            progress.counts.readings,
            progress.counts.late,
            progress.counts.rejudged,
            progress.counts.too_late,
            progress.counts.unassigned
        ),
    );
    let levels = [Level::Critical, Level::Alarm, Level::Warning, Level::Notice];
    let open =
        levels.map(|l| format!("{} {}", status.open_alerts[l as usize], words::level(l).in_lang(lang)));
    fact(ALERTS.in_lang(lang), open.join(", "));
    let rejects: Vec<String> = status.rejects.iter().map(|(code, n)| format!("{n} {code}")).collect();
    fact(REJECTS.in_lang(lang), if rejects.is_empty() { "0".into() } else { rejects.join(", ") });
    lines.extend(status.brokers.iter().map(|(name, s)| format!("  mqtt {name}: {}", broker(s, now, &zone))));
    for (name, status) in &status.links {
        lines.push(format!("  modbus {name}: {}", link(status, &zone)));
    }
    lines.extend(status.sinks.iter().map(|(name, s)| format!("  {name}: {}", sink(s))));
    lines.join("\n")
}

fn broker(status: &BrokerStatus, now: UtcMs, zone: &TimeZone) -> String {
    let mut said = connection(status.connected, status.since, status.last_error.as_deref(), zone);
    let counts = &status.counts;
    said.push_str(&format!(
        "; {} received, {} acknowledged, {} duplicates, {} oversized",
        counts.received, counts.acknowledged, counts.duplicates, counts.oversized
    ));
    if let Some(last) = status.last_message {
        said.push_str(&format!("; last {} ago", when::length(now.since(last))));
    }
    for refused in &status.refused {
        said.push_str(&format!("; REFUSED {refused}"));
    }
    for (holds, what) in
        [(status.silent, "SILENT"), (status.held_back, "HELD BACK"), (!status.subscribed, "NOT SUBSCRIBED")]
    {
        if holds {
            said.push_str(&format!("; {what}"));
        }
    }
    said
}

fn connection(connected: bool, since: Option<UtcMs>, why: Option<&str>, zone: &TimeZone) -> String {
    let word = if connected { "connected" } else { "NOT CONNECTED" };
    let since = since.map_or_else(String::new, |t| format!(" since {}", t.local(zone)));
    let why = why.filter(|_| !connected).map_or_else(String::new, |why| format!(" ({why})"));
    format!("{word}{since}{why}")
}

fn link(status: &LinkStatus, zone: &TimeZone) -> String {
    let mut said = connection(status.connected, Some(status.since), status.last_error.as_deref(), zone);
    if let Some(ms) = status.achieved_ms {
        said.push_str(&format!("; every {:.1} s", f64::from(ms) / 1_000.0));
    }
    for slave in status.slaves.iter().filter(|s| s.state != SlaveState::Ok) {
        let why = slave.hint.as_ref().or(slave.last_error.as_ref());
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        said.push_str(&format!("\n    unit {} {}: {:?}{why}", slave.unit, slave.meter, slave.state));
    }
    said
}

fn sink(status: &SinkStatus) -> String {
    let state = match status.state {
        SinkState::Ok => "ok",
        SinkState::Holding => "HOLDING",
        SinkState::BackingOff => "BACKING OFF",
    };
    let why = status.last_error.as_deref().filter(|_| status.state != SinkState::Ok);
    format!(
        "{state}{}; {} lines delivered, {} entries wait, {} lines set aside, {} behind",
        why.map_or_else(String::new, |why| format!(" ({why})")),
        status.n_lines_delivered,
        status.n_backlog,
        status.n_set_aside,
        when::length(status.lag_ms)
    )
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
