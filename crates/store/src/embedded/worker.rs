//! The one thread that writes: group commit.
//!
//! It takes all requests that wait, applies them one after the other, answers those that asked for no
//! more, syncs the journal once and answers the rest.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fjall::{Database, Keyspace, PersistMode, Readable, UserValue};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{backend, row};
use crate::codec::KeyRange;
use crate::telemetry::Telemetry;
use crate::{Durability, StoreError};

/// The most requests that share one sync.
const MAX_GROUP: usize = 4096;
/// How many rows of a large partition are deleted before other writes get their turn.
const DELETE_CHUNK: usize = 1024;

/// Whether a condition held (true where there is none), or why it failed.
pub(crate) type Answer = Result<bool, StoreError>;

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

/// A job, and whom to answer when.
pub(crate) struct Request {
    pub(crate) job: Job,
    pub(crate) durability: Durability,
    pub(crate) answer: oneshot::Sender<Answer>,
    /// Its share of the queue; None if it was let in without one.
    pub(crate) _room: Option<OwnedSemaphorePermit>,
}

/// What the thread holds.
pub(crate) struct Worker {
    database: Database,
    waiting: Receiver<Request>,
    behind_delay: Duration,
    /// Something has been applied since then that is not synced.
    unsynced_since: Option<Instant>,
    /// Deletions of large partitions that go on.
    deletions: VecDeque<Request>,
    telemetry: Telemetry,
}

/// An answer that waits for the sync.
type Due = (oneshot::Sender<Answer>, Answer);

impl Worker {
    pub(crate) fn new(
        database: Database,
        waiting: Receiver<Request>,
        behind_delay: Duration,
        telemetry: Telemetry,
    ) -> Self {
        let deletions = VecDeque::new();
        Self { database, waiting, behind_delay, unsynced_since: None, deletions, telemetry }
    }

    /// Until the queue is closed, or told to.
    pub(crate) fn run(mut self) {
        let mut closing = false;
        while !closing || !self.deletions.is_empty() {
            let (group, ended) = self.next_group();
            closing |= ended;
            self.telemetry.taken(group.len());
            let mut durable = Vec::with_capacity(group.len());
            let deletions = std::mem::take(&mut self.deletions);
            for request in deletions.into_iter().chain(group) {
                closing |= matches!(request.job, Job::Close);
                self.apply(request, &mut durable);
            }
            let overdue =
                self.unsynced_since.is_some_and(|since| since.elapsed() >= self.behind_delay);
            if !durable.is_empty() || overdue || closing {
                self.sync(durable);
            }
        }
    }

    /// What waits, and whether nobody can ask any more. Empty if a sync or a deletion is due.
    fn next_group(&self) -> (Vec<Request>, bool) {
        let first = if self.deletions.is_empty() {
            match self.unsynced_since {
                None => self.waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => {
                    let left = self.behind_delay.saturating_sub(since.elapsed());
                    self.waiting.recv_timeout(left)
                }
            }
        } else {
            self.waiting.try_recv().map_err(|_| RecvTimeoutError::Timeout)
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

    fn apply(&mut self, mut request: Request, durable: &mut Vec<Due>) {
        let result = match &mut request.job {
            Job::Write(rows) => write(&self.database, std::mem::take(rows)).map(|()| true),
            Job::CompareAndSet { keyspace, row, expected, new, now } => {
                compare_and_set(&self.database, keyspace, row, expected.as_deref(), new, *now)
            }
            Job::DeleteRange { keyspace, range } => {
                match delete_some(&self.database, keyspace, range) {
                    Ok(false) => {
                        self.note_unsynced();
                        return self.deletions.push_back(request);
                    }
                    done => done,
                }
            }
            Job::Flush | Job::Close => Ok(true),
        };
        self.note_unsynced();
        if request.durability == Durability::Behind {
            let _ = request.answer.send(result);
        } else {
            durable.push((request.answer, result));
        }
    }

    /// Before anybody is answered.
    fn note_unsynced(&mut self) {
        if self.unsynced_since.is_none() {
            self.unsynced_since = Some(Instant::now());
            self.telemetry.unsynced(true);
        }
    }

    fn sync(&mut self, durable: Vec<Due>) {
        let began = Instant::now();
        let synced = self.database.persist(PersistMode::SyncData).map_err(backend);
        self.telemetry.synced(began.elapsed());
        if let Err(error) = &synced {
            tracing::error!(%error, "sync failed; the store refuses writes from now on");
        }
        self.unsynced_since = None;
        self.telemetry.unsynced(false);
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
    write(database, vec![(keyspace.clone(), row.to_vec(), Some(new.clone()))])?;
    Ok(true)
}

/// Deletes the next rows of the range and moves its start behind them. True when none are left.
fn delete_some(
    database: &Database,
    keyspace: &Keyspace,
    range: &mut KeyRange,
) -> Result<bool, StoreError> {
    let mut rows = Vec::new();
    for entry in database.snapshot().range::<&[u8], _>(keyspace, range.bounds()).take(DELETE_CHUNK)
    {
        rows.push((keyspace.clone(), entry.key().map_err(backend)?.to_vec(), None));
    }
    let done = rows.len() < DELETE_CHUNK;
    if let Some((_, last, _)) = rows.last() {
        range.start.clone_from(last);
    }
    write(database, rows)?;
    Ok(done)
}
