//! A notice in words. Pure.

use jiff::tz::TimeZone;

use crate::alerts::alert::Alert;
use crate::model::time::UtcMs;
use crate::notices::item::What;
use crate::notices::notice::{About, Notice, Telling};
use crate::wording::sentence;
use crate::wording::words::{self, Lang, Words, words};

/// The word for what is told.
#[must_use]
pub const fn what(what: What) -> Words {
    match what {
        What::Raised => words("new", "新告警"),
        What::Escalated => words("escalated", "升级"),
        What::Reminder => words("still open", "仍未解除"),
        What::Past => words("found afterwards, over", "事后认定，已结束"),
        What::Cleared => words("cleared", "已解除"),
        What::Retracted => {
            words("retracted: later readings show that it never held", "已撤回：补传数据表明并未发生")
        }
    }
}

/// One line for a mail's subject or a phone.
#[must_use]
pub fn subject(notice: &Notice, lang: Lang) -> String {
    let level = words::level(notice.level()).in_lang(lang);
    let name = &notice.site.name;
    match (&notice.tellings[..], lang) {
        ([one], _) => {
            let (said, rule) = (what(one.what).in_lang(lang), words::rule(one.alert.rule).in_lang(lang));
            let (colon, comma) = if lang == Lang::Zh { ("：", "，") } else { (": ", ", ") };
            format!("[{level}] {name}{colon}{rule}{comma}{said}")
        }
        (all, Lang::En) => format!("[{level}] {name}: {} alerts, {} stand", all.len(), notice.n_standing),
        (all, Lang::Zh) => {
            format!("[{level}] {name}：告警 {} 条，未解除 {} 条", all.len(), notice.n_standing)
        }
    }
}

/// All of it: a line an alert.
#[must_use]
pub fn body(notice: &Notice, lang: Lang) -> String {
    let mut lines: Vec<String> =
        notice.tellings.iter().map(|telling| line(telling, &notice.site, lang)).collect();
    lines.push(match lang {
        Lang::En => format!("{} stand now of this site.", notice.n_standing),
        Lang::Zh => format!("该企业现有未解除告警 {} 条。", notice.n_standing),
    });
    lines.join("\n")
}

/// One alert.
#[must_use]
pub fn line(telling: &Telling, site: &About, lang: Lang) -> String {
    let Telling { what: told, alert, .. } = telling;
    let level = words::level(alert.level).in_lang(lang);
    let (said, rule) = (what(*told).in_lang(lang), words::rule(alert.rule).in_lang(lang));
    let mut text = match lang {
        Lang::En => format!("[{level}] {rule} ({}): {said}; ", alert.subject),
        Lang::Zh => format!("[{level}] {rule}（{}）：{said}；", alert.subject),
    };
    let zone = TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC);
    text.push_str(&span(alert, &zone, lang));
    // What never held has no evidence.
    if *told != What::Retracted {
        text.push_str(lang.say("; ", "；"));
        text.push_str(&sentence::of_alert(alert, &zone, lang));
    }
    if let Some(seen) = &alert.acknowledged {
        text.push_str(&match lang {
            Lang::En => format!("; acknowledged by {}", seen.who),
            Lang::Zh => format!("；{} 已确认", seen.who),
        });
    }
    text.push_str(&match lang {
        Lang::En => format!("; alert {}", alert.id),
        Lang::Zh => format!("；告警编号 {}", alert.id),
    });
    text
}

/// From when to when, in the site's zone.
fn span(alert: &Alert, zone: &TimeZone, lang: Lang) -> String {
    let local = |at: UtcMs| at.local(zone);
    match (alert.cleared, lang) {
        (None, Lang::En) => format!("since {}", local(alert.first)),
        (None, Lang::Zh) => format!("始于 {}", local(alert.first)),
        (Some(end), Lang::En) => format!("{} to {}", local(alert.first), local(end)),
        (Some(end), Lang::Zh) => format!("{} 至 {}", local(alert.first), local(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status;
    use crate::model::rule::{Level, Rule};
    use crate::notices::notice::notices;

    const ALL: [What; 6] =
        [What::Raised, What::Escalated, What::Reminder, What::Past, What::Cleared, What::Retracted];

    fn notice(told: &[What]) -> Notice {
        let alert = |what: &What| Alert {
            id: what.name().into(),
            site: "plant".into(),
            level: Level::Alarm,
            first: UtcMs(1_795_521_790_000),
            cleared: (!what.stands()).then_some(UtcMs(1_795_523_000_000)),
            ..sentence::tests::alert(
                Rule::TreatmentOff,
                if what.stands() { Status::Open } else { Status::Cleared },
            )
        };
        let telling = |what: &What| Telling {
            what: *what,
            levels: vec![Level::Alarm],
            region: "".into(),
            alert: Box::new(alert(what)),
        };
        let site = About {
            id: "plant".into(),
            name: "印刷厂".into(),
            region: "".into(),
            time_zone: "Asia/Shanghai".into(),
        };
        notices("duty", &site, told.iter().map(telling).collect(), 1, (7, UtcMs(0))).remove(0)
    }

    #[test]
    fn a_notice_reads_well_in_both_languages() {
        let one = notice(&[What::Raised]);
        assert_eq!(subject(&one, Lang::Zh), "[报警] 印刷厂：生产期间治污设施停运，新告警");
        assert_eq!(
            body(&one, Lang::Zh),
            "[报警] 生产期间治污设施停运（line-1）：新告警；始于 2026-11-24 20:03:10；\
             生产设施 press 71.2 kW ≥ 50 kW：运行；治污设施 scrubber 0.0 kW ≤ 10 kW：停运；始于 20:03:10；告警编号 raised\n\
             该企业现有未解除告警 1 条。"
        );
        assert_eq!(subject(&one, Lang::En), "[alarm] 印刷厂: treatment_off, new");
        let two = notice(&[What::Cleared, What::Reminder]);
        assert_eq!(subject(&two, Lang::En), "[alarm] 印刷厂: 2 alerts, 1 stand");
        assert!(body(&two, Lang::En).contains("cleared; 2026-11-24 20:03:10 to 2026-11-24 20:23:20"));
    }

    #[test]
    fn every_word_has_its_chinese() {
        for told in ALL {
            let line = body(&notice(&[told]), Lang::Zh);
            let names = ["line-1", "press", "scrubber", "kW", told.name()];
            let said = names.iter().fold(line, |line, name| line.replace(name, ""));
            assert!(!said.chars().any(|c| c.is_ascii_alphabetic()), "{said}");
        }
    }
}
