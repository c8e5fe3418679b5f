//! Why nobody is told of an alert, in words. Pure.

use jiff::tz::TimeZone;

use super::words::{Lang, Words, words};
use crate::alerts::alert::Alert;
use crate::alerts::reason::{Suppression, Why};

const SUPPRESSED: Words = words("suppressed", "不通知");
const UNTIL: Words = words("until", "至");
const OPEN_END: Words = words("until the configuration says otherwise", "至配置变更为止");
const OUTLASTED: Words = words("outlasted: told again since", "超出时限，此后恢复通知");

/// `suppressed: maintenance`; `None` where it is told.
#[must_use]
pub fn in_short(alert: &Alert, lang: Lang) -> Option<String> {
    let why = alert.suppressed.iter().find(|s| !s.outlasted)?.why;
    Some(format!("{}{}{}", SUPPRESSED.in_lang(lang), colon(lang), name(why).in_lang(lang)))
}

/// `suppressed: maintenance filed by li (uid 7) until 2026-11-24 18:00:00 (m17)`
#[must_use]
pub fn sentence(own: &Suppression, zone: &TimeZone, lang: Lang) -> String {
    let mut parts = vec![name(own.why).in_lang(lang).to_owned()];
    if let Some(by) = &own.by {
        parts.push(match lang {
            Lang::En => format!("filed by {by}"),
            Lang::Zh => format!("申报人 {by}"),
        });
    }
    parts.push(match own.to {
        Some(to) => format!("{} {}", UNTIL.in_lang(lang), to.local(zone)),
        None => OPEN_END.in_lang(lang).to_owned(),
    });
    parts.extend(own.reference.as_ref().map(|reference| format!("({reference})")));
    let begin = if own.outlasted { OUTLASTED } else { SUPPRESSED }.in_lang(lang);
    format!("{begin}{}{}", colon(lang), parts.join(" "))
}

/// What a reason is called.
const fn name(why: Why) -> Words {
    match why {
        Why::Maintenance => words("maintenance", "检修"),
        Why::Commissioning => words("commissioning", "调试"),
        Why::PowerCut => words("power cut of the site", "全厂停电"),
        Why::OutsideWorkingTime => words("outside working time", "申报工作时间以外"),
    }
}

const fn colon(lang: Lang) -> &'static str {
    match lang {
        Lang::En => ": ",
        Lang::Zh => "：",
    }
}
