//! The orderly end of a process: one signal that work should wind down, and a count of the tasks
//! that have to end before the process may.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Told once to begin; waited on until every tracked task has ended. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    begun: CancellationToken,
    tasks: TaskTracker,
}

impl Drain {
    /// A drain that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to drain; further calls change nothing.
    pub fn begin(&self) {
        self.begun.cancel();
        self.tasks.close();
    }

    /// Whether it has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Resolves once it has begun.
    pub async fn draining(&self) {
        self.begun.cancelled().await;
    }

    /// Starts a task that the end waits for. The task itself watches [`Drain::draining`].
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Resolves once it has begun and every tracked task has ended.
    pub async fn finished(&self) {
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_tracked_tasks() {
        let drain = Drain::new();
        let inner = drain.clone();
        let task = drain.spawn(async move {
            inner.draining().await;
            42
        });
        assert!(!drain.is_draining());
        drain.begin();
        drain.finished().await;
        assert!(task.is_finished());
        assert_eq!(task.await.unwrap(), 42);
    }
}
