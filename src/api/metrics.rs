//! The figures of `status` for Prometheus, as OpenMetrics text. Pure.
//!
//! Counters of sources and of the engine go on over restarts, as the journal does; those of connections and of the
//! journal's writer begin at the start. They can be held against each other: of every source what was received is stored,
//! rejected or pending; of a broker what was received is acknowledged or unacknowledged; of the engine what lies between
//! `journal_passed_offset` and `journal_last_offset` is still to be judged.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::status::Status;
use crate::config::receivers::SINK_PREFIX;
use crate::engine::outcome::Outcomes;
use crate::journal::written::Written;
use crate::model::message::Kind;
use crate::model::rule::Level;
use crate::model::time::UtcMs;
use crate::outbox::status::{SinkKind, SinkState, SinkStatus};
use crate::sources::modbus::status::{LinkStatus, SlaveState, SlaveStatus};
use crate::sources::mqtt::status::BrokerStatus;

/// What the text is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Label names with their values.
type Labels = Vec<(&'static str, String)>;

/// All figures.
///
/// # Errors
/// None that can happen: text goes into memory.
pub fn text(status: &Status, written: &Written) -> Result<String, fmt::Error> {
    let mut sheet = Sheet { registry: Registry::with_prefix("submeterd") };
    own(&mut sheet, status);
    journal(&mut sheet, written);
    engine(&mut sheet, status);
    sources(&mut sheet, status);
    brokers(&mut sheet, &status.brokers);
    links(&mut sheet, &status.links);
    let slaves: Vec<(&str, &SlaveStatus)> =
        status.links.iter().flat_map(|(link, own)| own.slaves.iter().map(|s| (link.as_str(), s))).collect();
    meters(&mut sheet, &slaves);
    let (notices, lines): (Vec<_>, Vec<_>) =
        status.sinks.iter().cloned().partition(|(_, s)| s.kind == SinkKind::Notices);
    sinks(&mut sheet, &lines);
    receivers(&mut sheet, &notices);
    let mut out = String::new();
    text::encode(&mut out, &sheet.registry)?;
    Ok(out)
}

struct Sheet {
    registry: Registry,
}

impl Sheet {
    fn counter(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, u64)>) {
        let family = Family::<Labels, Counter>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).inc_by(value);
        }
        self.registry.register(name, help, family);
    }

    fn gauge(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, f64)>) {
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.registry.register(name, help, family);
    }
}

fn alone<T>(value: T) -> [(Labels, T); 1] {
    [(Vec::new(), value)]
}

