//! Readings that have the same channels, as columns; and such a group as bytes.
//!
//! ```text
//! length       u32, little-endian: bytes that follow
//! n            varint, readings
//! channels     varint how many, then their numbers
//! meter, time, received - time, offset, quality    columns of whole numbers
//! values       a column of values for each channel
//! ```

use super::bits::{Cursor, put_varint};
use super::floats;
use super::ints::{self, Effort};
use crate::model::quantity::{Channel, N_CHANNELS};

/// Readings in a packed group, at most: bounds what damaged bytes can ask for.
pub(super) const N_GROUP_MAX: usize = 4_096;

/// Memory that is used again from group to group.
pub(super) type Scratch = floats::Scratch;

/// Columns of readings; the values of channel `c` are at `c * n .. (c + 1) * n`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) channels: Vec<Channel>,
    pub(super) meter: Vec<i64>,
    pub(super) time: Vec<i64>,
    /// Receive time less measuring time.
    pub(super) lag: Vec<i64>,
    pub(super) offset: Vec<i64>,
    pub(super) quality: Vec<i64>,
    pub(super) values: Vec<f64>,
}

impl Group {
    /// Empties it and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.channels.clear();
        self.heads_mut().into_iter().for_each(Vec::clear);
        self.values.clear();
    }

    /// Prepares for `n` readings with those channels, which follow with [`copy`](Group::copy).
    pub(super) fn begin(&mut self, channels: &[Channel], n: usize) {
        self.clear();
        self.channels.extend_from_slice(channels);
        self.values.resize(n * channels.len(), 0.0);
    }

    /// Copies a reading of a group with the same channels.
    pub(super) fn copy(&mut self, from: &Group, at: usize) {
        let n_channels = self.channels.len();
        let (n, to) = (self.values.len().checked_div(n_channels).unwrap_or(0), self.len());
        for (own, theirs) in self.heads_mut().into_iter().zip(from.heads()) {
            own.push(theirs[at]);
        }
        for column in 0..n_channels {
            self.values[column * n + to] = from.value(column, at);
        }
    }

    /// Those readings alone that are of that meter.
    pub(super) fn of_meter(&self, meter: u32) -> Group {
        let wanted = |at: &usize| self.meter[*at] == i64::from(meter);
        let mut few = Group::default();
        few.begin(&self.channels, (0..self.len()).filter(wanted).count());
        (0..self.len()).filter(wanted).for_each(|at| few.copy(self, at));
        few
    }

    /// How many readings.
    pub(super) fn len(&self) -> usize {
        self.time.len()
    }

    /// The set of channels, a bit each.
    pub(super) fn mask(&self) -> u64 {
        self.channels.iter().fold(0, |mask, c| mask | 1 << c.0)
    }

    /// The value of a reading in the column of that number.
    pub(super) fn value(&self, column: usize, at: usize) -> f64 {
        self.values[column * self.len() + at]
    }

    /// The values of a reading, to the last bit.
    pub(super) fn bits(&self, at: usize) -> impl Iterator<Item = u64> {
        (0..self.channels.len()).map(move |c| self.value(c, at).to_bits())
    }

    /// Brings the columns into the order of their channels.
    pub(super) fn sort_channels(&mut self) {
        if self.channels.is_sorted() {
            return;
        }
        let n = self.len();
        let mut order: Vec<(Channel, usize)> = self.channels.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let sorted =
            order.iter().flat_map(|(_, c)| self.values[c * n..(c + 1) * n].iter().copied()).collect();
        self.values = sorted;
        self.channels.sort_unstable();
    }

    const fn heads(&self) -> [&Vec<i64>; 5] {
        [&self.meter, &self.time, &self.lag, &self.offset, &self.quality]
    }

    const fn heads_mut(&mut self) -> [&mut Vec<i64>; 5] {
        [&mut self.meter, &mut self.time, &mut self.lag, &mut self.offset, &mut self.quality]
    }

    /// Appends the group to `out`. It must have at most [`N_GROUP_MAX`] readings.
    pub(super) fn pack(&self, out: &mut Vec<u8>, effort: Effort, scratch: &mut Scratch) {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        put_varint(out, self.len() as u64);
        put_varint(out, self.channels.len() as u64);
        out.extend(self.channels.iter().map(|c| c.0));
        for column in self.heads() {
            ints::put(out, column, effort, scratch.ints());
        }
        if self.len() > 0 {
            for column in self.values.chunks_exact(self.len()) {
                floats::put(out, column, effort, scratch);
            }
        }
        let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// Takes the next group of a body; `None` where the bytes are not one. With `only`, a group without any reading of
    /// that meter stays empty and costs next to nothing.
    pub(super) fn unpack(
        &mut self,
        body: &mut Cursor<'_>,
        only: Option<&[u32]>,
        scratch: &mut Scratch,
    ) -> Option<()> {
        self.clear();
        let length = body.take(4)?.try_into().ok().map(u32::from_le_bytes)?;
        let mut cursor = Cursor::new(body.take(length as usize)?);
        let n = cursor.count(N_GROUP_MAX)?;
        let n_channels = cursor.count(N_CHANNELS)?;
        for index in cursor.take(n_channels)? {
            self.channels.push(Channel::from_index(*index)?);
        }
        if self.mask().count_ones() as usize != n_channels {
            return None;
        }
        let [meter, rest @ ..] = self.heads_mut();
        ints::take(&mut cursor, n, meter)?;
        if only.is_some_and(|only| !only.iter().any(|one| meter.contains(&i64::from(*one)))) {
            self.clear();
            return Some(());
        }
        for column in rest {
            ints::take(&mut cursor, n, column)?;
        }
        if n > 0 {
            for _ in 0..n_channels {
                floats::take(&mut cursor, n, &mut self.values, scratch)?;
            }
        }
        cursor.is_at_end().then_some(())
    }
}
