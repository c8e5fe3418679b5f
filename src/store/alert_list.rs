//! Alerts by whatever somebody asks for, a page at a time, the newest first; of a million as fast as of a hundred.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::error::{StoreError, sql};
use super::records::parse_alert;
use crate::alerts::alert::{Alert, Status};
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// Which alerts are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertQuery {
    /// Open, cleared or retracted.
    pub status: Option<Status>,
    /// At least this grave.
    pub level: Option<Level>,
    /// By this rule.
    pub rule: Option<Rule>,
    /// Of one of these sites.
    pub sites: Option<Vec<Box<str>>>,
    /// About this process, point or gateway.
    pub subject: Option<String>,
    /// Whether somebody took note.
    pub acknowledged: Option<bool>,
    /// Whether nobody is told of it.
    pub suppressed: Option<bool>,
    /// Who is to see to it.
    pub assigned: Option<String>,
    /// Raised at this moment or later.
    pub since: Option<UtcMs>,
    /// Raised before this moment.
    pub until: Option<UtcMs>,
    /// Of which the text speaks.
    pub text: Option<Text>,
    /// Only those after this place of the list.
    pub after: Option<Place>,
}

/// What a text may mean: alerts of sites or rules it fits, or whose subject has it in it, or whose id begins with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// As it was typed.
    pub typed: String,
    /// Sites it fits.
    pub sites: Vec<Box<str>>,
    /// Rules it fits.
    pub rules: Vec<Rule>,
}

/// A place in the list: when the last alert before it was raised, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// When it was raised.
    pub raised: UtcMs,
    /// Its id.
    pub id: String,
}

impl Place {
    /// After this alert.
    #[must_use]
    pub fn after(alert: &Alert) -> Place {
        Place { raised: alert.raised, id: alert.id.to_string() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.raised.0, self.id)
    }
}

impl std::str::FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Place, ()> {
        let (raised, id) = text.rsplit_once('-').ok_or(())?;
        Ok(Place { raised: UtcMs(raised.parse().map_err(|_| ())?), id: id.to_owned() })
    }
}

/// A statement that grows with what is asked for.
struct Statement {
    text: String,
    values: Vec<Value>,
}

impl Statement {
    fn also(&mut self, clause: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.text.push_str(clause);
            self.values.push(value);
        }
    }
}

fn list_of<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    serde_json::Value::from(names.collect::<Vec<_>>()).to_string().into()
}

/// The characters that mean something to LIKE are taken as they are.
fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if "%_\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

fn statement(query: &AlertQuery, limit: usize) -> Statement {
    let mut own = Statement { text: "SELECT body FROM alert WHERE 1".to_owned(), values: Vec::new() };
    own.also(" AND status = ?", query.status.map(|s| s.name().to_owned().into()));
    own.also(" AND level >= ?", query.level.map(|l| (l as i64).into()));
    own.also(" AND rule = ?", query.rule.map(|r| r.name().to_owned().into()));
    match query.sites.as_deref() {
        Some([one]) => own.also(" AND site = ?", Some(one.to_string().into())),
        Some(sites) => own
            .also(" AND site IN (SELECT value FROM json_each(?))", Some(list_of(sites.iter().map(|s| &**s)))),
        None => {}
    }
    own.also(" AND subject = ?", query.subject.clone().map(Value::from));
    own.also(" AND acknowledged = ?", query.acknowledged.map(|a| i64::from(a).into()));
    own.also(" AND suppressed = ?", query.suppressed.map(|s| i64::from(s).into()));
    own.also(" AND assigned = ?", query.assigned.clone().map(Value::from));
    own.also(" AND raised_ms >= ?", query.since.map(|t| t.0.into()));
    own.also(" AND raised_ms < ?", query.until.map(|t| t.0.into()));
    if let Some(text) = &query.text {
        own.also(
            " AND (site IN (SELECT value FROM json_each(?))",
            Some(list_of(text.sites.iter().map(|s| &**s))),
        );
        own.also(
            " OR rule IN (SELECT value FROM json_each(?))",
            Some(list_of(text.rules.iter().map(|r| r.name()))),
        );
        own.also(" OR subject LIKE ? ESCAPE '\\'", Some(contains(&text.typed).into()));
        let begin = contains(&text.typed.to_ascii_lowercase()).trim_start_matches('%').to_owned();
        own.also(" OR id LIKE ? ESCAPE '\\')", Some(begin.into()));
    }
    if let Some(Place { raised, id }) = &query.after {
        own.also(" AND (raised_ms, id) < (?", Some(raised.0.into()));
        own.also(", ?)", Some(id.clone().into()));
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    own.also(" ORDER BY raised_ms DESC, id DESC LIMIT ?", Some(limit.into()));
    own
}

/// The first alerts that fit, the newest first.
///
/// # Errors
/// The store cannot be read, or a record in it is damaged.
pub fn list(conn: &Connection, query: &AlertQuery, limit: usize) -> Result<Vec<Alert>, StoreError> {
    let Statement { text, values } = statement(query, limit);
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut rows = conn.prepare_cached(&text)?;
        rows.query_map(params_from_iter(values), |row| row.get(0))?.collect()
    };
    read().map_err(sql("list alerts"))?.iter().map(|body| parse_alert(body)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_the_list_is_a_word_and_comes_back() {
        let place = Place { raised: UtcMs(-17), id: "00ff".into() };
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "17", "x-00ff", "--"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_typed_is_looked_for_as_it_is() {
        assert_eq!(contains("50%_a\\"), "%50\\%\\_a\\\\%");
    }
}
