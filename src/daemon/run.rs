//! The life of a daemon: every task started, all watched, all stopped in order.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::build::{Daemon, DaemonError};
use super::outlets::{self, Doors, House};
use super::tasks::{TaskError, Tasks};
use super::{lessons, systemd, ticks};
use crate::api::status::Sensors;
use crate::engine::run::Progress;
use crate::journal::Journal;
use crate::outbox::desk::SINK;
use crate::outbox::influx;
use crate::outbox::notices;
use crate::outbox::status::SinkStatus;
use crate::sources::modbus::link;
use crate::sources::modbus::status::LinkStatus;
use crate::sources::mqtt::session;
use crate::sources::mqtt::status::BrokerStatus;
use crate::sources::mqtt::topic;
use crate::store::schema::STORE_FILE;

/// The shares of the stop's deadline: sources and engine get most of it.
const SHARES: u32 = 4;

/// The tasks of a running daemon, in the order in which they stop.
struct Groups {
    sources: Tasks,
    engine: Tasks,
    outlets: Tasks,
}

impl Daemon {
    /// Runs until `stop`, then stops in order.
    ///
    /// # Errors
    /// A task ended unasked, or failed while it stopped. What was acknowledged is in the journal all the same.
    pub async fn run(self, stop: CancellationToken) -> Result<(), DaemonError> {
        let deadline = self.config.daemon.stop_within;
        let mut sensors = self.sensors();
        let mut groups = Groups { sources: Tasks::new(), engine: Tasks::new(), outlets: Tasks::new() };
        self.start_sources(&mut groups.sources, &mut sensors);
        self.start_outbox(&mut groups.outlets, &mut sensors);
        self.start_notices(&mut groups.outlets, &mut sensors);
        let Daemon {
            config,
            clock,
            journal,
            journal_thread,
            reader,
            engine,
            socket,
            telemetry,
            web,
            progress,
        } = self;
        let learning = config.learning;
        let data_dir = config.daemon.data_dir.clone();
        if learning.on {
            let stop = groups.outlets.stop();
            let job = lessons::run(learning, data_dir, clock.clone(), journal.clone(), stop);
            groups.outlets.spawn("learning", job);
        }
        let house =
            House { config: &config, clock, journal: &journal, sensors, progress: progress.subscribe() };
        outlets::open(Doors { socket, telemetry, web }, house, &mut groups.outlets)?;
        let passed = progress.subscribe();
        start_watchdog(&mut groups.outlets, passed.clone(), journal.durable());
        let (own_journal, engine_stop) = (journal.clone(), groups.engine.stop());
        let runtime = tokio::runtime::Handle::current();
        groups
            .engine
            .spawn_thread("engine", move || {
                crate::engine::run::run(engine, reader, &own_journal, &progress, &engine_stop, &runtime)
            })
            .map_err(|source| DaemonError::Thread { name: "engine", source })?;
        tracing::info!(
            sites = config.registry.sites.len(),
            meters = config.registry.meters.len(),
            brokers = config.brokers.len(),
            links = config.links.len(),
            socket = %config.daemon.socket.display(),
            "Running."
        );
        systemd::tell(&[NotifyState::Ready]);

        let unasked = tokio::select! {
            () = stop.cancelled() => None,
            error = groups.sources.unasked_end() => Some(error),
            error = groups.engine.unasked_end() => Some(error),
            error = groups.outlets.unasked_end() => Some(error),
            () = journal_thread.ended() => Some(TaskError::Ended { name: "journal".into() }),
        };
        systemd::tell(&[NotifyState::Stopping]);
        if let Some(error) = &unasked {
            let error = error as &(dyn std::error::Error + 'static);
            tracing::error!(error, "A task ended unasked; the daemon stops.");
        }
        let stopped = groups.stop(&journal, journal_thread, passed, deadline).await;
        match unasked {
            Some(error) => Err(stopped.err().unwrap_or(DaemonError::Task(error))),
            None => stopped,
        }
    }

    fn start_sources(&self, tasks: &mut Tasks, sensors: &mut Sensors) {
        let stop = tasks.stop();
        tasks.spawn(
            "ticks",
            ticks::run(self.config.daemon.tick, self.clock.clone(), self.journal.clone(), stop),
        );
        for broker in &self.config.brokers {
            let (status, seen) = watch::channel(BrokerStatus::default());
            sensors.brokers.push((broker.name.to_string(), seen));
            let filters = topic::filters(&self.config.registry.subscriptions, &broker.name);
            tasks.spawn(
                format!("mqtt {}", broker.name),
                session::run(
                    broker.clone(),
                    filters,
                    self.journal.clone(),
                    self.clock.clone(),
                    status,
                    tasks.stop(),
                ),
            );
        }
        let registry = self.registry();
        for own in &self.config.links {
            let (status, seen) = watch::channel(LinkStatus::default());
            sensors.links.push((own.name.to_string(), seen));
            tasks.spawn(
                format!("modbus {}", own.name),
                link::run(
                    own.clone(),
                    Arc::clone(&registry),
                    self.journal.clone(),
                    self.clock.clone(),
                    status,
                    tasks.stop(),
                ),
            );
        }
    }

    fn start_notices(&self, tasks: &mut Tasks, sensors: &mut Sensors) {
        for receiver in &self.config.receivers {
            let (status, seen) = watch::channel(SinkStatus::default());
            sensors.sinks.push((receiver.sink(), seen));
            let store = self.config.daemon.data_dir.join(STORE_FILE);
            tasks.spawn(
                receiver.sink(),
                notices::run(
                    receiver.clone(),
                    store,
                    self.clock.clone(),
                    self.progress.subscribe(),
                    status,
                    tasks.stop(),
                ),
            );
        }
    }

    fn start_outbox(&self, tasks: &mut Tasks, sensors: &mut Sensors) {
        let Some(settings) = &self.config.influx else { return };
        let (status, seen) = watch::channel(SinkStatus::default());
        sensors.sinks.push((SINK.to_owned(), seen));
        let store = self.config.daemon.data_dir.join(STORE_FILE);
        tasks.spawn(
            "influx",
            influx::run(
                settings.clone(),
                store,
                self.clock.clone(),
                self.progress.subscribe(),
                status,
                tasks.stop(),
            ),
        );
    }
}

fn start_watchdog(
    tasks: &mut Tasks,
    progress: watch::Receiver<Progress>,
    durable: watch::Receiver<crate::model::reading::Offset>,
) {
    if let Some(limit) = sd_notify::watchdog_enabled() {
        let stop = tasks.stop();
        tasks.spawn("watchdog", systemd::watchdog(limit / 3, progress, durable, stop));
    }
}

impl Groups {
    /// Sources, journal, engine, outlets: each has until its share of `within` is used up.
    async fn stop(
        self,
        journal: &Journal,
        journal_thread: crate::journal::handle::JournalThread,
        mut passed: watch::Receiver<Progress>,
        within: Duration,
    ) -> Result<(), DaemonError> {
        let begun = Instant::now();
        let share = within / SHARES;
        let mut failures = self.sources.stop_within(share).await;
        let finished = tokio::task::spawn_blocking(move || journal_thread.finish()).await;
        let journaled = match finished {
            Ok(outcome) => outcome.map_err(DaemonError::Journal),
            Err(error) => {
                failures.push(TaskError::Panicked { message: error.to_string() });
                Ok(())
            }
        };
        let end = *journal.durable().borrow();
        let caught_up = passed.wait_for(|p| p.passed >= end);
        if tokio::time::timeout(share, caught_up).await.is_err() {
            let passed = passed.borrow().passed;
            tracing::warn!(passed, end, "The engine is behind; it goes on from here at the next start.");
        }
        failures.extend(self.engine.stop_within(share).await);
        failures.extend(self.outlets.stop_within(share).await);
        tracing::info!(took_ms = begun.elapsed().as_millis(), last = end, "Stopped.");
        journaled?;
        failures.into_iter().next().map_or(Ok(()), |error| Err(DaemonError::Task(error)))
    }
}
