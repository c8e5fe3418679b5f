//! All the engine knows between two messages. Pure: messages in, effects out, the same every time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::effects::{Counts, Effects};
use crate::detection::meters::clock::Clocks;
use crate::detection::observe::{Observation, Stamp};
use crate::detection::site::{Offer, SiteContext, SiteJudge};
use crate::model::message::{Kind, Message};
use crate::model::reading::{Head, MeterIdx, Offset, Quality};
use crate::model::registry::Registry;
use crate::model::time::{MINUTE_MS, UtcMs};
use crate::sources::modbus;
use crate::sources::mqtt::decode::Decoders;
use crate::sources::mqtt::merge::Merge;
use crate::sources::reject::Reject;

/// Ticks come every second or so; where none came for this long, the daemon was not there to listen, ms.
const LISTENING_GAP_MS: i64 = 2 * MINUTE_MS;

/// zstd's fastest ordinary level.
const COMPRESSION_LEVEL: i32 = 1;

/// The compressor is given so much at once, bytes: the state comes to it in single numbers.
const SAVE_BUFFER_BYTES: usize = 64 << 10;

/// Registry, judges and what they need.
#[derive(Debug)]
pub struct World {
    registry: Arc<Registry>,
    decoders: Decoders,
    contexts: Vec<SiteContext>,
    judges: Vec<SiteJudge>,
    /// By meter: the site and point it measures.
    point_of: Vec<Option<(u32, u16)>>,
    merge: Merge,
    clocks: Clocks,
    now: UtcMs,
    counts: Counts,
    n_points: u32,
}

/// The part of a world that is saved; the rest follows from the registry.
#[derive(Deserialize)]
struct Saved {
    judges: Vec<SiteJudge>,
    merge: Merge,
    now: UtcMs,
    counts: Counts,
    clocks: Clocks,
}

