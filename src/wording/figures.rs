//! What figures of an alert are called. English names are those of the JSON. Pure.

use jiff::tz::TimeZone;

use super::when;
use super::words::Lang;
use crate::alerts::evidence::NamedFigure;
use crate::alerts::figure::{Fact, Measure};
use crate::model::time::UtcMs;

/// The name of a figure.
#[must_use]
pub const fn name(fact: Fact, lang: Lang) -> &'static str {
    match lang {
        Lang::En => fact.name(),
        Lang::Zh => chinese(fact),
    }
}

/// `lateness: 5 min`, `usual_power (fan): 12.00 kW`
#[must_use]
pub fn sentence(figure: &NamedFigure, zone: &TimeZone, lang: Lang) -> String {
    let of = figure.point.as_ref().map_or(String::new(), |point| format!(" ({point})"));
    format!("{}{of}: {}", name(figure.what, lang), value(figure.what.measure(), figure.value, zone))
}

#[expect(clippy::cast_possible_truncation, reason = "moments and spans in ms, far below 2^52")]
fn value(measure: Measure, value: f64, zone: &TimeZone) -> String {
    match measure {
        Measure::Moment => UtcMs(value as i64).local(zone),
        Measure::Span if value < 0.0 => format!("-{}", when::length(-value as i64)),
        Measure::Span => when::length(value as i64),
        Measure::Power => format!("{:.2} kW", value / 1e3),
        Measure::Energy => format!("{value:.3} kWh"),
        Measure::Share => format!("{:.1} %", value * 100.0),
        Measure::Number => format!("{}", (value * 1e3).round() / 1e3),
        Measure::Voltage => format!("{value:.1} V"),
        Measure::Current => format!("{value:.2} A"),
    }
}

const fn chinese(fact: Fact) -> &'static str {
    match fact {
        Fact::ProductionEdge => "生产启停时刻",
        Fact::TreatmentEdge => "治污启停时刻",
        Fact::EdgeUncertainty => "启停时刻精度",
        Fact::Lateness => "晚启时长",
        Fact::Earliness => "早停时长",
        Fact::Repeats => "统计期内次数",
        Fact::Night => "夜间占比",
        Fact::Lead => "应提前启动时长",
        Fact::Lag => "应继续运行时长",
        Fact::ProductionLevel => "生产负荷（占额定）",
        Fact::UsualPower => "常值功率",
        Fact::UsualShare => "实际功率占常值",
        Fact::BaselineVersion => "常值功率版本",
        Fact::Ratio => "治污与生产用电比",
        Fact::RatioMedian => "用电比中位数",
        Fact::RatioZ => "偏离中位数（稳健标准差倍数）",
        Fact::RatioDeviation => "稳健标准差（对数）",
        Fact::RatioDays => "统计天数",
        Fact::ProductionEnergy => "生产用电量",
        Fact::TreatmentEnergy => "治污用电量",
        Fact::DayBegin => "对照日",
        Fact::DayRatio => "当日用电比",
        Fact::DayShare => "昼间治污运行率",
        Fact::NightShare => "夜间治污运行率",
        Fact::Nights => "统计夜数",
        Fact::NightProduction => "夜间可判定生产时长",
        Fact::SameReadings => "逐位相同读数次数",
        Fact::StuckEnergy => "示数不动期间功率累计电量",
        Fact::RegisterStep => "示数步长",
        Fact::RegisterBefore => "变化前示数",
        Fact::RegisterAfter => "变化后示数",
        Fact::RegisterMost => "期间最多可增电量",
        Fact::RegisterModulus => "示数满量程",
        Fact::PrefixFactor => "单位前缀倍数",
        Fact::EnergyCame => "示数增量",
        Fact::PowerMade => "功率积分电量",
        Fact::RegisterRatio => "示数与功率之比",
        Fact::MeanVoltage => "平均相电压",
        Fact::UnmeteredShare => "未计量用电占比",
        Fact::UnmeteredUsual => "未计量占比常值",
        Fact::UnmeteredEnergy => "未计量电量",
        Fact::TotalEnergy => "总表电量",
        Fact::Restarts => "一天内重启次数",
        Fact::Silence => "全部电表无数据时长",
        Fact::ClockBehind => "时钟滞后",
        Fact::ZoneHours => "时区相差小时数",
    }
}
