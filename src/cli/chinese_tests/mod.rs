//! Whoever asks for Chinese reads Chinese: every word, figure, remark and refusal that can be shown is rendered here.

mod samples;

use jiff::tz::TimeZone;

use samples::{BASES, becauses, denied, failed, persons, refusals, rejects, remarks};

use super::{proof, rules, silent, status, thresholds};
use crate::alerts::alert::Status as AlertStatus;
use crate::alerts::evidence::{Aspect, Changed, NamedFigure};
use crate::alerts::figure::Fact;
use crate::alerts::reason::{self, Suppression};
use crate::alerts::revision::{Difference, Late, Revision};
use crate::api::answers::SilentRow;
use crate::api::judged_by::DecisionRow;
use crate::api::status::Status;
use crate::detection::applicable;
use crate::engine::because::Because;
use crate::engine::decide::{Decided, Matter, Verdict};
use crate::model::basis::Basis;
use crate::model::commissioning::PhaseKind;
use crate::model::param::Param;
use crate::model::reading::Quality;
use crate::model::rule::{Level, Rule};
use crate::model::site::PointKind;
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::outbox::status::{SinkKind, SinkState, SinkStatus};
use crate::sources::modbus::status::{LinkStatus, SlaveState, SlaveStatus};
use crate::sources::mqtt::status::BrokerStatus;
use crate::sources::reject::Reject;
use crate::wording::said::said;
use crate::wording::words::{self, Lang};
use crate::wording::{figures, params, sentence, suppressed};

/// What is written so in Chinese too: units, formats, ids of the tests, and our own name.
const LATIN: [&str; 19] = [
    "kW",
    "kWh",
    "min",
    "ms",
    "fan",
    "press",
    "mqtt",
    "modbus",
    "GiB",
    "scrubber",
    "uid",
    "line",
    "plant",
    "JSON",
    "map",
    "submeterd",
    "IO",
    "MQTT",
    "UTC",
];

/// Fails where the text has no Chinese, or a word of English. Words with `_`, those beside a dot and those in backquotes are
/// keys of rules, of channels and of files.
#[track_caller]
fn assert_chinese(text: &str) {
    assert!(text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "no Chinese: {text}");
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "_`.".contains(c);
    for word in text.split(|c| !is_of_word(c)) {
        let letters = word.chars().filter(char::is_ascii_alphabetic).count();
        let is_key = word.contains(['_', '`', '.']);
        assert!(letters < 2 || is_key || LATIN.contains(&word), "English {word:?}: {text}");
    }
}

#[track_caller]
fn assert_said(text: &str) {
    assert_eq!(said(text, Lang::En), text);
    assert_chinese(&said(text, Lang::Zh));
}

#[test]
fn states_levels_rules_and_whatever_has_a_name_has_a_chinese_one() {
    let mut all = Vec::new();
    all.extend(State::ALL.map(words::state));
    all.extend([Level::Notice, Level::Warning, Level::Alarm, Level::Critical].map(words::level));
    all.extend([AlertStatus::Open, AlertStatus::Cleared, AlertStatus::Retracted].map(words::status));
    let kinds = [PointKind::Production, PointKind::Treatment, PointKind::Total, PointKind::Auxiliary];
    all.extend(kinds.map(words::kind));
    all.extend(Rule::ALL.iter().map(|rule| words::rule(*rule)));
    all.extend(BASES.map(words::basis));
    all.extend(PhaseKind::ALL.map(words::phase));
    let slaves = [
        SlaveState::Waiting,
        SlaveState::Ok,
        SlaveState::Failing,
        SlaveState::Paused,
        SlaveState::Implausible,
    ];
    all.extend(slaves.map(words::slave));
    all.extend([SinkState::Ok, SinkState::Holding, SinkState::BackingOff].map(status::sink_word));
    all.iter().for_each(|both| assert_chinese(both.zh));
    let mut keys: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    keys.extend(Quality(u8::MAX).names());
    keys.extend(rejects().iter().map(Reject::code));
    keys.extend(["raised", "escalated", "cleared", "retracted", "revised"]);
    keys.iter().for_each(|key| assert_chinese(words::key(key, Lang::Zh)));
}

#[test]
fn every_figure_and_every_setting_has_a_chinese_name() {
    let mut names: Vec<&str> = Fact::ALL.iter().map(|fact| figures::name(*fact, Lang::Zh)).collect();
    names.iter().for_each(|name| assert_chinese(name));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Fact::ALL.len(), "no two are called the same");
    Param::ALL.iter().for_each(|param| assert_chinese(params::says(*param, Lang::Zh)));
    let table = rules::table(Lang::Zh);
    let says = table.lines().filter(|line| line.starts_with(" R")).count();
    assert_eq!(says, Rule::ALL.len(), "{table}");
}

