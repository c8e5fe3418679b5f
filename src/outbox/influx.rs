//! The sender to InfluxDB: entries out of the queue, lines over HTTP, and away only what was taken.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use influxdb2::api::write::TimestampPrecision;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::answer::{self, Answer};
use super::desk::{Desk, DeskError, Load};
use super::http::{self, ClientError};
use super::lanes::Lanes;
use super::line::Lines;
use super::pieces::{Pieces, Size};
use super::status::{SinkState, SinkStatus};
use crate::config::settings::Influx;
use crate::model::time::{Clock, UtcMs};
use crate::sources::backoff::Backoff;
use crate::store::queue::{Backlog, BadLine, Lane};

/// The first pause after a failure.
const PAUSE_FIRST: Duration = Duration::from_millis(500);

/// The queue is looked at so often even if nobody says that something is in it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// From the news that something is in an empty queue until it is looked at: what comes meanwhile goes along, so that a
/// trickle is a few requests a second and not one a reading.
const GATHER: Duration = Duration::from_millis(100);

/// So many lines refused in a row, with none taken between them, look like a fault of the far side rather than of the
/// lines: a person is called, and there is a pause before the next so many are tried. Nothing is held up for good.
const N_REFUSED_PER_PAUSE: u32 = 100;

/// Why the sender cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum InfluxError {
    /// The settings cannot be worked with.
    #[error("the sender to InfluxDB cannot begin")]
    Settings {
        /// Why.
        #[source]
        source: ClientError,
    },
    /// The store cannot be worked with.
    #[error("the sender to InfluxDB stands still")]
    Desk {
        /// Why.
        #[source]
        source: DeskError,
    },
}

/// Sends until `stop`: whatever is in the queue of `store_path`, and what comes into it, told by a change of `wake`.
///
/// # Errors
/// The settings cannot be worked with, or the store cannot be read or written. A far side that is down, slow or
/// refuses is no error: it is waited for.
pub async fn run<T: Send + Sync>(
    settings: Influx,
    store_path: PathBuf,
    clock: Clock,
    wake: watch::Receiver<T>,
    status: watch::Sender<SinkStatus>,
    stop: CancellationToken,
) -> Result<(), InfluxError> {
    let client = http::client(&settings).map_err(|source| InfluxError::Settings { source })?;
    let desk =
        blocking(move || Desk::open(&store_path)).await.map_err(|source| InfluxError::Desk { source })?;
    let sender = Sender {
        client,
        clock,
        status,
        lanes: Lanes::one(),
        size: Size::new(settings.lines_max),
        backoff: Backoff::new(PAUSE_FIRST, settings.backoff_max),
        n_refused: 0,
        oldest: None,
        desk: Some(desk),
        settings,
    };
    tokio::select! {
        outcome = sender.run(wake) => outcome,
        // What was on its way is sent again by the next run.
        () = stop.cancelled() => Ok(()),
    }
}

/// Runs what blocks on a thread where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is going down, and this task with it.
        Err(_) => std::future::pending().await,
    }
}

struct Sender {
    client: influxdb2::Client,
    settings: Influx,
    clock: Clock,
    status: watch::Sender<SinkStatus>,
    lanes: Lanes,
    size: Size,
    backoff: Backoff,
    /// Lines refused since one was last taken.
    n_refused: u32,
    /// When the oldest reading that waits was received.
    oldest: Option<UtcMs>,
    /// Away while it works.
    desk: Option<Desk>,
}

impl Sender {
    async fn run<T: Send + Sync>(mut self, mut wake: watch::Receiver<T>) -> Result<(), InfluxError> {
        self.count().await?;
        loop {
            // What changes from here on is seen as a change, or is already in the load.
            wake.borrow_and_update();
            let lane = self.lanes.next();
            let Some(mut load) = self.load(lane).await? else {
                if self.lanes.found_empty() {
                    self.idle(&mut wake).await?;
                }
                continue;
            };
            self.deliver(&mut load).await?;
            self.settle(load).await?;
        }
    }

