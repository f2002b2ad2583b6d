//! The hot groups of this node, and the way to run a job on one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use throng_node::drain::Drain;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::run::run_actor;
use super::{GroupKey, Job, Reply, Turn};
use crate::clients::Clients;
use crate::config::Config;
use crate::placement::Placement;

/// Locks are taken for moments, but by every message: one for each of so many parts.
const PARTS: usize = 64;

/// A running actor.
#[derive(Clone)]
struct Handle {
    id: u64,
    jobs: mpsc::Sender<Job>,
    /// Cancelled when the actor has ended and all its effects are carried out.
    gone: CancellationToken,
}

struct Inner {
    parts: Vec<Mutex<HashMap<GroupKey, Handle>>>,
    next_id: AtomicU64,
    config: Arc<Config>,
    placement: Placement,
    clients: Clients,
    drain: Drain,
}

/// All hot groups. Clones share them.
#[derive(Clone)]
pub(crate) struct Rooms {
    inner: Arc<Inner>,
}

impl Rooms {
    pub(crate) fn new(
        config: Arc<Config>,
        placement: Placement,
        clients: Clients,
        drain: Drain,
    ) -> Self {
        let parts = (0..PARTS).map(|_| Mutex::default()).collect();
        let next_id = AtomicU64::new(1);
        Self { inner: Arc::new(Inner { parts, next_id, config, placement, clients, drain }) }
    }

    /// Runs a job on the group's actor and answers what it returns, once its effects are carried
    /// out.
    pub(crate) async fn run<R, F>(
        &self,
        app: AppId,
        group_id: &str,
        job: F,
    ) -> Result<R, CommandError>
    where
        R: Send + 'static,
        F: FnOnce(&mut Turn<'_>) -> Result<R, CommandError> + Send + 'static,
    {
        self.run_deferred(app, group_id, move |turn, reply| {
            let result = job(turn);
            turn.out.answer(reply, result);
        })
        .await
    }

    /// Runs a job that answers in its own time.
    pub(crate) async fn run_deferred<R, F>(
        &self,
        app: AppId,
        group_id: &str,
        job: F,
    ) -> Result<R, CommandError>
    where
        R: Send + 'static,
        F: FnOnce(&mut Turn<'_>, Reply<R>) + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let reply = Reply(sender);
        self.submit(GroupKey::new(app, group_id), Box::new(move |turn| job(turn, reply))).await?;
        receiver.await.unwrap_or_else(|_| {
            Err(Code::GROUP_INTERNAL.with("the group's state could not be saved, try again"))
        })
    }

    async fn submit(&self, key: GroupKey, mut job: Job) -> Result<(), CommandError> {
        loop {
            let Some(epoch) = self.inner.placement.epoch_of(key.app, &key.group_id) else {
                return Err(Code::GROUP_INTERNAL.with("this node does not own the group"));
            };
            let handle = self.handle(&key, epoch);
            match handle.jobs.try_send(job) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => {
                    metrics::counter!("throng_group_mailbox_full_total").increment(1);
                    return Err(Code::GROUP_SEND_FREQUENCY.with("too many requests for this group"));
                }
                Err(mpsc::error::TrySendError::Closed(back)) => {
                    // It is ending. Its successor must see all that it wrote.
                    job = back;
                    handle.gone.cancelled().await;
                }
            }
        }
    }

    fn handle(&self, key: &GroupKey, epoch: u64) -> Handle {
        let mut part = self.part(key).lock();
        if let Some(handle) = part.get(key) {
            return handle.clone();
        }
        let (jobs, receiver) = mpsc::channel(self.inner.config.mailbox);
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        let handle = Handle { id, jobs, gone: CancellationToken::new() };
        part.insert(key.clone(), handle.clone());
        drop(part);
        metrics::gauge!("throng_group_hot").increment(1.0);
        let end =
            EndOfActor { rooms: self.clone(), key: key.clone(), id, gone: handle.gone.clone() };
        self.inner.drain.spawn(async move {
            let inner = &end.rooms.inner;
            run_actor(&end.key, epoch, &inner.config, &inner.clients, &inner.drain, receiver).await;
        });
        handle
    }

    fn part(&self, key: &GroupKey) -> &Mutex<HashMap<GroupKey, Handle>> {
        let hash = xxhash_rust::xxh3::xxh3_64(key.group_id.as_bytes());
        &self.inner.parts[hash as usize % PARTS]
    }

    /// Groups of an app that are hot on this node.
    pub(crate) fn hot(&self, app: AppId) -> Vec<Arc<str>> {
        let mut hot = Vec::new();
        for part in &self.inner.parts {
            let part = part.lock();
            hot.extend(part.keys().filter(|key| key.app == app).map(|key| key.group_id.clone()));
        }
        hot
    }
}

/// Takes the actor out of the registry and lets its successor start, also after a panic.
struct EndOfActor {
    rooms: Rooms,
    key: GroupKey,
    id: u64,
    gone: CancellationToken,
}

impl Drop for EndOfActor {
    fn drop(&mut self) {
        let mut part = self.rooms.part(&self.key).lock();
        if part.get(&self.key).is_some_and(|current| current.id == self.id) {
            part.remove(&self.key);
        }
        drop(part);
        metrics::gauge!("throng_group_hot").decrement(1.0);
        self.gone.cancel();
    }
}
