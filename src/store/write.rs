//! The one transaction: results and cursor together, or neither.

use std::path::Path;

use rusqlite::{Connection, params};

use super::error::{StoreError, sql};
use super::records::{
    Stored, read_alert, read_meta, read_registry, read_registry_of_snapshot, registry_hash,
};
use super::schema::{self, OpenError};
use super::snapshot::{Snapshot, SnapshotWriter};
use crate::alerts::alert::Alert;
use crate::model::message::Message;
use crate::model::reading::Offset;
use crate::model::state::State;
use crate::model::time::UtcMs;

/// So many rejects are kept for people to look at; their number is counted without bound.
const N_REJECTS_MAX: i64 = 100_000;

/// So much of a rejected payload is kept with the reject; all of it is in the journal.
const REJECT_PAYLOAD_BYTES: usize = 1_024;

/// The store as the engine holds it.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
}

impl Store {
    /// Opens `path` for writing.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Store, OpenError> {
        Ok(Store { conn: schema::open(path)? })
    }

    /// A store that is gone with the test.
    #[cfg(test)]
    pub fn in_memory() -> Result<Store, OpenError> {
        Ok(Store { conn: schema::open_in_memory()? })
    }

    /// The connection, for outbox and history, which keep their tables in the same file.
    #[must_use]
    pub fn conn(&self) -> &Connection {
        &self.conn
    }

    /// The last message all of whose results are here; 0 = none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn cursor(&self) -> Result<Offset, StoreError> {
        Ok(self.meta::<i64>("cursor")?.unwrap_or(0).cast_unsigned())
    }

    /// The engine's last saved state.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        Snapshot::read(&self.conn)
    }

    /// The registry in force at the cursor.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn registry(&self) -> Result<Option<Stored>, StoreError> {
        read_registry(&self.conn)
    }

    /// The registry that was in force when the snapshot of `offset` was taken.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn registry_of_snapshot(&self, offset: Offset) -> Result<Option<Stored>, StoreError> {
        read_registry_of_snapshot(&self.conn, offset)
    }

    /// A figure that was kept.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn meta<T: rusqlite::types::FromSql>(&self, key: &str) -> Result<Option<T>, StoreError> {
        read_meta(&self.conn, key)
    }

    /// Whether commits are waited for on disk. One that is takes all before it along.
    ///
    /// # Errors
    /// The store refuses.
    pub fn wait_for_disk(&self, wait: bool) -> Result<(), StoreError> {
        self.conn
            .pragma_update(None, "synchronous", if wait { "FULL" } else { "NORMAL" })
            .map_err(sql("change how it writes"))
    }

    /// Begins the transaction of a step.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        let tx = self
            .conn
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(sql("begin a transaction"))?;
        Ok(Transaction { tx })
    }
}

/// An open transaction; dropped without [`commit`](Transaction::commit) it leaves no trace.
#[derive(Debug)]
pub struct Transaction<'a> {
    tx: rusqlite::Transaction<'a>,
}

