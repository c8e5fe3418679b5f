//! The same engine over what was recorded: a journal or a part of it, native messages, or readings as they were kept.

use crate::config::settings::History;
use crate::journal::frame;
use crate::journal::{JournalError, Reader};
use crate::model::command::Command;
use crate::model::exchange::Exchange;
use crate::model::mapping::{Decoder, Subscription};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::meter::{Input, Meter};
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::time::UtcMs;
use crate::sources::mqtt::kept::{self, Kept};
use crate::store::write::Store;

use super::error::EngineError;
use super::step::{Engine, Sinks};

/// Whatever a meter is read over, in a recording it speaks for itself; what Modbus said has its ratios applied already.
fn speak(meters: &mut [Meter]) {
    for meter in meters.iter_mut().filter(|m| matches!(m.input, Input::Modbus { .. })) {
        (meter.input, meter.ct, meter.pt) = (Input::Mqtt { device: None }, 1.0, 1.0);
    }
}

/// Messages in one step.
const N_STEP: u64 = 4_096;

/// Between two ticks of the replayed clock, ms: near enough that nobody seems to have stopped listening.
const TICK_MS: i64 = 30_000;

/// Source, and pattern, of replayed messages: site and meter are in the message itself.
const SOURCE: &str = "replay";

/// Pattern of messages with kept readings.
const KEPT: &str = "kept";

/// A message of kept readings is closed beyond this, bytes; the same moment goes on in another one.
const KEPT_BYTES: usize = 1 << 20;

/// History of a replay is thrown away with it.
const KEEP_ALL: History = History { days_max: u32::MAX, bytes_max: u64::MAX };

/// When a replay heard something for the first and the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// First receipt.
    pub first: UtcMs,
    /// Last receipt.
    pub last: UtcMs,
}

impl Heard {
    fn extend(heard: &mut Option<Heard>, at: UtcMs) {
        let known = heard.get_or_insert(Heard { first: at, last: at });
        (known.first, known.last) = (known.first.min(at), known.last.max(at));
    }
}

/// A replay of messages.
#[derive(Debug)]
pub struct Replay {
    engine: Engine,
    frames: Vec<u8>,
    /// Kept readings that were received at the same time.
    open: Vec<u8>,
    heard: Option<Heard>,
    first: Offset,
    next: Offset,
    now: Option<UtcMs>,
    reorder_ms: i64,
}

impl Replay {
    /// A replay into an empty store, judged by `registry`.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn begin(store: Store, registry: &Registry, from: UtcMs) -> Result<Replay, EngineError> {
        let mut registry = registry.clone();
        for (pattern, decoder) in [(SOURCE, Decoder::Native), (KEPT, Decoder::Kept)] {
            let (broker, pattern) = (SOURCE.into(), pattern.into());
            registry.subscriptions.push(Subscription { broker, pattern, qos: 0, decoder });
        }
        speak(&mut registry.meters);
        let longest_ms = registry.sites.iter().map(|s| i64::from(s.reorder_ms) + i64::from(s.step_ms)).max();
        let engine = Engine::restore(store, Sinks::default(), KEEP_ALL)?;
        let mut replay = Replay {
            engine,
            frames: Vec::new(),
            open: Vec::new(),
            heard: None,
            first: 1,
            next: 1,
            now: None,
            reorder_ms: longest_ms.unwrap_or_default(),
        };
        let packed = registry.pack().map_err(|source| EngineError::Registry { offset: 1, source })?;
        replay.push(Kind::Registry, "", from, &packed)?;
        Ok(replay)
    }

    /// A native message that was received at `received`; messages come in the order of receipt.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn message(&mut self, received: UtcMs, payload: &[u8]) -> Result<(), EngineError> {
        self.close()?;
        self.pass(received)?;
        Heard::extend(&mut self.heard, received);
        self.push(Kind::Mqtt, SOURCE, received, payload)
    }

    /// A reading as it was kept, received at `received`; readings come in the order of receipt. Its meter is one of the
    /// registry this replay was begun with.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn reading(&mut self, received: UtcMs, reading: &Kept<'_>) -> Result<(), EngineError> {
        if self.now != Some(received) || self.open.len() >= KEPT_BYTES {
            self.close()?;
            self.pass(received)?;
        }
        Heard::extend(&mut self.heard, received);
        kept::write(reading, &mut self.open);
        Ok(())
    }

    /// A meter that was exchanged. Told at the begin it is known before its moment is judged.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn exchange(&mut self, received: UtcMs, told: &Exchange) -> Result<(), EngineError> {
        let offset = self.next;
        let command = serde_json::to_vec(&Command::ExchangeMeter(told.clone()))
            .map_err(|source| EngineError::Registry { offset, source })?;
        self.push(Kind::Command, "", received, &command)
    }

    /// When something was heard so far; `None` if nothing was.
    #[must_use]
    pub fn heard(&self) -> Option<Heard> {
        self.heard
    }

    /// The end: what was received is judged, and no later moment.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn finish(self) -> Result<Engine, EngineError> {
        self.finish_at(UtcMs::MIN)
    }

    /// The end, where somebody listened up to `listened`, also if nothing came any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn finish_at(mut self, listened: UtcMs) -> Result<Engine, EngineError> {
        self.close()?;
        if let Some(now) = self.now {
            self.pass(now.max(listened).plus(self.reorder_ms))?;
        }
        self.flush()?;
        self.engine.settle_past()?;
        Ok(self.engine)
    }

    /// Sends the open message of kept readings, if there is one.
    fn close(&mut self) -> Result<(), EngineError> {
        let Some(now) = self.now.filter(|_| !self.open.is_empty()) else { return Ok(()) };
        let mut payload = std::mem::take(&mut self.open);
        let sent = self.push(Kind::Mqtt, KEPT, now, &payload);
        payload.clear();
        self.open = payload;
        sent
    }

    fn pass(&mut self, to: UtcMs) -> Result<(), EngineError> {
        let mut now = self.now.unwrap_or(to);
        while now < to {
            now = now.plus(TICK_MS.min(to.since(now)));
            self.push(Kind::Tick, "", now, &[])?;
        }
        self.now = Some(now);
        Ok(())
    }

    fn push(&mut self, kind: Kind, topic: &str, received: UtcMs, payload: &[u8]) -> Result<(), EngineError> {
        let message = Message { kind, delivery: Delivery::PLAIN, received, source: SOURCE, topic, payload };
        frame::write(&message, &mut self.frames);
        self.next += 1;
        if self.next - self.first >= N_STEP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        let mut rest = &self.frames[..];
        let mut offset = self.first;
        self.engine.step(std::iter::from_fn(|| {
            let (message, after) = frame::read(rest)?;
            rest = after;
            offset += 1;
            Some((offset - 1, message))
        }))?;
        self.frames.clear();
        self.first = self.next;
        Ok(())
    }
}

