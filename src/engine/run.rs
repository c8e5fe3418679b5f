//! The engine on a thread of its own: follows the journal, step by step, until told to stop.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::backlog::Backlog;
use super::effects::Counts;
use super::error::EngineError;
use super::outcome::Outcomes;
use super::step::Engine;
use crate::journal::{Journal, Reader};
use crate::model::by_source::BySource;
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::time::UtcMs;

/// Between two snapshots. A restart takes the messages since the last one again, some seconds of work at full load.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(30);

/// Between two steps of an engine that is not behind: a step costs nearly the same for one message as for a hundred.
const STEP_EVERY: Duration = Duration::from_millis(50);

/// Between two looks for readings to be folded into their blocks.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// So many readings are gathered into parts also while the engine is behind: a flood must not pile up rows.
const N_READINGS_A_FOLD: u64 = 32_768;

/// What the engine lets others see after each step.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The last message whose results are in the store.
    pub passed: Offset,
    /// How far time has gone, as the journal tells it.
    pub now: UtcMs,
    /// Counts since the journal began.
    pub counts: Counts,
    /// What became of messages since the journal began, by source.
    #[serde(default)]
    pub outcomes: BySource<Outcomes>,
    /// Sites judged.
    pub n_sites: u32,
    /// Points judged.
    pub n_points: u32,
}

impl Progress {
    /// The sizes of a registry; nothing has been passed yet.
    #[must_use]
    pub fn of(registry: &Registry) -> Progress {
        let n_points: usize = registry.sites.iter().map(|s| s.points.len()).sum();
        Progress {
            n_sites: u32::try_from(registry.sites.len()).unwrap_or(u32::MAX),
            n_points: u32::try_from(n_points).unwrap_or(u32::MAX),
            ..Progress::default()
        }
    }
}

/// Follows `journal` until `stop`, or until something fails. Blocks: give it a thread.
///
/// # Errors
/// Journal or store fail; what was not committed is made again after a restart.
pub fn run(
    mut engine: Engine,
    mut reader: Reader,
    journal: &Journal,
    progress: &watch::Sender<Progress>,
    stop: &CancellationToken,
    runtime: &tokio::runtime::Handle,
) -> Result<(), EngineError> {
    let mut durable = journal.durable();
    let (mut saved, mut folded, mut stepped) = (Instant::now(), Instant::now(), Instant::now());
    let (mut more_to_fold, mut n_folded) = (false, engine.counts().readings);
    // Whoever is killed again and again must not take the same messages again and again.
    let mut restored = engine.is_muted();
    let mut backlog = Some(Backlog::new(engine.outcomes(), engine.cursor(), journal.opened_at()));
    progress.send_replace(view(&engine));
    loop {
        if let Some(before) = &mut backlog {
            let offset = before.counted();
            let counted =
                before.count(&mut reader).map_err(|source| EngineError::Journal { offset, source })?;
            if let Some(counted) = counted {
                journal.set_received_before(counted.clone());
                backlog = None;
            }
        }
        let end = *durable.borrow_and_update();
        let behind = engine.taken() < end && !stop.is_cancelled();
        if behind {
            stepped = Instant::now();
            let after = engine.taken();
            let batch =
                reader.next(after).map_err(|source| EngineError::Journal { offset: after, source })?;
            if let Some(batch) = batch {
                engine.step(batch.messages())?;
                progress.send_replace(view(&engine));
            }
        }
        if saved.elapsed() >= SNAPSHOT_EVERY || stop.is_cancelled() || (restored && !engine.is_muted()) {
            journal.set_keep_from(engine.save()? + 1);
            saved = Instant::now();
            restored = false;
        }
        if stop.is_cancelled() {
            return Ok(());
        }
        let n_waiting = engine.counts().readings.saturating_sub(n_folded);
        for _ in 0..n_waiting / N_READINGS_A_FOLD {
            more_to_fold |= engine.fold_in_haste()?;
            n_folded += N_READINGS_A_FOLD;
        }
        if folded.elapsed() >= FOLD_EVERY || more_to_fold && !behind {
            more_to_fold = engine.fold()?;
            folded = Instant::now();
        }
        if !behind {
            let wait = if more_to_fold { Duration::ZERO } else { FOLD_EVERY };
            runtime.block_on(async {
                tokio::select! {
                    Ok(()) = durable.changed() => {
                        // Also when the journal commits message by message, they are taken many at a time.
                        let due = tokio::time::Instant::from_std(stepped + STEP_EVERY);
                        tokio::select! {
                            () = tokio::time::sleep_until(due) => {}
                            () = stop.cancelled() => {}
                        }
                    }
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            });
        }
    }
}

fn view(engine: &Engine) -> Progress {
    let world = engine.world();
    Progress {
        passed: engine.taken(),
        now: world.now(),
        counts: world.counts(),
        outcomes: engine.outcomes().clone(),
        n_sites: u32::try_from(world.registry().sites.len()).unwrap_or(u32::MAX),
        n_points: world.n_points(),
    }
}
