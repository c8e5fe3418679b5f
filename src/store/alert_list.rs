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

/// What a text means: alerts of sites or rules it fits, about processes and points it fits, or whose id begins with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// What an id may begin with: as it was typed.
    pub typed: String,
    /// Sites it fits.
    pub sites: Vec<Box<str>>,
    /// Rules it fits.
    pub rules: Vec<Rule>,
    /// What of other sites it fits: site, and process, point or gateway.
    pub subjects: Vec<(Box<str>, Box<str>)>,
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

/// For up to so many sites each is looked up by itself; for more the list is walked from its newest end, where such are dense.
const N_SITES_LOOKED_UP: usize = 64;

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

/// What of a text is looked for at a time: each has an index of its own.
#[derive(Clone, Copy)]
enum Part<'a> {
    /// All, where there is no text.
    All,
    Sites(&'a [Box<str>]),
    Rules(&'a [Rule]),
    Subjects(&'a [(Box<str>, Box<str>)]),
    Begin(&'a str),
}

/// By which index a part is found, said outright: the planner knows nothing of how many there are of what.
fn index_of(query: &AlertQuery, part: Part<'_>) -> &'static str {
    let few = |sites: &[Box<str>]| sites.len() <= N_SITES_LOOKED_UP;
    match part {
        Part::Begin(_) => "",
        Part::Sites(sites) if few(sites) => "INDEXED BY alert_by_site",
        Part::Subjects(subjects) if subjects.len() <= N_SITES_LOOKED_UP => "INDEXED BY alert_by_site",
        Part::All | Part::Rules(_) if query.sites.as_deref().is_some_and(few) => "INDEXED BY alert_by_site",
        _ if query.status == Some(Status::Open) => "INDEXED BY alert_open_by_time",
        _ if query.assigned.is_some() => "INDEXED BY alert_by_assigned",
        Part::All if query.rule.is_some() && query.level.is_none() => "INDEXED BY alert_by_rule",
        _ => "INDEXED BY alert_by_all",
    }
}

fn statement(query: &AlertQuery, part: Part<'_>, limit: usize) -> Statement {
    let text = format!("SELECT raised_ms, id FROM alert {} WHERE 1", index_of(query, part));
    let mut own = Statement { text, values: Vec::new() };
    // In the statement itself: an index of the open ones alone is used only where it is seen that they are meant.
    if let Some(status) = query.status {
        own.text.push_str(&format!(" AND status = '{}'", status.name()));
    }
    if query.assigned.is_some() {
        own.text.push_str(" AND assigned IS NOT NULL");
    }
    own.also(" AND level >= ?", query.level.map(|l| (l as i64).into()));
    own.also(" AND rule = ?", query.rule.map(|r| r.name().to_owned().into()));
    let sites = query.sites.as_ref().map(|sites| list_of(sites.iter().map(|s| &**s)));
    own.also(" AND site IN (SELECT value FROM json_each(?))", sites);
    own.also(" AND subject = ?", query.subject.clone().map(Value::from));
    own.also(" AND acknowledged = ?", query.acknowledged.map(|a| i64::from(a).into()));
    own.also(" AND suppressed = ?", query.suppressed.map(|s| i64::from(s).into()));
    own.also(" AND assigned = ?", query.assigned.clone().map(Value::from));
    own.also(" AND raised_ms >= ?", query.since.map(|t| t.0.into()));
    own.also(" AND raised_ms < ?", query.until.map(|t| t.0.into()));
    match part {
        Part::All => {}
        Part::Sites(sites) => {
            let sites = list_of(sites.iter().map(|s| &**s));
            own.also(" AND site IN (SELECT value FROM json_each(?))", Some(sites));
        }
        Part::Rules(rules) => {
            let rules = list_of(rules.iter().map(|r| r.name()));
            own.also(" AND rule IN (SELECT value FROM json_each(?))", Some(rules));
        }
        Part::Subjects(subjects) => {
            own.also(
                " AND site IN (SELECT value FROM json_each(?))",
                Some(list_of(subjects.iter().map(|(site, _)| &**site))),
            );
            let pairs: Vec<String> =
                subjects.iter().map(|(site, subject)| format!("{site}/{subject}")).collect();
            let pairs = list_of(pairs.iter().map(String::as_str));
            own.also(" AND site || '/' || subject IN (SELECT value FROM json_each(?))", Some(pairs));
        }
        Part::Begin(begin) => {
            own.also(" AND id >= ?", Some(begin.to_owned().into()));
            own.also(" AND id < ? || '~'", Some(begin.to_owned().into()));
        }
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
    let begin = query.text.as_ref().map(|text| text.typed.to_ascii_lowercase()).unwrap_or_default();
    let mut parts = Vec::new();
    match &query.text {
        None => parts.push(Part::All),
        Some(text) => {
            parts.extend((!text.sites.is_empty()).then_some(Part::Sites(&text.sites)));
            parts.extend((!text.rules.is_empty()).then_some(Part::Rules(&text.rules)));
            parts.extend((!text.subjects.is_empty()).then_some(Part::Subjects(&text.subjects)));
            let is_id = !begin.is_empty() && begin.bytes().all(|b| b.is_ascii_hexdigit());
            parts.extend(is_id.then_some(Part::Begin(&begin)));
        }
    }
    let mut found: Vec<(i64, String)> = Vec::new();
    for part in parts {
        let Statement { text, values } = statement(query, part, limit);
        let read = || -> rusqlite::Result<Vec<(i64, String)>> {
            let mut rows = conn.prepare_cached(&text)?;
            rows.query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        found.extend(read().map_err(sql("list alerts"))?);
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.dedup();
    found.truncate(limit);
    let read = |id: &str| -> rusqlite::Result<String> {
        conn.prepare_cached("SELECT body FROM alert WHERE id = ?1")?.query_row([id], |row| row.get(0))
    };
    let whole = |(_, id): &(i64, String)| parse_alert(&read(id).map_err(sql("read an alert of the list"))?);
    found.iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::write::Store;

    #[test]
    fn a_place_of_the_list_is_a_word_and_comes_back() {
        let place = Place { raised: UtcMs(-17), id: "00ff".into() };
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "17", "x-00ff", "--"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }

    /// What is asked, and what fits.
    type Asked = (AlertQuery, Box<dyn Fn(&Alert) -> bool>);

    /// Alerts of a hundred sites, the newest first, in a store.
    fn six_hundred() -> (tempfile::TempDir, Store, Vec<Alert>) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store.db")).unwrap();
        let tx = store.begin().unwrap();
        let statuses = [Status::Open, Status::Cleared, Status::Retracted];
        let mut all: Vec<Alert> = Vec::new();
        for n in 0..600_u32 {
            let rule = Rule::ALL[n as usize % 5];
            let mut alert = samples::alert(rule, statuses[n as usize % 3]);
            alert.id = format!("{:04x}", n.wrapping_mul(40_503) % 65_536).into();
            alert.site = format!("plant-{}", n % 100).into();
            alert.subject = format!("line-{}", n % 7).into();
            alert.level = Level::ALL[n as usize % 4];
            alert.raised = UtcMs(i64::from(n / 3) * 1_000);
            samples::put(&tx, &alert, n % 11 == 0);
            all.push(alert);
        }
        tx.commit(1).unwrap();
        all.sort_by(|a, b| (b.raised, &b.id).cmp(&(a.raised, &a.id)));
        (folder, store, all)
    }

    fn asked() -> Vec<Asked> {
        let site = |n: u32| Box::<str>::from(format!("plant-{n}"));
        let open = AlertQuery { status: Some(Status::Open), ..AlertQuery::default() };
        let text = |text| AlertQuery { text: Some(text), ..AlertQuery::default() };
        let of_id = Text { typed: "0a".into(), ..Text::default() };
        let of_rules = Text { rules: vec![Rule::ALL[1]], typed: "x".into(), ..Text::default() };
        let of_subject =
            Text { subjects: vec![(site(3), "line-3".into())], typed: "x".into(), ..Text::default() };
        let many: Vec<Box<str>> = (0..90).map(site).collect();
        vec![
            (AlertQuery::default(), Box::new(|_| true)),
            (open.clone(), Box::new(|a| a.status == Status::Open)),
            (
                AlertQuery { level: Some(Level::Alarm), ..open.clone() },
                Box::new(|a| a.status == Status::Open && a.level >= Level::Alarm),
            ),
            (
                AlertQuery { rule: Some(Rule::ALL[2]), ..AlertQuery::default() },
                Box::new(|a| a.rule == Rule::ALL[2]),
            ),
            (
                AlertQuery { sites: Some(vec![site(4), site(9)]), ..open.clone() },
                Box::new(|a| a.status == Status::Open && ["plant-4", "plant-9"].contains(&&*a.site)),
            ),
            (
                AlertQuery { sites: Some(many), ..AlertQuery::default() },
                Box::new(|a| a.site["plant-".len()..].parse::<u32>().unwrap() < 90),
            ),
            (AlertQuery { sites: Some(Vec::new()), ..AlertQuery::default() }, Box::new(|_| false)),
            (text(of_id), Box::new(|a| a.id.starts_with("0a"))),
            (text(of_rules.clone()), Box::new(|a| a.rule == Rule::ALL[1])),
            (
                AlertQuery { text: Some(of_rules), sites: Some(vec![site(6)]), ..open },
                Box::new(|a| a.rule == Rule::ALL[1] && &*a.site == "plant-6" && a.status == Status::Open),
            ),
            (text(of_subject), Box::new(|a| (&*a.site, &*a.subject) == ("plant-3", "line-3"))),
            (
                text(Text { sites: vec![site(8)], typed: "x".into(), ..Text::default() }),
                Box::new(|a| &*a.site == "plant-8"),
            ),
        ]
    }

    /// Every way of asking, against the same asked in plain words.
    #[test]
    fn every_index_finds_what_a_plain_look_at_all_finds() {
        let (_folder, store, all) = six_hundred();
        let conn = store.conn();
        for (query, fits) in asked() {
            let wanted: Vec<&str> = all.iter().filter(|a| fits(a)).map(|a| &*a.id).collect();
            let mut got = Vec::new();
            let mut page = query.clone();
            loop {
                let found = list(conn, &page, 7).unwrap();
                page.after = found.last().map(Place::after);
                got.extend(found.iter().map(|a| a.id.to_string()));
                if found.len() < 7 {
                    break;
                }
            }
            assert_eq!(got, wanted, "{query:?}");
        }
        let mine = AlertQuery { assigned: Some("li".into()), ..AlertQuery::default() };
        assert_eq!(list(conn, &mine, 1_000).unwrap().len(), 55);
    }

    mod samples {
        use super::*;
        use crate::model::deed::{Act, Deed};
        use crate::store::write::Transaction;

        /// An alert with nothing in it that matters here.
        pub fn alert(rule: Rule, status: Status) -> Alert {
            let body = serde_json::json!({
                "id": "", "site": "", "rule": rule, "rule_version": 1, "subject_kind": "process", "subject": "",
                "status": status, "level": "notice", "first": 0, "raised": 0, "last_certain": 0, "cleared": null,
                "certain_ms": 0, "unknown_ms": 0, "acknowledged": null, "history": [],
                "evidence": {"points": [], "data_share": 1.0, "offsets": null, "fragments": []},
            });
            serde_json::from_value(body).unwrap()
        }

        /// Writes it, as it is written by a step.
        pub fn put(tx: &Transaction<'_>, alert: &Alert, is_assigned: bool) {
            let act = Act::Assign { to: Some("li".into()) };
            let deed = Deed { at: UtcMs(0), offset: 1, who: "".into(), note: "".into(), act };
            let mut alert = alert.clone();
            alert.deeds.extend(is_assigned.then_some(deed));
            tx.put_alert(&alert, 1).unwrap();
        }
    }
}
