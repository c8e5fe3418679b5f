//! How a sender fares: what it tells of itself, and the pauses it makes.

use std::time::Duration;

use tokio::sync::watch;

use super::status::{SinkState, SinkStatus};
use crate::model::time::{Clock, UtcMs};
use crate::sources::backoff::Backoff;
use crate::store::queue::Backlog;

/// The first pause after a failure.
pub const PAUSE_FIRST: Duration = Duration::from_millis(500);

/// A sender's pulse.
#[derive(Debug)]
pub struct Pulse {
    /// The far side, as people know it.
    far: String,
    clock: Clock,
    status: watch::Sender<SinkStatus>,
    backoff: Backoff,
    /// Longest pause after a failure.
    pause_max: Duration,
    /// So many refused in a row look like a fault of the far side.
    n_refused_per_pause: u32,
    /// Refused since something was last taken.
    n_refused: u32,
}

impl Pulse {
    /// Of a sender to `far`. So many refused in a row, with nothing taken between them, look like a fault of the far side
    /// rather than of what is sent: a person is called, and there is a pause before the next so many are tried.
    #[must_use]
    pub fn new(
        far: String,
        clock: Clock,
        status: watch::Sender<SinkStatus>,
        pause_max: Duration,
        n_refused_per_pause: u32,
    ) -> Pulse {
        let backoff = Backoff::new(PAUSE_FIRST.min(pause_max), pause_max);
        Pulse { far, clock, status, backoff, pause_max, n_refused_per_pause, n_refused: 0 }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> UtcMs {
        self.clock.now()
    }

    /// The far side took so much.
    pub fn taken(&mut self, n: usize) {
        self.backoff.reset();
        self.n_refused = 0;
        let now = self.clock.now();
        self.status.send_modify(|status| {
            if status.state != SinkState::Ok {
                tracing::info!(far = self.far, "The far side takes what it is given again.");
            }
            status.state = SinkState::Ok;
            status.last_ok = Some(now);
            status.n_lines_delivered += n as u64;
        });
    }

    /// The far side refused something for its own sake. Why it looks like more than that, if it does: to be held for.
    #[must_use]
    pub fn refused(&mut self, what: &str, status: u16, why: &str) -> Option<String> {
        tracing::warn!(far = self.far, what, status, why, "The far side refuses something; it is set aside.");
        self.status.send_modify(|s| {
            s.last_error = Some(format!("refused with status {status}: {why}"));
        });
        self.n_refused += 1;
        let n = self.n_refused;
        n.is_multiple_of(self.n_refused_per_pause)
            .then(|| format!("{n} in a row were refused; is this the right address?"))
    }

    /// A person is needed. Told once; tried slowly: after the pause that comes back.
    #[must_use]
    pub fn hold(&mut self, why: &str) -> Duration {
        if self.turn_to(SinkState::Holding, why) {
            tracing::error!(
                far = self.far,
                why,
                "The far side does not let us in; all that should go there is kept until it does."
            );
        }
        self.pause_max
    }

    /// It is tried again after the pause that comes back.
    #[must_use]
    pub fn back_off(&mut self, why: &str) -> Duration {
        let pause = self.backoff.next();
        if self.turn_to(SinkState::BackingOff, why) {
            tracing::warn!(far = self.far, why, "The far side takes nothing now; it is tried again.");
        }
        tracing::debug!(far = self.far, why, ?pause, "A try failed.");
        pause
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

    /// Shows what waits, and since when the oldest does.
    pub fn show(&self, backlog: Backlog, oldest: Option<UtcMs>) {
        let now = self.now();
        self.status.send_modify(|status| {
            status.n_backlog = backlog.n_entries;
            status.n_set_aside = backlog.n_bad;
            status.lag_ms = oldest.map_or(0, |oldest| now.since(oldest).max(0));
        });
    }
}
