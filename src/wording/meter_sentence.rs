//! What rules about meters found, as a sentence a person can check. Pure.

use super::when;
use super::words::{Lang, Words, words};
use crate::alerts::alert::Alert;
use crate::alerts::figure::Fact;
use crate::model::rule::Rule;

const SAME: Words =
    words("{} says the same values bit for bit, {} readings and more", "{} 数据逐位相同，已达 {} 次及以上");
const STUCK: Words = words(
    "the register of {} stands still while power made {} kWh, at a step of {} kWh",
    "{} 电能示数不动，而功率已累计 {} kWh（示数步长 {} kWh）",
);
const BEHIND: Words = words("the clock of {} is {} behind", "{} 时钟慢 {}");
const AHEAD: Words = words("the clock of {} is {} ahead", "{} 时钟快 {}");
const ZONE: Words =
    words("the clock of {} is {} whole hours off: another time zone", "{} 时钟相差整 {} 小时：时区设置不同");
const WENT_BACK: Words = words(
    "the register of {} went back from {} to {} kWh and counts on from there",
    "{} 电能示数由 {} 回退至 {} kWh 并继续累计",
);
const JUMPED: Words = words(
    "the register of {} jumped from {} to {} kWh; {} kWh at most can have come to it",
    "{} 电能示数由 {} 跳变至 {} kWh，期间最多可增 {} kWh",
);
const BEGAN_ANEW: Words = words(
    "the register of {} began anew at its end: {}, then {} kWh",
    "{} 电能示数满量程翻转：{}，其后 {} kWh",
);
const PREFIX: Words = words(
    "the register of {} shows another unit prefix: {}, then {} kWh",
    "{} 电能单位前缀改变：{}，其后 {} kWh",
);
const MISMATCH: Words = words(
    "{}: {} kWh came to the register and power made {} kWh, {} times",
    "{}：电能示数增 {} kWh，功率积分 {} kWh，比值 {}",
);
const REVERSE: Words = words("power of {} flows backwards, in a phase or in the whole", "{} 有相功率反向");
const LOSS: Words = words("a phase of {} has no voltage while another has", "{} 有一相失压或断相");
const IMBALANCE: Words = words("the phases of {} carry unlike currents", "{} 三相电流不平衡");
const LOW: Words = words(
    "every phase of {} is low, {} V in the mean, while other meters of the site are not",
    "{} 各相电压均偏低，平均 {} V，同厂其他电表正常",
);
const BYPASS: Words = words(
    "{}: no sub-meter shows {} % of the total, usually {} %",
    "{}：总用电中 {} % 无分表计量，平时为 {} %",
);
const RESTARTS: Words = words("{} began to count anew {} times within a day", "{} 一天内重启 {} 次");
const CUT: Words = words("{} was without power for {}: registers stood still", "{} 停电 {}：电能示数未变");

/// The sentence of an alert; `None` for rules that are not about meters.
#[must_use]
pub fn of_alert(alert: &Alert, lang: Lang) -> Option<String> {
    let figure = |what| alert.evidence.figures.iter().find(|f| f.what == what).map(|f| f.value);
    let kwh = |what| figure(what).map_or_else(String::new, |kwh| format!("{}", (kwh * 1e3).round() / 1e3));
    let percent = |what| figure(what).map_or_else(String::new, |share| format!("{:.0}", share * 100.0));
    let (sentence, rest): (Words, Vec<String>) = match alert.rule {
        Rule::Frozen if figure(Fact::StuckEnergy).is_some() => {
            (STUCK, vec![kwh(Fact::StuckEnergy), kwh(Fact::RegisterStep)])
        }
        Rule::Frozen => (SAME, vec![kwh(Fact::SameReadings)]),
        Rule::ClockDrift => match (figure(Fact::ZoneHours), figure(Fact::ClockBehind)) {
            (Some(hours), _) => (ZONE, vec![format!("{hours:+}")]),
            (None, behind_ms) => {
                let behind_ms = behind_ms.unwrap_or_default();
                #[expect(clippy::cast_possible_truncation, reason = "days in ms")]
                let length = when::length(behind_ms.abs() as i64);
                (if behind_ms < 0.0 { AHEAD } else { BEHIND }, vec![length])
            }
        },
        Rule::Counter => {
            let (before, after) = (kwh(Fact::RegisterBefore), kwh(Fact::RegisterAfter));
            if figure(Fact::RegisterModulus).is_some() {
                (BEGAN_ANEW, vec![before, after])
            } else if figure(Fact::PrefixFactor).is_some() {
                (PREFIX, vec![before, after])
            } else if figure(Fact::RegisterAfter) > figure(Fact::RegisterBefore) {
                (JUMPED, vec![before, after, kwh(Fact::RegisterMost)])
            } else {
                (WENT_BACK, vec![before, after])
            }
        }
        Rule::PowerEnergyMismatch => {
            (MISMATCH, vec![kwh(Fact::EnergyCame), kwh(Fact::PowerMade), kwh(Fact::RegisterRatio)])
        }
        Rule::ReverseCt => (REVERSE, Vec::new()),
        Rule::VoltageLoss => (LOSS, Vec::new()),
        Rule::Imbalance => (IMBALANCE, Vec::new()),
        Rule::Undervoltage => {
            (LOW, vec![figure(Fact::MeanVoltage).map_or_else(String::new, |u| format!("{u:.0}"))])
        }
        Rule::Bypass => (BYPASS, vec![percent(Fact::UnmeteredShare), percent(Fact::UnmeteredUsual)]),
        Rule::Restart => (RESTARTS, vec![kwh(Fact::Restarts)]),
        Rule::PowerCut => (CUT, vec![when::length(alert.certain_ms)]),
        _ => return None,
    };
    Some(filled(sentence.in_lang(lang), &alert.subject, &rest))
}

