//! What people read, in English and in Chinese: the languages, and the words of the model.

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::rule::{Level, Rule};
use super::site::PointKind;
use super::state::State;

/// The language people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// English.
    #[default]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_the_language() {
        let asked = ["zh_CN.UTF-8", "C.UTF-8", ""].map(Lang::of_locale);
        assert_eq!(asked, [Lang::Zh, Lang::En, Lang::En]);
    }
}
