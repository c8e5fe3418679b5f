//! What a site is judged by otherwise than before, as a sentence in both languages. Pure.

use super::words::{Lang, Words, words};
use crate::alerts::evidence::{Aspect, Changed};

/// A part a change.
#[must_use]
pub fn parts(changes: &[Changed], lang: Lang) -> Vec<String> {
    let part = |c: &Changed| {
        let (what, who) = (aspect(c.what).in_lang(lang), BY.in_lang(lang));
        format!("{what} {}: {} → {} ({who} {})", c.of, c.from, c.to, c.who)
    };
    changes.iter().map(part).collect()
}

const BY: Words = words("by", "来源");

const fn aspect(what: Aspect) -> Words {
    match what {
        Aspect::Thresholds => words("thresholds of", "阈值"),
        Aspect::RatedPower => words("rated power of", "额定功率"),
        Aspect::CtRatio => words("current transformer ratio of", "电流互感器变比"),
        Aspect::PtRatio => words("voltage transformer ratio of", "电压互感器变比"),
        Aspect::Meter => words("meter of", "电表"),
        Aspect::Relation => words("production and treatment of", "治污关联"),
        Aspect::Baseline => words("usual power of", "常值功率"),
        Aspect::Other => words("setting", "参数"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_what_was_what_is_and_who() {
        let change = Changed {
            what: Aspect::CtRatio,
            of: "fan".into(),
            from: "1".into(),
            to: "40".into(),
            who: "config".into(),
        };
        let said = |lang| parts(std::slice::from_ref(&change), lang);
        assert_eq!(said(Lang::En), ["current transformer ratio of fan: 1 → 40 (by config)"]);
        assert_eq!(said(Lang::Zh), ["电流互感器变比 fan: 1 → 40 (来源 config)"]);
    }
}
