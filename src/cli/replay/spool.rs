//! Values of a recording, sorted by time however they come: what does not fit into memory waits in temporary files.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::PathBuf;

use crate::model::quantity::Channel;
use crate::model::reading::MeterIdx;
use crate::model::time::UtcMs;

/// So many values are sorted in memory, some 50 MB; each further so many become a file.
pub const N_IN_MEMORY: usize = 2_000_000;

/// Length of a value in a file.
const VALUE_BYTES: usize = 21;

/// One cell of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// When it was measured.
    pub time: UtcMs,
    /// Of which meter.
    pub meter: MeterIdx,
    /// What.
    pub channel: Channel,
    /// How much, in the channel's unit.
    pub value: f64,
}

impl Value {
    fn to_bytes(self) -> [u8; VALUE_BYTES] {
        let mut bytes = [0; VALUE_BYTES];
        bytes[..8].copy_from_slice(&self.time.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.value.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.meter.to_le_bytes());
        bytes[20] = self.channel.0;
        bytes
    }

    fn from_bytes(bytes: [u8; VALUE_BYTES]) -> Value {
        let eight = |at: usize| std::array::from_fn(|i| bytes[at + i]);
        Value {
            time: UtcMs(i64::from_le_bytes(eight(0))),
            value: f64::from_le_bytes(eight(8)),
            meter: u32::from_le_bytes(std::array::from_fn(|i| bytes[16 + i])),
            channel: Channel(bytes[20]),
        }
    }
}

/// Takes values in any order.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    n_in_memory: usize,
    buffer: Vec<Value>,
    runs: Vec<File>,
    n: u64,
}

impl Spool {
    /// An empty one, whose files lie in `folder`.
    #[must_use]
    pub fn new(folder: PathBuf, n_in_memory: usize) -> Spool {
        Spool { folder, n_in_memory, buffer: Vec::new(), runs: Vec::new(), n: 0 }
    }

    /// How many values it has taken.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Takes a value.
    ///
    /// # Errors
    /// A temporary file cannot be written.
    pub fn push(&mut self, value: Value) -> io::Result<()> {
        if self.buffer.len() >= self.n_in_memory {
            self.spill()?;
        }
        self.buffer.push(value);
        self.n += 1;
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        // Values of the same time stay in the order in which they came.
        self.buffer.sort_by_key(|v| v.time);
        let mut file = BufWriter::new(tempfile::tempfile_in(&self.folder)?);
        for value in self.buffer.drain(..) {
            file.write_all(&value.to_bytes())?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    /// All values, by time.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn sorted(mut self) -> io::Result<Sorted> {
        self.buffer.sort_by_key(|v| v.time);
        let files = self.runs.into_iter().map(|file| Run::File(BufReader::new(file)));
        let mut sorted = Sorted {
            runs: files.chain([Run::Memory(self.buffer.into_iter())]).collect(),
            heads: Vec::new(),
            next: BinaryHeap::new(),
        };
        for run in 0..sorted.runs.len() {
            let head = sorted.runs[run].next()?;
            sorted.heads.push(head);
            sorted.next.extend(head.map(|v| Reverse((v.time, run))));
        }
        Ok(sorted)
    }
}

/// Sorted values, from a file or from memory.
#[derive(Debug)]
enum Run {
    File(BufReader<File>),
    Memory(std::vec::IntoIter<Value>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Value>> {
        let file = match self {
            Run::Memory(values) => return Ok(values.next()),
            Run::File(file) => file,
        };
        let mut bytes = [0; VALUE_BYTES];
        match file.read_exact(&mut bytes) {
            Ok(()) => Ok(Some(Value::from_bytes(bytes))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Gives values by time; those of the same time in the order in which they came.
#[derive(Debug)]
pub struct Sorted {
    runs: Vec<Run>,
    heads: Vec<Option<Value>>,
    next: BinaryHeap<Reverse<(UtcMs, usize)>>,
}

impl Sorted {
    /// The next value; `None` at the end.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn take(&mut self) -> io::Result<Option<Value>> {
        let Some(Reverse((_, run))) = self.next.pop() else { return Ok(None) };
        let head = self.runs[run].next()?;
        self.next.extend(head.map(|v| Reverse((v.time, run))));
        Ok(std::mem::replace(&mut self.heads[run], head))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_come_back_by_time_and_then_as_they_came_wherever_they_waited(
            times in proptest::collection::vec(-50_i64..50, 0..200),
            n_in_memory in 1_usize..40,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = Spool::new(folder.path().to_owned(), n_in_memory);
            let values: Vec<Value> = (0..)
                .zip(&times)
                .map(|(i, t)| Value { time: UtcMs(*t), meter: i, channel: Channel::POWER, value: f64::from(i) / 3.0 })
                .collect();
            values.iter().for_each(|v| spool.push(*v).unwrap());
            prop_assert_eq!(spool.n(), values.len() as u64);
            let mut sorted = spool.sorted().unwrap();
            let found: Vec<Value> = std::iter::from_fn(|| sorted.take().unwrap()).collect();
            let mut expected = values;
            expected.sort_by_key(|v| (v.time, v.meter));
            prop_assert_eq!(found, expected);
        }
    }
}
