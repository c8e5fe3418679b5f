//! Groups in memory and an order over their readings: what folding and reading share.

use std::cmp::Ordering;

use super::bits::Cursor;
use super::group::{Group, N_GROUP_MAX, Scratch};
use super::ints::Effort;

/// Unpacked groups. Memory is used again after [`truncate`](Pool::truncate).
#[derive(Debug, Default)]
pub(super) struct Pool {
    groups: Vec<Group>,
    n: usize,
    spare: Group,
    scratch: Scratch,
}

/// A reading of a pool, with what it is sorted by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) meter: u32,
    /// The set of channels, a bit each.
    pub(super) mask: u64,
    pub(super) time: i64,
    pub(super) offset: u64,
    pub(super) group: u32,
    pub(super) at: u32,
}

impl Pool {
    /// Unpacks a body behind what is there, and adds its readings to `entries`: all of them, or those of one meter, or of
    /// several and some more. `None` where
    /// the bytes are not a body.
    pub(super) fn add(&mut self, body: &[u8], only: Option<&[u32]>, entries: &mut Vec<Entry>) -> Option<()> {
        let mut cursor = Cursor::new(body);
        while !cursor.is_at_end() {
            let Pool { groups, n, spare, scratch } = self;
            spare.unpack(&mut cursor, only, scratch)?;
            spare.sort_channels();
            if let Some(&[meter]) = only {
                // Small copies: a meter's readings among those of thousands must not keep all of them in memory.
                *spare = spare.of_meter(meter);
            }
            if *n == groups.len() {
                groups.push(Group::default());
            }
            let group = &mut groups[*n];
            std::mem::swap(group, spare);
            let (mask, index) = (group.mask(), u32::try_from(*n).ok()?);
            for (at, meter) in (0_u32..).zip(&group.meter) {
                let meter = u32::try_from(*meter).ok()?;
                let time = group.time[at as usize];
                let offset = group.offset[at as usize].cast_unsigned();
                entries.push(Entry { meter, mask, time, offset, group: index, at });
            }
            *n += usize::from(group.len() > 0);
        }
        Some(())
    }

    /// How many groups there are.
    pub(super) fn n_groups(&self) -> usize {
        self.n
    }

    /// Forgets all groups but the first `n`.
    pub(super) fn truncate(&mut self, n: usize) {
        self.n = self.n.min(n);
    }

    /// The group of a reading, and its place in it.
    pub(super) fn reading(&self, entry: &Entry) -> (&Group, usize) {
        (&self.groups[entry.group as usize], entry.at as usize)
    }

    /// Sorts readings of any meters by meter, channels, time and arrival, and takes copies out: of readings that are
    /// alike to the last bit the one that arrived first is left. The outcome is the same in whatever order and in
    /// however many goes readings come in.
    pub(super) fn settle(&self, entries: &mut Vec<Entry>) {
        let place = |e: &Entry| (e.meter, e.mask, e.time);
        let by_arrival =
            |a: &Entry, b: &Entry| a.offset.cmp(&b.offset).then_with(|| self.compare_heads(a, b));
        entries.sort_unstable_by(|a, b| place(a).cmp(&place(b)).then_with(|| by_arrival(a, b)));
        if entries.windows(2).all(|w| place(&w[0]) != place(&w[1])) {
            return;
        }
        let mut settled = Vec::with_capacity(entries.len());
        for same_time in entries.chunk_by_mut(|a, b| place(a) == place(b)) {
            let from = settled.len();
            // Copies side by side, the first to arrive in front; a stuck clock can put thousands of readings here.
            same_time.sort_by(|a, b| self.compare_values(a, b));
            settled
                .extend(same_time.chunk_by(|a, b| self.compare_values(a, b).is_eq()).map(|copies| copies[0]));
            settled[from..].sort_unstable_by(|a, b| by_arrival(a, b).then_with(|| self.compare_values(a, b)));
        }
        *entries = settled;
    }

    /// Packs readings that were [`settle`](Pool::settle)d: one group for each set of channels, more where it is large.
    pub(super) fn pack(&mut self, entries: &[Entry], effort: Effort, out: &mut Vec<u8>) {
        for alike in entries.chunk_by(|a, b| a.mask == b.mask) {
            for members in alike.chunks(N_GROUP_MAX) {
                self.fill_spare(members);
                self.spare.pack(out, effort, &mut self.scratch);
            }
        }
    }

    fn fill_spare(&mut self, members: &[Entry]) {
        let Pool { groups, spare, .. } = self;
        spare.clear();
        if let Some(first) = members.first() {
            spare.begin(&groups[first.group as usize].channels, members.len());
        }
        for entry in members {
            spare.copy(&groups[entry.group as usize], entry.at as usize);
        }
    }

    fn compare_values(&self, a: &Entry, b: &Entry) -> Ordering {
        let ((group_a, at_a), (group_b, at_b)) = (self.reading(a), self.reading(b));
        group_a.bits(at_a).cmp(group_b.bits(at_b))
    }

    fn compare_heads(&self, a: &Entry, b: &Entry) -> Ordering {
        let head = |entry: &Entry| {
            let (group, at) = self.reading(entry);
            (group.lag[at], group.quality[at])
        };
        head(a).cmp(&head(b))
    }
}
