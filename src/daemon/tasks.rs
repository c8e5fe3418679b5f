//! Every task is named, owned and watched. One that ends unasked stops the daemon; systemd starts it again.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How a task ended that was not asked to.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// It failed.
    #[error("task {name} failed")]
    Failed {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It returned though nobody had asked it to stop.
    #[error("task {name} ended unasked")]
    Ended {
        /// Which.
        name: String,
    },
    /// It panicked.
    #[error("a task panicked: {message}")]
    Panicked {
        /// What the panic says.
        message: String,
    },
}

type Outcome = (String, Result<(), Box<dyn std::error::Error + Send + Sync>>);

/// A group of tasks that stop together.
#[derive(Debug)]
pub struct Tasks {
    set: JoinSet<Outcome>,
    stop: CancellationToken,
    names: Vec<String>,
}

impl Tasks {
    /// An empty group with its own stop signal.
    #[must_use]
    pub fn new() -> Tasks {
        Tasks { set: JoinSet::new(), stop: CancellationToken::new(), names: Vec::new() }
    }

    /// The signal tasks of this group are to heed.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task of this group.
    pub fn spawn<E>(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        let name = name.into();
        self.names.push(name.clone());
        self.set.spawn(async move { (name, task.await.map_err(Into::into)) });
    }

    /// Starts a task that needs a thread of its own.
    pub fn spawn_thread<E>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), E> + Send + 'static,
    ) -> std::io::Result<()>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        let (done, outcome) = tokio::sync::oneshot::channel();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Nobody waits any more only if the whole group was dropped.
            let _ = done.send(work().map_err(Into::into));
        })?;
        self.spawn(name, async move {
            outcome.await.unwrap_or_else(|_| Err(format!("thread {name} panicked").into()))
        });
        Ok(())
    }

    /// Waits until a task ends that was not asked to; says which and why. Never returns for an empty group.
    pub async fn unasked_end(&mut self) -> TaskError {
        match self.set.join_next().await {
            None => std::future::pending().await,
            Some(outcome) => self.verdict(outcome).unwrap_or_else(|| TaskError::Ended { name: "?".into() }),
        }
    }

    /// Asks all tasks to stop and waits for them; those that do not come are named and dropped after `deadline`.
    pub async fn stop_within(mut self, deadline: Duration) -> Vec<TaskError> {
        self.stop.cancel();
        let mut failures = Vec::new();
        let all = async {
            while let Some(outcome) = self.set.join_next().await {
                failures.extend(self.verdict(outcome).filter(|e| !matches!(e, TaskError::Ended { .. })));
            }
        };
        if tokio::time::timeout(deadline, all).await.is_err() {
            tracing::error!(pending = ?self.names, deadline_s = deadline.as_secs(), "Tasks did not stop in time.");
        }
        failures
    }

    fn verdict(&mut self, outcome: Result<Outcome, tokio::task::JoinError>) -> Option<TaskError> {
        match outcome {
            Ok((name, Ok(()))) => {
                self.names.retain(|n| *n != name);
                Some(TaskError::Ended { name })
            }
            Ok((name, Err(source))) => {
                self.names.retain(|n| *n != name);
                Some(TaskError::Failed { name, source })
            }
            Err(error) if error.is_panic() => Some(TaskError::Panicked { message: error.to_string() }),
            Err(_) => None,
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Tasks::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_unasked_is_told_by_name_and_why() {
        let mut tasks = Tasks::new();
        tasks.spawn("fails", async { Err("no more paper") });
        let error = tasks.unasked_end().await;
        assert_eq!(error.to_string(), "task fails failed");
        tasks.spawn("ends", async { Ok::<(), std::convert::Infallible>(()) });
        assert_eq!(tasks.unasked_end().await.to_string(), "task ends ended unasked");
        tasks.spawn::<std::convert::Infallible>("panics", async { panic!("out of ink") });
        assert!(matches!(tasks.unasked_end().await, TaskError::Panicked { .. }));
    }

    #[tokio::test]
    async fn a_stop_waits_for_all_and_does_not_wait_for_ever() {
        let mut tasks = Tasks::new();
        let stop = tasks.stop();
        tasks.spawn("obeys", async move {
            stop.cancelled().await;
            Ok::<(), std::convert::Infallible>(())
        });
        assert!(tasks.stop_within(Duration::from_secs(20)).await.is_empty());
        let mut tasks = Tasks::new();
        tasks.spawn::<std::convert::Infallible>("stays", std::future::pending());
        assert!(tasks.stop_within(Duration::from_millis(10)).await.is_empty());
    }
}
