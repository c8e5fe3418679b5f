//! What people read, in English and in Chinese.

use crate::alerts::alert::Status;
use crate::model::basis::Basis;
use crate::model::commissioning::PhaseKind;
use crate::model::deed::Cause;
use crate::model::rule::Level;
use crate::sources::modbus::status::SlaveState;

/// Languages, and the words of the model: notices are written in them, too.
pub use crate::model::words::{Lang, Words, basis, kind, level, rule, state, words};

/// As one types it: `--lang zh`.
impl clap::ValueEnum for Lang {
    fn value_variants<'a>() -> &'a [Lang] {
        &[Lang::En, Lang::Zh]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(match self {
            Lang::En => clap::builder::PossibleValue::new("en").help("English"),
            Lang::Zh => clap::builder::PossibleValue::new("zh").help("中文"),
        })
    }
}

/// The language of the environment's locale.
#[must_use]
pub fn of_environment() -> Lang {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    Lang::of_locale(&set.unwrap_or_default())
}

/// The word for an alert's status.
#[must_use]
pub const fn status(status: Status) -> Words {
    match status {
        Status::Open => words("open", "进行中"),
        Status::Cleared => words("cleared", "已解除"),
        Status::Retracted => words("retracted", "已撤回"),
    }
}

/// The word for how a Modbus slave does.
#[must_use]
pub const fn slave(state: SlaveState) -> Words {
    match state {
        SlaveState::Waiting => words("Waiting", "尚未轮询"),
        SlaveState::Ok => words("Ok", "正常"),
        SlaveState::Failing => words("Failing", "无应答"),
        SlaveState::Paused => words("Paused", "多次无应答，暂停轮询"),
        SlaveState::Implausible => words("Implausible", "数值不可信"),
    }
}

/// A level's mark: told apart without colour.
#[must_use]
pub const fn level_mark(level: Level) -> &'static str {
    match level {
        Level::Notice => "·",
        Level::Warning => "!",
        Level::Alarm => "!!",
        Level::Critical => "!!!",
    }
}

/// The word for a cause that a plant declares.
#[must_use]
pub const fn cause(cause: Cause) -> Words {
    match cause {
        Cause::Maintenance => words("maintenance", "检修"),
        Cause::PowerCut => words("power cut", "停电"),
        Cause::MeterFault => words("fault of the meter or its wiring", "电表或接线故障"),
        Cause::LinkFault => words("fault of the gateway or the network", "采集网关或网络故障"),
        Cause::TreatmentFault => words("treatment broke down", "治污设施故障"),
        Cause::NoProduction => words("no production in spite of the power", "有用电但未生产"),
        Cause::Other => words("another cause", "其他原因"),
    }
}

/// The word for a phase of a test.
#[must_use]
pub const fn phase(kind: PhaseKind) -> Words {
    match kind {
        PhaseKind::Off => words("off", "停机"),
        PhaseKind::Idle => words("idle", "空载"),
        PhaseKind::FullLoad => words("full load", "满负荷"),
    }
}

/// Words that scripts and records know, and that people read too: steps of an alert, remarks on a reading, codes of rejects.
const KEYS: &[Words] = &[
    words("raised", "触发"),
    words("escalated", "升级"),
    words("cleared", "已解除"),
    words("open", "进行中"),
    words("retracted", "已撤回"),
    words("revised", "已修订"),
    words("notice", "提示"),
    words("warning", "预警"),
    words("alarm", "报警"),
    words("critical", "严重"),
    words("status", "状态"),
    words("level", "级别"),
    words("first", "首次确认"),
    words("last_certain", "最后确认"),
    words("certain_ms", "确定时长（ms）"),
    words("unknown_ms", "未知时长（ms）"),
    words("doubtful", "存疑"),
    words("backfill", "补传"),
    words("receive_time", "以接收时间计"),
    words("retained", "保留消息"),
    words("merged", "合并"),
    words("late", "迟到"),
    words("topic", "主题不符"),
    words("unknown_meter", "未知电表"),
    words("not_json", "非 JSON"),
    words("shape", "结构不符"),
    words("bad_time", "时间无效"),
    words("future", "时间超前"),
    words("no_value", "无有效值"),
    words("implausible", "数值不可信"),
    words("too_large", "报文过大"),
    words("oversized", "报文超限"),
    words("registers", "寄存器不符"),
    words("command", "命令无效"),
    words("production", "生产设施"),
    words("treatment", "治污设施"),
    words("total", "总表"),
    words("auxiliary", "辅助设施"),
    words("config", "配置文件"),
    words("learning", "自动学习"),
    basis(Basis::Configured),
    basis(Basis::Commissioned),
    basis(Basis::Confirmed),
    basis(Basis::Learned),
    basis(Basis::Fallback),
    phase(PhaseKind::Off),
    phase(PhaseKind::Idle),
    phase(PhaseKind::FullLoad),
];

/// The Chinese of such a word; `None` for one that is none of them.
#[must_use]
pub fn known_key(key: &str) -> Option<&'static str> {
    KEYS.iter().find(|known| known.en == key).map(|known| known.zh)
}

/// Such a word in that language; any other as it is.
#[must_use]
pub fn key(key: &str, lang: Lang) -> &str {
    match lang {
        Lang::En => key,
        Lang::Zh => known_key(key).unwrap_or(key),
    }
}
