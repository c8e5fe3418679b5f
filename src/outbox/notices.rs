//! The sender of notices to one receiver: one after the other, each until it is taken or refused for its own sake.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use super::couriers::{Courier, CourierError};
use super::desk::DeskError;
use super::lent::{self, LOOK_EVERY, Lent, blocking};
use super::pulse::Pulse;
use super::status::{SinkKind, SinkStatus};
use super::tray::Tray;
use crate::config::receivers::Receiver;
use crate::model::time::{Clock, UtcMs};
use crate::notices::notice::Notice;
use crate::store::queue::{BadLine, Entry};

/// So many notices refused in a row look like a fault of the far side rather than of the notices.
const N_REFUSED_PER_PAUSE: u32 = 10;

/// Why the sender cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum NoticesError {
    /// The settings cannot be worked with.
    #[error("receiver {receiver} cannot be told")]
    Settings {
        /// Its name.
        receiver: Box<str>,
        /// Why.
        #[source]
        source: CourierError,
    },
    /// The store cannot be worked with.
    #[error("the sender to receiver {receiver} stands still")]
    Desk {
        /// Its name.
        receiver: Box<str>,
        /// Why.
        #[source]
        source: DeskError,
    },
}

/// Sends until `stop`: whatever waits for the receiver in `store_path`, and what comes to it, told by a change of `wake`.
///
/// # Errors
/// The settings cannot be worked with, or the store cannot be read or written. A far side that is down, slow or
/// refuses is no error: it is waited for.
pub async fn run<T: Send + Sync>(
    receiver: Receiver,
    store_path: PathBuf,
    clock: Clock,
    wake: watch::Receiver<T>,
    status: watch::Sender<SinkStatus>,
    stop: CancellationToken,
) -> Result<(), NoticesError> {
    let name = receiver.name.clone();
    let courier = Courier::new(&receiver)
        .map_err(|source| NoticesError::Settings { receiver: name.clone(), source })?;
    status.send_modify(|status| status.kind = SinkKind::Notices);
    let sink = receiver.sink();
    let opened =
        blocking(move || Tray::open(&store_path, &receiver.name, &sink).map(|tray| (tray, receiver)));
    let sender = async {
        let (tray, receiver) = opened.await?;
        let far = format!("receiver {}", receiver.name);
        let sender = Sender {
            courier,
            pulse: Pulse::new(far, clock, status, receiver.backoff_max, N_REFUSED_PER_PAUSE),
            tray: Lent::new(tray),
            kept_alive: None,
            oldest: None,
        };
        sender.run(wake).await
    };
    tokio::select! {
        outcome = sender => outcome.map_err(|source| NoticesError::Desk { receiver: name, source }),
        // What was on its way is sent again by the next run, under the same id.
        () = stop.cancelled() => Ok(()),
    }
}

struct Sender {
    courier: Courier,
    pulse: Pulse,
    tray: Lent<Tray>,
    /// When what stands was last told again.
    kept_alive: Option<Instant>,
    /// When the notice was made that is on its way.
    oldest: Option<UtcMs>,
}

impl Sender {
    async fn run<T: Send + Sync>(mut self, mut wake: watch::Receiver<T>) -> Result<(), DeskError> {
        loop {
            // What changes from here on is seen as a change, or is already in the tray.
            wake.borrow_and_update();
            if self.until_keep_alive().is_some_and(|left| left.is_zero()) {
                self.keep_alive().await?;
            }
            let first = self.tray.at(Tray::first).await?;
            match first.map(|queued| (queued.id, queued.entry)) {
                None => self.idle(&mut wake).await?,
                Some((id, Ok(Entry::Notice(notice)))) => self.deliver(id, &notice).await?,
                Some((id, Ok(_))) => self.set_aside(id, "?", (String::new(), 0), "it is no notice").await?,
                Some((id, Err(damaged))) => {
                    self.set_aside(id, "?", (damaged.body, 0), &damaged.why).await?;
                }
            }
        }
    }

