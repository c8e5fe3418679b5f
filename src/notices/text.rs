//! A notice in words.

use jiff::tz::TimeZone;

use super::item::What;
use super::notice::{About, Notice, Telling};
use crate::alerts::alert::Alert;
use crate::model::site::PointKind;
use crate::model::time::UtcMs;
use crate::model::words::{self, Lang, Words, words};

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
    text.push_str(&span(alert, site, lang));
    for (kind, of) in [(PointKind::Production, "production"), (PointKind::Treatment, "treatment")] {
        if let Some(kw) = alert.evidence.mean_kw(kind) {
            text.push_str(&match lang {
                Lang::En => format!("; {of} {kw:.1} kW"),
                Lang::Zh => format!("；{} {kw:.1} kW", words::kind(kind).zh),
            });
        }
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
fn span(alert: &Alert, site: &About, lang: Lang) -> String {
    let zone = TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC);
    let local = |at: UtcMs| at.local(&zone);
    match (alert.cleared, lang) {
        (None, Lang::En) => format!("since {}", local(alert.first)),
        (None, Lang::Zh) => format!("始于 {}", local(alert.first)),
        (Some(end), Lang::En) => format!("{} to {}", local(alert.first), local(end)),
        (Some(end), Lang::Zh) => format!("{} 至 {}", local(alert.first), local(end)),
    }
}