#[expect(clippy::cast_precision_loss, reason = "moments and counts, far below 2^52")]
fn seconds(at: UtcMs) -> f64 {
    at.0 as f64 / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes, far below 2^52")]
fn number(n: u64) -> f64 {
    n as f64
}

fn own(sheet: &mut Sheet, status: &Status) {
    let version = vec![("version", status.version.clone())];
    sheet.gauge("build_info", "The program that answers", [(version, 1.0)]);
    let started = status.started.map(seconds);
    sheet.gauge("start_time_seconds", "When the daemon started", started.into_iter().flat_map(alone));
    let journal = &status.journal;
    sheet.gauge("journal_last_offset", "Last message of the journal", alone(number(journal.last)));
    sheet.gauge("journal_bytes", "Size of the journal", alone(number(journal.bytes)));
    let bound = status.journal_bytes_max.map(number);
    sheet.gauge("journal_max_bytes", "Above this size the oldest go", bound.into_iter().flat_map(alone));
    sheet.gauge("journal_oldest_seconds", "When its oldest row came", alone(seconds(journal.oldest)));
    let kept = status.rejects.iter().map(|(code, n)| (vec![("code", code.clone())], number(*n)));
    sheet.gauge("rejects_kept", "Rejects that are kept, by reason", kept);
    let levels = [Level::Notice, Level::Warning, Level::Alarm, Level::Critical];
    let open = levels.iter().zip(status.open_alerts);
    let open = open.map(|(level, n)| (vec![("level", level.name().to_owned())], number(n)));
    sheet.gauge("open_alerts", "Open alerts, by level", open);
}

fn journal(sheet: &mut Sheet, written: &Written) {
    let registry = &mut sheet.registry;
    let took = "How long a commit took, flush to disk included";
    registry.register("journal_commit_seconds", took, written.commit_seconds.clone());
    registry.register("journal_rows_written", "Rows committed, each of one flush", written.rows.clone());
    let raw = "Bytes of messages committed, before they were compressed";
    registry.register("journal_raw_bytes_written", raw, written.raw_bytes.clone());
    registry.register("journal_bytes_written", "Bytes of rows committed, compressed", written.bytes.clone());
}

/// What every source sent, and what became of it. What was received may not be known yet right after a start with a long
/// backlog; then it is not told, nor what is pending.
fn sources(sheet: &mut Sheet, status: &Status) {
    type Figure = (&'static str, &'static str, fn(&Outcomes) -> u64);
    let label =
        |kind: Kind, source: &str| vec![("kind", kind.name().to_owned()), ("source", source.to_owned())];
    let outcomes = &status.progress.outcomes;
    let known = || status.received.iter().flat_map(|all| all.iter());
    let received = known().map(|(kind, source, n)| (label(kind, source), *n));
    sheet.counter("source_received", "Messages journaled since the journal began", received);
    let figures: [Figure; 3] = [
        ("source_stored", "Of these, messages of which readings came, or what they ask", |own| own.stored),
        ("source_partly", "Of those stored, messages a part of which became a reject", |own| own.partly),
        ("source_rejected", "Messages of which nothing could be taken", |own| own.rejected),
    ];
    for (name, help, of) in figures {
        sheet.counter(name, help, outcomes.iter().map(|(kind, source, own)| (label(kind, source), of(own))));
    }
    let pending = known().map(|(kind, source, n)| {
        let passed = outcomes.get(kind, source).map_or(0, Outcomes::passed);
        (label(kind, source), number(n.saturating_sub(passed)))
    });
    sheet.gauge("source_pending", "Messages journaled and not yet judged", pending);
}

fn engine(sheet: &mut Sheet, status: &Status) {
    let (progress, counts) = (&status.progress, &status.progress.counts);
    sheet.gauge("journal_passed_offset", "Last message that is judged", alone(number(progress.passed)));
    sheet.gauge("engine_time_seconds", "How far time has gone for the rules", alone(seconds(progress.now)));
    sheet.gauge("sites", "Sites that are judged", alone(f64::from(progress.n_sites)));
    sheet.gauge("points", "Points that are judged", alone(f64::from(progress.n_points)));
    for (name, help, n) in [
        ("messages", "Messages taken", counts.messages),
        ("readings", "Readings decoded", counts.readings),
        ("readings_late", "Readings behind what their site was judged to", counts.late),
        ("readings_rejudged", "Late readings by which the past was judged again", counts.rejudged),
        ("readings_too_late", "Late readings older than what can be judged again", counts.too_late),
        ("readings_unjudged", "Readings that are kept, but prove nothing", counts.unjudged),
        ("readings_unassigned", "Readings of meters that measure no point", counts.unassigned),
        ("rejects", "Messages, or parts of them, that could not be taken", counts.rejects),
    ] {
        sheet.counter(name, help, alone(n));
    }
}

fn brokers(sheet: &mut Sheet, brokers: &[(String, BrokerStatus)]) {
    type Figure<T> = (&'static str, &'static str, fn(&BrokerStatus) -> T);
    let label = |name: &String| vec![("broker", name.clone())];
    let states: [Figure<bool>; 4] = [
        ("mqtt_connected", "Whether there is a connection", |b| b.connected),
        ("mqtt_subscribed", "Whether every filter is granted", |b| b.subscribed),
        ("mqtt_silent", "Whether nothing comes for too long, though connected", |b| b.silent),
        ("mqtt_held_back", "Whether the socket is not read for lack of room", |b| b.held_back),
    ];
    for (name, help, of) in states {
        sheet.gauge(name, help, brokers.iter().map(|(n, b)| (label(n), f64::from(u8::from(of(b))))));
    }
    let unacknowledged = brokers.iter().map(|(n, b)| (label(n), number(b.unacknowledged)));
    sheet.gauge("mqtt_unacknowledged", "Messages received and not yet acknowledged", unacknowledged);
    #[expect(clippy::cast_precision_loss, reason = "a few filters")]
    let refused = brokers.iter().map(|(n, b)| (label(n), b.refused.len() as f64));
    sheet.gauge("mqtt_filters_refused", "Filters the broker has refused", refused);
    let last = brokers.iter().filter_map(|(n, b)| Some((label(n), seconds(b.last_message?))));
    sheet.gauge("mqtt_last_message_seconds", "When the last message came", last);
    let counts: [Figure<u64>; 7] = [
        ("mqtt_connections", "Connections there have been", |b| b.generation),
        ("mqtt_received", "Messages taken into the journal", |b| b.counts.received),
        ("mqtt_acknowledged", "Messages acknowledged, once on disk", |b| b.counts.acknowledged),
        ("mqtt_duplicates", "Messages the broker marked as sent before", |b| b.counts.duplicates),
        ("mqtt_retained", "Retained copies", |b| b.counts.retained),
        ("mqtt_oversized", "Messages larger than the bound", |b| b.counts.oversized),
        ("mqtt_bytes", "Bytes of topics and payloads", |b| b.counts.bytes),
    ];
    for (name, help, of) in counts {
        sheet.counter(name, help, brokers.iter().map(|(n, b)| (label(n), of(b))));
    }
}

fn links(sheet: &mut Sheet, links: &[(String, LinkStatus)]) {
    let label = |name: &String| vec![("link", name.clone())];
    let connected = links.iter().map(|(n, l)| (label(n), f64::from(u8::from(l.connected))));
    sheet.gauge("modbus_connected", "Whether there is a connection", connected);
    let achieved = links.iter().filter_map(|(n, l)| Some((label(n), f64::from(l.achieved_ms?) / 1e3)));
    sheet.gauge("modbus_achieved_seconds", "The longest time between two scans of a meter", achieved);
    let connects = links.iter().map(|(n, l)| (label(n), l.connects));
    sheet.counter("modbus_connects", "How often a connection was made", connects);
}

fn meters(sheet: &mut Sheet, slaves: &[(&str, &SlaveStatus)]) {
    type Figure = (&'static str, &'static str, fn(&SlaveStatus) -> u64);
    let label = |link: &str, own: &SlaveStatus| vec![("link", link.to_owned()), ("meter", own.meter.clone())];
    let answers = slaves.iter().map(|(l, s)| (label(l, s), f64::from(u8::from(s.state == SlaveState::Ok))));
    sheet.gauge("modbus_meter_ok", "Whether the meter answers with values", answers);
    let paused =
        slaves.iter().map(|(l, s)| (label(l, s), f64::from(u8::from(s.state == SlaveState::Paused))));
    sheet.gauge(
        "modbus_meter_paused",
        "Whether it is left alone for a while after it did not answer",
        paused,
    );
    let last = slaves.iter().filter_map(|(l, s)| Some((label(l, s), seconds(s.last_ok?))));
    sheet.gauge("modbus_meter_last_ok_seconds", "When it last brought registers", last);
    let wanted = slaves.iter().map(|(l, s)| (label(l, s), f64::from(s.period_ms) / 1e3));
    sheet.gauge("modbus_meter_period_seconds", "How often it is to be read", wanted);
    let between = slaves.iter().filter_map(|(l, s)| Some((label(l, s), f64::from(s.interval_ms?) / 1e3)));
    sheet.gauge("modbus_meter_interval_seconds", "Time between its last two scans", between);
    let counts: [Figure; 4] = [
        ("modbus_meter_scans", "Scans that brought registers", |s| s.scans),
        ("modbus_meter_timeouts", "Requests it did not answer in time", |s| s.timeouts),
        ("modbus_meter_garbled", "Answers that could not be taken", |s| s.garbled),
        ("modbus_meter_exceptions", "Times it said no", |s| s.exceptions),
    ];
    for (name, help, of) in counts {
        sheet.counter(name, help, slaves.iter().map(|(l, s)| (label(l, s), of(s))));
    }
}

fn sinks(sheet: &mut Sheet, sinks: &[(String, SinkStatus)]) {
    let label = |name: &String| vec![("sink", name.clone())];
    let ok = sinks.iter().map(|(n, s)| (label(n), f64::from(u8::from(s.state == SinkState::Ok))));
    sheet.gauge("outbox_ok", "Whether the far side takes what it is given", ok);
    let holding = sinks.iter().map(|(n, s)| (label(n), f64::from(u8::from(s.state == SinkState::Holding))));
    sheet.gauge("outbox_holding", "Whether a person must see to why the far side refuses", holding);
    let last = sinks.iter().filter_map(|(n, s)| Some((label(n), seconds(s.last_ok?))));
    sheet.gauge("outbox_last_ok_seconds", "When the far side last took lines", last);
    let backlog = sinks.iter().map(|(n, s)| (label(n), number(s.n_backlog)));
    sheet.gauge("outbox_backlog", "Entries that wait", backlog);
    let set_aside = sinks.iter().map(|(n, s)| (label(n), number(s.n_set_aside)));
    sheet.gauge("outbox_lines_set_aside", "Lines the far side will never take", set_aside);
    #[expect(clippy::cast_precision_loss, reason = "durations in ms, far below 2^52")]
    let lag = sinks.iter().map(|(n, s)| (label(n), s.lag_ms as f64 / 1e3));
    sheet.gauge("outbox_lag_seconds", "How long the oldest entry waits", lag);
    let delivered = sinks.iter().map(|(n, s)| (label(n), s.n_lines_delivered));
    sheet.counter("outbox_lines_delivered", "Lines the far side has taken", delivered);
}

/// Those who are told of alerts.
fn receivers(sheet: &mut Sheet, receivers: &[(String, SinkStatus)]) {
    let label = |sink: &String| vec![("receiver", sink.strip_prefix(SINK_PREFIX).unwrap_or(sink).to_owned())];
    let ok = receivers.iter().map(|(n, s)| (label(n), f64::from(u8::from(s.state == SinkState::Ok))));
    sheet.gauge("notices_ok", "Whether the receiver takes what it is told", ok);
    let waiting = receivers.iter().map(|(n, s)| (label(n), number(s.n_backlog)));
    sheet.gauge("notices_waiting", "Notices that wait", waiting);
    let refused = receivers.iter().map(|(n, s)| (label(n), number(s.n_set_aside)));
    sheet.gauge("notices_refused", "Notices the receiver will never take; they are kept", refused);
    #[expect(clippy::cast_precision_loss, reason = "durations in ms, far below 2^52")]
    let lag = receivers.iter().map(|(n, s)| (label(n), s.lag_ms as f64 / 1e3));
    sheet.gauge("notices_lag_seconds", "How long the oldest notice waits", lag);
    let last = receivers.iter().filter_map(|(n, s)| Some((label(n), seconds(s.last_ok?))));
    sheet.gauge("notices_last_taken_seconds", "When the receiver last took something", last);
    let delivered = receivers.iter().map(|(n, s)| (label(n), s.n_lines_delivered));
    sheet.counter("notices_delivered", "Notices the receiver has taken", delivered);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::by_source::BySource;

    fn value(text: &str, series: &str) -> String {
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).to_owned()
    }

    #[test]
    fn figures_are_there_under_names_of_their_own_and_labels_are_escaped() {
        let mut broker = BrokerStatus { connected: true, unacknowledged: 2, ..BrokerStatus::default() };
        (broker.counts.received, broker.counts.acknowledged) = (7, 5);
        let mut status = Status {
            version: "1.2.3".into(),
            open_alerts: [0, 3, 1, 0],
            brokers: vec![("city \"a\"\n".into(), broker)],
            ..Status::default()
        };
        status.journal.last = 12;
        (status.progress.passed, status.progress.counts.readings) = (9, 40);
        let text = text(&status, &Written::default()).unwrap();
        assert_eq!(value(&text, r#"submeterd_mqtt_received_total{broker="city \"a\"\n"}"#), "7");
        assert_eq!(value(&text, r#"submeterd_open_alerts{level="warning"}"#), "3.0");
        assert_eq!(value(&text, "submeterd_readings_total"), "40");
        assert_eq!(value(&text, "submeterd_journal_last_offset"), "12.0");
        let buckets =
            text.lines().filter(|l| l.starts_with("submeterd_journal_commit_seconds_bucket")).count();
        assert_eq!(buckets, 17, "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
        let mut names: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("# TYPE ")).collect();
        let n = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n, "each name once");
    }

    #[test]
    fn what_was_received_is_stored_rejected_or_pending_and_not_told_before_it_is_known() {
        let mut status = Status::default();
        let outcomes = Outcomes { stored: 5, partly: 1, rejected: 2 };
        status.progress.outcomes.change(Kind::Mqtt, "city", |own| *own = outcomes);
        let silent = text(&status, &Written::default()).unwrap();
        assert!(
            !silent.contains("source_received_total{") && !silent.contains("source_pending{"),
            "{silent}"
        );
        let mut received = BySource::default();
        received.change(Kind::Mqtt, "city", |n| *n = 10);
        received.change(Kind::Modbus, "city", |n| *n = 4);
        status.received = Some(received);
        let text = text(&status, &Written::default()).unwrap();
        let of = |name: &str, kind: &str| {
            value(&text, &format!("submeterd_source_{name}{{kind=\"{kind}\",source=\"city\"}}"))
        };
        assert_eq!(of("received_total", "mqtt"), "10");
        assert_eq!((of("stored_total", "mqtt"), of("partly_total", "mqtt")), ("5".into(), "1".into()));
        assert_eq!((of("rejected_total", "mqtt"), of("pending", "mqtt")), ("2".into(), "3.0".into()));
        assert_eq!(of("pending", "modbus"), "4.0");
    }

    #[test]
    fn every_figure_that_the_rules_and_the_dashboard_ask_for_is_there() {
        let at = Some(UtcMs(1));
        let slave = SlaveStatus { interval_ms: Some(1_000), last_ok: at, ..SlaveStatus::default() };
        let link = LinkStatus { slaves: vec![slave], achieved_ms: Some(1_000), ..LinkStatus::default() };
        let mut received = BySource::default();
        received.change(Kind::Mqtt, "city", |n| *n = 1);
        let mut status = Status {
            received: Some(received),
            rejects: vec![("topic".into(), 1)],
            journal_bytes_max: Some(1),
            brokers: vec![("city".into(), BrokerStatus::default())],
            links: vec![("bus".into(), link)],
            sinks: vec![
                ("influx".into(), SinkStatus::default()),
                ("notice-duty".into(), SinkStatus { kind: SinkKind::Notices, ..SinkStatus::default() }),
            ],
            ..Status::default()
        };
        status.progress.outcomes.change(Kind::Mqtt, "city", |own| own.stored = 1);
        let text = text(&status, &Written::default()).unwrap();
        assert_eq!(value(&text, r#"submeterd_notices_delivered_total{receiver="duty"}"#), "0");
        assert!(!text.contains(r#"submeterd_outbox_ok{sink="notice-duty"}"#), "{text}");
        let mut asked = std::collections::BTreeSet::new();
        for asking in [
            include_str!("../../deploy/prometheus/submeterd.rules.yml"),
            include_str!("../../deploy/grafana/submeterd-daemon.json"),
        ] {
            let words = asking.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let n_before = asked.len();
            asked.extend(words.filter(|w| w.starts_with("submeterd_")));
            assert!(asked.len() > n_before + 10, "{asked:?}");
        }
        for name in asked {
            let is_it = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
            assert!(text.lines().any(is_it), "{name} is asked for and not told");
        }
    }
}
