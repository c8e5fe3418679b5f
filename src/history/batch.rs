//! The readings of one engine step as one row: written in haste, read by the outbox, folded soon.

use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension, params};

use super::bits::Cursor;
use super::error::{HistoryError, sql};
use super::group::{Group, Scratch};
use super::ints::Effort;
use crate::model::quantity::Channel;
use crate::model::reading::{Head, Quality, ReadingBatch};
use crate::model::time::UtcMs;

/// Readings of one group of a row, at most: its columns stay in the processor's cache, and one odd value spoils the
/// compression of few others.
const N_ROW_GROUP_MAX: usize = 1_024;

thread_local! {
    static PACKER: RefCell<Packer> = RefCell::default();
}

/// Memory that is used again from row to row.
#[derive(Debug, Default)]
struct Packer {
    /// By set of channels: which readings have it. Only the first `n_shapes` are in use.
    shapes: Vec<Shape>,
    n_shapes: usize,
    group: Group,
    body: Vec<u8>,
    scratch: Scratch,
}

#[derive(Debug, Default)]
struct Shape {
    channels: Vec<Channel>,
    readings: Vec<u32>,
}

/// When the readings of a row were measured and received.
struct Span {
    min_ms: i64,
    max_ms: i64,
    received_ms: i64,
}

/// Writes readings as a new row and returns its number. `meter_keys` gives each meter index its
/// [key](super::meters::key).
///
/// # Errors
/// The store cannot be written, or a meter has no key.
pub fn append(conn: &Connection, readings: &ReadingBatch, meter_keys: &[u32]) -> Result<i64, HistoryError> {
    PACKER.with_borrow_mut(|packer| {
        packer.sort_out(readings);
        packer.pack(readings, meter_keys)?;
        let span = span(readings.heads());
        conn.prepare_cached(
            "INSERT INTO history_row (n, min_ms, max_ms, received_ms, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .and_then(|mut s| {
            let n = i64::try_from(readings.len()).unwrap_or(i64::MAX);
            s.insert(params![n, span.min_ms, span.max_ms, span.received_ms, packer.body])
        })
        .map_err(sql("write a row of readings"))
    })
}

/// Appends the readings of a row to `into`, with the meter's key in `head.meter`; false if there is no such row.
/// Readings with the same channels are in the order in which they were written.
///
/// # Errors
/// The store cannot be read, or the row is damaged.
pub fn read(conn: &Connection, row: i64, into: &mut ReadingBatch) -> Result<bool, HistoryError> {
    let body: Option<Vec<u8>> = conn
        .prepare_cached("SELECT body FROM history_row WHERE id = ?1")
        .and_then(|mut s| s.query_row([row], |row| row.get(0)).optional())
        .map_err(sql("read a row of readings"))?;
    let Some(body) = body else { return Ok(false) };
    PACKER.with_borrow_mut(|packer| {
        let mut cursor = Cursor::new(&body);
        while !cursor.is_at_end() {
            packer
                .group
                .unpack(&mut cursor, None, &mut packer.scratch)
                .ok_or(HistoryError::Damaged { what: "row", id: row })?;
            push(&packer.group, into);
        }
        Ok(true)
    })
}

fn push(group: &Group, into: &mut ReadingBatch) {
    for at in 0..group.len() {
        let time = UtcMs(group.time[at]);
        let received = UtcMs(group.time[at].wrapping_add(group.lag[at]));
        let meter = u32::try_from(group.meter[at]).unwrap_or(u32::MAX);
        let quality = Quality(group.quality[at].to_le_bytes()[0]);
        into.begin(meter, time, received, group.offset[at].cast_unsigned(), quality);
        into.push_checked(
            group.channels.iter().enumerate().map(|(c, channel)| (*channel, group.value(c, at))),
        );
    }
}

fn span(heads: &[Head]) -> Span {
    let none = Span { min_ms: i64::MAX, max_ms: i64::MIN, received_ms: i64::MAX };
    heads.iter().fold(none, |span, head| Span {
        min_ms: span.min_ms.min(head.time.0),
        max_ms: span.max_ms.max(head.time.0),
        received_ms: span.received_ms.min(head.received.0),
    })
}

impl Packer {
    /// Sorts readings by their channels.
    fn sort_out(&mut self, readings: &ReadingBatch) {
        self.n_shapes = 0;
        let mut last = 0;
        for (index, (_, values)) in (0_u32..).zip(readings.iter()) {
            let is = |shape: &Shape| {
                shape.channels.len() == values.len()
                    && shape.channels.iter().zip(values).all(|(own, (channel, _))| own == channel)
            };
            let known = &self.shapes[..self.n_shapes];
            if !known.get(last).is_some_and(is) {
                last = known.iter().position(is).unwrap_or_else(|| self.add_shape(values));
            }
            self.shapes[last].readings.push(index);
        }
    }

