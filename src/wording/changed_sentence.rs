//! What a site is judged by otherwise than before, as a sentence in both languages. Pure.

use std::borrow::Cow;

use super::said::said;
use super::words::{self, Lang, Words, words};
use crate::alerts::evidence::{Aspect, Changed};

/// A part a change.
#[must_use]
pub fn parts(changes: &[Changed], lang: Lang) -> Vec<String> {
    let part = |c: &Changed| {
        let (what, who) = (aspect(c.what).in_lang(lang), BY.in_lang(lang));
        let [from, to] = [&c.from, &c.to].map(|value| value_words(c.what, value, lang));
        format!("{what} {}: {from} → {to} ({who} {})", c.of, words::key(&c.who, lang))
    };
    changes.iter().map(part).collect()
}

/// Values are kept as text: thresholds as a sentence, relations as `press → 1 of fan-a, fan-b + pump`.
fn value_words(what: Aspect, value: &str, lang: Lang) -> Cow<'_, str> {
    match (what, lang) {
        (Aspect::Relation, Lang::Zh) => relation(value).into(),
        (Aspect::Baseline, Lang::Zh) => baseline(value).into(),
        (Aspect::Thresholds, _) => said(value, lang),
        _ => words::key(value, lang).into(),
    }
}

fn relation(value: &str) -> String {
    let Some((production, treatment)) = value.split_once(" → ") else { return value.to_owned() };
    let group = |group: &str| match group.split_once(" of ") {
        Some((n, points)) => format!("{points} 中 {n} 台"),
        None => group.to_owned(),
    };
    let groups: Vec<String> = treatment.split(" + ").map(group).collect();
    format!("{production} → {}", groups.join(" + "))
}

/// `– / – / 4 kW / 5 kW (learned, 1234)`
fn baseline(value: &str) -> String {
    let parts = value.split_once(" (").and_then(|(levels, rest)| Some((levels, rest.split_once(", ")?)));
    match parts {
        Some((levels, (basis, version))) => {
            format!("{levels} ({}, {version}", words::key(basis, Lang::Zh))
        }
        None => value.to_owned(),
    }
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
        assert_eq!(said(Lang::Zh), ["电流互感器变比 fan: 1 → 40 (来源 配置文件)"]);
    }
}
