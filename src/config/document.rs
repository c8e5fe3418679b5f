//! A TOML text, read into what was typed, with *all* that is wrong in it: syntax, unknown keys, wrong types.
//!
//! serde stops at the first fault. So the faulty entry is told, taken out of the parsed tree, and the rest is read
//! again until nothing is wrong any more. A text without faults is read once.

use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::problem::{Problem, Report};
use super::words;

/// More faults than this in one file are not worth telling one by one.
const N_FAULTS_MAX: usize = 100;

/// What was read.
#[derive(Debug)]
pub struct Read<T> {
    /// As typed.
    pub typed: T,
    /// Where entries had to be left out: the text of those that were not.
    pub rest: Option<String>,
}

/// Reads a text. `None` where its syntax is broken; otherwise what is left when the faulty entries are left out.
pub fn read<T: DeserializeOwned>(file: &str, text: &str, report: &mut Report) -> Option<Read<T>> {
    if let Ok(typed) = toml::from_str(text) {
        return Some(Read { typed, rest: None });
    }
    let (mut tree, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        let (line, column) = error.span().map_or((None, None), |s| place(text, s.start));
        report.push(Problem {
            file: file.into(),
            key: "".into(),
            line,
            column,
            what: words::syntax(error.message()).into(),
            hint: "".into(),
        });
    }
    if !broken.is_empty() {
        return None;
    }
    for _ in 0..N_FAULTS_MAX {
        match T::deserialize(Deserializer::from(tree.clone())) {
            Ok(typed) => {
                let rest = toml::Table::deserialize(Deserializer::from(tree)).ok()?;
                return Some(Read { typed, rest: Some(rest.to_string()) });
            }
            Err(error) => {
                let path = fault(&tree, error.span());
                report.push(told(file, text, &path, &error));
                if path.is_empty() || !remove(tree.get_mut(), &path) {
                    return None;
                }
            }
        }
    }
    None
}

/// The line on which a key stands, or the nearest table above it that is there.
#[must_use]
pub fn line_of(text: &str, path: &str) -> Option<usize> {
    let (tree, _) = DeTable::parse_recoverable(text);
    let mut table = Some(tree.get_ref());
    let mut value: Option<&DeValue<'_>> = None;
    let mut start = None;
    for step in path.split(['.', '[']).filter(|s| !s.is_empty()) {
        if let Some(index) = step.strip_suffix(']') {
            let element = value
                .and_then(DeValue::as_array)
                .zip(index.parse().ok())
                .and_then(|(a, i)| a.get::<usize>(i));
            let Some(element) = element else { break };
            start = Some(element.span().start);
            value = Some(element.get_ref());
        } else {
            let entry = table.and_then(|t| t.iter().find(|(k, _)| k.get_ref() == step));
            let Some((key, own)) = entry else { break };
            start = Some(key.span().start);
            value = Some(own.get_ref());
        }
        table = value.and_then(DeValue::as_table);
    }
    start.and_then(|s| place(text, s).0)
}

/// One step into the tree.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

fn told(file: &str, text: &str, path: &[Step], error: &Error) -> Problem {
    let (line, column) = error.span().map_or((None, None), |s| place(text, s.start));
    let last = path.iter().rev().find_map(|s| if let Step::Key(k) = s { Some(k.as_str()) } else { None });
    let (what, hint) = words::fault(last.unwrap_or_default(), error.message());
    Problem {
        file: file.into(),
        key: dotted(path).into(),
        line,
        column,
        what: what.into(),
        hint: hint.into(),
    }
}

fn dotted(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => {
                out.push('.');
                out.push_str(key);
            }
            Step::Index(i) => out.push_str(&format!("[{i}]")),
        }
    }
    out
}

/// Path of the smallest entry whose key or value covers the span.
fn fault(tree: &Spanned<DeTable<'_>>, span: Option<Range<usize>>) -> Vec<Step> {
    let mut best = (usize::MAX, Vec::new());
    if let Some(span) = span {
        search_table(tree.get_ref(), &span, &mut Vec::new(), &mut best);
    }
    best.1
}

fn search_table(
    table: &DeTable<'_>,
    span: &Range<usize>,
    path: &mut Vec<Step>,
    best: &mut (usize, Vec<Step>),
) {
    for (key, value) in table {
        path.push(Step::Key(key.get_ref().to_string()));
        offer(&key.span(), span, path, best);
        search_value(value, span, path, best);
        path.pop();
    }
}

