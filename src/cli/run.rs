//! `submeterd run`: the daemon, until SIGTERM or Ctrl-C.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    logging,
    setup::{self, Globals},
};
use crate::daemon::build;
use crate::model::time::Clock;

/// Runs the daemon.
///
/// # Errors
/// The configuration has mistakes, or the daemon cannot start or go on.
pub async fn run(globals: &Globals) -> anyhow::Result<()> {
    let loaded = setup::load(globals)?;
    logging::begin(&loaded.config.log);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let stop = CancellationToken::new();
    // Before anything is ready: a signal that comes early must not kill what is being opened.
    let (terminate, interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let daemon = build::build(loaded.config, Clock::System).await?;
    let watch = stop.clone();
    let signals = async move {
        first_of(terminate, interrupt).await;
        tracing::info!("Asked to stop.");
        watch.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = daemon.run(stop) => Ok(outcome?),
        () = signals => Ok(()),
    }
}

fn listen(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("cannot listen for signals")
}

async fn first_of(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