    /// Lends the desk to a thread that may block. A store that is busy for long is waited for.
    async fn at_desk<R: Send + 'static>(
        &mut self,
        work: impl Fn(&mut Desk) -> Result<R, DeskError> + Clone + Send + 'static,
    ) -> Result<R, InfluxError> {
        loop {
            let Some(mut desk) = self.desk.take() else { return std::future::pending().await };
            let work = work.clone();
            let (desk, outcome) = blocking(move || {
                let outcome = work(&mut desk);
                (desk, outcome)
            })
            .await;
            self.desk = Some(desk);
            match outcome {
                Err(error) if error.is_busy() => {
                    tracing::warn!(%error, "The store was busy for long; the outbox tries again.");
                    tokio::time::sleep(PAUSE_FIRST).await;
                }
                outcome => return outcome.map_err(|source| InfluxError::Desk { source }),
            }
        }
    }

    async fn load(&mut self, lane: Lane) -> Result<Option<Load>, InfluxError> {
        let (n_lines, now) = (self.settings.lines_max.max(1), self.clock.now());
        let load = self.at_desk(move |desk| desk.load(lane, n_lines, now)).await?;
        if lane.is_front() {
            let lag_ms = load.oldest.map_or(0, |oldest| now.since(oldest));
            self.lanes.fell_behind(lag_ms, load.newest);
            self.oldest = load.oldest.or(self.oldest).filter(|_| load.last > 0);
        }
        Ok((load.last > 0).then_some(load))
    }

    /// Sends all lines of a load, in order, until each is taken or put to those that are set aside.
    async fn deliver(&mut self, load: &mut Load) -> Result<(), InfluxError> {
        let mut pieces = Pieces::new(load.lines.len());
        while let Some(piece) = pieces.take(self.size.now()) {
            match self.send(&load.lines, piece.clone()).await {
                Answer::Taken => self.taken(piece.len()),
                Answer::Refused { status, why } => {
                    if let Some(line) = pieces.refused(piece) {
                        self.refused(load, line, status, why).await?;
                    }
                }
                Answer::TooLarge { why } if piece.len() == 1 => {
                    self.refused(load, piece.start, 413, why).await?;
                }
                Answer::TooLarge { why } => {
                    tracing::warn!(
                        n_lines = piece.len(),
                        why,
                        "A request was too large; smaller ones follow."
                    );
                    self.size.halve(piece.len());
                    pieces.again(piece);
                }
                Answer::Hold { why } => {
                    pieces.again(piece);
                    self.hold(why).await?;
                }
                Answer::Slow { why } => {
                    self.size.halve(piece.len());
                    pieces.again(piece);
                    self.back_off(why).await?;
                }
                Answer::Later { why } => {
                    pieces.again(piece);
                    self.back_off(why).await?;
                }
            }
        }
        Ok(())
    }

    /// One request.
    async fn send(&mut self, lines: &Arc<Lines>, piece: Range<usize>) -> Answer {
        let (lines, gzip) = (Arc::clone(lines), self.settings.gzip);
        let body = match blocking(move || http::pack(lines.body(piece), gzip)).await {
            Ok(body) => body,
            Err(error) => return Answer::Later { why: format!("the lines cannot be compressed: {error}") },
        };
        let (org, bucket) = (&self.settings.org, &self.settings.bucket);
        let write = self.client.write_line_protocol_with_precision(
            org,
            bucket,
            body,
            TimestampPrecision::Milliseconds,
        );
        match tokio::time::timeout(self.settings.timeout, write).await {
            Ok(outcome) => answer::of(outcome),
            Err(_) => Answer::Slow { why: format!("no answer within {:?}", self.settings.timeout) },
        }
    }

    fn taken(&mut self, n_lines: usize) {
        self.size.taken();
        self.backoff.reset();
        self.n_refused = 0;
        let now = self.clock.now();
        self.status.send_modify(|status| {
            if status.state != SinkState::Ok {
                tracing::info!("InfluxDB takes lines again.");
            }
            status.state = SinkState::Ok;
            status.last_ok = Some(now);
            status.n_lines_delivered += n_lines as u64;
        });
    }

    /// Puts a line to those that are set aside when the load is settled.
    async fn refused(
        &mut self,
        load: &mut Load,
        line: usize,
        status: u16,
        why: String,
    ) -> Result<(), InfluxError> {
        let text = load.lines.text(line);
        tracing::warn!(line = text, status, why, "InfluxDB refuses a line; it is set aside.");
        self.status.send_modify(|s| {
            s.last_error = Some(format!("a line was refused with status {status}: {why}"));
        });
        load.bad.push(BadLine { line: text, status, why, set_aside: self.clock.now() });
        self.n_refused += 1;
        if self.n_refused.is_multiple_of(N_REFUSED_PER_PAUSE) {
            self.hold(format!("{} lines in a row were refused; is this the right database?", self.n_refused))
                .await?;
        }
        Ok(())
    }

    /// A person is needed. Told once; tried slowly.
    async fn hold(&mut self, why: String) -> Result<(), InfluxError> {
        if self.turn_to(SinkState::Holding, &why) {
            tracing::error!(
                url = &*self.settings.url,
                org = &*self.settings.org,
                bucket = &*self.settings.bucket,
                why,
                "InfluxDB does not let us write; all that should go there is kept until it does."
            );
        }
        self.count().await?;
        tokio::time::sleep(self.settings.backoff_max).await;
        Ok(())
    }

    async fn back_off(&mut self, why: String) -> Result<(), InfluxError> {
        let pause = self.backoff.next();
        if self.turn_to(SinkState::BackingOff, &why) {
            tracing::warn!(url = &*self.settings.url, why, "InfluxDB takes nothing now; it is tried again.");
        }
        tracing::debug!(why, ?pause, "A write failed.");
        self.count().await?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Notes what the sender is about now; true if it was about something else.
    fn turn_to(&self, state: SinkState, why: &str) -> bool {
        let mut is_new = false;
        self.status.send_modify(|status| {
            is_new = status.state != state;
            status.state = state;
            status.last_error = Some(why.to_owned());
        });
        is_new
    }

    async fn settle(&mut self, load: Load) -> Result<(), InfluxError> {
        let unmade = load.bad.iter().filter(|bad| bad.status == 0).count();
        if unmade > 0 {
            tracing::error!(
                n = unmade,
                why = load.bad[0].why,
                "Entries cannot be made lines; they are set aside."
            );
        }
        let load = Arc::new(load);
        self.at_desk(move |desk| desk.settle(&load)).await?;
        self.lanes.turn();
        self.count().await
    }

    /// Brings the figures of the queue up to date.
    async fn count(&mut self) -> Result<(), InfluxError> {
        let backlog = self.at_desk(Desk::backlog).await?;
        self.show(backlog);
        Ok(())
    }

    fn show(&self, backlog: Backlog) {
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.n_backlog = backlog.n_entries;
            status.n_set_aside = backlog.n_bad;
            status.lag_ms = self.oldest.map_or(0, |oldest| now.since(oldest).max(0));
        });
    }

    /// Waits until something may be in the queue.
    async fn idle<T: Send + Sync>(&mut self, wake: &mut watch::Receiver<T>) -> Result<(), InfluxError> {
        let backlog = self.at_desk(Desk::backlog_now).await?;
        self.show(backlog);
        let changed = async {
            if wake.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // Too long without a change, or nobody left to tell of one: a look costs little.
        let _ = tokio::time::timeout(LOOK_EVERY, changed).await;
        tokio::time::sleep(GATHER).await;
        Ok(())
    }
}
