//! An alert's evidence as one sentence a person can check: powers against thresholds, since when. Pure.

use jiff::tz::TimeZone;

use super::changed_sentence;
use super::meter_sentence;
use super::process_sentence;
use super::when;
use super::words::{self, Lang, Words, words};
use crate::alerts::alert::Alert;
use crate::alerts::evidence::PointEvidence;
use crate::model::rule::Rule;
use crate::model::site::PointKind;
use crate::model::state::State;
use crate::model::time::UtcMs;

const SINCE: Words = words("since", "始于");
const NOT_HEARD: Words = words("nothing heard: unknown", "无数据：状态未知");
const SILENT: Words = words("nothing heard from", "未收到数据：");
const SHORT_GAPS: Words = words(
    "treatment off again and again while production ran, each time too short for an alert of its own; times",
    "生产期间治污设施反复停运，每次都短于单次告警时限；次数",
);
const SELDOM_KNOWN: Words =
    words("whether it runs could be told for less than 90 % of the day:", "全天可判定工况不足 90 %：");
const NOT_KNOWN_FOR: Words = words("unknown for", "未知时长");
const NO_POWER: Words = words("heard without a power: unknown", "有数据但无功率：状态未知");
const NEGATIVE: Words = words("below zero: unknown", "功率为负：状态未知");
const OUTSIDE: Words = words("outside declared working time", "申报工作时间以外");
const IN_ALL: Words = words("in all", "合计");

/// Time of day: `12:03:10`.
#[must_use]
pub fn time_of_day(at: UtcMs, zone: &TimeZone) -> String {
    let whole = at.local(zone);
    whole.split_once(' ').map_or(whole.clone(), |(_, time)| time.to_owned())
}

/// The evidence of an alert.
#[must_use]
pub fn of_alert(alert: &Alert, zone: &TimeZone, lang: Lang) -> String {
    let mut parts = match alert.rule {
        Rule::TreatmentOff | Rule::GapWhileProducing => {
            alert.evidence.points.iter().map(|p| sentence(p, lang)).collect()
        }
        Rule::DataMissing => {
            vec![format!("{} {}/{}", SILENT.in_lang(lang), alert.site, alert.subject)]
        }
        Rule::IncompleteDay => vec![
            format!("{} {}/{}", SELDOM_KNOWN.in_lang(lang), alert.site, alert.subject),
            format!("{} {}", NOT_KNOWN_FOR.in_lang(lang), when::length(alert.unknown_ms)),
        ],
        Rule::Fragmented => vec![
            format!("{} {}", SHORT_GAPS.in_lang(lang), alert.evidence.fragments.len()),
            format!("{} {}", IN_ALL.in_lang(lang), when::length(alert.certain_ms)),
        ],
        Rule::OutsideHours => {
            let production = alert.evidence.points.iter().filter(|p| p.kind == PointKind::Production);
            let told = production.map(|p| format!("{} {}", OUTSIDE.in_lang(lang), sentence(p, lang)));
            told.collect()
        }
        Rule::ConfigChange => changed_sentence::parts(&alert.evidence.changes, lang),
        _ => meter_sentence::of_alert(alert, lang).into_iter().collect(),
    };
    parts.extend(process_sentence::parts(alert, zone, lang));
    if parts.is_empty() {
        parts.push(words::rule(alert.rule).in_lang(lang).to_owned());
    }
    parts.push(format!("{} {}", SINCE.in_lang(lang), time_of_day(alert.first, zone)));
    parts.join(match lang {
        Lang::En => "; ",
        Lang::Zh => "；",
    })
}

/// `production press 71.2 kW ≥ 50 kW: running`
fn sentence(point: &PointEvidence, lang: Lang) -> String {
    format!("{} {} {}", words::kind(point.kind).in_lang(lang), point.name, compared(point, lang))
}

