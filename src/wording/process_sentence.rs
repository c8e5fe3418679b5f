//! What the rules of a process say of an alert beside powers and thresholds: edges, usual powers, ratios, nights. Pure.

use jiff::tz::TimeZone;

use super::when;
use super::words::Lang;
use crate::alerts::alert::Alert;
use crate::alerts::evidence::NamedFigure;
use crate::alerts::figure::Fact;
use crate::model::rule::Rule;
use crate::model::time::UtcMs;

/// The parts of the sentence of an alert of one of these rules; of others, and where figures are missing, none.
#[must_use]
pub fn parts(alert: &Alert, zone: &TimeZone, lang: Lang) -> Vec<String> {
    let figures = Figures { all: &alert.evidence.figures, zone, lang };
    let parts = match alert.rule {
        Rule::TreatmentOff => figures.night(),
        Rule::LateStart => figures.late_start(),
        Rule::EarlyStop => figures.early_stop(),
        Rule::TreatmentUnderload => figures.underload(alert),
        Rule::EnergyRatio => figures.energy_ratio(),
        Rule::Night => figures.nights(),
        _ => None,
    };
    parts.unwrap_or_default()
}

/// The figures of an alert, and how they are said.
struct Figures<'a> {
    all: &'a [NamedFigure],
    zone: &'a TimeZone,
    lang: Lang,
}

