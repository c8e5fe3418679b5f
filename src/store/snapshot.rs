//! The engine's saved state, in pieces: a whole one of a hundred thousand points is 10 MB, and SQLite would copy it twice.

use std::io;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{StoreError, sql};
use crate::model::reading::Offset;

/// Length of a piece, bytes.
const PIECE_BYTES: usize = 1 << 20;

/// A saved state of the engine.
#[derive(Debug)]
pub struct Snapshot {
    /// The last message it has seen.
    pub offset: Offset,
    /// The engine's own bytes.
    pub body: Vec<u8>,
}

impl Snapshot {
    /// The one there is.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn read(conn: &Connection) -> Result<Option<Snapshot>, StoreError> {
        let read = || {
            let offset = conn
                .query_row("SELECT at_offset FROM snapshot", [], |row| row.get::<_, i64>(0))
                .optional()?;
            let Some(offset) = offset else { return Ok(None) };
            let mut pieces = conn.prepare("SELECT body FROM snapshot_piece ORDER BY n")?;
            let (mut body, mut rows) = (Vec::new(), pieces.query([])?);
            while let Some(row) = rows.next()? {
                body.extend_from_slice(row.get_ref(0)?.as_blob()?);
            }
            Ok(Some(Snapshot { offset: offset.cast_unsigned(), body }))
        };
        read().map_err(sql("read its snapshot"))
    }
}

/// A state that is being written: bytes go in, [`finish`](SnapshotWriter::finish) ends it and says what went wrong on the
/// way, which whoever writes bytes is told without the reason. Where something did, the transaction must be dropped.
#[derive(Debug)]
pub struct SnapshotWriter<'a> {
    conn: &'a Connection,
    n: i64,
    piece: Vec<u8>,
    failed: Option<StoreError>,
}

impl<'a> SnapshotWriter<'a> {
    /// Begins a state after `offset`, in place of the one before; `conn` is within a transaction.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(super) fn begin(conn: &'a Connection, offset: Offset) -> Result<SnapshotWriter<'a>, StoreError> {
        // An earlier release finds an empty state here, sees by its layout that it is another's, and passes it over.
        conn.execute("INSERT OR REPLACE INTO snapshot VALUES (1, ?1, x'')", [offset.cast_signed()])
            .map_err(sql("begin a snapshot"))?;
        Ok(SnapshotWriter { conn, n: 0, piece: Vec::with_capacity(PIECE_BYTES), failed: None })
    }

    /// Writes the last piece, and takes away what is left of a longer state before.
    ///
    /// # Errors
    /// The store cannot be written, or could not be before.
    pub fn finish(mut self) -> Result<(), StoreError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.put_piece()?;
        let shortened = self.conn.execute("DELETE FROM snapshot_piece WHERE n >= ?1", [self.n]);
        shortened.map(|_| ()).map_err(sql("shorten a snapshot"))
    }

    fn put_piece(&mut self) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("INSERT OR REPLACE INTO snapshot_piece VALUES (?1, ?2)")
            .and_then(|mut put| put.execute(params![self.n, self.piece]))
            .map_err(sql("write a snapshot"))?;
        self.n += 1;
        self.piece.clear();
        Ok(())
    }
}

impl io::Write for SnapshotWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE_BYTES
            && let Err(error) = self.put_piece()
        {
            self.failed = Some(error);
            return Err(io::Error::other("the store could not be written"));
        }
        let n = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::store::write::Store;

    #[test]
    fn a_state_of_many_pieces_comes_back_and_a_shorter_one_after_it_leaves_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store.db")).unwrap();
        for (offset, length) in [(7, 2 * PIECE_BYTES + 5), (8, PIECE_BYTES), (9, 3), (10, 0)] {
            let body: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let tx = store.begin().unwrap();
            let mut writer = tx.put_snapshot(offset).unwrap();
            body.chunks(100_003).for_each(|part| writer.write_all(part).unwrap());
            writer.finish().unwrap();
            tx.commit(offset).unwrap();
            let found = store.snapshot().unwrap().unwrap();
            assert!((found.offset, found.body) == (offset, body), "of {length} bytes");
        }
    }

    #[test]
    fn what_the_store_says_on_the_way_is_said_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store.db")).unwrap();
        let tx = store.begin().unwrap();
        let mut writer = tx.put_snapshot(7).unwrap();
        tx.conn().execute_batch("DROP TABLE snapshot_piece").unwrap();
        assert!(writer.write_all(&vec![1; PIECE_BYTES + 1]).is_err());
        let said = writer.finish().unwrap_err();
        assert!(matches!(said, StoreError::Sql { operation: "write a snapshot", .. }), "{said:?}");
    }
}
