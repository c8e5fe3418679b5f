//! Readings, laid out flat so that a batch of thousands costs two growing vectors and no allocation each.

use std::num::NonZeroU32;

use super::quantity::{Channel, Phase, Quantity};
use super::time::UtcMs;

/// Index of a meter in [`Registry::meters`](super::registry::Registry::meters).
pub type MeterIdx = u32;

/// Number of a message in the journal, counted from 1 without gaps.
pub type Offset = u64;

/// What is known about how far a reading can be trusted; a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Quality(pub u8);

impl Quality {
    /// Nothing to remark.
    pub const GOOD: Quality = Quality(0);
    /// The device itself marked the values as doubtful (`"q":"bad"`): kept, never judged.
    pub const DOUBTFUL: Quality = Quality(1);
    /// Sent later than measured, on purpose (back-fill after an outage).
    pub const BACKFILL: Quality = Quality(2);
    /// The payload had no time: the receive time stands in.
    pub const RECEIVE_TIME: Quality = Quality(4);
    /// Came from a retained message: the broker's copy of something older.
    pub const RETAINED: Quality = Quality(8);
    /// Some values were filled in from earlier partial messages of the same device.
    pub const MERGED: Quality = Quality(16);
    /// Arrived behind what the site was already judged to.
    pub const LATE: Quality = Quality(32);

    /// Whether any bit of `other` is set.
    #[must_use]
    pub const fn has(self, other: Quality) -> bool {
        self.0 & other.0 != 0
    }

    /// The remarks in words; none for a good reading.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let names = ["doubtful", "backfill", "receive_time", "retained", "merged", "late"];
        (0..).zip(names).filter(move |(bit, _)| self.0 & 1 << bit != 0).map(|(_, name)| name)
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Quality) -> Quality {
        Quality(self.0 | other.0)
    }
}

/// One reading's head; its values lie in [`ReadingBatch::values`] at `first..first + n`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// Which meter.
    pub meter: MeterIdx,
    /// When it was measured.
    pub time: UtcMs,
    /// When it was received.
    pub received: UtcMs,
    /// The message it came in.
    pub offset: Offset,
    /// How far it can be trusted.
    pub quality: Quality,
    /// The sender's own count, plus one, where it says one. Not kept in history.
    pub seq: Option<NonZeroU32>,
    first: u32,
    n: u8,
}

/// Many readings of many meters. Values are in the channel's unit, primary side (CT/PT applied).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadingBatch {
    heads: Vec<Head>,
    values: Vec<(Channel, f64)>,
}

impl ReadingBatch {
    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.values.clear();
    }

    /// How many readings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// How many values in all readings together.
    #[must_use]
    pub fn n_values(&self) -> usize {
        self.values.len()
    }

    /// Adds a reading; its values follow with [`push_value`](Self::push_value).
    pub fn begin(&mut self, meter: MeterIdx, time: UtcMs, received: UtcMs, offset: Offset, quality: Quality) {
        let first = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.heads.push(Head { meter, time, received, offset, quality, seq: None, first, n: 0 });
    }

    /// Adds a value to the reading begun last. Non-finite values and a second value of a channel are refused.
    pub fn push_value(&mut self, channel: Channel, value: f64) -> bool {
        let Some(head) = self.heads.last_mut() else { return false };
        let known = &self.values[head.first as usize..];
        if !value.is_finite() || known.iter().any(|(c, _)| *c == channel) {
            return false;
        }
        self.values.push((channel, value));
        head.n += 1;
        true
    }

    /// Adds values to the reading begun last that were once taken by [`push_value`](Self::push_value): they are not
    /// checked again.
    pub fn push_checked(&mut self, values: impl Iterator<Item = (Channel, f64)>) {
        let Some(head) = self.heads.last_mut() else { return };
        self.values.extend(values);
        head.n = u8::try_from(self.values.len() - head.first as usize).unwrap_or(u8::MAX);
    }

    /// The same where the caller has seen to it that the channel is new and the value finite.
    pub fn push_new_value(&mut self, channel: Channel, value: f64) {
        if let Some(head) = self.heads.last_mut() {
            self.values.push((channel, value));
            head.n += 1;
        }
    }

    /// Takes the reading begun last back, with its values.
    pub fn abandon(&mut self) {
        if let Some(head) = self.heads.pop() {
            self.values.truncate(head.first as usize);
        }
    }

    /// The reading begun last, for what becomes known after it was begun.
    pub fn last_mut(&mut self) -> Option<(&mut Head, &mut [(Channel, f64)])> {
        let head = self.heads.last_mut()?;
        let values = &mut self.values[head.first as usize..head.first as usize + usize::from(head.n)];
        Some((head, values))
    }

    /// Adds values that a reading lacks, any of the batch; says whether there were any. The batch is whole again only for
    /// readings begun after it: none before may be abandoned.
    pub fn extend_values(&mut self, index: usize, extra: &[(Channel, f64)]) -> bool {
        let mut grown = false;
        for &(channel, value) in extra {
            let head = self.heads[index];
            if !value.is_finite() || self.value(&head, channel).is_some() {
                continue;
            }
            let end = head.first as usize + usize::from(head.n);
            if end < self.values.len() {
                // Others' values follow: it moves behind them.
                self.heads[index].first = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
                self.values.extend_from_within(head.first as usize..end);
            }
            self.values.push((channel, value));
            self.heads[index].n += 1;
            grown = true;
        }
        grown
    }

    /// The heads, in arrival order.
    #[must_use]
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The heads, to mark them (late, merged).
    pub fn heads_mut(&mut self) -> &mut [Head] {
        &mut self.heads
    }

    /// The values of a reading of this batch.
    #[must_use]
    pub fn values(&self, head: &Head) -> &[(Channel, f64)] {
        &self.values[head.first as usize..head.first as usize + usize::from(head.n)]
    }

    /// The same, to scale them.
    pub fn values_mut(&mut self, index: usize) -> &mut [(Channel, f64)] {
        let head = self.heads[index];
        &mut self.values[head.first as usize..head.first as usize + usize::from(head.n)]
    }

    /// A value of a reading, if it has that channel.
    #[must_use]
    pub fn value(&self, head: &Head, channel: Channel) -> Option<f64> {
        self.values(head).iter().find(|(c, _)| *c == channel).map(|(_, v)| *v)
    }

    /// Each reading with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&Head, &[(Channel, f64)])> {
        self.heads.iter().map(|h| (h, self.values(h)))
    }
}

