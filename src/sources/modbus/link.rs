//! One task a link: connects, reads each meter in its turn, appends what came to the journal.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::bus::{Bus, RequestError};
use super::plan::{Block, PlanError};
use super::scan::{self, Outcome};
use super::schedule::Schedule;
use super::slave::{Slave, Turn};
use super::status::LinkStatus;
use super::timing;
use crate::config::settings::Link;
use crate::journal::{AppendError, Journal};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::registry::Registry;
use crate::model::time::{Clock, UtcMs};
use crate::sources::backoff::Backoff;

/// The first pause after a connection that could not be made, or broke before it brought anything.
const BACKOFF_BASE: Duration = Duration::from_millis(500);

/// Why a link ends unasked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// A profile cannot be read at all.
    #[error("link {link} cannot be planned")]
    Plan {
        /// The link.
        link: Box<str>,
        /// Why.
        #[source]
        source: PlanError,
    },
    /// The journal takes nothing any more.
    #[error("link {link} cannot append what meter {meter} said")]
    Journal {
        /// The link.
        link: Box<str>,
        /// The meter.
        meter: Box<str>,
        /// Why.
        #[source]
        source: AppendError,
    },
}

/// Reads the meters of `link` until `stop`. A scan that is under way then is given up.
///
/// # Errors
/// The journal is closed or broken, or a profile has a register that no request can read.
pub async fn run(
    link: Link,
    registry: Arc<Registry>,
    journal: Journal,
    clock: Clock,
    status: watch::Sender<LinkStatus>,
    stop: CancellationToken,
) -> Result<(), LinkError> {
    let mut poller = Poller::new(link, &registry, journal, clock, status)?;
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        outcome = poller.poll() => outcome.map(|never| match never {}),
    }
}

struct Poller {
    link: Link,
    slaves: Vec<Slave>,
    schedule: Schedule,
    bus: Bus,
    backoff: Backoff,
    begun: Instant,
    journal: Journal,
    clock: Clock,
    status: watch::Sender<LinkStatus>,
}

impl Poller {
    fn new(
        link: Link,
        registry: &Registry,
        journal: Journal,
        clock: Clock,
        status: watch::Sender<LinkStatus>,
    ) -> Result<Poller, LinkError> {
        let slaves = Slave::all_on(&link.name, registry)
            .map_err(|source| LinkError::Plan { link: link.name.clone(), source })?;
        status.send_replace(LinkStatus {
            link: link.name.to_string(),
            since: clock.now(),
            slaves: slaves.iter().map(Slave::status).collect(),
            ..LinkStatus::default()
        });
        Ok(Poller {
            schedule: Schedule::new(slaves.iter().map(Slave::period)),
            slaves,
            bus: Bus::new(link.clone()),
            backoff: Backoff::new(BACKOFF_BASE, link.backoff_max),
            begun: Instant::now(),
            link,
            journal,
            clock,
            status,
        })
    }

    async fn poll(&mut self) -> Result<Infallible, LinkError> {
        loop {
            let Some((index, due)) = self.schedule.next() else {
                std::future::pending::<()>().await;
                continue;
            };
            self.connected().await;
            sleep_until(self.begun + due).await;
            let slave = &mut self.slaves[index];
            // One request must do to see whether a slave that failed is back.
            let retries = if slave.breaker.is_failing() { 0 } else { self.link.retries };
            let rest = timing::rest(&self.link, slave.profile.pause_ms);
            let outcome =
                scan::scan(&mut self.bus, slave.unit, &slave.profile, &mut slave.blocks, retries, rest).await;
            self.take(index, outcome).await?;
        }
    }

    /// Comes back when there is a connection.
    async fn connected(&mut self) {
        let mut failed = false;
        while !self.bus.is_connected() {
            let Err(error) = self.bus.connect().await else { break };
            let pause = self.backoff.next();
            let why = chain(&error);
            if !failed {
                tracing::warn!(
                    link = &*self.link.name,
                    error = why,
                    "The link cannot be connected; it is tried again."
                );
            }
            failed = true;
            let now = self.clock.now();
            self.status.send_modify(|s| disconnected(s, now, why));
            sleep(pause).await;
        }
        if failed {
            tracing::info!(link = &*self.link.name, "The link is connected again.");
            self.try_all_again();
        }
        let (now, connects) = (self.clock.now(), self.bus.connects());
        self.status.send_if_modified(|s| connected(s, now, connects));
    }

