//! The registers of one scan of one meter as they lie in the journal. Pure.
//!
//! ```text
//! version 1 · unit 1 · took ms 2 · then blocks to the end: function code 1 · address 2 · count 1 · words 2 each
//! ```
//!
//! Numbers are big-endian, as on the wire. What did not answer is not there. The message's receive time is when the
//! last block had come; the first was asked for `took` before.

use std::time::Duration;

use crate::model::meter::Table;

/// The first byte. Another form gets another number; this one stays readable.
const VERSION: u8 = 1;

/// Most registers one answer carries.
pub const WORDS_MAX: u16 = 125;

/// Puts a scan together.
#[derive(Clone, Debug)]
pub struct Builder {
    bytes: Vec<u8>,
}

impl Builder {
    /// A scan of that slave, without blocks so far.
    #[must_use]
    pub fn new(unit: u8) -> Builder {
        Builder { bytes: vec![VERSION, unit, 0, 0] }
    }

    /// Adds what a request brought.
    pub fn push(&mut self, table: Table, address: u16, words: &[u16]) {
        let Ok(count) = u8::try_from(words.len()) else { return };
        self.bytes.push(code(table));
        self.bytes.extend(address.to_be_bytes());
        self.bytes.push(count);
        self.bytes.extend(words.iter().flat_map(|w| w.to_be_bytes()));
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == 4
    }

    /// The payload of a scan that took so long.
    #[must_use]
    pub fn finish(mut self, took: Duration) -> Vec<u8> {
        let took_ms = u16::try_from(took.as_millis()).unwrap_or(u16::MAX);
        self.bytes[2..4].copy_from_slice(&took_ms.to_be_bytes());
        self.bytes
    }
}

/// A scan, as it lies in a buffer. It was checked when it was opened: its blocks are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan<'a> {
    /// The slave.
    pub unit: u8,
    /// From the first request to the last answer, ms.
    pub took_ms: u16,
    blocks: &'a [u8],
}

/// Registers that came in one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// From which table.
    pub table: Table,
    /// The first one's address.
    pub address: u16,
    words: &'a [u8],
}

impl<'a> Scan<'a> {
    /// Opens a payload.
    ///
    /// # Errors
    /// In words, what does not fit.
    pub fn open(payload: &'a [u8]) -> Result<Scan<'a>, &'static str> {
        let (&[version, unit, high, low], blocks) =
            payload.split_first_chunk::<4>().ok_or("it is shorter than its head")?;
        if version != VERSION {
            return Err("it is of a form this program does not know");
        }
        let mut rest = blocks;
        while !rest.is_empty() {
            rest = split(rest)?.1;
        }
        Ok(Scan { unit, took_ms: u16::from_be_bytes([high, low]), blocks })
    }

    /// Its blocks.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let mut rest = self.blocks;
        std::iter::from_fn(move || {
            let (block, after) = split(rest).ok()?;
            rest = after;
            Some(block)
        })
    }

    /// Copies the words at `address` into `words` and says whether one block has them all.
    pub fn copy(&self, table: Table, address: u16, words: &mut [u16]) -> bool {
        self.blocks().any(|block| block.table == table && block.copy(address, words))
    }
}

impl Block<'_> {
    /// How many registers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len() / 2
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn copy(&self, address: u16, words: &mut [u16]) -> bool {
        let Some(start) = address.checked_sub(self.address).map(|n| usize::from(n) * 2) else { return false };
        let Some(bytes) = self.words.get(start..start + words.len() * 2) else { return false };
        for (word, pair) in words.iter_mut().zip(bytes.chunks_exact(2)) {
            *word = u16::from_be_bytes([pair[0], pair[1]]);
        }
        true
    }
}

fn split(bytes: &[u8]) -> Result<(Block<'_>, &[u8]), &'static str> {
    let (&[function, high, low, count], rest) =
        bytes.split_first_chunk::<4>().ok_or("a block is shorter than its head")?;
    let table = match function {
        3 => Table::Holding,
        4 => Table::Input,
        _ => return Err("a block has a function code that reads no registers"),
    };
    let (words, rest) = rest.split_at_checked(usize::from(count) * 2).ok_or("a block is cut")?;
    Ok((Block { table, address: u16::from_be_bytes([high, low]), words }, rest))
}

/// The function code that reads a table.
const fn code(table: Table) -> u8 {
    match table {
        Table::Holding => 3,
        Table::Input => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_scan_comes_back_as_it_was_and_a_cut_one_is_noticed(
            unit in any::<u8>(),
            took_ms in any::<u16>(),
            blocks in proptest::collection::vec(
                (any::<bool>(), any::<u16>(), proptest::collection::vec(any::<u16>(), 1..=125)), 1..5,
            ),
        ) {
            let table = |input: bool| if input { Table::Input } else { Table::Holding };
            let mut builder = Builder::new(unit);
            let mut ends = vec![4];
            for (input, address, words) in &blocks {
                builder.push(table(*input), *address, words);
                ends.push(ends[ends.len() - 1] + 4 + words.len() * 2);
            }
            let bytes = builder.finish(Duration::from_millis(u64::from(took_ms)));
            let scan = Scan::open(&bytes).unwrap();
            prop_assert_eq!((scan.unit, scan.took_ms, scan.blocks().count()), (unit, took_ms, blocks.len()));
            for (block, (input, address, words)) in scan.blocks().zip(&blocks) {
                prop_assert_eq!((block.table, block.address, block.len()), (table(*input), *address, words.len()));
                let mut out = vec![0; words.len()];
                prop_assert!(block.copy(*address, &mut out));
                prop_assert_eq!(&out, words);
                out.push(0);
                prop_assert!(!block.copy(*address, &mut out), "one word more than it has");
            }
            for cut in (0..bytes.len()).filter(|cut| !ends.contains(cut)) {
                prop_assert!(Scan::open(&bytes[..cut]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(scan) = Scan::open(&bytes) {
                let mut words = [0; 2];
                let _ = scan.copy(Table::Holding, 7, &mut words);
            }
        }
    }
}