impl Figures<'_> {
    fn get(&self, what: Fact) -> Option<f64> {
        self.all.iter().find(|f| f.what == what).map(|f| f.value)
    }

    fn of(&self, what: Fact, point: &str) -> Option<f64> {
        self.all.iter().find(|f| f.what == what && f.point.as_deref() == Some(point)).map(|f| f.value)
    }

    /// `12:03:10`
    #[expect(clippy::cast_possible_truncation, reason = "moments in ms, far below 2^52")]
    fn clock(&self, what: Fact) -> Option<String> {
        let at = UtcMs(self.get(what)? as i64).local(self.zone);
        Some(at.split_once(' ').map_or(at.clone(), |(_, time)| time.to_owned()))
    }

    /// `5 min`
    #[expect(clippy::cast_possible_truncation, reason = "spans in ms, far below 2^52")]
    fn length(&self, what: Fact) -> Option<String> {
        self.get(what).map(|ms| when::length(ms as i64))
    }

    /// `83 %`
    fn percent(&self, what: Fact) -> Option<String> {
        self.get(what).map(percent)
    }

    fn say(&self, en: String, zh: String) -> String {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    fn night(&self) -> Option<Vec<String>> {
        let share = self.percent(Fact::Night)?;
        Some(vec![self.say(format!("{share} of it at night"), format!("其中夜间占 {share}"))])
    }

    fn late_start(&self) -> Option<Vec<String>> {
        let (p, t) = (self.clock(Fact::ProductionEdge)?, self.clock(Fact::TreatmentEdge)?);
        let (late, sure) = (self.length(Fact::Lateness)?, self.length(Fact::EdgeUncertainty)?);
        let started = self.say(
            format!("production started {p}, treatment {t}"),
            format!("生产于 {p} 启动，治污于 {t} 启动"),
        );
        let lead = self.get(Fact::Lead).filter(|ms| *ms > 0.0).and_then(|_| self.length(Fact::Lead));
        let due = lead.map(|lead| {
            self.say(format!("treatment was due {lead} before production"), format!("治污应提前 {lead} 启动"))
        });
        let certain = self.say(
            format!("certainly {late} late, starts being known to {sure}"),
            format!("确定晚 {late}，启动时刻精度 {sure}"),
        );
        Some([Some(started), due, Some(certain), self.repeats()].into_iter().flatten().collect())
    }

    fn early_stop(&self) -> Option<Vec<String>> {
        let (p, t) = (self.clock(Fact::ProductionEdge)?, self.clock(Fact::TreatmentEdge)?);
        let (early, sure) = (self.length(Fact::Earliness)?, self.length(Fact::EdgeUncertainty)?);
        let stopped = self.say(
            format!("treatment stopped {t}, production {p}"),
            format!("治污于 {t} 停运，生产于 {p} 停运"),
        );
        let lag = self.get(Fact::Lag).filter(|ms| *ms > 0.0).and_then(|_| self.length(Fact::Lag));
        let due = lag.map(|lag| {
            self.say(format!("it had to run on for {lag}"), format!("生产停运后治污应继续运行 {lag}"))
        });
        let certain = self.say(
            format!("certainly {early} too soon, stops being known to {sure}"),
            format!("确定早停 {early}，停运时刻精度 {sure}"),
        );
        Some([Some(stopped), due, Some(certain), self.repeats()].into_iter().flatten().collect())
    }

    /// Only from the second on.
    fn repeats(&self) -> Option<String> {
        let n = self.get(Fact::Repeats).filter(|n| *n > 1.0)?;
        Some(self.say(format!("number {n} within the time that is counted"), format!("统计期内第 {n} 次")))
    }

    fn underload(&self, alert: &Alert) -> Option<Vec<String>> {
        let mut parts = Vec::new();
        for point in &alert.evidence.points {
            let share = self.of(Fact::UsualShare, &point.point);
            let usual = self.of(Fact::UsualPower, &point.point);
            let (Some(share), Some(usual_w)) = (share.map(percent), usual) else { continue };
            let (name, usual_kw) = (&point.name, usual_w / 1_000.0);
            parts.push(self.say(
                format!("{name} drew {share} of its usual {usual_kw:.1} kW"),
                format!("{name} 功率仅为常值 {usual_kw:.1} kW 的 {share}"),
            ));
        }
        let level = self.percent(Fact::ProductionLevel);
        parts.extend(level.map(|level| {
            self.say(format!("production at {level} of rated power"), format!("生产负荷为额定的 {level}"))
        }));
        (!parts.is_empty()).then_some(parts)
    }

    fn energy_ratio(&self) -> Option<Vec<String>> {
        let (t, p) = (self.get(Fact::TreatmentEnergy)?, self.get(Fact::ProductionEnergy)?);
        let (ratio, median) = (self.get(Fact::Ratio)?, self.get(Fact::RatioMedian)?);
        let (z, n) = (self.get(Fact::RatioZ)?, self.get(Fact::RatioDays)?);
        Some(vec![
            self.say(
                format!("treatment used {t:.1} kWh beside {p:.1} kWh of production: {ratio:.3}"),
                format!("治污用电 {t:.1} kWh，生产用电 {p:.1} kWh，比值 {ratio:.3}"),
            ),
            self.say(
                format!("usual {median:.3}, the median of {n} days; deviations from it {z:.1}"),
                format!("常值 {median:.3}（{n} 日中位数），偏离 {z:.1} 个标准差"),
            ),
            self.say("a lead, no proof".to_owned(), "仅作线索，不作定论".to_owned()),
        ])
    }

    fn nights(&self) -> Option<Vec<String>> {
        let (day, night) = (self.percent(Fact::DayShare)?, self.percent(Fact::NightShare)?);
        let n = self.get(Fact::Nights)?;
        Some(vec![self.say(
            format!(
                "treatment ran in {day} of production time by day, in {night} by night; nights counted {n}"
            ),
            format!("生产期间治污运行率：昼间 {day}，夜间 {night}；统计 {n} 夜"),
        )])
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status;
    use crate::wording::sentence::of_alert;
    use crate::wording::sentence::tests::{FIRST, alert};

    fn told(rule: Rule, figures: &[(Fact, Option<&str>, f64)]) -> (String, String) {
        let mut alert = alert(rule, Status::Open);
        alert.evidence.figures = figures
            .iter()
            .map(|(what, point, value)| NamedFigure {
                what: *what,
                point: point.map(Into::into),
                value: *value,
            })
            .collect();
        (of_alert(&alert, &TimeZone::UTC, Lang::En), of_alert(&alert, &TimeZone::UTC, Lang::Zh))
    }

    #[test]
    fn edges_are_told_with_what_is_certain_of_them() {
        let at = |seconds: i64| (FIRST.0 + seconds * 1_000) as f64;
        let mut figures = vec![
            (Fact::ProductionEdge, Some("press"), at(0)),
            (Fact::TreatmentEdge, Some("scrubber"), at(360)),
            (Fact::EdgeUncertainty, None, 60_000.0),
            (Fact::Lead, None, 0.0),
            (Fact::Lateness, None, 300_000.0),
            (Fact::Repeats, None, 3.0),
        ];
        let (en, zh) = told(Rule::LateStart, &figures);
        assert_eq!(
            en,
            "production started 12:03:10, treatment 12:09:10; certainly 5 min late, starts being known to 1 min; \
             number 3 within the time that is counted; since 12:03:10"
        );
        assert_eq!(
            zh,
            "生产于 12:03:10 启动，治污于 12:09:10 启动；确定晚 5 min，启动时刻精度 1 min；统计期内第 3 次；始于 12:03:10"
        );
        figures[3] = (Fact::Lag, None, 300_000.0);
        figures[4] = (Fact::Earliness, None, 240_000.0);
        figures[5] = (Fact::Repeats, None, 1.0);
        let (en, zh) = told(Rule::EarlyStop, &figures);
        assert_eq!(
            en,
            "treatment stopped 12:09:10, production 12:03:10; it had to run on for 5 min; certainly 4 min too soon, \
             stops being known to 1 min; since 12:03:10"
        );
        assert!(zh.contains("生产停运后治污应继续运行 5 min；确定早停 4 min"), "{zh}");
    }

    #[test]
    fn usual_powers_ratios_and_nights_are_told_in_both_languages() {
        let scrubber = Some("scrubber");
        let (en, zh) = told(
            Rule::TreatmentUnderload,
            &[
                (Fact::UsualShare, scrubber, 0.34),
                (Fact::UsualPower, scrubber, 12_000.0),
                (Fact::ProductionLevel, None, 0.83),
            ],
        );
        assert_eq!(
            en,
            "scrubber drew 34 % of its usual 12.0 kW; production at 83 % of rated power; since 12:03:10"
        );
        assert!(zh.starts_with("scrubber 功率仅为常值 12.0 kW 的 34 %；生产负荷为额定的 83 %"), "{zh}");
        let (en, zh) = told(
            Rule::EnergyRatio,
            &[
                (Fact::Ratio, None, 0.1275),
                (Fact::RatioMedian, None, 0.243),
                (Fact::RatioZ, None, -12.9),
                (Fact::RatioDays, None, 14.0),
                (Fact::ProductionEnergy, None, 401.6),
                (Fact::TreatmentEnergy, None, 51.2),
            ],
        );
        assert!(
            en.starts_with("treatment used 51.2 kWh beside 401.6 kWh of production: 0.128; usual 0.243"),
            "{en}"
        );
        assert!(zh.contains("（14 日中位数），偏离 -12.9 个标准差；仅作线索"), "{zh}");
        let (en, zh) = told(
            Rule::Night,
            &[(Fact::DayShare, None, 0.98), (Fact::NightShare, None, 0.0), (Fact::Nights, None, 5.0)],
        );
        assert!(en.starts_with("treatment ran in 98 % of production time by day, in 0 % by night"), "{en}");
        assert!(zh.starts_with("生产期间治污运行率：昼间 98 %，夜间 0 %；统计 5 夜"), "{zh}");
        let (en, zh) = told(Rule::TreatmentOff, &[(Fact::Night, None, 0.25)]);
        assert!(en.ends_with("off; 25 % of it at night; since 12:03:10"), "{en}");
        assert!(zh.ends_with("停运；其中夜间占 25 %；始于 12:03:10"), "{zh}");
        let (en, zh) = told(Rule::OutsideHours, &[]);
        assert_eq!(
            en,
            "outside declared working time production press 71.2 kW ≥ 50 kW: running; since 12:03:10"
        );
        assert!(zh.starts_with("申报工作时间以外 生产设施 press 71.2 kW"), "{zh}");
    }

    #[test]
    fn without_its_figures_the_rule_alone_is_told() {
        let (en, _) = told(Rule::LateStart, &[]);
        assert_eq!(en, "late_start; since 12:03:10");
    }
}
