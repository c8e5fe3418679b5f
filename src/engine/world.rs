//! All the engine knows between two messages. Pure: messages in, effects out, the same every time.

use std::collections::HashMap;
use std::sync::Arc;

use super::book::Book;
use super::changes::{self, Enforced};
use super::effects::{Counts, Effects, Found, Passed};
use super::outcome::Outcome;
use super::past::advance::{Place, advance, advance_over_marks};
use super::past::late::LateBook;
use super::past::rejudge::{Rejudging, may_judge};
use super::past::version::SiteVersion;
use super::saved::{self, Borrowed, SaveError, Saved};
use crate::detection::meters::arrivals::Arrivals;
use crate::detection::meters::restart::Behind;
use crate::detection::observe::{Observation, Stamp};
use crate::detection::site::{Offer, SiteContext, SiteJudge};
use crate::model::message::{Kind, Message};
use crate::model::reading::{MeterIdx, Offset, Quality};
use crate::model::registry::Registry;
use crate::model::time::{MINUTE_MS, UtcMs};
use crate::sources::modbus;
use crate::sources::mqtt::decode::Decoders;
use crate::sources::mqtt::merge::Merge;
use crate::sources::reject::Reject;

/// Ticks come every second or so; where none came for this long, the daemon was not there to listen, ms.
const LISTENING_GAP_MS: i64 = 2 * MINUTE_MS;

/// Who changes what a configuration changes.
const CONFIG: &str = "config";

/// Registry, judges and what they need.
#[derive(Debug)]
pub struct World {
    pub(super) registry: Arc<Registry>,
    decoders: Decoders,
    pub(super) contexts: Vec<SiteContext>,
    pub(super) judges: Vec<SiteJudge>,
    /// By site: the message by which its configuration came, and the next moment at which its state is kept.
    pub(super) versions: Vec<Offset>,
    pub(super) marks: Vec<UtcMs>,
    /// Sites that late readings wait at, and the one that is being judged again.
    pub(super) late: LateBook,
    pub(super) past: Option<Box<Rejudging>>,
    /// Readings taken up to the last tick, and between the two last ones.
    readings_at_tick: u64,
    pub(super) n_since_tick: u64,
    /// By meter: the site and point it measures.
    point_of: Vec<Option<(u32, u16)>>,
    merge: Merge,
    arrivals: Arrivals,
    /// What was learned of sites: laid over the registry.
    pub(super) book: Book,
    pub(super) now: UtcMs,
    pub(super) counts: Counts,
    n_points: u32,
}

impl World {
    /// A world without sites, before the first message.
    #[must_use]
    pub fn empty() -> World {
        World::over(Arc::new(Registry::default()), Saved { now: UtcMs::MIN, ..Saved::default() })
    }

    /// A world restored from what [`save`](World::save) made.
    ///
    /// # Errors
    /// The bytes are not that.
    pub fn restore(registry: Arc<Registry>, saved: &[u8]) -> Result<World, SaveError> {
        let saved = saved::unpack(saved)?;
        Ok(World::over(registry, saved))
    }

