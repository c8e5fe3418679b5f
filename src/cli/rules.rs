//! `submeterd sites rules`: the rules, and what can be set about each.

use comfy_table::Cell;
use serde::Serialize;

use super::output::{print, print_json};
use super::setup::Globals;
use super::table::with_head;
use crate::config::check::rules::shown;
use crate::model::param::Param;
use crate::model::rule::Rule;
use crate::wording::params;
use crate::wording::words::{self, Lang, Words, words};

const HEAD: [Words; 4] = [
    words("[rules.RULE] key", "[rules.规则] 键"),
    words("default", "默认值"),
    words("bounds", "范围"),
    words("what it does", "说明"),
];

/// A key for scripts; values as one types them.
#[derive(Serialize)]
struct Key {
    rule: Rule,
    id: &'static str,
    key: &'static str,
    default: String,
    from: String,
    to: String,
    says: &'static str,
    #[serde(skip)]
    param: Param,
}

fn keys(rule: Rule) -> impl Iterator<Item = Key> {
    Param::of(rule).map(move |param| {
        let about = param.about();
        let value = |v| shown(v, about.unit);
        Key {
            rule,
            id: rule.id(),
            key: about.key,
            default: value(about.default),
            from: value(about.bounds.0),
            to: value(about.bounds.1),
            says: about.says,
            param,
        }
    })
}

/// Prints them all.
///
/// # Errors
/// Nobody reads what is printed.
pub fn list(globals: &Globals) -> anyhow::Result<()> {
    if globals.json {
        return print_json(&Rule::ALL.iter().flat_map(|rule| keys(*rule)).collect::<Vec<_>>());
    }
    print(&table(globals.lang()))
}

/// The table people read.
#[must_use]
pub fn table(lang: Lang) -> String {
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for rule in Rule::ALL {
        let name = words::rule(*rule).in_lang(lang);
        table.add_row([
            format!("{} {}", rule.id(), rule.name()),
            String::new(),
            String::new(),
            name.to_owned(),
        ]);
        for key in keys(*rule) {
            let bounds = format!("{} … {}", key.from, key.to);
            let says = params::says(key.param, lang).to_owned();
            table.add_row([format!("  {}", key.key), key.default, bounds, says].map(Cell::new));
        }
    }
    table.to_string()
}