/// Why a world cannot be saved or restored.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Not in the form of a saved world.
    #[error("the state is not in its saved form")]
    Form(#[source] postcard::Error),
    /// Not compressed as a saved world is.
    #[error("the state cannot be compressed or uncompressed")]
    Packing(#[source] std::io::Error),
}

impl World {
    /// A world without sites, before the first message.
    #[must_use]
    pub fn empty() -> World {
        World::over(
            Arc::new(Registry::default()),
            Vec::new(),
            Merge::default(),
            UtcMs::MIN,
            Counts::default(),
        )
    }

    /// A world restored from what [`save`](World::save) made.
    ///
    /// # Errors
    /// The bytes are not that.
    pub fn restore(registry: Arc<Registry>, saved: &[u8]) -> Result<World, SaveError> {
        let bytes = zstd::decode_all(saved).map_err(SaveError::Packing)?;
        let saved: Saved = postcard::from_bytes(&bytes).map_err(SaveError::Form)?;
        let mut world = World::over(registry, saved.judges, saved.merge, saved.now, saved.counts);
        world.clocks = saved.clocks;
        Ok(world)
    }

    fn over(
        registry: Arc<Registry>,
        judges: Vec<SiteJudge>,
        merge: Merge,
        now: UtcMs,
        counts: Counts,
    ) -> World {
        let contexts = registry.sites.iter().map(|s| SiteContext::new(s, &registry.meters)).collect();
        let mut point_of = vec![None; registry.meters.len()];
        for (site, own) in (0_u32..).zip(&registry.sites) {
            for (point, p) in (0_u16..).zip(&own.points) {
                if let Some(slot) = point_of.get_mut(p.meter as usize) {
                    *slot = Some((site, point));
                }
            }
        }
        let n_points: usize = registry.sites.iter().map(|s| s.points.len()).sum();
        World {
            decoders: Decoders::new(&registry),
            registry,
            contexts,
            judges,
            point_of,
            merge,
            clocks: Clocks::default(),
            now,
            counts,
            n_points: u32::try_from(n_points).unwrap_or(u32::MAX),
        }
    }

    /// How many points are judged.
    #[must_use]
    pub fn n_points(&self) -> u32 {
        self.n_points
    }

    /// What is judged by.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// What follows from the configuration of a site.
    #[must_use]
    pub fn context(&self, site: u32) -> &SiteContext {
        &self.contexts[site as usize]
    }

    /// What has been counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How far time has gone.
    #[must_use]
    pub fn now(&self) -> UtcMs {
        self.now
    }

    /// The judge of a site.
    #[must_use]
    pub fn judge(&self, site: u32) -> &SiteJudge {
        &self.judges[site as usize]
    }

    /// Takes a message of any kind but a registry, which changes what meter indices mean and so ends a step.
    pub fn take(&mut self, message: &Message<'_>, offset: Offset, effects: &mut Effects) {
        self.counts.messages += 1;
        let first = effects.readings.len();
        let mut partial = None;
        match message.kind {
            Kind::Mqtt => {
                partial = self.decoders.decode(message, offset, &mut effects.readings, &mut effects.rejects);
            }
            Kind::Modbus => {
                let meter = self.decoders.meter(message.topic);
                let outcome = modbus::decode::decode_message(
                    &self.registry,
                    meter,
                    message,
                    offset,
                    &mut effects.readings,
                );
                effects.rejects.extend(outcome.err());
            }
            Kind::Tick => self.tick(message.received, offset, effects),
            Kind::Command => match serde_json::from_slice(message.payload) {
                Ok(command) => effects.commands.push((offset, message.received, command)),
                Err(error) => effects.rejects.push(Reject::Command { why: error.to_string() }),
            },
            Kind::Registry => {}
        }
        self.counts.rejects += effects.rejects.len() as u64;
        for index in first..effects.readings.len() {
            if let Some(partial) = partial {
                self.merge.complete(partial, &mut effects.readings, index);
            }
            self.offer(index, effects);
        }
    }

    /// Puts another registry in force. What is known of sites and points that stay is carried over by their ids.
    pub fn take_registry(&mut self, registry: Registry, received: UtcMs) {
        let old = std::mem::replace(self, World::empty());
        let (now, since) = (old.now, old.now.max(received));
        let (mut merge, mut clocks) = (old.merge, old.clocks);
        merge.renumber(&old.registry, &registry);
        clocks.renumber(&old.registry, &registry);
        let mut new = World::over(Arc::new(registry), Vec::new(), merge, now, old.counts);
        new.clocks = clocks;
        new.counts.messages += 1;
        let mut old_judges: std::collections::HashMap<&str, (usize, SiteJudge)> =
            old.registry.sites.iter().map(|s| &*s.id).zip(old.judges.into_iter().enumerate()).collect();
        for (site, context) in new.registry.sites.iter().zip(&new.contexts) {
            let fresh = SiteJudge::new(site, context, since);
            let judge = match old_judges.remove(&*site.id) {
                Some((i, judge)) => {
                    judge.carry_over((&old.registry.sites[i], &old.contexts[i]), (site, context), fresh)
                }
                None => fresh,
            };
            new.judges.push(judge);
        }
        *self = new;
    }

    /// What must be saved to go on from here, compressed: the engine waits while it is written.
    ///
    /// # Errors
    /// The bytes cannot be made; only memory could be the reason.
    pub fn save(&self) -> Result<Vec<u8>, SaveError> {
        #[derive(Serialize)]
        struct Borrowed<'a>(&'a [SiteJudge], &'a Merge, UtcMs, Counts, &'a Clocks);
        let packer = zstd::Encoder::new(Vec::new(), COMPRESSION_LEVEL).map_err(SaveError::Packing)?;
        let packer = std::io::BufWriter::with_capacity(SAVE_BUFFER_BYTES, packer);
        let all = Borrowed(&self.judges, &self.merge, self.now, self.counts, &self.clocks);
        let packer = postcard::to_io(&all, packer).map_err(SaveError::Form)?;
        let packer = packer.into_inner().map_err(|error| SaveError::Packing(error.into_error()))?;
        packer.finish().map_err(SaveError::Packing)
    }

    /// Time passes for every site, and only so: the outcome depends on the messages, not on how they were batched.
    fn tick(&mut self, now: UtcMs, offset: Offset, effects: &mut Effects) {
        if now.since(self.now) > LISTENING_GAP_MS {
            let last = self.now;
            self.judges.iter_mut().for_each(|judge| judge.excuse(last, now));
        }
        self.now = self.now.max(now);
        let sites = self.registry.sites.iter().zip(&self.contexts).zip(&mut self.judges);
        for (index, ((site, context), judge)) in (0_u32..).zip(sites) {
            let to = self.now.plus(-i64::from(site.reorder_ms));
            judge.advance(site, context, to, &mut |finding| effects.findings.push((index, offset, finding)));
        }
    }

    /// Offers a decoded reading to the site it belongs to.
    fn offer(&mut self, index: usize, effects: &mut Effects) {
        self.counts.readings += 1;
        let head = effects.readings.heads()[index];
        if !may_judge(&head) {
            self.counts.unjudged += 1;
            return;
        }
        let Some((site, point)) = self.point_of.get(head.meter as usize).copied().flatten() else {
            self.counts.unassigned += 1;
            return;
        };
        let (rules, judge) = (&self.registry.sites[site as usize].rules, &self.judges[site as usize]);
        let findings = &mut effects.findings;
        self.clocks.take(&head, point, rules, || judge.last_of_meter(point), &mut |finding| {
            findings.push((site, head.offset, finding));
        });
        let stamp = Stamp {
            at: head.time,
            offset: head.offset,
            seq: head.seq,
            is_merged: head.quality.has(Quality::MERGED),
        };
        let limits = &self.contexts[site as usize].meters;
        let seen = Observation::of(point, stamp, effects.readings.values(&head), limits);
        if self.judges[site as usize].offer(seen) == Offer::Late {
            self.counts.late += 1;
            let head = &mut effects.readings.heads_mut()[index];
            head.quality = head.quality.with(Quality::LATE);
        }
    }

    /// Index of a meter, for tests and replays.
    #[must_use]
    pub fn meter(&self, id: &str) -> Option<MeterIdx> {
        self.decoders.meter(id)
    }
}

/// What a device itself doubts proves nothing, nor does a retained copy that does not say when it was measured.
fn may_judge(head: &Head) -> bool {
    let undated = head.quality.has(Quality::RETAINED) && head.quality.has(Quality::RECEIVE_TIME);
    !head.quality.has(Quality::DOUBTFUL) && !undated
}