    fn add_shape(&mut self, values: &[(Channel, f64)]) -> usize {
        let index = self.n_shapes;
        if index == self.shapes.len() {
            self.shapes.push(Shape::default());
        }
        self.n_shapes += 1;
        let shape = &mut self.shapes[index];
        shape.channels.clear();
        shape.channels.extend(values.iter().map(|(channel, _)| *channel));
        shape.readings.clear();
        index
    }

    fn pack(&mut self, readings: &ReadingBatch, meter_keys: &[u32]) -> Result<(), HistoryError> {
        self.body.clear();
        for shape in &self.shapes[..self.n_shapes] {
            for members in shape.readings.chunks(N_ROW_GROUP_MAX) {
                self.group.clear();
                self.group.channels.extend_from_slice(&shape.channels);
                fill(&mut self.group, readings, members, meter_keys)?;
                self.group.pack(&mut self.body, Effort::Quick, &mut self.scratch);
            }
        }
        Ok(())
    }
}

fn fill(
    group: &mut Group,
    readings: &ReadingBatch,
    members: &[u32],
    meter_keys: &[u32],
) -> Result<(), HistoryError> {
    let n = members.len();
    group.values.resize(n * group.channels.len(), 0.0);
    for (at, index) in members.iter().enumerate() {
        let head = &readings.heads()[*index as usize];
        let Some(key) = meter_keys.get(head.meter as usize) else {
            return Err(HistoryError::NoKey { meter: head.meter, n_keys: meter_keys.len() });
        };
        group.meter.push(i64::from(*key));
        group.time.push(head.time.0);
        group.lag.push(head.received.0.wrapping_sub(head.time.0));
        group.offset.push(head.offset.cast_signed());
        group.quality.push(i64::from(head.quality.0));
        for (column, (_, value)) in readings.values(head).iter().enumerate() {
            group.values[column * n + at] = *value;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{SCHEMA, meters};

    #[test]
    fn a_row_comes_back_exactly_with_keys_for_meters() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        let mut readings = ReadingBatch::default();
        for i in 0..3_000_u32 {
            let time = 1_790_000_000_000 + i64::from(i % 7) * 60_000;
            let quality = if i % 11 == 0 { Quality::LATE } else { Quality::GOOD };
            readings.begin(i % 2, UtcMs(time), UtcMs(time - 5 + i64::from(i)), u64::from(i) + 1, quality);
            readings.push_value(Channel::POWER, if i % 5 == 0 { -0.0 } else { f64::from(i) * 0.1 });
            readings.push_value(Channel::ENERGY, f64::from(1_000_000 + i) / 100.0);
        }
        let keys = [meters::key(&conn, "a/1").unwrap(), meters::key(&conn, "b/2").unwrap()];
        let row = append(&conn, &readings, &keys).unwrap();
        let mut back = ReadingBatch::default();
        assert!(read(&conn, row, &mut back).unwrap());
        assert!(!read(&conn, row + 1, &mut back).unwrap());
        let mut expected = readings.clone();
        expected.heads_mut().iter_mut().for_each(|h| h.meter = keys[h.meter as usize]);
        assert_eq!(back, expected);
        let signs = |b: &ReadingBatch| b.iter().map(|(_, v)| v[0].1.is_sign_negative()).collect::<Vec<_>>();
        assert_eq!(signs(&back), signs(&expected));
    }

    #[test]
    fn mixed_channels_and_readings_without_values_come_back_and_a_foreign_meter_is_refused() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        let mut readings = ReadingBatch::default();
        readings.begin(0, UtcMs(10), UtcMs(11), 1, Quality::GOOD);
        readings.push_value(Channel::ENERGY, 1.5);
        readings.push_value(Channel::POWER, 2.0);
        readings.begin(0, UtcMs(i64::MAX), UtcMs(i64::MIN), u64::MAX, Quality(255));
        readings.begin(0, UtcMs(12), UtcMs(13), 3, Quality::GOOD);
        readings.push_value(Channel::ENERGY, 1e300);
        let row = append(&conn, &readings, &[9]).unwrap();
        let mut back = ReadingBatch::default();
        assert!(read(&conn, row, &mut back).unwrap());
        readings.heads_mut().iter_mut().for_each(|h| h.meter = 9);
        assert_eq!(back, readings);
        readings.begin(1, UtcMs(12), UtcMs(13), 4, Quality::GOOD);
        let refused = append(&conn, &readings, &[9]);
        assert!(matches!(refused, Err(HistoryError::NoKey { .. })));
    }
}