    fn over(mut registry: Arc<Registry>, mut saved: Saved) -> World {
        if !saved.book.is_empty() {
            saved.book.lay_over(Arc::make_mut(&mut registry));
        }
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
            marks: vec![UtcMs::MIN; saved.judges.len()],
            judges: saved.judges,
            versions: saved.versions,
            late: saved.late,
            past: saved.past,
            readings_at_tick: saved.readings_at_tick,
            n_since_tick: 0,
            point_of,
            merge: saved.merge,
            arrivals: saved.arrivals,
            book: saved.book,
            now: saved.now,
            counts: saved.counts,
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

    /// Takes a message of any kind but a registry, which changes what meter indices mean and so ends a step. Says
    /// what became of it.
    pub fn take(&mut self, message: &Message<'_>, offset: Offset, effects: &mut Effects) -> Outcome {
        self.counts.messages += 1;
        let first = effects.readings.len();
        let mut partial = None;
        match message.kind {
            Kind::Mqtt => {
                let meters = &self.registry.meters;
                let out = (&mut effects.readings, &mut effects.rejects);
                partial = self.decoders.decode(meters, message, offset, out.0, out.1);
            }
            Kind::Modbus => {
                let meter = self.decoders.meter(&self.registry.meters, message.topic);
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
        Outcome::of(effects.readings.len() - first, effects.rejects.len())
    }

    /// Puts another registry in force. What is known of sites and points that stay is carried over by their ids. Returns
    /// the sites that are judged by something else now.
    pub fn take_registry(&mut self, registry: Registry, received: UtcMs, offset: Offset) -> Vec<Enforced> {
        let mut old = std::mem::replace(self, World::empty());
        let since = old.now.max(received);
        old.merge.renumber(&old.registry, &registry);
        old.arrivals.renumber(&old.registry, &registry);
        let kept = Saved {
            merge: old.merge,
            arrivals: old.arrivals,
            book: old.book,
            now: old.now,
            counts: old.counts,
            readings_at_tick: old.readings_at_tick,
            ..Saved::default()
        };
        let mut new = World::over(Arc::new(registry), kept);
        new.counts.messages += 1;
        let mut of_old: HashMap<&str, (usize, SiteJudge)> =
            old.registry.sites.iter().map(|s| &*s.id).zip(old.judges.into_iter().enumerate()).collect();
        let mut changed = Vec::new();
        let mut new_index = vec![None; old.registry.sites.len()];
        for (index, (site, context)) in (0_u32..).zip(new.registry.sites.iter().zip(&new.contexts)) {
            let fresh = SiteJudge::new(site, context, since);
            let (judge, version) = match of_old.remove(&*site.id) {
                Some((i, judge)) => {
                    new_index[i] = Some(index);
                    let was = &old.registry.sites[i];
                    let (before, now) =
                        (SiteVersion::of(&old.registry, was), SiteVersion::of(&new.registry, site));
                    if before == now {
                        (judge, old.versions[i])
                    } else {
                        let changes = changes::between(&before, &now, CONFIG);
                        changed.push(Enforced { index, judged: judge.judged(), changes });
                        (judge.carry_over((was, &old.contexts[i]), (site, context), fresh), offset)
                    }
                }
                None => {
                    changed.push(Enforced { index, judged: fresh.judged(), changes: Vec::new() });
                    (fresh, offset)
                }
            };
            new.judges.push(judge);
            new.versions.push(version);
        }
        new.marks = vec![UtcMs::MIN; new.judges.len()];
        let moved = |site: u32| new_index.get(site as usize).copied().flatten();
        old.late.renumber(moved);
        new.late = old.late;
        new.past = old.past.and_then(|mut past| {
            past.index = moved(past.index)?;
            Some(past)
        });
        *self = new;
        changed
    }

    /// The message by which the configuration of a site came.
    #[must_use]
    pub fn version(&self, site: u32) -> Offset {
        self.versions[site as usize]
    }

    /// Writes what must be saved to go on from here, compressed, and gives `out` back.
    ///
    /// # Errors
    /// It cannot be written; else only memory could be the reason.
    pub fn save<W: std::io::Write>(&self, out: W) -> Result<W, SaveError> {
        let all = Borrowed {
            judges: &self.judges,
            versions: &self.versions,
            late: &self.late,
            past: &self.past,
            readings_at_tick: self.readings_at_tick,
            merge: &self.merge,
            now: self.now,
            counts: self.counts,
            arrivals: &self.arrivals,
            book: &self.book,
        };
        saved::pack(&all, out)
    }

    /// Time passes for every site, and only so: the outcome depends on the messages, not on how they were batched.
    fn tick(&mut self, now: UtcMs, offset: Offset, effects: &mut Effects) {
        if now.since(self.now) > LISTENING_GAP_MS {
            let last = self.now;
            if !self.judges.is_empty() {
                effects.unheard.push((offset, last, now));
            }
            self.judges.iter_mut().for_each(|judge| judge.excuse(last, now));
        }
        self.now = self.now.max(now);
        self.n_since_tick = self.counts.readings - self.readings_at_tick;
        self.readings_at_tick = self.counts.readings;
        let judges = self.judges.iter_mut().zip(&mut self.marks);
        let sites = self.registry.sites.iter().zip(&self.contexts).zip(judges);
        for (index, ((site, context), (judge, mark))) in (0_u32..).zip(sites) {
            let to = self.now.plus(-i64::from(site.reorder_ms));
            if *mark <= to {
                let place = Place { index, by: offset, now: self.now };
                *mark = advance_over_marks(judge, (site, context), to, place, effects);
            }
            advance(judge, (site, context), to, (index, offset), effects);
        }
        effects.passed.push(Passed { n_findings: effects.findings.len(), by: offset, now: self.now });
    }

    /// Offers a decoded reading to the site it belongs to.
    fn offer(&mut self, index: usize, effects: &mut Effects) {
        self.counts.readings += 1;
        let head = effects.readings.heads()[index];
        if !may_judge(head.quality) {
            self.counts.unjudged += 1;
            return;
        }
        let Some((site, point)) = self.point_of.get(head.meter as usize).copied().flatten() else {
            self.counts.unassigned += 1;
            return;
        };
        let (own, judge) = (&self.registry.sites[site as usize], &self.judges[site as usize]);
        let context = &self.contexts[site as usize];
        let behind = context.meters.gateways[usize::from(point)];
        let gateway = context.gateways.get(usize::from(behind)).map_or("", |name| name);
        let place = (point, Behind { site: &own.id, index: behind, gateway });
        let findings = &mut effects.findings;
        self.arrivals.take(&head, place, &own.rules, || judge.last_of_meter(point), &mut |finding| {
            findings.push(Found { site, by: head.offset, said: 0, finding });
        });
        let stamp =
            Stamp { at: head.time, offset: head.offset, is_merged: head.quality.has(Quality::MERGED) };
        let seen = Observation::of(point, stamp, effects.readings.values(&head), &context.meters);
        if self.judges[site as usize].offer(seen) == Offer::Late {
            self.counts.late += 1;
            self.late.note(site, &head);
            let head = &mut effects.readings.heads_mut()[index];
            head.quality = head.quality.with(Quality::LATE);
        }
    }

    /// Site and point that a meter measures, by their indices.
    pub(super) fn point_of(&self, meter: &str) -> Option<(u32, u16)> {
        self.point_of.get(self.meter(meter)? as usize).copied().flatten()
    }

    /// Index of a meter, for tests and replays.
    #[must_use]
    pub fn meter(&self, id: &str) -> Option<MeterIdx> {
        self.decoders.meter(&self.registry.meters, id)
    }
}
