//! The hot groups of this node, and the way to run a job on one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use throng_node::drain::Drain;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;
use throng_protocol::limits;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::listen::Heard;
use super::run::run_actor;
use super::{Failure, Fate, GroupKey, Job, Reply, Turn};
use crate::clients::Clients;
use crate::config::Config;
use crate::metrics::RoomMetrics;
use crate::placement::{Lives, Placement, Tenure};

/// Locks are taken for moments, but by every message: one for each of so many parts.
const PARTS: usize = 64;
/// Groups that are read at the same time.
const READINGS: usize = 256;

/// A running actor.
#[derive(Clone)]
struct Handle {
    id: u64,
    /// The ownership that it lives in.
    epoch: u64,
    jobs: mpsc::Sender<Job>,
    /// Cancelled when the actor has ended and all its effects are carried out.
    gone: CancellationToken,
}

/// Apps never stay empty in it.
type Part = HashMap<AppId, HashMap<Arc<str>, Handle>>;

pub(super) struct Inner {
    parts: Vec<Mutex<Part>>,
    next_id: AtomicU64,
    placement: Placement,
    pub(super) heard: Heard,
    config: Config,
    clients: Clients,
    lives: Lives,
    metrics: Arc<RoomMetrics>,
    drain: Drain,
    readings: Semaphore,
}

/// All hot groups. Clones share them.
#[derive(Clone)]
pub(crate) struct Rooms {
    pub(super) inner: Arc<Inner>,
    fate: Fate,
}

