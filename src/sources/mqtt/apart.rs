//! A batch that cannot be parsed as a whole, cut apart by its brackets and quotes, so that one bad reading is
//! rejected by itself. Only taken when the ordinary way has failed. Pure.

use serde::de::DeserializeSeed;
use serde_json::Deserializer;

use super::document::{Document, Names};
use super::loose::Loose;
use super::native::{Item, Key};
use super::sink::{Sink, parser_says};

/// Decodes the readings of a batch one by one; `None` if it is no batch, or not whole.
pub(super) fn decode(payload: &[u8], sink: &mut Sink<'_>) -> Option<()> {
    let mut document = Document::default();
    if payload.trim_ascii_start().first() == Some(&b'[') {
        let list = pieces(payload)?;
        each(&list, &document, false, sink);
        return Some(());
    }
    let members = members(payload)?;
    for (key, value) in &members {
        match key {
            Key::Columns => document.columns = Some(serde_json::from_slice::<Names>(value).ok()?.0),
            Key::Readings | Key::Rows => {}
            key => {
                if let Ok(found) = serde_json::from_slice::<Loose<'_>>(value) {
                    document.envelope.set(*key, found);
                }
            }
        }
    }
    let (key, list) = members.iter().find(|(k, _)| matches!(k, Key::Readings | Key::Rows))?;
    let rows = *key == Key::Rows;
    if rows && document.columns.is_none() {
        return None;
    }
    each(&pieces(list)?, &document, rows, sink);
    Some(())
}

fn each<'de>(list: &[&'de [u8]], document: &Document<'de>, rows: bool, sink: &mut Sink<'_>) {
    for piece in list {
        let columns = document.columns.as_deref().filter(|_| rows);
        let mut from = Deserializer::from_slice(piece);
        let item = Item { sink: &mut *sink, envelope: &document.envelope, columns };
        if let Err(error) = item.deserialize(&mut from).and_then(|()| from.end()) {
            sink.refuse(parser_says(&error));
        }
    }
}

/// The members of an object.
fn members(object: &[u8]) -> Option<Vec<(Key, &[u8])>> {
    let pairs = pieces(object)?;
    pairs
        .iter()
        .map(|pair| {
            let end = value_end(pair)?;
            let name: &str = serde_json::from_slice(&pair[..end]).ok()?;
            let value = pair[end..].trim_ascii_start().strip_prefix(b":")?;
            Some((Key::of(name), value))
        })
        .collect()
}

/// What stands between the commas of a list or an object; `None` if its brackets or quotes do not close.
fn pieces(text: &[u8]) -> Option<Vec<&[u8]>> {
    let text = text.trim_ascii();
    let close = match text.first()? {
        b'[' => b']',
        b'{' => b'}',
        _ => return None,
    };
    let (last, inside) = text[1..].split_last()?;
    if *last != close {
        return None;
    }
    let mut found = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at < inside.len() {
        if inside[at] == b',' {
            found.push(&inside[begin..at]);
            begin = at + 1;
            at += 1;
        } else if inside[at].is_ascii_whitespace() {
            at += 1;
        } else {
            at += value_end(&inside[at..])?.max(1);
        }
    }
    found.push(&inside[begin..]);
    Some(found)
}

/// Length of the value at the begin of `text`, white space before it included.
fn value_end(text: &[u8]) -> Option<usize> {
    let mut at = text.len() - text.trim_ascii_start().len();
    match text.get(at)? {
        b'"' => Some(at + string_end(&text[at..])?),
        b'[' | b'{' => {
            let mut depth = 0_usize;
            loop {
                match text.get(at)? {
                    b'"' => at += string_end(&text[at..])? - 1,
                    b'[' | b'{' => depth += 1,
                    b']' | b'}' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        b']' | b'}' => None,
        _ => {
            let rest = &text[at..];
            let stop = rest.iter().position(|b| b",:[]{}\"".contains(b)).unwrap_or(rest.len());
            Some(at + stop)
        }
    }
}

/// Length of the string at the begin of `text`, quotes included.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_cut_at_their_own_commas() {
        let cut = |text: &'static str| {
            pieces(text.as_bytes()).map(|p| p.iter().map(|b| str::from_utf8(b).unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(
            cut(r#"[{"a":[1,2]}, 1e400 ,"x\",]"]"#),
            Some(vec![r#"{"a":[1,2]}"#, " 1e400 ", r#""x\",]""#])
        );
        assert_eq!(cut(r#"[{"a":1]"#), None);
        assert_eq!(cut(r#"["a]"#), None);
        assert_eq!(cut("[1]]"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = pieces(&bytes);
            let _ = members(&bytes);
        }

        #[test]
        fn brackets_and_quotes_in_any_order_are_survived(text in r#"[\[\]{}",:\\ a1]{0,40}"#) {
            let _ = pieces(text.as_bytes());
            let _ = members(text.as_bytes());
        }
    }
}
