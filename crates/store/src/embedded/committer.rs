//! The one thread that writes: group commit.
//!
//! Requests wait in a queue that is bounded by their bytes. The committer takes all that wait, applies
//! them one after the other, answers those that asked for no more, syncs the journal once and answers
//! the rest.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fjall::{Database, Keyspace, PersistMode, Readable, UserValue};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{backend, row};
use crate::codec::KeyRange;
use crate::telemetry::Telemetry;
use crate::{Durability, StoreError};

/// The most requests that share one sync.
const MAX_GROUP: usize = 4096;
/// How many rows of a large partition are deleted before other writes get their turn.
const DELETE_CHUNK: usize = 1024;
/// A waiting request counts at least so much, so that the queue's bound also bounds their number.
const MIN_REQUEST_BYTES: usize = 1024;

/// What the committer does for a request.
pub(crate) enum Job {
    /// Puts rows (with a value) and deletes rows (without), all or nothing.
    Write(Vec<(Keyspace, Vec<u8>, Option<UserValue>)>),
    /// Puts a row if its live value is the expected one.
    CompareAndSet {
        keyspace: Keyspace,
        row: Vec<u8>,
        expected: Option<Bytes>,
        new: UserValue,
        now: i64,
    },
    /// Deletes the rows of a range, some at a time.
    DeleteRange { keyspace: Keyspace, range: KeyRange },
    /// Syncs.
    Flush,
    /// Syncs, and ends the thread.
    Close,
}

struct Request {
    job: Job,
    durability: Durability,
    answer: oneshot::Sender<Result<bool, StoreError>>,
    /// Its share of the queue; None if it was let in without one.
    _room: Option<OwnedSemaphorePermit>,
}

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
        let worker = Worker {
            database,
            waiting,
            behind_delay: limits.behind_delay,
            unsynced_since: None,
            deletions: VecDeque::new(),
            telemetry: telemetry.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("store-commit".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StoreError::Backend {
                source: Arc::new(error),
            })?;
        let room = Arc::new(Semaphore::new(limits.queue_bytes as usize));
        Ok(Self {
            queue,
            room,
            limits,
            telemetry,
            thread: Mutex::new(Some(thread)),
        })
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
        let room = self
            .room
            .clone()
            .acquire_many_owned(share.min(self.limits.queue_bytes));
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
    ) -> Result<oneshot::Receiver<Result<bool, StoreError>>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let request = Request {
            job,
            durability,
            answer,
            _room: room,
        };
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

/// What the thread holds.
struct Worker {
    database: Database,
    waiting: Receiver<Request>,
    behind_delay: Duration,
    /// Something has been applied since then that is not synced.
    unsynced_since: Option<Instant>,
    /// Deletions of large partitions that go on.
    deletions: VecDeque<Request>,
    telemetry: Telemetry,
}

type Answer = (
    oneshot::Sender<Result<bool, StoreError>>,
    Result<bool, StoreError>,
);

impl Worker {
    fn run(mut self) {
        let mut closing = false;
        while !closing {
            let (group, ended) = self.next_group();
            closing = ended;
            self.telemetry.taken(group.len());
            let mut durable = Vec::with_capacity(group.len());
            let deletions = std::mem::take(&mut self.deletions);
            for request in deletions.into_iter().chain(group) {
                closing |= matches!(request.job, Job::Close);
                self.apply(request, &mut durable);
            }
            let overdue = self
                .unsynced_since
                .is_some_and(|since| since.elapsed() >= self.behind_delay);
            if !durable.is_empty() || overdue || closing {
                self.sync(durable);
            }
        }
    }

    /// What waits, and whether nobody can ask any more. Empty if a sync or a deletion is due.
    fn next_group(&self) -> (Vec<Request>, bool) {
        let first = if self.deletions.is_empty() {
            match self.unsynced_since {
                None => self
                    .waiting
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => {
                    let left = self.behind_delay.saturating_sub(since.elapsed());
                    self.waiting.recv_timeout(left)
                }
            }
        } else {
            self.waiting
                .try_recv()
                .map_err(|_| RecvTimeoutError::Timeout)
        };
        match first {
            Ok(first) => {
                let others = self.waiting.try_iter().take(MAX_GROUP - 1);
                (std::iter::once(first).chain(others).collect(), false)
            }
            Err(RecvTimeoutError::Timeout) => (Vec::new(), false),
            Err(RecvTimeoutError::Disconnected) => (Vec::new(), true),
        }
    }

    fn apply(&mut self, mut request: Request, durable: &mut Vec<Answer>) {
        let result = match &mut request.job {
            Job::Write(rows) => write(&self.database, std::mem::take(rows)).map(|()| true),
            Job::CompareAndSet {
                keyspace,
                row,
                expected,
                new,
                now,
            } => compare_and_set(
                &self.database,
                keyspace,
                row,
                expected.as_deref(),
                new,
                *now,
            ),
            Job::DeleteRange { keyspace, range } => {
                match delete_some(&self.database, keyspace, range) {
                    Ok(false) => {
                        self.unsynced_since.get_or_insert_with(Instant::now);
                        return self.deletions.push_back(request);
                    }
                    done => done,
                }
            }
            Job::Flush | Job::Close => Ok(true),
        };
        self.unsynced_since.get_or_insert_with(Instant::now);
        if request.durability == Durability::Behind {
            let _ = request.answer.send(result);
        } else {
            durable.push((request.answer, result));
        }
    }

    fn sync(&mut self, durable: Vec<Answer>) {
        let synced = self
            .database
            .persist(PersistMode::SyncData)
            .map_err(backend);
        if let Err(error) = &synced {
            tracing::error!(%error, "sync failed; the store refuses writes from now on");
        }
        self.unsynced_since = None;
        for (answer, result) in durable {
            let _ = answer.send(result.and_then(|done| synced.clone().map(|()| done)));
        }
    }
}

fn write(
    database: &Database,
    rows: Vec<(Keyspace, Vec<u8>, Option<UserValue>)>,
) -> Result<(), StoreError> {
    let mut batch = database.batch();
    for (keyspace, row, value) in rows {
        match value {
            Some(value) => batch.insert(&keyspace, row, value),
            None => batch.remove(&keyspace, row),
        }
    }
    batch.commit().map_err(backend)
}

fn compare_and_set(
    database: &Database,
    keyspace: &Keyspace,
    row: &[u8],
    expected: Option<&[u8]>,
    new: &UserValue,
    now: i64,
) -> Result<bool, StoreError> {
    let found = match keyspace.get(row).map_err(backend)? {
        Some(stored) => row::live(stored, now)?,
        None => None,
    };
    if found.as_deref() != expected {
        return Ok(false);
    }
    write(
        database,
        vec![(keyspace.clone(), row.to_vec(), Some(new.clone()))],
    )?;
    Ok(true)
}

/// Deletes the next rows of the range and moves its start behind them. True when none are left.
fn delete_some(
    database: &Database,
    keyspace: &Keyspace,
    range: &mut KeyRange,
) -> Result<bool, StoreError> {
    let mut rows = Vec::new();
    for entry in database
        .snapshot()
        .range::<&[u8], _>(keyspace, range.bounds())
        .take(DELETE_CHUNK)
    {
        rows.push((
            keyspace.clone(),
            entry.key().map_err(backend)?.to_vec(),
            None,
        ));
    }
    let done = rows.len() < DELETE_CHUNK;
    if let Some((_, last, _)) = rows.last() {
        range.start.clone_from(last);
    }
    write(database, rows)?;
    Ok(done)
}
