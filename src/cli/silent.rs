//! Rules that say nothing of a site, and why, as a table. Pure.

use comfy_table::Cell;

use super::table::with_head;
use crate::api::answers::SilentRow;
use crate::wording::silent;
use crate::wording::words::{self, Lang, Words, words};

const HEAD: [Words; 3] =
    [words("says nothing", "不作判定的规则"), words("of", "对象"), words("because", "原因")];

/// The table; one row for all that a rule says nothing of for the same reason. Empty where every rule speaks.
#[must_use]
pub fn table(silent: &[SilentRow], lang: Lang) -> String {
    let mut rows: Vec<(&SilentRow, Vec<&str>)> = Vec::new();
    for row in silent {
        match rows.iter_mut().find(|(first, _)| (first.rule, first.why) == (row.rule, row.why)) {
            Some((_, subjects)) => subjects.push(&row.subject),
            None => rows.push((row, vec![&row.subject])),
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for (row, subjects) in rows {
        table.add_row([
            Cell::new(words::rule(row.rule).in_lang(lang)),
            Cell::new(subjects.join(", ")),
            Cell::new(silent::because(row.why).in_lang(lang)),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::applicable::Why;
    use crate::model::rule::Rule;

    fn row(rule: Rule, subject: &str, why: Why) -> SilentRow {
        SilentRow { rule, subject_kind: "point".into(), subject: subject.into(), why }
    }

    #[test]
    fn what_is_silent_for_the_same_reason_stands_together() {
        let rows = [
            row(Rule::Frozen, "press", Why::DependsOnMessages),
            row(Rule::Frozen, "fan", Why::DependsOnMessages),
            row(Rule::Bypass, "plant", Why::NoTotal),
        ];
        let en = table(&rows, Lang::En);
        assert!(en.contains("press, fan") && en.contains("no point of kind total"), "{en}");
        assert!(table(&rows, Lang::Zh).contains("取决于电表上报内容"));
        assert_eq!(table(&[], Lang::En), "");
    }
}
