//! The same engine over what was recorded: a journal, or native messages from a file.

use crate::config::settings::History;
use crate::journal::frame;
use crate::journal::{JournalError, Reader};
use crate::model::mapping::{Decoder, Subscription};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::meter::{Input, Meter};
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::time::UtcMs;
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

/// History of a replay is thrown away with it.
const KEEP_ALL: History = History { days_max: u32::MAX, bytes_max: u64::MAX };

/// A replay of messages.
#[derive(Debug)]
pub struct Replay {
    engine: Engine,
    frames: Vec<u8>,
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
        registry.subscriptions.push(Subscription {
            broker: SOURCE.into(),
            pattern: SOURCE.into(),
            qos: 0,
            decoder: Decoder::Native,
        });
        speak(&mut registry.meters);
        let longest_ms = registry.sites.iter().map(|s| i64::from(s.reorder_ms) + i64::from(s.step_ms)).max();
        let engine = Engine::restore(store, Sinks::default(), KEEP_ALL)?;
        let mut replay = Replay {
            engine,
            frames: Vec::new(),
            first: 1,
            next: 1,
            now: None,
            reorder_ms: longest_ms.unwrap_or_default(),
        };
        let json =
            serde_json::to_vec(&registry).map_err(|source| EngineError::Registry { offset: 1, source })?;
        replay.push(Kind::Registry, from, &json)?;
        Ok(replay)
    }

    /// A native message that was received at `received`; messages come in the order of receipt.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn message(&mut self, received: UtcMs, payload: &[u8]) -> Result<(), EngineError> {
        self.pass(received)?;
        self.push(Kind::Mqtt, received, payload)
    }

    /// The end: what was received is judged, and no later moment.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn finish(mut self) -> Result<Engine, EngineError> {
        if let Some(now) = self.now {
            self.pass(now.plus(self.reorder_ms))?;
        }
        self.flush()?;
        self.engine.settle_past()?;
        Ok(self.engine)
    }

    fn pass(&mut self, to: UtcMs) -> Result<(), EngineError> {
        let mut now = self.now.unwrap_or(to);
        while now < to {
            now = now.plus(TICK_MS.min(to.since(now)));
            self.push(Kind::Tick, now, &[])?;
        }
        self.now = Some(now);
        Ok(())
    }

    fn push(&mut self, kind: Kind, received: UtcMs, payload: &[u8]) -> Result<(), EngineError> {
        let topic = if kind == Kind::Mqtt { SOURCE } else { "" };
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

/// Takes a whole journal into an empty store. Says after each row how far it is.
///
/// # Errors
/// The journal cannot be read or the store not be written.
pub fn journal(
    store: Store,
    reader: &mut Reader,
    mut told: impl FnMut(Offset),
) -> Result<Engine, EngineError> {
    let mut engine = Engine::restore(store, Sinks::default(), KEEP_ALL)?;
    if let Some(begin) = reader.begin().map_err(|source| EngineError::Journal { offset: 0, source })? {
        engine.begin_at(begin)?;
    }
    loop {
        let after = engine.taken();
        let at = |source: JournalError| EngineError::Journal { offset: after, source };
        let Some(batch) = reader.next(after).map_err(at)? else { return Ok(engine) };
        let last = batch.last();
        engine.step(batch.messages())?;
        told(last);
    }
}
