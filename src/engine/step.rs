//! One step: messages through the world, what follows from them into the store, cursor and all, in one transaction.

use std::iter::Peekable;

use crate::config::settings::History as HistorySettings;
use crate::history::{self, HistoryError};
use crate::journal::read::Begin;
use crate::model::by_source::BySource;
use crate::model::message::{Kind, Message};
use crate::model::reading::Offset;
use crate::model::time::UtcMs;
use crate::store::learned;
use crate::store::queue;
use crate::store::write::Store;

use super::audience::{self, Audience, Subscriber};
use super::effects::{Counts, Effects};
use super::error::EngineError;
use super::layout;
use super::outcome::Outcomes;
use super::past::pace::Allowance;
use super::restore;
use super::suppress;
use super::world::World;
use super::write::{Step, meter_keys, parse};

/// A bounded piece of folding: the time now, and from which row on rows stay.
type Fold = fn(&rusqlite::Connection, UtcMs, Option<i64>) -> Result<bool, HistoryError>;

/// Where results go beside the store.
#[derive(Clone, Debug, Default)]
pub struct Sinks {
    /// Names of the outbox sinks that get everything: `influx`.
    pub outbox: Vec<String>,
    /// Who is told of alerts.
    pub notices: Vec<Subscriber>,
    /// Somebody new is told of nothing that the journal held up to this message, but of what stands after it: what was
    /// told is not known where the store is made anew.
    pub notices_after: Offset,
}

/// World and store, in step.
#[derive(Debug)]
pub struct Engine {
    world: World,
    store: Store,
    sinks: Sinks,
    keep: HistorySettings,
    meter_keys: Vec<u32>,
    effects: Effects,
    /// Who is told of alerts, once something is to be written.
    audience: Option<Audience>,
    /// What became of all messages up to the store's cursor; moves with it.
    outcomes: BySource<Outcomes>,
    /// The last message taken.
    taken: Offset,
    /// A restart begins after this one.
    saved: Offset,
    /// The time there.
    saved_now: UtcMs,
    /// Up to here everything is in the store already: what is taken is not written again.
    muted_until: Offset,
}

impl Engine {
    /// The engine as the store left it. Messages after [`taken`](Engine::taken) come next; those up to the store's
    /// cursor are taken with their output muted.
    ///
    /// # Errors
    /// The store or the state saved in it cannot be read.
    pub fn restore(store: Store, sinks: Sinks, keep: HistorySettings) -> Result<Engine, EngineError> {
        let at = |offset| move |source| EngineError::Store { offset, source };
        let cursor = store.cursor().map_err(at(0))?;
        let (world, taken) = restore::world(&store).map_err(at(cursor))?;
        let outcomes = restore::outcomes(&store).map_err(at(cursor))?;
        let mut engine = Engine {
            world,
            store,
            sinks,
            keep,
            meter_keys: Vec::new(),
            effects: Effects::default(),
            audience: None,
            outcomes,
            taken,
            saved: taken,
            saved_now: UtcMs::MIN,
            muted_until: cursor,
        };
        engine.saved_now = engine.world.now();
        engine.number_meters()?;
        Ok(engine)
    }

    /// Begins where the journal does, if that is behind what was taken: its rows before were removed.
    ///
    /// # Errors
    /// The registry in force there cannot be read, or the store cannot be written.
    pub fn begin_at(&mut self, begin: Begin) -> Result<(), EngineError> {
        let Begin { after, registry } = begin;
        if after <= self.taken {
            return Ok(());
        }
        tracing::warn!(
            taken = self.taken,
            begins_after = after,
            registry = registry.as_ref().map(|kept| kept.offset),
            "The journal no longer holds the messages that would come next; the engine begins where the journal does."
        );
        let at = |source| EngineError::Store { offset: after, source };
        if self.taken == 0 {
            // The commands it came by may be gone with the journal's begin.
            let pages = learned::pages(self.store.conn(), None).map_err(at)?;
            let known = |(site, body): (String, String)| Some((site, serde_json::from_str(&body).ok()?));
            self.world.remember(pages.into_iter().filter_map(known).collect());
        }
        if let Some(kept) = registry.filter(|kept| kept.offset > self.taken) {
            self.world.take_registry(parse(kept.offset, &kept.packed)?, kept.received, kept.offset);
            if after > self.muted_until {
                let tx = self.store.begin().map_err(at)?;
                tx.put_registry(kept.offset, &kept.packed).map_err(at)?;
                suppress::commission(tx.conn(), self.world.registry(), kept.received, kept.offset)
                    .map_err(at)?;
                tx.commit(after).map_err(at)?;
            }
        }
        self.taken = after;
        self.number_meters()
    }

