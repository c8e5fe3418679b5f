//! The audit trail: everything that people did, who and from where, in the order of the journal.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::error::{StoreError, sql};
use crate::model::command::Command;
use crate::model::message::Message;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;

/// The table. Whoever wants all of a deed finds it in the journal under its number.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS trail (
  at_offset INTEGER PRIMARY KEY, at_ms INTEGER, who TEXT, origin TEXT, what TEXT, site TEXT, subject TEXT, note TEXT
);
CREATE INDEX IF NOT EXISTS trail_by_site ON trail (site, at_offset);
CREATE INDEX IF NOT EXISTS trail_by_subject ON trail (subject, at_offset);
";

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrailEntry {
    /// Its message in the journal.
    pub offset: Offset,
    /// When, by the journal.
    pub at: UtcMs,
    /// Who.
    pub who: String,
    /// From where: `socket`, or the address of a browser or program.
    pub origin: String,
    /// What, in a word.
    pub what: String,
    /// At which site, if at one.
    pub site: Option<String>,
    /// About what: an alert, a point, a user.
    pub subject: String,
    /// What was written.
    pub note: String,
}

/// Which entries are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// Of this site.
    pub site: Option<String>,
    /// About this.
    pub subject: Option<String>,
    /// Only those before this message.
    pub before: Option<Offset>,
    /// At most so many, newest first.
    pub limit: u32,
}

/// What a command leaves in the trail; nothing where no person gave it. The site of an alert is looked up where it is
/// written.
fn entry(offset: Offset, message: &Message<'_>, command: &Command) -> Option<TrailEntry> {
    let own = |who: &str, what: &str, site: Option<&str>, subject: &str, note: &str| TrailEntry {
        offset,
        at: message.received,
        who: who.to_owned(),
        origin: if message.topic.is_empty() { message.source } else { message.topic }.to_owned(),
        what: what.to_owned(),
        site: site.map(Into::into),
        subject: subject.to_owned(),
        note: note.to_owned(),
    };
    let points = |points: &[Box<str>]| points.join(", ");
    Some(match command {
        Command::Acknowledge { alert, who, note } => own(who, "acknowledge", None, alert, note),
        Command::Deed { alert, who, note, act } => own(who, act.name(), None, alert, note),
        Command::Note { who, what, subject, note } => own(who, what, None, subject, note),
        Command::FileMaintenance(f) => own(&f.who, "file_maintenance", Some(&f.site), "", &f.note),
        Command::WithdrawMaintenance { id, who } => own(who, "withdraw_maintenance", None, id, ""),
        Command::Propose(_) => return None,
        Command::Confirm(s) => own(&s.who, "confirm_learned", Some(&s.site), &points(&s.points), &s.note),
        Command::Reject(s) => own(&s.who, "refuse_learned", Some(&s.site), &points(&s.points), &s.note),
        Command::Commission { site, process, record } => {
            own(&record.who, "commission", Some(site), process, "")
        }
        Command::ExchangeMeter(e) => {
            let site = e.meter.split_once('/').map(|(site, _)| site);
            own(&e.who, "exchange_meter", site, &e.meter, &e.note)
        }
    })
}

/// Writes down a command.
///
/// # Errors
/// The store cannot be written.
pub fn put(
    conn: &Connection,
    offset: Offset,
    message: &Message<'_>,
    command: &Command,
) -> Result<(), StoreError> {
    let Some(entry) = entry(offset, message, command) else { return Ok(()) };
    let TrailEntry { offset, at, who, origin, what, site, subject, note } = entry;
    conn.prepare_cached(
        "INSERT OR REPLACE INTO trail
         SELECT ?1, ?2, ?3, ?4, ?5, coalesce(?6, (SELECT site FROM alert WHERE id = ?7)), ?7, ?8",
    )
    .and_then(|mut s| s.execute(params![offset.cast_signed(), at.0, who, origin, what, site, subject, note]))
    .map(|_| ())
    .map_err(sql("write the audit trail"))
}

/// What was done, newest first.
///
/// # Errors
/// The store cannot be read.
pub fn list(conn: &Connection, filter: &TrailFilter) -> Result<Vec<TrailEntry>, StoreError> {
    let read = || -> rusqlite::Result<Vec<TrailEntry>> {
        conn.prepare_cached(
            "SELECT at_offset, at_ms, who, origin, what, site, subject, note FROM trail
             WHERE (?1 IS NULL OR site = ?1) AND (?2 IS NULL OR subject = ?2) AND (?3 IS NULL OR at_offset < ?3)
             ORDER BY at_offset DESC LIMIT ?4",
        )?
        .query_map(
            params![filter.site, filter.subject, filter.before.map(u64::cast_signed), filter.limit],
            |row| {
                Ok(TrailEntry {
                    offset: row.get::<_, i64>(0)?.cast_unsigned(),
                    at: UtcMs(row.get(1)?),
                    who: row.get(2)?,
                    origin: row.get(3)?,
                    what: row.get(4)?,
                    site: row.get(5)?,
                    subject: row.get(6)?,
                    note: row.get(7)?,
                })
            },
        )?
        .collect()
    };
    read().map_err(sql("read the audit trail"))
}
