//! What partial messages have said so far, to fill in what the next one leaves out. Pure.
//!
//! Some devices (Shelly among them) send only what changed. The engine hands over the readings of mappings that say so;
//! for all others this does nothing and costs nothing. A value is filled in if it was measured no later than the
//! reading and no more than `max_age` before it, and the reading is marked so. The newest value of a channel is kept, by measuring
//! time, so that a late message fills nothing in that was not known then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decode::Partial;
use crate::model::quantity::Channel;
use crate::model::reading::{MeterIdx, Quality, ReadingBatch};
use crate::model::registry::Registry;
use crate::model::time::UtcMs;

/// The newest value of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    channel: Channel,
    at: UtcMs,
    value: f64,
}

/// What is known of each meter with partial messages, by channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Merge {
    meters: BTreeMap<MeterIdx, Vec<Known>>,
}

impl Merge {
    /// Fills in what reading `index` leaves out, and remembers what it says. Readings come in arrival order.
    pub fn complete(&mut self, partial: Partial, readings: &mut ReadingBatch, index: usize) {
        let Some(&head) = readings.heads().get(index) else { return };
        // A retained copy without a time of its own is of any age: it neither helps others nor is it helped.
        if head.quality.has(Quality::RETAINED) && head.quality.has(Quality::RECEIVE_TIME) {
            return;
        }
        let known = self.meters.entry(head.meter).or_default();
        let filling: Vec<_> = known
            .iter()
            .filter(|k| {
                let age_ms = head.time.since(k.at);
                (0..=i64::from(partial.max_age_ms)).contains(&age_ms)
                    && readings.value(&head, k.channel).is_none()
            })
            .map(|k| (k.channel, k.value))
            .collect();
        for &(channel, value) in readings.values(&head) {
            match known.binary_search_by_key(&channel, |k| k.channel) {
                Ok(i) if known[i].at <= head.time => known[i] = Known { channel, at: head.time, value },
                Ok(_) => {}
                Err(i) => known.insert(i, Known { channel, at: head.time, value }),
            }
        }
        if readings.extend_values(index, &filling) {
            let head = &mut readings.heads_mut()[index];
            head.quality = head.quality.with(Quality::MERGED);
        }
    }

    /// Carries what is known over to another registry; meters that are gone are forgotten.
    pub fn renumber(&mut self, old: &Registry, new: &Registry) {
        if self.meters.is_empty() {
            return;
        }
        let index = new.meter_index();
        let moved = std::mem::take(&mut self.meters).into_iter().filter_map(|(meter, known)| {
            let id = &*old.meters.get(meter as usize)?.id;
            Some((*index.get(id)?, known))
        });
        self.meters = moved.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::meter::{Input, Meter};

    const NOW: UtcMs = UtcMs(1_661_789_460_000);

    fn merged(steps: &[(i64, &[(Channel, f64)])]) -> Vec<(Vec<(Channel, f64)>, bool)> {
        let mut merge = Merge::default();
        let mut batch = ReadingBatch::default();
        for (at, values) in steps {
            batch.begin(0, UtcMs(*at), NOW, 1, Quality::GOOD);
            values.iter().for_each(|(c, v)| assert!(batch.push_value(*c, *v)));
            let index = batch.len() - 1;
            merge.complete(Partial { max_age_ms: 60_000 }, &mut batch, index);
        }
        batch.iter().map(|(h, v)| (v.to_vec(), h.quality.has(Quality::MERGED))).collect()
    }

    #[test]
    fn a_partial_message_is_completed_by_what_is_young_enough() {
        let (p, e) = (Channel::POWER, Channel::ENERGY);
        let steps: &[(i64, &[(Channel, f64)])] = &[
            (0, &[(p, 1.0)]),
            (60_000, &[(e, 5.0)]),
            (60_001, &[(e, 6.0)]),
            (59_000, &[(p, 2.0)]),
            (61_000, &[(e, 7.0)]),
        ];
        let expected = [
            (vec![(p, 1.0)], false),
            (vec![(e, 5.0), (p, 1.0)], true),
            (vec![(e, 6.0)], false),
            (vec![(p, 2.0)], false),
            (vec![(e, 7.0), (p, 2.0)], true),
        ];
        assert_eq!(merged(steps), expected);
    }

    #[test]
    fn an_undated_retained_copy_neither_helps_nor_is_helped() {
        let mut merge = Merge::default();
        let mut batch = ReadingBatch::default();
        let undated = Quality::RETAINED.with(Quality::RECEIVE_TIME);
        for (quality, channel) in
            [(undated, Channel::POWER), (Quality::GOOD, Channel::ENERGY), (undated, Channel::POWER)]
        {
            batch.begin(0, NOW, NOW, 1, quality);
            batch.push_value(channel, 1.0);
            let index = batch.len() - 1;
            merge.complete(Partial { max_age_ms: 60_000 }, &mut batch, index);
        }
        assert!(batch.iter().all(|(h, v)| v.len() == 1 && !h.quality.has(Quality::MERGED)));
    }

    #[test]
    fn what_is_merged_follows_its_meter_to_another_registry_and_through_a_snapshot() {
        let mut merge = Merge::default();
        let mut batch = ReadingBatch::default();
        for meter in [0, 1] {
            batch.begin(meter, NOW, NOW, 1, Quality::GOOD);
            batch.push_value(Channel::POWER, f64::from(meter));
            merge.complete(Partial { max_age_ms: 60_000 }, &mut batch, meter as usize);
        }
        let meter = |id: &str| Meter {
            id: id.into(),
            site: 0,
            gateway: "g".into(),
            period_ms: 60_000,
            heartbeat_ms: 0,
            ct: 1.0,
            pt: 1.0,
            input: Input::Mqtt { device: None },
            counting: None,
        };
        let registry = |ids: &[&str]| Registry {
            meters: ids.iter().copied().map(meter).collect(),
            ..Registry::default()
        };
        let (old, new) = (registry(&["s/m1", "s/m2"]), registry(&["s/m2", "s/m3"]));
        merge.renumber(&old, &new);
        let bytes = postcard::to_stdvec(&merge).unwrap();
        let mut back: Merge = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(back, merge);
        for meter in [0, 1] {
            batch.begin(meter, NOW, NOW, 2, Quality::GOOD);
            batch.push_value(Channel::ENERGY, 9.0);
            let index = batch.len() - 1;
            back.complete(Partial { max_age_ms: 60_000 }, &mut batch, index);
        }
        let power = |i: usize| batch.value(&batch.heads()[i], Channel::POWER);
        assert_eq!((power(2), power(3)), (Some(1.0), None), "m2 is now the first; the third was never heard");
    }
}