    /// The link itself was gone, or all of its slaves were: each may be back.
    fn try_all_again(&mut self) {
        let now = self.begun.elapsed();
        for (index, slave) in self.slaves.iter_mut().enumerate() {
            if slave.breaker.is_pausing() {
                self.schedule.pause(index, now);
            }
        }
    }

    /// Journals what a scan brought and keeps book on the slave.
    async fn take(&mut self, index: usize, outcome: Outcome) -> Result<(), LinkError> {
        let at = self.clock.now();
        self.take_turn(index, &outcome);
        let payload = outcome.registers.clone().finish(outcome.took);
        let slave = &mut self.slaves[index];
        if slave.check(self.bus.connects(), &payload) {
            tracing::warn!(
                link = &*self.link.name,
                meter = &*slave.meter.id,
                profile = &*slave.profile.name,
                hint = slave.hint(),
                "The values of a meter make no sense; they are kept as they are."
            );
        }
        let error = outcome.error.as_ref().map(chain);
        self.status.send_modify(|status| {
            slave.report(&mut status.slaves[index], &outcome, error, at);
            status.scans += u64::from(!outcome.registers.is_empty());
            status.update_achieved();
        });
        if !outcome.registers.is_empty() {
            let (link, meter) = (&*self.link.name, &*self.slaves[index].meter.id);
            let (kind, delivery) = (Kind::Modbus, Delivery::PLAIN);
            let message =
                Message { kind, delivery, received: at, source: link, topic: meter, payload: &payload };
            return append(&self.journal, &message).await.map_err(|source| LinkError::Journal {
                link: link.into(),
                meter: meter.into(),
                source,
            });
        }
        if !outcome.answered && matches!(outcome.error, Some(RequestError::Broken { .. })) {
            // It takes connections and closes them: do not knock without a pause.
            sleep(self.backoff.next()).await;
        }
        Ok(())
    }

    /// Settles when the slave is asked again.
    fn take_turn(&mut self, index: usize, outcome: &Outcome) {
        let now = self.begun.elapsed();
        let all_were_failing = self.slaves.iter().all(|s| s.breaker.is_failing());
        let slave = &mut self.slaves[index];
        let (link, meter, unit) = (&*self.link.name, &*slave.meter.id, slave.unit);
        if let Some(Block { address, count, .. }) = outcome.split {
            tracing::warn!(
                link,
                meter,
                unit,
                address,
                count,
                "The meter refuses a block of registers; it gets smaller ones."
            );
        }
        self.schedule.done(index, now);
        if outcome.answered {
            self.backoff.reset();
            if slave.answered() == Some(Turn::Back) {
                tracing::info!(link, meter = &*slave.meter.id, unit, "The meter answers again.");
            }
            if all_were_failing {
                self.try_all_again();
            }
            return;
        }
        if matches!(outcome.error, Some(RequestError::Connect { .. })) {
            // Not the slave's fault; it has its turn again when there is a connection.
            return;
        }
        let (pause, turn) = slave.failed(self.link.breaker_pause_max);
        if pause > slave.period() {
            self.schedule.pause(index, now + pause);
        }
        if turn == Some(Turn::Gone) {
            let error = outcome.error.as_ref().map(chain);
            tracing::warn!(
                link,
                meter = &*slave.meter.id,
                unit,
                error,
                "The meter does not answer; it is tried less often."
            );
        }
    }
}

/// Waits where the journal is full: what was read is kept until it is taken.
async fn append(journal: &Journal, message: &Message<'_>) -> Result<(), AppendError> {
    let mut told = false;
    loop {
        match journal.append(message) {
            Ok(_) => return Ok(()),
            Err(error @ AppendError::Full { .. }) => {
                if !told {
                    tracing::warn!(link = message.source, %error, "The link waits for room in the journal.");
                }
                told = true;
                journal.room().await;
            }
            Err(error) => return Err(error),
        }
    }
}

fn disconnected(status: &mut LinkStatus, now: UtcMs, why: String) {
    if status.connected {
        status.since = now;
    }
    status.connected = false;
    status.last_error = Some(why);
}

fn connected(status: &mut LinkStatus, now: UtcMs, connects: u64) -> bool {
    let changed = !status.connected || status.connects != connects;
    if !status.connected {
        status.since = now;
    }
    status.connected = true;
    status.connects = connects;
    changed
}

/// An error with its reasons, for a status that is one line.
fn chain(error: &(impl std::error::Error + ?Sized)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        text.push_str(": ");
        text.push_str(&reason.to_string());
        source = reason.source();
    }
    text
}
