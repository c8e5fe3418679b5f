//! The columns of `sites.csv`, and what may stand in each.

use serde::de::DeserializeOwned;

use crate::config::typed::quantity::{Power, Span};
use crate::config::words;
use crate::model::site::{Category, Grade, PointKind};

/// What may stand in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Letters, digits, `-`, `_`, `.`.
    Id,
    /// Ids with spaces between.
    Ids,
    /// Anything.
    Text,
    /// A number above 0.
    Number,
    /// A whole number from 0 to 255.
    Whole,
    /// true or false.
    Flag,
    /// The kind of a point.
    Kind,
    /// The category of a site.
    Category,
    /// The grade of a site.
    Grade,
    /// A duration.
    Span,
    /// A power or a share.
    Power,
}

/// Every column: name, what stands in it, whether it must.
pub const COLUMNS: &[(&str, Form, bool)] = &[
    ("site_id", Form::Id, true),
    ("site_name", Form::Text, false),
    ("region", Form::Text, false),
    ("industry", Form::Text, false),
    ("category", Form::Category, false),
    ("positive_list", Form::Flag, false),
    ("grade", Form::Grade, false),
    ("time_zone", Form::Text, false),
    ("point_id", Form::Id, true),
    ("point_name", Form::Text, false),
    ("kind", Form::Kind, true),
    ("rated_kw", Form::Number, true),
    ("process", Form::Ids, false),
    ("group", Form::Id, false),
    ("need", Form::Whole, false),
    ("meter", Form::Id, false),
    ("gateway", Form::Text, false),
    ("period", Form::Span, false),
    ("ct", Form::Number, false),
    ("pt", Form::Number, false),
    ("device", Form::Text, false),
    ("link", Form::Id, false),
    ("unit", Form::Whole, false),
    ("profile", Form::Id, false),
    ("running_above", Form::Power, false),
    ("running_below", Form::Power, false),
];

/// Columns that say something of the site rather than of the point.
pub const OF_SITE: &[&str] =
    &["site_name", "region", "industry", "category", "positive_list", "grade", "time_zone"];

/// What is wrong with a text in a column of that form: what, and a hint.
pub fn fault(form: Form, text: &str) -> Option<(String, String)> {
    let is_id = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let (is_right, hint) = match form {
        Form::Text => return None,
        Form::Id => (is_id(text), "letters a-z, digits, \"-\", \"_\" and \".\""),
        Form::Ids => (
            text.split_whitespace().all(is_id),
            "ids with spaces between: letters a-z, digits, \"-\", \"_\", \".\"",
        ),
        Form::Number => {
            let sound = text.parse::<f64>().is_ok_and(|n| n > 0.0 && n.is_finite());
            (sound, if text.contains(',') { "with a decimal point: 7.5" } else { "a number above 0" })
        }
        Form::Whole => (text.parse::<u8>().is_ok(), "a whole number from 0 to 255"),
        Form::Flag => (matches!(text, "true" | "false"), "true or false"),
        Form::Span => (Span::parse(text).is_some(), "a duration with its unit: 30s, 1min"),
        Form::Power => (Power::parse(text).is_some(), "a power with its unit, or a share: 5 kW, 15%"),
        Form::Kind => return word::<PointKind>(text),
        Form::Category => return word::<Category>(text),
        Form::Grade => return word::<Grade>(text),
    };
    (!is_right).then(|| (format!("{text:?} cannot stand here"), hint.to_owned()))
}

fn word<T: DeserializeOwned>(text: &str) -> Option<(String, String)> {
    let error = toml::Value::String(text.to_owned()).try_into::<T>().err()?;
    Some(words::fault("", error.message()))
}
