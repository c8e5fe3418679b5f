//! What systemd is told: ready, alive, stopping. Without systemd it is told nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::engine::run::Progress;
use crate::model::reading::Offset;

/// Tells systemd.
pub fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "Systemd could not be told.");
    }
}

/// Feeds the watchdog while the engine gets on: it has passed everything, or it has moved since the last look.
///
/// # Errors
/// None; it ends at `stop`.
pub async fn watchdog(
    every: Duration,
    progress: watch::Receiver<Progress>,
    durable: watch::Receiver<Offset>,
    stop: CancellationToken,
) -> Result<(), std::convert::Infallible> {
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = None;
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        let passed = progress.borrow().passed;
        if before != Some(passed) || passed >= *durable.borrow() {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::warn!(passed, "The engine has not moved; the watchdog is not fed.");
        }
        before = Some(passed);
    }
}
