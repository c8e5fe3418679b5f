//! A session with one broker: connects, subscribes, appends to the journal, acknowledges what is on disk.
//!
//! - A message is acknowledged once the journal has it on disk, in order, on the connection it came by and on no other.
//! - Above the bound of unacknowledged messages, or when the journal has no room, the socket is not read: the broker keeps
//!   what it has. Pings go on meanwhile.
//! - A larger message than `packet_bytes_max` is kept with its bytes, marked, and not decoded; it is acknowledged like any
//!   other, or the broker would send it for ever. Of one that not even the journal can take (16 MiB) the begin is kept.
//! - Whatever happens to the connection, the session goes on; only the journal's end ends it.

use std::pin::Pin;
use std::time::Duration;

use rumqttc::{Packet, Publish, SubAck};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::intake::Intake;
use super::options::{OptionsError, options};
use super::status::BrokerStatus;
use super::subscribing::Subscribing;
use super::wire::{Wire, WireError};
use crate::config::settings::Broker;
use crate::journal::{AppendError, Journal};
use crate::model::reading::Offset;
use crate::model::time::{Clock, UtcMs};
use crate::sources::backoff::Backoff;

/// First pause after a lost connection.
const BACKOFF_BASE: Duration = Duration::from_millis(500);

/// A connection that stood so long was a good one: the next pause is the first again.
const GOOD_AFTER: Duration = Duration::from_secs(10);

/// Between two looks at silence and at what is to be asked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// An ordered stop waits so long for the last messages to be on disk and acknowledged.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The broker's settings cannot be used at all.
    #[error("broker {broker} cannot be set up")]
    Setup {
        /// Its name.
        broker: String,
        /// Why.
        #[source]
        source: OptionsError,
    },
    /// The journal takes nothing any more.
    #[error("messages of broker {broker} cannot be journaled")]
    Journal {
        /// Its name.
        broker: String,
        /// Why.
        #[source]
        source: AppendError,
    },
}

type Stopped<'a> = Pin<&'a mut WaitForCancellationFutureOwned>;

/// How a stretch of work ended.
enum End {
    /// It was asked to.
    Stop,
    /// The connection is gone.
    Lost(WireError),
}

/// Follows `broker` until `stop`.
///
/// # Errors
/// The journal is closed or broken, or the settings cannot be used. Trouble with the connection is no error.
pub async fn run(
    broker: Broker,
    subscriptions: Vec<(String, u8)>,
    journal: Journal,
    clock: Clock,
    status: watch::Sender<BrokerStatus>,
    stop: CancellationToken,
) -> Result<(), SessionError> {
    let options =
        options(&broker).map_err(|source| SessionError::Setup { broker: broker.name.to_string(), source })?;
    let keep_alive = options.keep_alive();
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let session = Session {
        wire: Wire::new(options),
        subscribing: Subscribing::new(subscriptions, broker.backoff_max),
        durable: journal.durable(),
        ping: pings(keep_alive),
        look,
        keep_alive,
        heard: Instant::now(),
        intake: Intake::new(&broker, journal),
        broker,
        clock,
        status,
    };
    session.run(stop).await
}