impl Transaction<'_> {
    /// The connection, for history and outbox, which keep their tables in the same file.
    #[must_use]
    pub fn conn(&self) -> &Connection {
        &self.tx
    }

    /// Writes an alert as it is now.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put_alert(&self, alert: &Alert, offset: Offset) -> Result<(), StoreError> {
        let body =
            serde_json::to_string(alert).map_err(|source| StoreError::Body { what: "alert", source })?;
        self.execute(
            "write an alert",
            "INSERT OR REPLACE INTO alert VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                &*alert.id,
                &*alert.site,
                alert.rule.name(),
                &*alert.subject,
                alert.status.name(),
                alert.level as i64,
                alert.first.0,
                alert.raised.0,
                alert.cleared.map(|t| t.0),
                alert.acknowledged.is_some(),
                offset.cast_signed(),
                body,
                alert.said.cast_signed(),
                alert.is_suppressed(),
                alert.assigned(),
            ],
        )
    }

    /// Writes an alert of which nothing changed that anybody would want to hear of.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put_alert_quietly(&self, alert: &Alert) -> Result<(), StoreError> {
        let body =
            serde_json::to_string(alert).map_err(|source| StoreError::Body { what: "alert", source })?;
        self.execute(
            "write an alert",
            "UPDATE alert SET body = ?2, said = ?3 WHERE id = ?1",
            params![&*alert.id, body, alert.said.cast_signed()],
        )
    }

    /// An alert by its id.
    ///
    /// # Errors
    /// The store cannot be read, or the record in it is damaged.
    pub fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        read_alert(&self.tx, id)
    }

    /// A unit changed its state.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put_state(
        &self,
        (site, point): (&str, &str),
        state: State,
        at: UtcMs,
        (offset, said): (Offset, u64),
    ) -> Result<(), StoreError> {
        self.put_unit_state((site, point), state, at)?;
        self.execute(
            "write a change of state",
            "INSERT OR REPLACE INTO state_change VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![site, point, at.0, state.name(), offset.cast_signed(), said.cast_signed()],
        )
    }

    /// The state of a unit now, where the changes before are known.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put_unit_state(
        &self,
        (site, point): (&str, &str),
        state: State,
        since: UtcMs,
    ) -> Result<(), StoreError> {
        self.execute(
            "write a unit's state",
            "INSERT OR REPLACE INTO unit_state VALUES (?1, ?2, ?3, ?4)",
            params![site, point, state.name(), since.0],
        )
    }

    /// A message, or a part of one, that could not be taken as readings.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put_reject(
        &self,
        message: &Message<'_>,
        offset: Offset,
        code: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        let payload = &message.payload[..message.payload.len().min(REJECT_PAYLOAD_BYTES)];
        self.execute(
            "write a reject",
            "INSERT INTO reject (at_offset, received_ms, source, topic, code, reason, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                offset.cast_signed(),
                message.received.0,
                message.source,
                message.topic,
                code,
                reason,
                payload
            ],
        )?;
        let newest = self.tx.last_insert_rowid();
        self.execute("bound the rejects", "DELETE FROM reject WHERE id <= ?1", [newest - N_REJECTS_MAX])
    }

    /// The registry in force from `offset` on, as it was journaled.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put_registry(&self, offset: Offset, packed: &[u8]) -> Result<(), StoreError> {
        // A restart goes back to the snapshot, and needs the registry that was in force then.
        self.execute(
            "keep the registry of the snapshot",
            "INSERT OR REPLACE INTO registry_before
             SELECT * FROM registry WHERE at_offset <= (SELECT at_offset FROM snapshot)",
            [],
        )?;
        self.execute(
            "write the registry",
            "INSERT OR REPLACE INTO registry VALUES (1, ?1, ?2, ?3)",
            params![offset.cast_signed(), registry_hash(packed), packed],
        )
    }

    /// Begins to write the engine's state after `offset`, in place of the one before.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put_snapshot(&self, offset: Offset) -> Result<SnapshotWriter<'_>, StoreError> {
        SnapshotWriter::begin(self.conn(), offset)
    }

    /// A named figure or JSON text for `status`.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put_meta(&self, key: &str, value: impl rusqlite::ToSql) -> Result<(), StoreError> {
        self.execute("write a figure", "INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![key, value])
    }

    /// Moves the cursor and makes everything visible at once.
    ///
    /// # Errors
    /// The store cannot be written; nothing of the transaction is kept then.
    pub fn commit(self, cursor: Offset) -> Result<(), StoreError> {
        self.put_meta("cursor", cursor.cast_signed())?;
        self.tx.commit().map_err(sql("commit"))
    }

    fn execute(
        &self,
        operation: &'static str,
        statement: &str,
        params: impl rusqlite::Params,
    ) -> Result<(), StoreError> {
        let run = || self.tx.prepare_cached(statement)?.execute(params);
        run().map(|_| ()).map_err(sql(operation))
    }
}
