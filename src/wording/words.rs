//! What people read, in English and in Chinese.

use crate::alerts::alert::Status;
use crate::model::basis::Basis;
use crate::model::commissioning::PhaseKind;
use crate::model::deed::Cause;
use crate::model::rule::{Level, Rule};
use crate::model::site::PointKind;
use crate::model::state::State;
use crate::sources::modbus::status::SlaveState;

/// The language people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English.
    En,
    /// 中文
    Zh,
}

impl Lang {
    /// The language a locale name such as `zh_CN.UTF-8` asks for.
    #[must_use]
    pub fn of_locale(locale: &str) -> Lang {
        if locale.starts_with("zh") { Lang::Zh } else { Lang::En }
    }

    /// One of two, by the language.
    #[must_use]
    pub const fn say(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
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
}

/// The same words in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// 中文
    pub zh: &'static str,
}

impl Words {
    /// The words in that language.
    #[must_use]
    pub const fn in_lang(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

/// Words from both languages.
#[must_use]
pub const fn words(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

/// The word for a state.
#[must_use]
pub const fn state(state: State) -> Words {
    match state {
        State::Running => words("running", "运行"),
        State::Idle => words("idle", "待机"),
        State::Off => words("off", "停运"),
        State::Unknown => words("unknown", "未知"),
    }
}

/// The word for a level.
#[must_use]
pub const fn level(level: Level) -> Words {
    match level {
        Level::Notice => words("notice", "提示"),
        Level::Warning => words("warning", "预警"),
        Level::Alarm => words("alarm", "报警"),
        Level::Critical => words("critical", "严重"),
    }
}

/// What a rule is called.
#[must_use]
pub const fn rule(rule: Rule) -> Words {
    match rule {
        Rule::TreatmentOff => words("treatment_off", "生产期间治污设施停运"),
        Rule::LateStart => words("late_start", "治污设施晚于生产启动"),
        Rule::EarlyStop => words("early_stop", "治污设施早于生产停运"),
        Rule::TreatmentUnderload => words("treatment_underload", "治污设施低负荷空转"),
        Rule::EnergyRatio => words("energy_ratio", "治污与生产用电比异常"),
        Rule::DataMissing => words("data_missing", "数据缺失"),
        Rule::GapWhileProducing => words("gap_while_producing", "生产期间治污数据中断"),
        Rule::Fragmented => words("fragmented", "治污设施频繁短时停运"),
        Rule::IncompleteDay => words("incomplete_day", "日数据完整率不足"),
        Rule::Frozen => words("frozen", "数据冻结不变"),
        Rule::ClockDrift => words("clock_drift", "设备时钟偏差"),
        Rule::Counter => words("counter", "电能示数回退或跳变"),
        Rule::PowerEnergyMismatch => words("power_energy_mismatch", "功率与电量不符"),
        Rule::ReverseCt => words("reverse_ct", "互感器接反"),
        Rule::VoltageLoss => words("voltage_loss", "失压断相"),
        Rule::Imbalance => words("imbalance", "三相不平衡"),
        Rule::Undervoltage => words("undervoltage", "单表欠压"),
        Rule::Bypass => words("bypass", "未计量用电"),
        Rule::Night => words("night", "夜间停运治污设施"),
        Rule::OutsideHours => words("outside_hours", "申报时段外生产"),
        Rule::Restart => words("restart", "采集设备频繁重启"),
        Rule::PowerCut => words("power_cut", "全厂停电"),
        Rule::ConfigChange => words("config_change", "判定参数变更"),
    }
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

/// The word for a kind of point.
#[must_use]
pub const fn kind(kind: PointKind) -> Words {
    match kind {
        PointKind::Production => words("production", "生产设施"),
        PointKind::Treatment => words("treatment", "治污设施"),
        PointKind::Total => words("total", "总表"),
        PointKind::Auxiliary => words("auxiliary", "辅助设施"),
    }
}

/// The word for where a number that is judged by comes from.
#[must_use]
pub const fn basis(basis: Basis) -> Words {
    match basis {
        Basis::Configured => words("configured", "配置设定"),
        Basis::Commissioned => words("commissioned", "调试验收"),
        Basis::Confirmed => words("confirmed", "人工确认"),
        Basis::Learned => words("learned", "自动学习"),
        Basis::Fallback => words("fallback", "额定比例"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_the_language() {
        let asked = ["zh_CN.UTF-8", "C.UTF-8", ""].map(Lang::of_locale);
        assert_eq!(asked, [Lang::Zh, Lang::En, Lang::En]);
    }
}
