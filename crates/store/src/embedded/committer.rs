//! The way to the one thread that writes: a queue bounded by the bytes that wait in it.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fjall::Database;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::worker::{Answer, Job, Request, Worker};
use crate::telemetry::Telemetry;
use crate::{Durability, StoreError};

/// A waiting request counts at least so much, so that the queue's bound also bounds their number.
const MIN_REQUEST_BYTES: usize = 1024;

/// How much may wait, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) queue_bytes: u32,
    pub(crate) queue_timeout: Duration,
    pub(crate) behind_delay: Duration,
}

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: Sender<Request>,
    room: Arc<Semaphore>,
    limits: Limits,
    telemetry: Telemetry,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    pub(crate) fn start(database: Database, limits: Limits) -> Result<Self, StoreError> {
        let (queue, waiting) = channel();
        let telemetry = Telemetry::new();
        let worker = Worker::new(database, waiting, limits.behind_delay, telemetry.clone());
        let thread = std::thread::Builder::new()
            .name("store-commit".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StoreError::Backend { source: Arc::new(error) })?;
        let room = Arc::new(Semaphore::new(limits.queue_bytes as usize));
        Ok(Self { queue, room, limits, telemetry, thread: Mutex::new(Some(thread)) })
    }

    /// Has a job done. `bytes` is what it holds in memory.
    pub(crate) async fn run(
        &self,
        job: Job,
        bytes: usize,
        durability: Durability,
    ) -> Result<bool, StoreError> {
        let start = Instant::now();
        let result = self.queued(job, bytes, durability).await;
        match &result {
            Ok(_) => self.telemetry.written(durability, start.elapsed()),
            Err(error) => self.telemetry.failed(error),
        }
        result
    }

    async fn queued(
        &self,
        job: Job,
        bytes: usize,
        durability: Durability,
    ) -> Result<bool, StoreError> {
        let share = u32::try_from(bytes.max(MIN_REQUEST_BYTES)).unwrap_or(u32::MAX);
        // One that is larger than the whole queue waits until it is alone.
        let room = self.room.clone().acquire_many_owned(share.min(self.limits.queue_bytes));
        let room = match tokio::time::timeout(self.limits.queue_timeout, room).await {
            Ok(Ok(room)) => room,
            Ok(Err(_)) => return Err(StoreError::Closed),
            Err(_) => return Err(StoreError::Overloaded),
        };
        let answered = self.send(job, durability, Some(room))?;
        // It goes away unanswered only if the thread ended first.
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    fn send(
        &self,
        job: Job,
        durability: Durability,
        room: Option<OwnedSemaphorePermit>,
    ) -> Result<oneshot::Receiver<Answer>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let request = Request { job, durability, answer, _room: room };
        self.queue.send(request).map_err(|_| StoreError::Closed)?;
        self.telemetry.queued(1);
        Ok(answered)
    }

    /// Refuses further requests and waits for the earlier ones.
    pub(crate) async fn close(&self) {
        self.room.close();
        if let Ok(answered) = self.send(Job::Close, Durability::Durable, None) {
            let _ = answered.await;
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.room.close();
        let _ = self.send(Job::Close, Durability::Durable, None);
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}
