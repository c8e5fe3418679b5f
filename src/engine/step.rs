//! One step: messages through the world, what follows from them into the store, cursor and all, in one transaction.

use std::iter::Peekable;

use crate::alerts::alert::{self, Acknowledgement, Alert};
use crate::alerts::finding::{AlertFinding, Change};
use crate::config::settings::History as HistorySettings;
use crate::detection::finding::Finding;
use crate::history;
use crate::journal::read::Begin;
use crate::model::command::Command;
use crate::model::message::{Kind, Message};
use crate::model::meter::Meter;
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::store::error::StoreError;
use crate::store::queue::{self, Entry};
use crate::store::write::{Store, Transaction};

use super::effects::{Counts, Effects};
use super::restore;
use super::world::{SaveError, World};

/// Why the engine cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error("the engine's store failed at message {offset}")]
    Store {
        /// The message at which it happened.
        offset: Offset,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// History failed.
    #[error("readings up to message {offset} cannot be written to history")]
    History {
        /// The message at which it happened.
        offset: Offset,
        /// Why.
        #[source]
        source: history::HistoryError,
    },
    /// The state cannot be packed.
    #[error("the engine's state after message {offset} cannot be packed")]
    Snapshot {
        /// The last message in it.
        offset: Offset,
        /// Why.
        #[source]
        source: SaveError,
    },
    /// A journaled registry cannot be read.
    #[error("the registry in message {offset} cannot be read")]
    Registry {
        /// The message.
        offset: Offset,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The journal cannot be read.
    #[error("the journal cannot be read after message {offset}")]
    Journal {
        /// The last message read.
        offset: Offset,
        /// Why.
        #[source]
        source: crate::journal::JournalError,
    },
}

/// Where results go beside the store.
#[derive(Clone, Debug, Default)]
pub struct Sinks {
    /// Names of the outbox sinks that get everything: `influx`.
    pub outbox: Vec<String>,
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
    /// The last message taken.
    taken: Offset,
    /// A restart begins after this one.
    saved: Offset,
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
        let mut engine = Engine {
            world,
            store,
            sinks,
            keep,
            meter_keys: Vec::new(),
            effects: Effects::default(),
            taken,
            saved: taken,
            muted_until: cursor,
        };
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
        if let Some(kept) = registry.filter(|kept| kept.offset > self.taken) {
            self.world.take_registry(parse(kept.offset, &kept.json)?, kept.received);
            if after > self.muted_until {
                let tx = self.store.begin().map_err(at)?;
                tx.put_registry(kept.offset, &kept.json).map_err(at)?;
                tx.commit(after).map_err(at)?;
            }
        }
        self.taken = after;
        self.number_meters()
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
        let mut step = Step {
            tx,
            world: &mut self.world,
            effects: &mut self.effects,
            sinks: &self.sinks,
            meter_keys: &mut self.meter_keys,
        };
        for (offset, message) in messages {
            self.taken = offset;
            step.take(offset, &message)?;
        }
        step.write(self.taken)?;
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
                self.world.take_registry(parse(offset, message.payload)?, message.received);
                renumber = true;
            } else {
                self.world.take(&message, offset, &mut self.effects);
            }
            self.effects.clear();
        }
        if renumber { self.number_meters() } else { Ok(()) }
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
        let body = self.world.save().map_err(|source| EngineError::Snapshot { offset, source })?;
        let counts = serde_json::to_string(&self.world.counts()).unwrap_or_default();
        self.store.wait_for_disk(true).map_err(at)?;
        let tx = self.store.begin().map_err(at)?;
        tx.put_snapshot(offset, &body).map_err(at)?;
        tx.put_meta(restore::LAYOUT_KEY, restore::LAYOUT).map_err(at)?;
        tx.put_meta("counts", counts).map_err(at)?;
        tx.put_meta("now_ms", self.world.now().0).map_err(at)?;
        tx.commit(offset).map_err(at)?;
        self.store.wait_for_disk(false).map_err(at)?;
        self.saved = offset;
        Ok(offset)
    }

    /// Folds readings into their blocks and lets go of what is too old, a bounded piece of work; true if more is left.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn fold(&mut self) -> Result<bool, EngineError> {
        let offset = self.taken;
        let at = |source| EngineError::Store { offset, source };
        let tx = self.store.begin().map_err(at)?;
        let named_from = queue::oldest_row(tx.conn()).map_err(at)?;
        let now = self.world.now();
        let work = || -> Result<bool, history::HistoryError> {
            let folded = history::fold::fold(tx.conn(), now, named_from)?;
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

/// Messages on their way into an open transaction.
struct Step<'a> {
    tx: Transaction<'a>,
    world: &'a mut World,
    effects: &'a mut Effects,
    sinks: &'a Sinks,
    meter_keys: &'a mut Vec<u32>,
}