    /// What is left when it is killed.
    #[cfg(test)]
    pub(super) fn into_store(self) -> Store {
        self.store
    }

    /// The last message taken.
    #[must_use]
    pub fn taken(&self) -> Offset {
        self.taken
    }

    /// Whether what comes next is in the store already and only taken again.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.taken < self.muted_until
    }

    /// The last message whose results are in the store.
    #[must_use]
    pub fn cursor(&self) -> Offset {
        self.muted_until.max(self.taken)
    }

    /// What became of all messages up to the [`cursor`](Engine::cursor), by source.
    #[must_use]
    pub fn outcomes(&self) -> &BySource<Outcomes> {
        &self.outcomes
    }

    /// What has been counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.world.counts()
    }

    /// All that is known now.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Takes messages as the journal gives them and writes what follows from them, in one transaction. Those that were
    /// taken before are passed over; those up to the store's cursor are taken with their output muted.
    ///
    /// # Errors
    /// The store cannot be written, or a registry in the journal cannot be read. Nothing of the step is kept then; the
    /// engine must be restored before it goes on.
    pub fn step<'a>(
        &mut self,
        messages: impl Iterator<Item = (Offset, Message<'a>)>,
    ) -> Result<(), EngineError> {
        let taken = self.taken;
        let mut messages = messages.skip_while(|(offset, _)| *offset <= taken).peekable();
        self.take_muted(&mut messages)?;
        let Some((first, _)) = messages.peek() else { return Ok(()) };
        let at = |offset| move |source| EngineError::Store { offset, source };
        let tx = self.store.begin().map_err(at(*first))?;
        let audience = match &mut self.audience {
            Some(audience) => audience,
            none => {
                let after = self.taken.max(self.sinks.notices_after);
                none.insert(audience::adopt(tx.conn(), &self.sinks.notices, after).map_err(at(*first))?)
            }
        };
        let mut step = Step {
            tx,
            world: &mut self.world,
            effects: &mut self.effects,
            sinks: &self.sinks.outbox,
            audience,
            meter_keys: &mut self.meter_keys,
            outcomes: &mut self.outcomes,
            saved_now: self.saved_now,
        };
        for (offset, message) in messages {
            self.taken = offset;
            step.take(offset, &message)?;
        }
        step.write(self.taken)?;
        let outcomes = serde_json::to_string(step.outcomes).unwrap_or_default();
        step.tx.put_meta(layout::OUTCOMES_KEY, outcomes).map_err(at(self.taken))?;
        step.tx.commit(self.taken).map_err(at(self.taken))
    }

    /// What was written before is taken again for the world's sake alone.
    fn take_muted<'a>(
        &mut self,
        messages: &mut Peekable<impl Iterator<Item = (Offset, Message<'a>)>>,
    ) -> Result<(), EngineError> {
        let muted_until = self.muted_until;
        let mut renumber = false;
        while let Some((offset, message)) = messages.next_if(|(offset, _)| *offset <= muted_until) {
            self.taken = offset;
            if message.kind == Kind::Registry {
                self.world.take_registry(parse(offset, message.payload)?, message.received, offset);
                renumber = true;
            } else {
                self.world.take(&message, offset, &mut self.effects);
            }
            if let Some((_, received, command)) =
                self.effects.commands.pop_if(|(_, _, c)| c.changes_judging())
            {
                self.world.adopt(&command, received, offset);
            }
            self.effects.clear();
            if message.kind == Kind::Tick
                && let Some(allowance) = self.world.past_at_tick()
            {
                self.judge_past_muted(offset, allowance)?;
            }
        }
        if renumber { self.number_meters() } else { Ok(()) }
    }

    /// What was written of a past that was judged again stands; only the world comes to the same once more.
    fn judge_past_muted(&mut self, offset: Offset, mut allowance: Allowance) -> Result<(), EngineError> {
        let past = |source| EngineError::Past { offset, source };
        let conn = self.store.conn();
        while self.world.judge_past(conn, offset, &mut allowance, &mut |_, _| Ok(())).map_err(past)?.is_some()
        {
        }
        Ok(())
    }

    /// Judges all past again that late readings have come for, whether or not more may come: the end of a replay.
    ///
    /// # Errors
    /// As [`step`](Engine::step).
    pub fn settle_past(&mut self) -> Result<(), EngineError> {
        let offset = self.taken;
        let at = |source| EngineError::Store { offset, source };
        // Nobody is told of what a replay finds.
        let mut audience = Audience::new();
        while let Some(allowance) = self.world.past_at_the_end() {
            let tx = self.store.begin().map_err(at)?;
            let mut step = Step {
                tx,
                world: &mut self.world,
                effects: &mut self.effects,
                sinks: &self.sinks.outbox,
                audience: &mut audience,
                meter_keys: &mut self.meter_keys,
                outcomes: &mut self.outcomes,
                saved_now: self.saved_now,
            };
            step.judge_past(offset, allowance)?;
            step.tx.commit(offset).map_err(at)?;
        }
        Ok(())
    }

    /// Saves the world, so that a restart begins here; not while muted, since what the store says is ahead of the world.
    /// Returns the message after which a restart begins, for good: the snapshot is on disk.
    ///
    /// # Errors
    /// The state cannot be packed or the store cannot be written.
    pub fn save(&mut self) -> Result<Offset, EngineError> {
        let offset = self.taken;
        if self.is_muted() {
            return Ok(self.saved);
        }
        let at = |source| EngineError::Store { offset, source };
        let counts = serde_json::to_string(&self.world.counts()).unwrap_or_default();
        self.store.wait_for_disk(true).map_err(at)?;
        let tx = self.store.begin().map_err(at)?;
        let mut writer = tx.put_snapshot(offset).map_err(at)?;
        let saved = self.world.save(&mut writer).map(|_| ());
        // What the store says goes first: that the state could not be written follows from it.
        writer.finish().map_err(at)?;
        saved.map_err(|source| EngineError::Snapshot { offset, source })?;
        tx.put_meta(layout::LAYOUT_KEY, layout::LAYOUT).map_err(at)?;
        tx.put_meta("counts", counts).map_err(at)?;
        tx.put_meta("now_ms", self.world.now().0).map_err(at)?;
        tx.commit(offset).map_err(at)?;
        self.store.wait_for_disk(false).map_err(at)?;
        self.saved = offset;
        self.saved_now = self.world.now();
        Ok(offset)
    }

    /// Folds readings into their blocks and lets go of what is too old, a bounded piece of work; true if more is left.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn fold(&mut self) -> Result<bool, EngineError> {
        self.fold_by(history::fold::fold)
    }

    /// The part of it that must not wait while there is much to take.
    ///
    /// # Errors
    /// As [`fold`](Engine::fold).
    pub fn fold_in_haste(&mut self) -> Result<bool, EngineError> {
        self.fold_by(history::fold::fold_in_haste)
    }

    fn fold_by(&mut self, piece: Fold) -> Result<bool, EngineError> {
        let offset = self.taken;
        let at = |source| EngineError::Store { offset, source };
        let tx = self.store.begin().map_err(at)?;
        let named_from = queue::oldest_row(tx.conn()).map_err(at)?;
        let now = self.world.now();
        let work = || -> Result<bool, HistoryError> {
            let folded = piece(tx.conn(), now, named_from)?;
            let keep = history::Retention { days_max: self.keep.days_max, bytes_max: self.keep.bytes_max };
            Ok(history::retain(tx.conn(), keep, now)? | folded)
        };
        let more = work().map_err(|source| EngineError::History { offset, source })?;
        tx.commit(self.muted_until.max(offset)).map_err(at)?;
        Ok(more)
    }

    fn number_meters(&mut self) -> Result<(), EngineError> {
        let offset = self.taken;
        let at = |source| EngineError::Store { offset, source };
        let tx = self.store.begin().map_err(at)?;
        self.meter_keys = meter_keys(&tx, self.world.registry(), offset)?;
        tx.commit(self.muted_until.max(offset)).map_err(at)
    }
}