    /// Tries until the notice is taken, or refused for its own sake.
    async fn deliver(&mut self, id: i64, notice: &Notice) -> Result<(), DeskError> {
        self.oldest = Some(notice.at);
        loop {
            match self.courier.carry(notice, self.pulse.now()).await {
                Answer::Taken => {
                    self.tray.at(move |tray| tray.settle(id, None)).await?;
                    self.oldest = None;
                    self.pulse.taken(1);
                    return self.count().await;
                }
                Answer::Refused { status, why } => return self.refused(id, notice, status, &why).await,
                Answer::TooLarge { why } => return self.refused(id, notice, 413, &why).await,
                Answer::Hold { why } => self.hold(&why).await?,
                Answer::Slow { why } | Answer::Later { why } => self.back_off(&why).await?,
            }
        }
    }

    async fn refused(&mut self, id: i64, notice: &Notice, status: u16, why: &str) -> Result<(), DeskError> {
        let text = serde_json::to_string(notice).unwrap_or_else(|_| notice.id.to_string());
        self.set_aside(id, &notice.id, (text, status), why).await
    }

    /// Keeps a notice for people to look at, and lets those behind it pass.
    async fn set_aside(
        &mut self,
        id: i64,
        name: &str,
        (line, status): (String, u16),
        why: &str,
    ) -> Result<(), DeskError> {
        let suspicion = self.pulse.refused(name, status, why);
        let bad = BadLine { line, status, why: why.to_owned(), set_aside: self.pulse.now() };
        self.tray.at(move |tray| tray.settle(id, Some(&bad))).await?;
        self.oldest = None;
        match suspicion {
            Some(why) => self.hold(&why).await,
            None => self.count().await,
        }
    }

    async fn hold(&mut self, why: &str) -> Result<(), DeskError> {
        let pause = self.pulse.hold(why);
        self.count().await?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn back_off(&mut self, why: &str) -> Result<(), DeskError> {
        let pause = self.pulse.back_off(why).max(self.courier.retry_after().unwrap_or_default());
        self.count().await?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// How long until what stands is told again.
    fn until_keep_alive(&self) -> Option<Duration> {
        let every = self.courier.keep_alive_every()?;
        Some(self.kept_alive.map_or(Duration::ZERO, |at| every.saturating_sub(at.elapsed())))
    }

    /// Tells what stands again, where it would be forgotten. What has ended meanwhile has its notice behind this.
    async fn keep_alive(&mut self) -> Result<(), DeskError> {
        let standing = self.tray.at(Tray::standing).await?;
        self.kept_alive = Some(Instant::now());
        match self.courier.keep_alive(&standing, self.pulse.now()).await {
            Answer::Taken if standing.is_empty() => Ok(()),
            Answer::Taken => {
                self.pulse.taken(0);
                Ok(())
            }
            Answer::Slow { why } | Answer::Later { why } => {
                self.kept_alive = None;
                self.back_off(&why).await
            }
            Answer::Hold { why } | Answer::TooLarge { why } | Answer::Refused { why, .. } => {
                self.kept_alive = None;
                self.hold(&why).await
            }
        }
    }

    /// Brings the figures up to date.
    async fn count(&mut self) -> Result<(), DeskError> {
        let backlog = self.tray.at(Tray::backlog).await?;
        self.pulse.show(backlog, self.oldest);
        Ok(())
    }

    /// Waits until something may be there.
    async fn idle<T: Send + Sync>(&mut self, wake: &mut watch::Receiver<T>) -> Result<(), DeskError> {
        self.courier.rest().await;
        self.count().await?;
        let longest = self.until_keep_alive().map_or(LOOK_EVERY, |left| left.min(LOOK_EVERY));
        lent::wait(wake, longest).await;
        Ok(())
    }
}
