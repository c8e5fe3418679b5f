//! What can be set about the rules, in Chinese; English stands in the table itself. Pure.

use super::words::Lang;
use crate::model::param::Param;

/// What a parameter does.
#[must_use]
pub const fn says(param: Param, lang: Lang) -> &'static str {
    match lang {
        Lang::En => param.about().says,
        Lang::Zh => chinese(param),
    }
}

const fn chinese(param: Param) -> &'static str {
    match param {
        Param::NightFrom => "夜间开始（当地时间）。夜间 R1 提前告警并提高一级。",
        Param::NightTo => "夜间结束（当地时间）。",
        Param::NightRaise => "R15 a：夜间达到该时长即预警（取较短者）。",
        Param::LateTolerance => "晚启不超过该时长不算违规。",
        Param::LateRepeats => "`within` 时段内达到该次数起为报警。",
        Param::LateWithin => "重复次数的统计时段。",
        Param::EarlyTolerance => "早停不超过该时长不算违规。",
        Param::EarlyRepeats => "`within` 时段内达到该次数起为报警。",
        Param::EarlyWithin => "重复次数的统计时段。",
        Param::UnderloadShare => "低于同一生产负荷下常值功率的该比例。",
        Param::UnderloadFactorDrop => "或功率因数比常值低该数值。",
        Param::UnderloadRaise => "达到该时长预警。",
        Param::UnderloadAlarm => "达到该时长报警。",
        Param::RatioZ => "低于对数中位数的稳健标准差倍数。",
        Param::RatioShare => "且低于中位数的该比例。",
        Param::RatioDays => "有效天数达到该数后才判定。",
        Param::RatioProduction => "生产时长不足的日不判定。",
        Param::FrozenRaise => "设备运行时全部数据逐位相同达到该时长。",
        Param::FrozenSamples => "且达到该读数次数。",
        Param::FrozenOffRaise => "设备未运行时电压相同达到该时长。",
        Param::FrozenSteps => "功率已累计该步数而示数不动。",
        Param::ClockWarn => "时钟偏差达到该值：提示。",
        Param::ClockAlarm => "时钟偏差达到该值：预警。",
        Param::CounterRated => "设备最大功率，额定功率的倍数。",
        Param::CounterMargin => "两次读数之间的电量超过最大值的该倍数即为异常。",
        Param::MismatchShare => "示数与功率相差超过该比例。",
        Param::MismatchSteps => "且超过示数的该步数。",
        Param::MismatchRaise => "持续时长。",
        Param::ReverseShare => "单相功率达到额定功率三分之一的该比例才计入。",
        Param::ReverseRaise => "持续时长。",
        Param::VoltageNominal => "额定相电压（用于 R13 b 和 d）。",
        Param::VoltageLost => "有电流时低于额定的该比例为失压。",
        Param::VoltageBroken => "无电流时低于额定的该比例为断相。",
        Param::VoltageRecovered => "达到额定的该比例为恢复。",
        Param::VoltageCurrent => "电流达到额定的该比例视为有电流。",
        Param::VoltageRaise => "持续时长。",
        Param::ImbalanceShare => "三相电流相差超过最大相的该比例。",
        Param::ImbalanceLoad => "仅在额定功率的该比例以上判定。",
        Param::ImbalanceRaise => "持续时长。",
        Param::UndervoltageShare => "某一电表各相均低于额定的该比例，而同厂其他电表正常。",
        Param::UndervoltageRaise => "持续时长。",
        Param::BypassShare => "总用电中未计量占比高于该值。",
        Param::BypassDeviations => "且高于自身中位数该倍数的绝对中位差。",
        Param::BypassRaise => "持续时长。",
        Param::BypassHours => "已知小时数达到该数后才判定；一周，本系统设定。",
        Param::NightNights => "有生产的夜数达到该数后才判定。",
        Param::NightDayShare => "昼间治污运行占生产时长的该比例或以上。",
        Param::NightNightShare => "夜间为该比例或以下。",
        Param::OutsideRaise => "持续时长；规则目录未规定，与 R1 相同。",
        Param::RestartsPerDay => "一天内重启超过该次数。",
        Param::CutWithin => "全厂电表在该时长内先后失联；本系统设定。",
        Param::CutRaise => "更短的停电不判定；本系统设定。",
    }
}
