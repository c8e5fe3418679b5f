//! What blocks, lent to a thread that may; and the wait for something to do.

use std::time::Duration;

use tokio::sync::watch;

use super::desk::DeskError;

/// Between two tries at a store that was busy for long.
const BUSY_PAUSE: Duration = Duration::from_millis(500);

/// The queue is looked at so often even if nobody says that something is in it.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// From the news that something is in an empty queue until it is looked at: what comes meanwhile goes along, so that a
/// trickle is a few requests a second and not one a reading.
const GATHER: Duration = Duration::from_millis(100);

/// Runs what blocks on a thread where it may.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is going down, and this task with it.
        Err(_) => std::future::pending().await,
    }
}

/// Something that works with the store.
#[derive(Debug)]
pub struct Lent<D> {
    /// Away while it works.
    desk: Option<D>,
}

impl<D: Send + 'static> Lent<D> {
    /// Takes it in.
    #[must_use]
    pub fn new(desk: D) -> Lent<D> {
        Lent { desk: Some(desk) }
    }

    /// Lends it to a thread that may block. A store that is busy for long is waited for.
    ///
    /// # Errors
    /// What the work fails with.
    pub async fn at<R: Send + 'static>(
        &mut self,
        work: impl Fn(&mut D) -> Result<R, DeskError> + Clone + Send + 'static,
    ) -> Result<R, DeskError> {
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
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }
}

/// Waits until something may be in the queue, for `longest` at most: too long without a change, or nobody left to tell of
/// one, and a look costs little.
pub async fn wait<T: Send + Sync>(wake: &mut watch::Receiver<T>, longest: Duration) {
    let changed = async {
        if wake.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout(longest, changed).await;
    tokio::time::sleep(GATHER).await;
}