/// Total active power among the values of a reading, W: as measured, or the sum of all three phases.
#[must_use]
pub fn power_of(values: &[(Channel, f64)]) -> Option<f64> {
    let value = |channel| values.iter().find(|(c, _)| *c == channel).map(|(_, v)| *v);
    value(Channel::POWER).or_else(|| {
        let phase = |p| value(Channel::of(Quantity::ActivePower, p));
        Some(phase(Phase::L1)? + phase(Phase::L2)? + phase(Phase::L3)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_with_their_reading_and_bad_ones_are_refused() {
        let mut batch = ReadingBatch::default();
        batch.begin(3, UtcMs(10), UtcMs(11), 1, Quality::GOOD);
        assert!(batch.push_value(Channel::POWER, 35_200.0));
        assert!(!batch.push_value(Channel::POWER, 1.0), "a channel has one value a reading");
        assert!(!batch.push_value(Channel::ENERGY, f64::NAN));
        batch.begin(4, UtcMs(10), UtcMs(11), 1, Quality::GOOD);
        assert!(batch.push_value(Channel::ENERGY, 7.0));
        batch.abandon();
        batch.begin(5, UtcMs(12), UtcMs(12), 2, Quality::GOOD);
        assert!(batch.push_value(Channel::ENERGY, 8.0));

        let seen: Vec<_> = batch.iter().map(|(h, v)| (h.meter, v.to_vec())).collect();
        assert_eq!(seen, [(3, vec![(Channel::POWER, 35_200.0)]), (5, vec![(Channel::ENERGY, 8.0)])]);
    }

    #[test]
    fn a_reading_may_be_given_what_it_lacks_wherever_it_lies() {
        let mut batch = ReadingBatch::default();
        for meter in 0..2 {
            batch.begin(meter, UtcMs(10), UtcMs(11), 1, Quality::GOOD);
            batch.push_value(Channel::POWER, f64::from(meter));
        }
        assert!(batch.extend_values(0, &[(Channel::POWER, 9.0), (Channel::ENERGY, 7.0)]));
        assert!(batch.extend_values(1, &[(Channel::ENERGY, 8.0)]));
        assert!(!batch.extend_values(1, &[(Channel::ENERGY, 9.0)]));
        batch.begin(2, UtcMs(12), UtcMs(12), 2, Quality::GOOD);
        batch.push_value(Channel::POWER, 2.0);
        assert_eq!(batch.last_mut().unwrap().1, [(Channel::POWER, 2.0)]);
        let seen: Vec<_> = batch.iter().map(|(_, v)| v.to_vec()).collect();
        let both = |power, energy| vec![(Channel::POWER, power), (Channel::ENERGY, energy)];
        assert_eq!(seen, [both(0.0, 7.0), both(1.0, 8.0), vec![(Channel::POWER, 2.0)]]);
    }
}