impl Rooms {
    pub(crate) fn new(
        config: Config,
        placement: Placement,
        clients: Clients,
        drain: Drain,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                parts: (0..PARTS).map(|_| Mutex::default()).collect(),
                next_id: AtomicU64::new(1),
                placement,
                heard: Heard::default(),
                config,
                clients,
                lives: Lives::new(),
                metrics: Arc::new(RoomMetrics::new()),
                drain,
                readings: Semaphore::new(READINGS),
            }),
            fate: Fate::default(),
        }
    }

    /// The same groups, on behalf of one call.
    pub(crate) fn for_call(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), fate: Fate::default() }
    }

    /// What became of the call.
    pub(crate) fn fate(&self) -> &Fate {
        &self.fate
    }

    /// Runs a job on the group's actor and answers what it returns, once its effects are carried
    /// out.
    ///
    /// # Errors
    /// The job's own; 10015 for what cannot be a group ID, 10023 when too many wait for the group,
    /// 10002 when the effects could not be saved. Where the group is another node's, the error does
    /// not matter: see [`fate`](Self::fate).
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
        check_id(group_id)?;
        // Whether the job changed anything that others could see.
        let changed = Arc::new(AtomicBool::new(false));
        let result = self.try_run(app, group_id, Arc::clone(&changed), job).await;
        self.fate.note(&result, changed.load(Ordering::Relaxed));
        result.map_err(Failure::into_error)
    }

    async fn try_run<R, F>(
        &self,
        app: AppId,
        group_id: &str,
        changed: Arc<AtomicBool>,
        job: F,
    ) -> Result<R, Failure>
    where
        R: Send + 'static,
        F: FnOnce(&mut Turn<'_>, Reply<R>) + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let reply = Reply(sender);
        let job: Job = Box::new(move |turn| match turn {
            Ok(turn) => {
                let before = turn.out.effects();
                job(turn, reply);
                changed.store(turn.out.effects() != before, Ordering::Relaxed);
            }
            Err(failure) => reply.refuse(failure),
        });
        let tenure = self.submit(app, group_id, job).await?;
        receiver.await.unwrap_or_else(|_| {
            Err(if tenure.is_current() {
                let text = "the group could not be read or saved, try again";
                Failure::Refused(Code::GROUP_INTERNAL.with(text))
            } else {
                Failure::Unknown
            })
        })
    }

    /// Waits for something in a group's matter, for as long as the group is this node's: what it waits
    /// for may be at the next owner.
    ///
    /// # Errors
    /// The group was lost: see [`fate`](Self::fate).
    pub(crate) async fn while_here<T>(
        &self,
        app: AppId,
        group_id: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, CommandError> {
        let done = match self.inner.placement.tenure_of(app, group_id) {
            None => Err(Failure::NotBegun),
            Some(tenure) => tokio::select! {
                biased;
                done = work => Ok(done),
                () = tenure.ending() => Err(Failure::NotBegun),
            },
        };
        self.fate.note(&done, false);
        done.map_err(Failure::into_error)
    }

    /// The right to write for a group outside of its actor, once.
    ///
    /// # Errors
    /// The group was lost: see [`fate`](Self::fate).
    pub(crate) fn fence(&self, tenure: &Tenure) -> Result<v1::Fence, CommandError> {
        let fence = tenure.fence().ok_or(Failure::NotBegun);
        if fence.is_err() {
            self.fate.note(&fence, false);
        }
        fence.map_err(Failure::into_error)
    }

    /// Brings a job to the group's actor within the present tenure.
    async fn submit(&self, app: AppId, group_id: &str, mut job: Job) -> Result<Tenure, Failure> {
        loop {
            let Some(tenure) = self.inner.placement.tenure_of(app, group_id) else {
                return Err(Failure::NotBegun);
            };
            let handle = self.handle(app, group_id, &tenure);
            if handle.epoch != tenure.epoch() {
                // It is of an ownership that is over, and ends.
                handle.gone.cancelled().await;
                continue;
            }
            match handle.jobs.try_send(job) {
                Ok(()) => return Ok(tenure),
                Err(mpsc::error::TrySendError::Full(_)) => {
                    metrics::counter!("throng_group_router_mailbox_full_total").increment(1);
                    let text = "too many requests for this group";
                    return Err(Failure::Refused(Code::GROUP_SEND_FREQUENCY.with(text)));
                }
                Err(mpsc::error::TrySendError::Closed(back)) => {
                    // It is ending. Its successor must see all that it wrote.
                    job = back;
                    handle.gone.cancelled().await;
                }
            }
        }
    }

    fn handle(&self, app: AppId, group_id: &str, tenure: &Tenure) -> Handle {
        let mut part = self.part(group_id).lock();
        let groups = part.entry(app).or_default();
        if let Some(handle) = groups.get(group_id) {
            return handle.clone();
        }
        let (jobs, receiver) = mpsc::channel(self.inner.config.mailbox.max(1));
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        let epoch = tenure.epoch();
        let handle = Handle { id, epoch, jobs, gone: CancellationToken::new() };
        let key = GroupKey { app, group_id: Arc::from(group_id) };
        groups.insert(Arc::clone(&key.group_id), handle.clone());
        drop(part);
        metrics::gauge!("throng_group_router_hot_groups").increment(1.0);
        let end = EndOfActor { rooms: self.clone(), key, id, gone: handle.gone.clone() };
        let (tenure, hold) = (tenure.clone(), tenure.hold());
        self.inner.drain.spawn(async move {
            run_actor(&end.rooms, &end.key, &tenure, receiver).await;
            drop(hold);
        });
        handle
    }

    fn part(&self, group_id: &str) -> &Mutex<Part> {
        let hash = xxhash_rust::xxh3::xxh3_64(group_id.as_bytes());
        &self.inner.parts[hash as usize % PARTS]
    }

    /// Groups of an app that are hot on this node.
    pub(crate) fn hot(&self, app: AppId) -> Vec<Arc<str>> {
        let mut hot = Vec::new();
        for part in &self.inner.parts {
            hot.extend(part.lock().get(&app).into_iter().flat_map(HashMap::keys).cloned());
        }
        hot
    }

    /// All hot groups of this node.
    pub(super) fn all_hot(&self) -> Vec<GroupKey> {
        let mut hot = Vec::new();
        for part in &self.inner.parts {
            for (app, groups) in &*part.lock() {
                let key = |group_id: &Arc<str>| GroupKey { app: *app, group_id: group_id.clone() };
                hot.extend(groups.keys().map(key));
            }
        }
        hot
    }

    /// Whether a group is this node's now.
    pub(crate) fn owns(&self, app: AppId, group_id: &str) -> bool {
        self.inner.placement.tenure_of(app, group_id).is_some()
    }

    /// Resolves when groups end because the process does. In a cluster all shards were handed over
    /// before, unless there was no time.
    pub(super) async fn ending(&self) {
        self.inner.drain.draining().await;
    }

    /// Waits for its turn to read a group: a node that takes over has very many to read.
    pub(super) async fn reading(&self) -> Option<SemaphorePermit<'_>> {
        self.inner.readings.acquire().await.ok()
    }

    /// Whether another node may serve the groups next.
    pub(crate) fn has_successor(&self) -> bool {
        !self.inner.placement.is_alone()
    }

    /// Whether a group is hot: one that is not has no members, and nothing that could end.
    pub(crate) fn is_hot(&self, app: AppId, group_id: &str) -> bool {
        self.part(group_id).lock().get(&app).is_some_and(|groups| groups.contains_key(group_id))
    }

    /// The settings that rooms are kept by.
    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    /// What rooms count.
    pub(crate) fn metrics(&self) -> &Arc<RoomMetrics> {
        &self.inner.metrics
    }

    /// An epoch for a room that begins to live.
    pub(crate) fn new_stream(&self, ownership: u64) -> u64 {
        self.inner.lives.next(ownership)
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.inner.clients
    }

    pub(super) fn drain(&self) -> &Drain {
        &self.inner.drain
    }
}

/// Refuses what no group can be called, before it costs anything.
fn check_id(group_id: &str) -> Result<(), CommandError> {
    if group_id.is_empty() || group_id.len() > limits::TOPIC_ID_BYTES {
        let info = format!("GroupId: {} bytes, 1 to {}", group_id.len(), limits::TOPIC_ID_BYTES);
        return Err(Code::GROUP_BAD_ID.with(info));
    }
    Ok(())
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
        let GroupKey { app, group_id } = &self.key;
        let mut part = self.rooms.part(group_id).lock();
        if let Some(groups) = part.get_mut(app)
            && groups.get(group_id).is_some_and(|current| current.id == self.id)
        {
            groups.remove(group_id);
            if groups.is_empty() {
                part.remove(app);
            }
        }
        drop(part);
        metrics::gauge!("throng_group_router_hot_groups").decrement(1.0);
        self.gone.cancel();
    }
}
