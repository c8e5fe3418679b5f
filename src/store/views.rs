//! What people and outlets read. Never writes.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::Serialize;

use super::error::{StoreError, sql};
use super::records::{Stored, parse_alert, read_alert, read_meta, read_registry};
use super::schema::{self, OpenError};
use crate::alerts::alert::{Alert, Status};
use crate::model::reading::Offset;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// The store as a reader holds it.
#[derive(Debug)]
pub struct Views {
    conn: Connection,
}

/// Which alerts are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertFilter {
    /// Open or cleared.
    pub status: Option<Status>,
    /// Of this site.
    pub site: Option<String>,
    /// By this rule.
    pub rule: Option<Rule>,
    /// At least this grave.
    pub level: Option<Level>,
    /// Acknowledged or not.
    pub acknowledged: Option<bool>,
    /// Raised at this moment or later, UTC ms.
    pub since: Option<UtcMs>,
    /// Raised before this moment, UTC ms.
    pub until: Option<UtcMs>,
    /// Changed by a message after this one: for whoever follows along.
    pub changed_after: Option<Offset>,
    /// At most so many, newest first.
    pub limit: Option<u32>,
    /// Whether nobody is told of it, or somebody is.
    pub suppressed: Option<bool>,
}

/// An unreadable message.
#[derive(Clone, Debug, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct RejectView {
    /// Its number in the journal.
    pub offset: Offset,
    /// When it was received.
    pub received: UtcMs,
    /// From where.
    pub source: String,
    /// On which topic, or of which meter.
    pub topic: String,
    /// Short word for the reason.
    pub code: String,
    /// The reason.
    pub reason: String,
    /// Its begin, with what is not text replaced.
    pub payload: String,
}

/// A unit's state.
#[derive(Clone, Debug, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct StateView {
    /// Point id.
    pub point: String,
    /// Running, idle, off, unknown.
    pub state: String,
    /// Since when.
    pub since: UtcMs,
}

impl Views {
    /// Opens `path` for reading.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Views, OpenError> {
        Ok(Views { conn: schema::open_read_only(path)? })
    }

    /// The connection, for history and outbox views, whose tables lie in the same file.
    #[must_use]
    pub fn conn(&self) -> &Connection {
        &self.conn
    }

    /// The last message whose results are in the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn cursor(&self) -> Result<Offset, StoreError> {
        Ok(self.meta::<i64>("cursor")?.unwrap_or(0).cast_unsigned())
    }

    /// A figure kept for `status`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn meta<T: rusqlite::types::FromSql>(&self, key: &str) -> Result<Option<T>, StoreError> {
        read_meta(&self.conn, key)
    }

    /// The registry, as the engine last took it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn registry(&self) -> Result<Option<Stored>, StoreError> {
        read_registry(&self.conn)
    }

    /// One alert.
    ///
    /// # Errors
    /// The store cannot be read, or the record in it is damaged.
    pub fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        read_alert(&self.conn, id)
    }

    /// Alerts whose id begins so; ids are letters and digits.
    ///
    /// # Errors
    /// The store cannot be read, or a record in it is damaged.
    pub fn alerts_by_prefix(&self, begin: &str) -> Result<Vec<Alert>, StoreError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            self.conn
                .prepare_cached("SELECT body FROM alert WHERE id >= ?1 AND id < ?1 || '~' LIMIT 100")?
                .query_map([begin], |row| row.get(0))?
                .collect()
        };
        read().map_err(sql("find an alert"))?.iter().map(|body| parse_alert(body)).collect()
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    /// The store cannot be read, or a record in it is damaged.
    pub fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, StoreError> {
        let mut statement = String::from("SELECT body FROM alert WHERE 1");
        let mut values: Vec<Value> = Vec::new();
        let mut also = |clause: &str, value: Option<Value>| {
            if let Some(value) = value {
                statement.push_str(clause);
                values.push(value);
            }
        };
        also(" AND status = ?", filter.status.map(|s| s.name().to_owned().into()));
        also(" AND site = ?", filter.site.clone().map(Value::from));
        also(" AND rule = ?", filter.rule.map(|r| r.name().to_owned().into()));
        also(" AND level >= ?", filter.level.map(|l| (l as i64).into()));
        also(" AND acknowledged = ?", filter.acknowledged.map(|a| i64::from(a).into()));
        also(" AND suppressed = ?", filter.suppressed.map(|s| i64::from(s).into()));
        also(" AND raised_ms >= ?", filter.since.map(|t| t.0.into()));
        also(" AND raised_ms < ?", filter.until.map(|t| t.0.into()));
        also(" AND changed_at_offset > ?", filter.changed_after.map(|o| o.cast_signed().into()));
        also(
            " ORDER BY raised_ms DESC, id LIMIT ?",
            Some(i64::from(filter.limit.unwrap_or(u32::MAX)).into()),
        );
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut rows = self.conn.prepare_cached(&statement)?;
            rows.query_map(params_from_iter(values), |row| row.get(0))?.collect()
        };
        read().map_err(sql("list alerts"))?.iter().map(|body| parse_alert(body)).collect()
    }

    /// Rejected messages, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn rejects(&self, code: Option<&str>, limit: u32) -> Result<Vec<RejectView>, StoreError> {
        let read = || -> rusqlite::Result<Vec<RejectView>> {
            let mut rows = self.conn.prepare_cached(
                "SELECT at_offset, received_ms, source, topic, code, reason, payload FROM reject
                 WHERE ?1 IS NULL OR code = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            rows.query_map((code, limit), |row| {
                Ok(RejectView {
                    offset: row.get::<_, i64>(0)?.cast_unsigned(),
                    received: UtcMs(row.get(1)?),
                    source: row.get(2)?,
                    topic: row.get(3)?,
                    code: row.get(4)?,
                    reason: row.get(5)?,
                    payload: String::from_utf8_lossy(&row.get::<_, Vec<u8>>(6)?).into_owned(),
                })
            })?
            .collect()
        };
        read().map_err(sql("list rejects"))
    }

    /// How many rejects are kept, by code.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn reject_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let read = || -> rusqlite::Result<Vec<(String, u64)>> {
            let mut rows = self.conn.prepare_cached("SELECT code, count(*) FROM reject GROUP BY code")?;
            rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?.collect()
        };
        read().map_err(sql("count rejects"))
    }

    /// States of a site's units.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn states(&self, site: &str) -> Result<Vec<StateView>, StoreError> {
        let read = || -> rusqlite::Result<Vec<StateView>> {
            let mut rows = self.conn.prepare_cached(
                "SELECT point, state, since_ms FROM unit_state WHERE site = ?1 ORDER BY point",
            )?;
            rows.query_map([site], |row| {
                Ok(StateView { point: row.get(0)?, state: row.get(1)?, since: UtcMs(row.get(2)?) })
            })?
            .collect()
        };
        read().map_err(sql("list states"))
    }

    /// Every change of a unit's state, the first first. Of several at one moment the last that came to be known stands last.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn state_changes(&self, site: &str, point: &str) -> Result<Vec<StateView>, StoreError> {
        let read = || -> rusqlite::Result<Vec<StateView>> {
            let mut rows = self.conn.prepare_cached(
                "SELECT point, state, at_ms FROM state_change WHERE site = ?1 AND point = ?2
                 ORDER BY at_ms, at_offset",
            )?;
            rows.query_map([site, point], |row| {
                Ok(StateView { point: row.get(0)?, state: row.get(1)?, since: UtcMs(row.get(2)?) })
            })?
            .collect()
        };
        read().map_err(sql("list changes of state"))
    }
}