#[test]
fn an_alert_of_every_rule_is_shown_in_chinese() {
    for rule in Rule::ALL {
        let mut alert = sentence::tests::alert(*rule, AlertStatus::Cleared);
        let figure = |what: &Fact| NamedFigure { what: *what, point: Some("fan".into()), value: 3.0 };
        assert_chinese(&sentence::of_alert(&alert, &TimeZone::UTC, Lang::Zh));
        alert.evidence.figures = Fact::ALL.iter().map(figure).collect();
        assert_chinese(&sentence::of_alert(&alert, &TimeZone::UTC, Lang::Zh));
        alert.retroactive = true;
        let fields =
            ["status", "level", "first", "raised", "last_certain", "cleared", "certain_ms", "unknown_ms"];
        let change =
            |field: &str| Difference { field: field.into(), from: "open".into(), to: "cleared".into() };
        let late = Late { first_offset: 7, last_offset: 9, n_readings: 3, from: UtcMs(0) };
        let changes = fields.map(change).to_vec();
        alert.revisions = vec![Revision { at: UtcMs(0), offset: 9, late, changes }];
        proof::lines(&alert, &TimeZone::UTC, Lang::Zh).iter().for_each(|line| assert_chinese(line));
        use reason::Why::{Commissioning, Maintenance, OutsideWorkingTime, PowerCut};
        for why in [Maintenance, Commissioning, PowerCut, OutsideWorkingTime] {
            let own = Suppression { why, ..suppression() };
            assert_chinese(&suppressed::sentence(&own, &TimeZone::UTC, Lang::Zh));
        }
    }
    for why in applicable::Why::ALL {
        let row = SilentRow { rule: Rule::Frozen, subject_kind: "point".into(), subject: "fan".into(), why };
        assert_chinese(&silent::table(&[row], Lang::Zh));
    }
}

#[test]
fn what_changed_of_what_is_judged_by_is_said_in_chinese() {
    let mut alert = sentence::tests::alert(Rule::ConfigChange, AlertStatus::Cleared);
    let change = |what, from: &str, to: &str| Changed {
        what,
        of: "fan".into(),
        from: from.into(),
        to: to.into(),
        who: "learning".into(),
    };
    let thresholds = "running from 1 kW down to 0.6 kW, idle from 0.3 kW, off below 0.2 kW, for 120 s / 180 s (learned, 7)";
    alert.evidence.changes = vec![
        change(Aspect::Thresholds, thresholds, "–"),
        change(Aspect::Relation, "press → 1 of fan, fan + fan", "press → fan"),
        change(Aspect::Baseline, "– / – / 4 kW / 5 kW (commissioned, 1234)", "–"),
        change(Aspect::Other, "production", "treatment"),
    ];
    let said = sentence::of_alert(&alert, &TimeZone::UTC, Lang::Zh);
    assert_chinese(&said);
    for part in
        ["（自动学习，7）", "press → fan, fan 中 1 台 + fan", "5 kW (调试验收, 1234)", "(来源 自动学习)"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn what_learning_refuses_and_remarks_is_said_in_chinese() {
    failed().iter().for_each(|own| assert_said(&own.to_string()));
    remarks().iter().for_each(|own| assert_said(&own.to_string()));
    assert_said(&format!("{} (fan)", remarks()[2]));
    refusals().iter().for_each(|own| assert_said(&own.to_string()));
    denied().iter().for_each(|own| assert_said(&own.to_string()));
    persons().iter().for_each(|own| assert_said(&own.to_string()));
    becauses().iter().for_each(|own| assert_said(&own.to_string()));
    assert_said("fan: stood still at full load, taken for a standby unit");
    assert_said("fan: drew 700 W in the idle phase, taken for running");
    let both = [Because::InForce(Basis::Learned), Because::HasIdleLevel, Because::RefusedNumbers];
    assert_said(&both.map(|why| why.to_string()).join("; "));
    assert_eq!(said("a sentence of tomorrow", Lang::Zh), "a sentence of tomorrow");
}

#[test]
fn decisions_are_told_in_chinese() {
    let verdicts = [Verdict::InForce, Verdict::Waits, Verdict::Denied, Verdict::Withdrawn];
    for matter in [Matter::Thresholds, Matter::Baseline, Matter::Test] {
        for verdict in verdicts {
            let why = Because::NothingProposed.to_string().into();
            let decided = Decided { matter, of: "fan".into(), verdict, why };
            let (command, who, note) = ("confirm".into(), "li".into(), String::new());
            let row = DecisionRow { offset: 1, at: UtcMs(0), command, who, note, decided };
            assert_chinese(&thresholds::told(&[row], Lang::Zh));
        }
    }
}

#[test]
fn how_the_daemon_is_is_told_in_chinese() {
    let slave = |state| SlaveStatus { meter: "fan".into(), state, ..SlaveStatus::default() };
    let link = LinkStatus {
        achieved_ms: Some(2_000),
        slaves: vec![slave(SlaveState::Paused), slave(SlaveState::Implausible)],
        ..LinkStatus::default()
    };
    let broker = BrokerStatus {
        since: Some(UtcMs(0)),
        last_message: Some(UtcMs(0)),
        refused: vec!["7".into()],
        silent: true,
        held_back: true,
        ..BrokerStatus::default()
    };
    let sink = SinkStatus { state: SinkState::Holding, ..SinkStatus::default() };
    let notices = SinkStatus { kind: SinkKind::Notices, ..SinkStatus::default() };
    let all = Status {
        rejects: vec![("unknown_meter".into(), 3)],
        journal_bytes_max: Some(1 << 30),
        brokers: vec![("7".into(), broker)],
        links: vec![("7".into(), link)],
        sinks: vec![("7".into(), sink), ("notice-7".into(), notices)],
        ..Status::default()
    };
    let told = status::text(&all, UtcMs(90_000), Lang::Zh);
    told.lines().for_each(assert_chinese);
    assert!(told.contains("未连接") && told.contains("未知电表") && told.contains("暂停应答"), "{told}");
}

#[test]
fn why_a_message_was_rejected_is_said_in_chinese() {
    rejects().iter().for_each(|own| assert_said(&own.to_string()));
}

fn suppression() -> Suppression {
    Suppression {
        why: reason::Why::Maintenance,
        from: UtcMs(0),
        to: None,
        by: Some("李".into()),
        reference: None,
        outlasted: false,
    }
}
