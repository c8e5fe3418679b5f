//! Three layers, the later over the earlier: the embedded defaults, the file, the environment.

use std::collections::BTreeMap;

use config::{Config, ConfigError, Environment, File, FileFormat};

use super::document;
use super::problem::{Problem, Report};
use super::texts::Text;
use super::typed::daemon as typed;
use super::words;

/// Every key with its default and a sentence: what a new user reads, and what holds where a user says nothing.
pub const DEFAULTS: &str = include_str!("../../config/submeterd.toml");

/// The name problems of the defaults go by, and of whatever else has no file.
pub const DEFAULTS_NAME: &str = "(defaults)";

/// The name problems of the environment go by.
const ENVIRONMENT_NAME: &str = "environment";

/// Begin of the variables: `SUBMETERD__DAEMON__TICK`.
const PREFIX: &str = "SUBMETERD";

/// What the layers make together.
#[derive(Debug, Default)]
pub struct Layered {
    /// All layers.
    pub typed: typed::File,
    /// What the user wrote, in file and environment, without the defaults.
    pub by_user: typed::File,
    /// Whether the file could be read as TOML; if not, nothing is known of what is in it.
    pub is_whole: bool,
}

/// Lays file and environment over the defaults. What is faulty is told and left out.
pub fn lay(file: Option<&Text>, environment: &BTreeMap<String, String>, report: &mut Report) -> Layered {
    let mut is_whole = true;
    let mut written = String::new();
    if let Some(file) = file {
        match document::read::<typed::File>(&file.name, &file.text, report) {
            Some(read) => written = read.rest.unwrap_or_else(|| file.text.clone()),
            None => is_whole = false,
        }
    }
    let mut sound = std::collections::HashMap::new();
    for (name, value) in environment {
        if !name.to_uppercase().starts_with(&format!("{PREFIX}__")) {
            continue;
        }
        let one = std::collections::HashMap::from([(name.clone(), value.clone())]);
        match built(&[], one.clone()) {
            Ok(_) => sound.extend(one),
            Err(error) => report.push(of_variable(name, &error)),
        }
    }
    let all =
        built(&[DEFAULTS, &written], sound.clone()).and_then(|typed| Ok((typed, built(&[&written], sound)?)));
    match all {
        Ok((typed, by_user)) => Layered { typed, by_user, is_whole },
        Err(error) => {
            // Every layer was sound by itself: only their clash is left, such as a table laid over a text.
            report.push(of_variable("", &error));
            Layered { is_whole: false, ..Layered::default() }
        }
    }
}

fn built(
    texts: &[&str],
    environment: std::collections::HashMap<String, String>,
) -> Result<typed::File, ConfigError> {
    // No guessing: "0123" stays the text it is, and becomes a number only where a number is wanted.
    let variables = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .try_parsing(false)
        .source(Some(environment));
    let mut builder = Config::builder();
    for text in texts {
        builder = builder.add_source(File::from_str(text, FileFormat::Toml));
    }
    builder.add_source(variables).build()?.try_deserialize()
}

fn of_variable(name: &str, error: &ConfigError) -> Problem {
    let text = error.to_string();
    let text = text.split(" for key `").next().unwrap_or_default();
    let key = name.rsplit("__").next().unwrap_or_default().to_lowercase();
    let (what, hint) = words::fault(&key, text);
    Problem {
        file: ENVIRONMENT_NAME.into(),
        key: name.into(),
        line: None,
        column: None,
        what: what.into(),
        hint: hint.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay_with(pairs: &[(&str, &str)], text: &str) -> (Layered, Vec<Problem>) {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let file = Text { name: "x.toml".into(), text: text.into() };
        let mut report = Report::default();
        let layered = lay(Some(&file), &environment, &mut report);
        (layered, report.finish(|_, _| None).errors)
    }

    #[test]
    fn the_environment_lies_over_the_file_and_the_file_over_the_defaults() {
        let text = "[daemon]\ntick = '2s'\n[history]\ndays_max = 7\n";
        let pairs =
            [("SUBMETERD__DAEMON__TICK", "5s"), ("SUBMETERD__JOURNAL__DAYS_MAX", "9"), ("OTHER", "x")];
        let (layered, errors) = lay_with(&pairs, text);
        assert_eq!(errors, []);
        assert_eq!(layered.typed.daemon.tick.unwrap().0.as_secs(), 5);
        assert_eq!(layered.typed.journal.days_max, Some(9));
        assert_eq!(layered.typed.history.days_max, Some(7));
        assert_eq!(layered.typed.daemon.sites_dir.as_deref(), Some("sites"));
        assert_eq!(layered.by_user.daemon.sites_dir, None);
    }

    #[test]
    fn a_text_of_digits_stays_a_text() {
        let pairs = [("SUBMETERD__INFLUX__ORG", "0123"), ("SUBMETERD__INFLUX__BUCKET", "12345e3")];
        let (layered, errors) = lay_with(&pairs, "");
        assert_eq!(errors, []);
        let influx = layered.typed.influx.unwrap();
        assert_eq!((influx.org.as_deref(), influx.bucket.as_deref()), (Some("0123"), Some("12345e3")));
    }

    #[test]
    fn each_faulty_variable_is_told_by_its_name() {
        let pairs = [
            ("SUBMETERD__DAEMON__TICKK", "5s"),
            ("SUBMETERD__JOURNAL__DAYS_MAX", "many"),
            ("SUBMETERD__DAEMON__STOP_WITHIN", "20"),
        ];
        let (layered, errors) = lay_with(&pairs, "");
        let keys: Vec<_> = errors.iter().map(|p| &*p.key).collect();
        assert_eq!(
            keys,
            ["SUBMETERD__DAEMON__STOP_WITHIN", "SUBMETERD__DAEMON__TICKK", "SUBMETERD__JOURNAL__DAYS_MAX"]
        );
        assert!(errors[1].hint.contains("\"tick\""), "{}", errors[1]);
        assert_eq!(layered.typed.daemon.stop_within.unwrap().0.as_secs(), 20);
    }
}
