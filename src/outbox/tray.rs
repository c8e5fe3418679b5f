//! A receiver's side of the store: its notices one after the other, and what stands for it.

use std::path::Path;

use rusqlite::Connection;

use super::desk::DeskError;
use crate::alerts::alert::Alert;
use crate::notices::item::Item;
use crate::notices::notice::About;
use crate::store::notices;
use crate::store::queue::{self, Backlog, BadLine, Lane, Queued};
use crate::store::records;
use crate::store::schema;

/// The tray.
#[derive(Debug)]
pub struct Tray {
    conn: Connection,
    receiver: String,
    sink: String,
}

impl Tray {
    /// Opens the store with a connection of its own.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, receiver: &str, sink: &str) -> Result<Tray, DeskError> {
        let conn = schema::open(path).map_err(|source| DeskError::Open { source })?;
        Ok(Tray { conn, receiver: receiver.to_owned(), sink: sink.to_owned() })
    }

    /// The oldest notice that waits.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn first(&mut self) -> Result<Option<Queued>, DeskError> {
        let found = queue::next(&self.conn, &self.sink, Lane::ALL, 0, 1);
        found.map(|all| all.into_iter().next()).map_err(|source| DeskError::Queue { source })
    }

    /// Takes it away, and keeps it with the far side's words where that refused it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn settle(&mut self, id: i64, bad: Option<&BadLine>) -> Result<(), DeskError> {
        let bad = bad.map(std::slice::from_ref).unwrap_or_default();
        queue::settle(&mut self.conn, &self.sink, Lane::ALL, id, bad)
            .map(|_| ())
            .map_err(|source| DeskError::Queue { source })
    }

    /// What waits.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn backlog(&mut self) -> Result<Backlog, DeskError> {
        queue::backlog(&self.conn, &self.sink).map_err(|source| DeskError::Queue { source })
    }

    /// What the receiver was told of and not told the end of, with its sites.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn standing(&mut self) -> Result<Vec<(Item, Alert, About)>, DeskError> {
        let queue = |source| DeskError::Queue { source };
        let all = notices::standing(&self.conn, &self.receiver).map_err(queue)?;
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let stored = records::read_registry(&self.conn).map_err(queue)?;
        let about = |id: &str| {
            let site = stored.as_ref().and_then(|s| s.registry.sites.iter().find(|site| *site.id == *id));
            site.map_or_else(|| About::unknown(id), About::of)
        };
        let with_site = |(item, alert): (Item, Alert)| {
            let site = about(&alert.site);
            (item, alert, site)
        };
        Ok(all.into_iter().map(with_site).collect())
    }
}
