//! The sender to InfluxDB: entries out of the queue, lines over HTTP, and away only what was taken.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use influxdb2::api::write::TimestampPrecision;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::answer::{self, Answer};
use super::desk::{Desk, DeskError, Load};
use super::http::{self, ClientError};
use super::lanes::Lanes;
use super::lent::{self, LOOK_EVERY, Lent, blocking};
use super::line::Lines;
use super::pieces::{Pieces, Size};
use super::pulse::Pulse;
use super::status::SinkStatus;
use crate::config::settings::Influx;
use crate::model::time::{Clock, UtcMs};
use crate::store::queue::{BadLine, Lane};

/// So many lines refused in a row look like a fault of the far side rather than of the lines.
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
    let far = format!("InfluxDB {}, {}/{}", settings.url, settings.org, settings.bucket);
    let sender = Sender {
        client,
        pulse: Pulse::new(far, clock, status, settings.backoff_max, N_REFUSED_PER_PAUSE),
        lanes: Lanes::one(),
        size: Size::new(settings.lines_max),
        oldest: None,
        desk: Lent::new(desk),
        settings,
    };
    tokio::select! {
        outcome = sender.run(wake) => outcome,
        // What was on its way is sent again by the next run.
        () = stop.cancelled() => Ok(()),
    }
}

struct Sender {
    client: influxdb2::Client,
    settings: Influx,
    pulse: Pulse,
    lanes: Lanes,
    size: Size,
    /// When the oldest reading that waits was received.
    oldest: Option<UtcMs>,
    desk: Lent<Desk>,
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

    async fn at_desk<R: Send + 'static>(
        &mut self,
        work: impl Fn(&mut Desk) -> Result<R, DeskError> + Clone + Send + 'static,
    ) -> Result<R, InfluxError> {
        self.desk.at(work).await.map_err(|source| InfluxError::Desk { source })
    }

    async fn load(&mut self, lane: Lane) -> Result<Option<Load>, InfluxError> {
        let (n_lines, now) = (self.settings.lines_max.max(1), self.pulse.now());
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
        self.pulse.taken(n_lines);
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
        let suspicion = self.pulse.refused(&text, status, &why);
        load.bad.push(BadLine { line: text, status, why, set_aside: self.pulse.now() });
        match suspicion {
            Some(why) => self.hold(why).await,
            None => Ok(()),
        }
    }

    async fn hold(&mut self, why: String) -> Result<(), InfluxError> {
        let pause = self.pulse.hold(&why);
        self.count().await?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn back_off(&mut self, why: String) -> Result<(), InfluxError> {
        let pause = self.pulse.back_off(&why);
        self.count().await?;
        tokio::time::sleep(pause).await;
        Ok(())
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
        self.pulse.show(backlog, self.oldest);
        Ok(())
    }

    /// Waits until something may be in the queue.
    async fn idle<T: Send + Sync>(&mut self, wake: &mut watch::Receiver<T>) -> Result<(), InfluxError> {
        let backlog = self.at_desk(Desk::backlog_now).await?;
        self.pulse.show(backlog, self.oldest);
        lent::wait(wake, LOOK_EVERY).await;
        Ok(())
    }
}