/// A part of a journal, and what to judge it by.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Messages received before this are passed over, but for the registries among them.
    pub from: Option<UtcMs>,
    /// Messages received from here on are passed over.
    pub to: Option<UtcMs>,
    /// Decodes and judges everything instead of the registries in the journal.
    pub registry: Option<Registry>,
}

impl Part {
    fn holds(&self, received: UtcMs) -> bool {
        self.from.is_none_or(|from| received >= from) && self.to.is_none_or(|to| received < to)
    }
}

/// Takes a whole journal into an empty store. Says after each row how far it is.
///
/// # Errors
/// The journal cannot be read or the store not be written.
pub fn journal(store: Store, reader: &mut Reader, told: impl FnMut(Offset)) -> Result<Engine, EngineError> {
    part_of_journal(store, reader, &Part::default(), told).map(|(engine, _)| engine)
}

/// Takes a part of a journal into an empty store; tells beside it when its messages were received.
///
/// # Errors
/// The journal cannot be read or the store not be written.
pub fn part_of_journal(
    store: Store,
    reader: &mut Reader,
    part: &Part,
    mut told: impl FnMut(Offset),
) -> Result<(Engine, Option<Heard>), EngineError> {
    let own = part.registry.as_ref().map(Registry::pack).transpose();
    let own = own.map_err(|source| EngineError::Registry { offset: 0, source })?;
    // The first registry there is gives its place to our own, and no other comes after it.
    let mut is_placed = false;
    let mut engine = Engine::restore(store, Sinks::default(), KEEP_ALL)?;
    let begin = reader.begin().map_err(|source| EngineError::Journal { offset: 0, source })?;
    if let Some(mut begin) = begin {
        if let (Some(kept), Some(packed)) = (&mut begin.registry, &own) {
            kept.packed.clone_from(packed);
            is_placed = true;
        }
        engine.begin_at(begin)?;
    }
    let mut heard = None;
    let mut after = engine.taken();
    loop {
        let at = |source: JournalError| EngineError::Journal { offset: after, source };
        let Some(batch) = reader.next(after).map_err(at)? else { return Ok((engine, heard)) };
        let last = batch.last();
        let mut first_received = None;
        let wanted = batch.messages().filter_map(|(offset, message)| {
            first_received.get_or_insert(message.received);
            if message.kind != Kind::Registry {
                let is_wanted = part.holds(message.received);
                return is_wanted.then(|| {
                    Heard::extend(&mut heard, message.received);
                    (offset, message)
                });
            }
            let Some(packed) = &own else { return Some((offset, message)) };
            let is_first = !std::mem::replace(&mut is_placed, true);
            is_first.then_some((offset, Message { payload: packed, ..message }))
        });
        engine.step(wanted)?;
        after = last;
        told(last);
        let is_over = first_received.zip(part.to).is_some_and(|(first, to)| first >= to);
        if is_over {
            return Ok((engine, heard));
        }
    }
}