fn search_value(
    value: &Spanned<DeValue<'_>>,
    span: &Range<usize>,
    path: &mut Vec<Step>,
    best: &mut (usize, Vec<Step>),
) {
    offer(&value.span(), span, path, best);
    match value.get_ref() {
        DeValue::Table(table) => search_table(table, span, path, best),
        DeValue::Array(elements) => {
            for (i, element) in elements.iter().enumerate() {
                path.push(Step::Index(i));
                search_value(element, span, path, best);
                path.pop();
            }
        }
        _ => {}
    }
}

fn offer(own: &Range<usize>, span: &Range<usize>, path: &[Step], best: &mut (usize, Vec<Step>)) {
    let covers = own.start <= span.start && span.end <= own.end;
    if covers && own.len() < best.0 {
        *best = (own.len(), path.to_vec());
    }
}

/// Takes an entry out. An element of a list goes with its whole list, so that the others keep their numbers.
fn remove(table: &mut DeTable<'_>, path: &[Step]) -> bool {
    let Some(Step::Key(key)) = path.first() else { return false };
    let goes_deeper = path[1..].iter().any(|s| matches!(s, Step::Key(_)));
    if !goes_deeper {
        return table.remove(key.as_str()).is_some();
    }
    let Some((_, mut value)) = table.iter_mut().find(|(k, _)| k.get_ref() == key) else { return false };
    for (i, step) in path.iter().enumerate().skip(1) {
        match (step, value.get_mut()) {
            (Step::Key(_), DeValue::Table(inner)) => return remove(inner, &path[i..]),
            (Step::Index(n), DeValue::Array(elements)) => match elements.get_mut(*n) {
                Some(element) => value = element,
                None => return false,
            },
            _ => return false,
        }
    }
    false
}

/// Line and column of a byte, from 1; the column counts characters.
fn place(text: &str, byte: usize) -> (Option<usize>, Option<usize>) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (Some(line), Some(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Top {
        port: Option<u16>,
        units: Vec<Unit>,
        inner: Option<Unit>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Unit {
        name: Option<String>,
        power: Option<f64>,
        list: Vec<String>,
    }

    fn faults(text: &str) -> (Option<Top>, Vec<String>) {
        let mut report = Report::default();
        let top = read("x.toml", text, &mut report).map(|r| r.typed);
        let problems = report.finish(|_, path| line_of(text, path));
        (
            top,
            problems
                .errors
                .iter()
                .map(|p| format!("{}:{:?} {}", p.key, p.line.unwrap_or(0), p.what))
                .collect(),
        )
    }

    #[test]
    fn every_fault_of_a_file_is_told_with_its_line_and_the_rest_is_kept() {
        let (top, told) = faults(
            "port = 70000\n[[units]]\nname = 'a'\npwer = 3\n[[units]]\nname = 4\npower = 'x'\nlist = ['a', 3]\n[inner]\nname = 'z'\n",
        );
        let keys: Vec<_> = told.iter().map(|t| t.split(' ').next().unwrap()).collect();
        assert_eq!(
            keys,
            ["port:1", "units[0].pwer:4", "units[1].name:6", "units[1].power:7", "units[1].list[1]:8"]
        );
        let top = top.unwrap();
        assert_eq!(top.units.len(), 2);
        assert_eq!(top.units[0].name.as_deref(), Some("a"));
        assert_eq!(top.inner.unwrap().name.as_deref(), Some("z"));
    }

    #[test]
    fn broken_syntax_is_told_at_every_place_and_nothing_is_taken() {
        let (top, told) = faults("port = \n[[units]]\nname = 'a\npower = 3\nport 3\n");
        assert_eq!(top, None);
        assert!(told.len() >= 2, "{told:?}");
    }

    #[test]
    fn a_key_that_is_not_there_stands_where_its_table_stands() {
        let text = "port = 1\n\n[[units]]\nname = 'a'\n[[units]]\nname = 'b'\n[inner]\nlist = ['a',\n 'b']\n";
        assert_eq!(line_of(text, "units[1].power"), Some(5));
        assert_eq!(line_of(text, "units[1].name"), Some(6));
        assert_eq!(line_of(text, "inner.list[1]"), Some(9));
        assert_eq!(line_of(text, "nothing"), None);
    }
}