/// `71.2 kW ≥ 50 kW: running`
fn compared(point: &PointEvidence, lang: Lang) -> String {
    let limits = &point.thresholds;
    let Some(mean_kw) = point.mean_kw else {
        // A register that went on was read more than once: the meter speaks, and says no power.
        let speaks = point.energy_kwh.is_some();
        return if speaks { NO_POWER } else { NOT_HEARD }.in_lang(lang).to_owned();
    };
    if mean_kw * 1_000.0 < -limits.off_below_w {
        return format!("{mean_kw:.1} kW, {}", NEGATIVE.in_lang(lang));
    }
    let (above_kw, below_kw) = (limits.running_above_w / 1_000.0, limits.running_below_w / 1_000.0);
    let (sign, limit_kw, state) = if mean_kw >= above_kw {
        ('≥', above_kw, State::Running)
    } else if mean_kw * 1_000.0 <= limits.off_below_w {
        ('≤', below_kw, State::Off)
    } else if mean_kw <= below_kw {
        ('≤', below_kw, State::Idle)
    } else {
        return format!("{mean_kw:.1} kW");
    };
    let colon = if lang == Lang::Zh { "：" } else { ": " };
    format!("{mean_kw:.1} kW {sign} {limit_kw} kW{colon}{}", words::state(state).in_lang(lang))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::alerts::alert::{Status, Step};
    use crate::alerts::evidence::Evidence;
    use crate::model::rule::Level;
    use crate::model::site::{Basis, Thresholds};

    /// 2026-11-24 12:03:10 UTC.
    pub const FIRST: UtcMs = UtcMs(1_795_521_790_000);

    fn point(id: &str, kind: PointKind, mean_kw: f64, running_w: (f64, f64)) -> PointEvidence {
        PointEvidence {
            point: id.into(),
            name: id.into(),
            kind,
            mean_kw: Some(mean_kw),
            max_kw: Some(mean_kw),
            energy_first_kwh: None,
            energy_last_kwh: None,
            energy_kwh: None,
            n_samples: 10,
            thresholds: Thresholds {
                running_above_w: running_w.0,
                running_below_w: running_w.1,
                idle_above_w: running_w.1 / 2.0,
                off_below_w: running_w.1 / 4.0,
                on_for_ms: 2_000,
                off_for_ms: 3_000,
                basis: Basis::Configured,
                version: 1,
            },
            thresholds_before: Vec::new(),
        }
    }

    /// An alert as the story's second plant raises it.
    pub fn alert(rule: Rule, status: Status) -> Alert {
        let raised = FIRST.plus(10_000);
        let cleared = (status == Status::Cleared).then(|| FIRST.plus(37_000));
        let step = |at, what: &str| Step { at, what: what.into(), level: Level::Warning, offset: 1 };
        let mut scrubber = point("scrubber", PointKind::Treatment, 0.012, (12_000.0, 10_000.0));
        if rule == Rule::GapWhileProducing {
            (scrubber.mean_kw, scrubber.max_kw, scrubber.n_samples) = (None, None, 0);
        }
        let mut history = vec![step(raised, "raised")];
        history.extend(cleared.map(|at| step(at, "cleared")));
        Alert {
            id: format!("{}-{}", rule.name(), status.name()).into(),
            site: "plant-b".into(),
            rule,
            rule_version: 1,
            subject_kind: "process".into(),
            subject: "line-1".into(),
            status,
            level: Level::Warning,
            first: FIRST,
            raised,
            last_certain: raised,
            cleared,
            certain_ms: 10_000,
            unknown_ms: 0,
            evidence: Evidence {
                points: vec![point("press", PointKind::Production, 71.236, (50_000.0, 40_000.0)), scrubber],
                data_share: 1.0,
                offsets: Some((1, 9)),
                fragments: vec![(FIRST.0, 8_000), (FIRST.0 + 11_000, 8_000)],
                figures: Vec::new(),
                readings: Vec::new(),
                changes: Vec::new(),
            },
            acknowledged: None,
            deeds: Vec::new(),
            history,
            said: 0,
            raised_before: None,
            retroactive: false,
            revisions: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    #[test]
    fn the_sentence_compares_powers_with_thresholds() {
        let alert = alert(Rule::TreatmentOff, Status::Open);
        assert_eq!(
            of_alert(&alert, &TimeZone::UTC, Lang::En),
            "production press 71.2 kW ≥ 50 kW: running; treatment scrubber 0.0 kW ≤ 10 kW: off; since 12:03:10"
        );
        assert_eq!(
            of_alert(&alert, &TimeZone::UTC, Lang::Zh),
            "生产设施 press 71.2 kW ≥ 50 kW：运行；治污设施 scrubber 0.0 kW ≤ 10 kW：停运；始于 12:03:10"
        );
    }

    #[test]
    fn what_was_not_heard_has_no_power() {
        let mut gap = alert(Rule::GapWhileProducing, Status::Open);
        for (mean_kw, energy_kwh, said) in [
            (None, None, "treatment scrubber nothing heard: unknown"),
            (None, Some(4.2), "treatment scrubber heard without a power: unknown"),
            (Some(-12.0), Some(0.0), "treatment scrubber -12.0 kW, below zero: unknown"),
            (Some(12.5), Some(4.2), "treatment scrubber 12.5 kW ≥ 12 kW: running"),
        ] {
            (gap.evidence.points[1].mean_kw, gap.evidence.points[1].energy_kwh) = (mean_kw, energy_kwh);
            let told = of_alert(&gap, &TimeZone::UTC, Lang::En);
            assert!(told.contains("press 71.2 kW ≥ 50 kW: running"), "{told}");
            assert!(told.contains(said), "{told}");
        }
        let missing = of_alert(&alert(Rule::DataMissing, Status::Open), &TimeZone::UTC, Lang::En);
        assert_eq!(missing, "nothing heard from plant-b/line-1; since 12:03:10");
        let short = of_alert(&alert(Rule::Fragmented, Status::Open), &TimeZone::UTC, Lang::En);
        assert!(short.ends_with("times 2; in all 10 s; since 12:03:10"), "{short}");
    }
}
