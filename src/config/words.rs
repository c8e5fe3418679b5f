//! The parser's and serde's words, turned into those of a person who edits a file.

use super::suggest;

/// Words for broken syntax.
#[must_use]
pub fn syntax(message: &str) -> String {
    format!("this is not TOML: {message}")
}

/// What is wrong with the entry `key`, and a hint.
#[must_use]
pub fn fault(key: &str, message: &str) -> (String, String) {
    if message.starts_with("unknown field") {
        return ("unknown key".into(), unknown_key(key, message));
    }
    if message.starts_with("unknown variant") {
        let (typed, known) = quoted(message);
        return (
            format!("{typed:?} is not one of the words that may stand here"),
            suggest::hint(typed, known),
        );
    }
    let Some((found, expected)) = message.split_once(", expected ") else {
        return (message.to_owned(), String::new());
    };
    let found = found.split_once(": ").map_or(found, |(_, f)| f).replace('`', "");
    (format!("{found} is not {}", expectation(expected)), String::new())
}

fn unknown_key(key: &str, message: &str) -> String {
    let (_, known) = quoted(message);
    for secret in ["password", "token", "secret"] {
        let file = format!("{secret}_file");
        if key.starts_with(secret) && known.contains(&file.as_str()) {
            return format!(
                "secrets are kept out of this file: write it into a file of its own and name that with {file}"
            );
        }
    }
    suggest::hint(key, known)
}

/// The words in backticks: the first is what was typed.
fn quoted(message: &str) -> (&str, Vec<&str>) {
    let mut words = message.split('`').skip(1).step_by(2);
    (words.next().unwrap_or_default(), words.collect())
}

fn expectation(rust: &str) -> String {
    let rust = rust.trim_end();
    match rust {
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" | "u64" | "usize" => "a whole number from 0 up".into(),
        "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" => "a text in quotes".into(),
        "a sequence" => "a list in brackets".into(),
        "a map" => "a table".into(),
        other if other.starts_with("struct ") => "a table".into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_speaks_like_a_person() {
        let (what, hint) = fault("prt", "unknown field `prt`, expected one of `host`, `port`");
        assert_eq!((what.as_str(), hint.as_str()), ("unknown key", "did you mean \"port\"?"));
        let (what, _) = fault("port", "invalid value: integer `70000`, expected u16");
        assert_eq!(what, "integer 70000 is not a whole number from 0 to 65535");
        let (_, hint) =
            fault("password", "unknown field `password`, expected one of `username`, `password_file`");
        assert!(hint.contains("password_file"), "{hint}");
        let (what, hint) =
            fault("kind", "unknown variant `treatmnet`, expected one of `production`, `treatment`");
        assert!(what.contains("treatmnet") && hint.contains("\"treatment\""), "{what} {hint}");
    }
}