/// A ping well before the broker loses patience, which is after one and a half of `keep_alive`.
fn pings(keep_alive: Duration) -> Interval {
    let every = keep_alive.mul_f32(0.75);
    let mut pings = interval_at(Instant::now() + every, every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}

struct Session {
    broker: Broker,
    intake: Intake,
    clock: Clock,
    status: watch::Sender<BrokerStatus>,
    wire: Wire,
    subscribing: Subscribing,
    durable: watch::Receiver<Offset>,
    ping: Interval,
    look: Interval,
    keep_alive: Duration,
    /// When the last message came, or the connection was made.
    heard: Instant,
}

impl Session {
    async fn run(mut self, stop: CancellationToken) -> Result<(), SessionError> {
        let mut stopped = std::pin::pin!(stop.cancelled_owned());
        let mut backoff = Backoff::new(BACKOFF_BASE, self.broker.backoff_max);
        loop {
            let end = match self.connect(stopped.as_mut()).await {
                Ok(()) => {
                    let begun = Instant::now();
                    let end = self.serve(stopped.as_mut()).await?;
                    if begun.elapsed() >= GOOD_AFTER {
                        backoff.reset();
                    }
                    end
                }
                Err(end) => end,
            };
            let End::Lost(error) = end else { return self.say_goodbye().await };
            let pause = backoff.next();
            self.lost(&error, pause)?;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped.as_mut() => return self.say_goodbye().await,
            }
        }
    }

    async fn connect(&mut self, stopped: Stopped<'_>) -> Result<(), End> {
        let answer = tokio::select! {
            answer = self.wire.connect() => answer.map_err(End::Lost)?,
            () = stopped => return Err(End::Stop),
        };
        self.subscribing.connected(Instant::now());
        self.look.reset_immediately();
        self.heard = Instant::now();
        self.ping = pings(self.keep_alive);
        let since = self.clock.now();
        let mut generation = 0;
        self.show(|s| {
            s.generation += 1;
            (s.connected, s.since, s.silent, s.subscribed) = (true, Some(since), false, false);
            s.refused.clear();
            generation = s.generation;
        });
        let (broker, kept) = (&*self.broker.name, answer.session_present);
        tracing::info!(broker, generation, session_kept = kept, "Connected to the broker.");
        if !kept && !self.broker.clean_session && generation > 1 {
            tracing::warn!(broker, "The broker has forgotten the session: what came meanwhile may be lost.");
        }
        Ok(())
    }

    /// Reads and acknowledges until the connection is lost or `stopped`.
    async fn serve(&mut self, mut stopped: Stopped<'_>) -> Result<End, SessionError> {
        loop {
            if let Err(end) = self.wait_for_room(stopped.as_mut()).await {
                return Ok(end);
            }
            let outcome = tokio::select! {
                biased;
                () = stopped.as_mut() => return Ok(End::Stop),
                Ok(()) = self.durable.changed() => Ok(()),
                now = self.look.tick() => self.look_around(now).await,
                _ = self.ping.tick() => self.wire.ping(true).await,
                outcome = self.wire.read() => outcome,
            };
            // What was read before the connection was lost is taken all the same.
            let taken = self.take_all(stopped.as_mut()).await?;
            if let Err(error) = outcome {
                return Ok(End::Lost(error));
            }
            if let Err(end) = taken {
                return Ok(end);
            }
            if let Err(error) = self.acknowledge().await {
                return Ok(End::Lost(error));
            }
        }
    }

    /// Takes every packet that was read.
    async fn take_all(&mut self, mut stopped: Stopped<'_>) -> Result<Result<(), End>, SessionError> {
        let mut received = None;
        while let Some(packet) = self.wire.next() {
            match packet {
                Packet::Publish(publish) => {
                    let at = *received.get_or_insert_with(|| self.clock.now());
                    while !self.take(&publish, at)? {
                        if let Err(end) = self.wait_for_room(stopped.as_mut()).await {
                            self.wire.put_back(publish);
                            return Ok(Err(end));
                        }
                    }
                }
                Packet::SubAck(answer) => self.answered(&answer),
                _ => {}
            }
        }
        if let Some(at) = received {
            self.heard = Instant::now();
            self.show(|s| {
                s.last_message = Some(at);
                if std::mem::take(&mut s.silent) {
                    tracing::info!(broker = &*self.broker.name, "Messages come again.");
                }
            });
        }
        Ok(Ok(()))
    }

    fn take(&mut self, publish: &Publish, received: UtcMs) -> Result<bool, SessionError> {
        let broker = || self.broker.name.to_string();
        self.intake
            .take(publish, received)
            .map_err(|source| SessionError::Journal { broker: broker(), source })
    }

    /// Lets others see the counts and what `change` changes.
    fn show(&self, change: impl FnOnce(&mut BrokerStatus)) {
        self.status.send_modify(|s| {
            s.counts = self.intake.counts;
            s.unacknowledged = self.intake.unacknowledged.len() as u64;
            change(s);
        });
    }

    /// Waits, without reading the socket, until a message may be taken.
    async fn wait_for_room(&mut self, mut stopped: Stopped<'_>) -> Result<(), End> {
        tokio::select! {
            biased;
            () = self.intake.journal.room(), if !self.intake.is_bound() => return Ok(()),
            () = std::future::ready(()) => {}
        }
        self.show(|s| s.held_back = true);
        loop {
            tokio::select! {
                biased;
                () = stopped.as_mut() => return Err(End::Stop),
                () = self.intake.journal.room(), if !self.intake.is_bound() => break,
                Ok(()) = self.durable.changed() => self.acknowledge().await.map_err(End::Lost)?,
                _ = self.ping.tick() => self.wire.ping(false).await.map_err(End::Lost)?,
            }
        }
        self.show(|s| s.held_back = false);
        Ok(())
    }

    /// Acknowledges what is on disk by now.
    async fn acknowledge(&mut self) -> Result<(), WireError> {
        let durable = *self.durable.borrow_and_update();
        let n = self.wire.acknowledge(|| self.intake.unacknowledged.due(durable)).await?;
        if n > 0 {
            self.intake.counts.acknowledged += n;
            self.show(|_| {});
        }
        Ok(())
    }

    async fn look_around(&mut self, now: Instant) -> Result<(), WireError> {
        if let Some(filters) = self.subscribing.due(now) {
            let number = self.wire.subscribe(filters).await?;
            self.subscribing.sent(number);
        }
        let silent_after = self.broker.silent_after;
        if now.saturating_duration_since(self.heard) >= silent_after && !self.status.borrow().silent {
            self.show(|s| s.silent = true);
            let (broker, seconds) = (&*self.broker.name, silent_after.as_secs());
            tracing::warn!(broker, seconds, "Connected to the broker, but no message has come for long.");
        }
        Ok(())
    }

    fn answered(&mut self, answer: &SubAck) {
        let Some(said) = self.subscribing.answered(answer.pkid, &answer.return_codes, Instant::now()) else {
            return;
        };
        let broker = &*self.broker.name;
        for filter in &said.lowered {
            tracing::warn!(
                broker,
                filter,
                "The broker grants a lower QoS than asked for: messages may be lost."
            );
        }
        for filter in &said.refused {
            tracing::warn!(broker, filter, "The broker refuses a subscription; it is asked again later.");
        }
        let granted = self.subscribing.is_granted();
        self.show(|s| (s.subscribed, s.refused) = (granted, said.refused));
    }

    /// Journals what had been read and not taken yet, as far as there is room.
    fn take_the_rest(&mut self) -> Result<(), SessionError> {
        let now = self.clock.now();
        while let Some(packet) = self.wire.next() {
            if let Packet::Publish(publish) = packet
                && !self.take(&publish, now)?
            {
                break;
            }
        }
        Ok(())
    }

    /// The connection is gone: so are its packet numbers. What had been read is journaled, and not acknowledged.
    fn lost(&mut self, error: &WireError, pause: Duration) -> Result<(), SessionError> {
        self.intake.unacknowledged.clear();
        self.take_the_rest()?;
        self.intake.unacknowledged.clear();
        self.wire.hang_up();
        self.subscribing.disconnected();
        let text = error.to_string();
        let (broker, pause_ms) = (&*self.broker.name, pause.as_millis());
        if error.is_refusal() {
            tracing::error!(broker, error = text, pause_ms, "The broker refuses the connection.");
        } else {
            tracing::warn!(broker, error = text, pause_ms, "No connection to the broker.");
        }
        let now = self.clock.now();
        self.show(|s| {
            if std::mem::take(&mut s.connected) || s.since.is_none() {
                s.since = Some(now);
            }
            (s.subscribed, s.held_back, s.silent) = (false, false, false);
            s.refused.clear();
            s.last_error = Some(text);
        });
        Ok(())
    }

    /// Acknowledges what comes to disk in a short time, and takes leave. What is left the broker sends again.
    async fn say_goodbye(&mut self) -> Result<(), SessionError> {
        self.take_the_rest()?;
        let parting = async {
            self.acknowledge().await?;
            while self.intake.unacknowledged.len() > 0 && self.durable.changed().await.is_ok() {
                self.acknowledge().await?;
            }
            self.wire.disconnect().await
        };
        // Nothing is lost where it does not come to that.
        let _ = tokio::time::timeout(GOODBYE_WITHIN, parting).await;
        self.intake.unacknowledged.clear();
        self.wire.hang_up();
        let since = self.clock.now();
        self.show(|s| {
            (s.connected, s.subscribed, s.held_back, s.silent) = (false, false, false, false);
            s.since = Some(since);
        });
        Ok(())
    }
}