impl Step<'_> {
    fn take(&mut self, offset: Offset, message: &Message<'_>) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset, source };
        if message.kind == Kind::Registry {
            // What was decoded so far names meters by the old registry's indices.
            self.write(offset)?;
            self.world.take_registry(parse(offset, message.payload)?, message.received);
            self.tx.put_registry(offset, message.payload).map_err(at)?;
            *self.meter_keys = meter_keys(&self.tx, self.world.registry(), offset)?;
            return Ok(());
        }
        self.world.take(message, offset, self.effects);
        for reject in self.effects.rejects.drain(..) {
            self.tx.put_reject(message, offset, reject.code(), &reject.to_string()).map_err(at)?;
        }
        Ok(())
    }

    /// Writes all effects so far.
    fn write(&mut self, offset: Offset) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset, source };
        if !self.effects.readings.is_empty() {
            let row = history::batch::append(self.tx.conn(), &self.effects.readings, self.meter_keys)
                .map_err(|source| EngineError::History { offset, source })?;
            self.push(offset, &Entry::Readings { row })?;
        }
        for (site, by, finding) in std::mem::take(&mut self.effects.findings) {
            match finding {
                Finding::State { point, at: since, state } => {
                    self.write_state(site, point, by, since, state)?
                }
                Finding::Alert(change) => self.write_alert(site, by, &change)?,
            }
        }
        for (by, received, command) in std::mem::take(&mut self.effects.commands) {
            let Command::Acknowledge { alert, who, note } = command;
            let Some(mut alert) = self.tx.alert(&alert).map_err(at)? else {
                tracing::warn!(alert, "An alert that does not exist was acknowledged");
                continue;
            };
            let by_whom = Acknowledgement { who: who.into(), at: received, note: note.into() };
            alert.acknowledge(by_whom, by);
            self.put_alert(&alert, by)?;
        }
        self.effects.clear();
        Ok(())
    }

    fn write_state(
        &mut self,
        site: u32,
        point: u16,
        by: Offset,
        since: UtcMs,
        state: State,
    ) -> Result<(), EngineError> {
        let site = &self.world.registry().sites[site as usize];
        let point = &site.points[usize::from(point)];
        self.tx
            .put_state((&site.id, &point.id), state, since, by)
            .map_err(|source| EngineError::Store { offset: by, source })?;
        let entry =
            Entry::State { site: site.id.clone(), point: point.id.clone(), kind: point.kind, state, since };
        self.push(by, &entry)
    }

    fn write_alert(&mut self, site: u32, by: Offset, change: &AlertFinding) -> Result<(), EngineError> {
        let gateways = &self.world.context(site).gateways;
        let site = &self.world.registry().sites[site as usize];
        let alert = if change.change == Change::Raised {
            Alert::raise(site, gateways, change, by)
        } else {
            let (kind, subject) = alert::subject_names(site, gateways, change.subject);
            let id = alert::identity(&site.id, change.rule, kind, &subject, change.first);
            let known = self.tx.alert(&id).map_err(|source| EngineError::Store { offset: by, source })?;
            // A process that was renamed while its alert was open goes on under the name it has now.
            let mut alert = known.unwrap_or_else(|| Alert::raise(site, gateways, change, by));
            alert.apply(site, change, by);
            alert
        };
        self.put_alert(&alert, by)
    }

    fn put_alert(&mut self, alert: &Alert, by: Offset) -> Result<(), EngineError> {
        self.tx.put_alert(alert, by).map_err(|source| EngineError::Store { offset: by, source })?;
        self.push(by, &Entry::Alert(Box::new(alert.clone())))
    }

    fn push(&self, offset: Offset, entry: &Entry) -> Result<(), EngineError> {
        for sink in &self.sinks.outbox {
            queue::push(self.tx.conn(), sink, entry)
                .map_err(|source| EngineError::Store { offset, source })?;
        }
        Ok(())
    }
}

fn parse(offset: Offset, payload: &[u8]) -> Result<Registry, EngineError> {
    serde_json::from_slice(payload).map_err(|source| EngineError::Registry { offset, source })
}

fn meter_keys(tx: &Transaction<'_>, registry: &Registry, offset: Offset) -> Result<Vec<u32>, EngineError> {
    let key = |meter: &Meter| history::meters::key(tx.conn(), &meter.id);
    let keys: Result<Vec<u32>, _> = registry.meters.iter().map(key).collect();
    keys.map_err(|source| EngineError::History { offset, source })
}