/// The sentence with who it is about, and then the rest, in place of each `{}`.
fn filled(sentence: &str, subject: &str, rest: &[String]) -> String {
    let mut filled = String::new();
    let mut given = std::iter::once(subject).chain(rest.iter().map(String::as_str));
    for (n, piece) in sentence.split("{}").enumerate() {
        if n > 0 {
            filled.push_str(given.next().unwrap_or_default());
        }
        filled.push_str(piece);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status;
    use crate::alerts::evidence::NamedFigure;
    use crate::wording::sentence::tests;

    fn said(rule: Rule, figures: &[(Fact, f64)], lang: Lang) -> String {
        let mut alert = tests::alert(rule, Status::Open);
        alert.subject = "fan".into();
        alert.evidence.figures = figures
            .iter()
            .map(|(what, value)| NamedFigure { what: *what, point: None, value: *value })
            .collect();
        of_alert(&alert, lang).unwrap()
    }

    #[test]
    fn figures_stand_in_the_sentence_in_both_languages() {
        let stuck = [(Fact::StuckEnergy, 1.234_56), (Fact::RegisterStep, 0.01)];
        assert_eq!(
            said(Rule::Frozen, &stuck, Lang::En),
            "the register of fan stands still while power made 1.235 kWh, at a step of 0.01 kWh"
        );
        assert_eq!(
            said(Rule::Frozen, &stuck, Lang::Zh),
            "fan 电能示数不动，而功率已累计 1.235 kWh（示数步长 0.01 kWh）"
        );
        let back = [(Fact::RegisterBefore, 523.5), (Fact::RegisterAfter, 0.25), (Fact::RegisterMost, 1.8)];
        assert_eq!(
            said(Rule::Counter, &back, Lang::En),
            "the register of fan went back from 523.5 to 0.25 kWh and counts on from there"
        );
        let jump = [(Fact::RegisterBefore, 523.5), (Fact::RegisterAfter, 923.5), (Fact::RegisterMost, 1.8)];
        assert!(
            said(Rule::Counter, &jump, Lang::En).ends_with("923.5 kWh; 1.8 kWh at most can have come to it")
        );
    }

    #[test]
    fn a_clock_is_behind_ahead_or_in_another_zone() {
        let told = |figures: &[(Fact, f64)]| said(Rule::ClockDrift, figures, Lang::En);
        assert_eq!(told(&[(Fact::ClockBehind, 90_000.0)]), "the clock of fan is 1 min 30 s behind");
        assert_eq!(told(&[(Fact::ClockBehind, -90_000.0)]), "the clock of fan is 1 min 30 s ahead");
        let zone = [(Fact::ClockBehind, 28_800_000.0), (Fact::ZoneHours, -8.0)];
        assert_eq!(told(&zone), "the clock of fan is -8 whole hours off: another time zone");
    }

    #[test]
    fn every_rule_about_meters_has_a_sentence_of_its_own() {
        use crate::model::rule::Scope;
        let others = [Rule::DataMissing, Rule::IncompleteDay, Rule::ConfigChange];
        for rule in Rule::ALL.iter().filter(|r| r.scope() != Scope::Process && !others.contains(r)) {
            for lang in [Lang::En, Lang::Zh] {
                let said = said(*rule, &[], lang);
                assert!(said.contains("fan") && !said.contains('{'), "{said}");
            }
        }
    }
}
