//! The right to serve a shard, as this node has it at this moment. Whoever follows the cluster's
//! placement changes it here ([`Ownership`]); whoever serves a group asks here ([`Tenure`]): once a
//! message or more, so asking takes some atomics and at most a look at the clock.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use throng_proto::v1::Fence;
use throng_protocol::ids::{AppId, shard_of};
use throng_store::WriteTime;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::core::clock::next_write_time;

/// In [`State::last`]: no more write times are given out.
const CLOSED: i64 = i64::MAX;
/// How long a lease may be away without what was begun being given up. A leader of the placement is
/// replaced in less; nobody else serves the shard before it is over.
const PAUSE: Duration = Duration::from_secs(2);

/// What this node may serve. Times of the monotonic clock are milliseconds since this was made.
#[derive(Debug)]
pub struct Ownership {
    lease: Arc<Lease>,
    /// One place a shard; `None` until their number is known.
    shards: OnceLock<Box<[ArcSwapOption<State>]>>,
}

impl Default for Ownership {
    fn default() -> Self {
        Self::new()
    }
}

impl Ownership {
    /// Of a node that owns nothing and has no lease.
    #[must_use]
    pub fn new() -> Self {
        let lease = Lease {
            origin: Instant::now(),
            until: AtomicU64::new(0),
            write_time_limit: AtomicI64::new(0),
            changed: Notify::new(),
        };
        Self { lease: Arc::new(lease), shards: OnceLock::new() }
    }

    /// Names the number of shards, which never changes after that.
    pub fn found(&self, shards: u32) {
        self.shards.get_or_init(|| (0..shards.max(1)).map(|_| ArcSwapOption::empty()).collect());
    }

    /// The monotonic clock that leases are counted by.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.lease.now()
    }

    /// Until when this node serves what it owns, and below what write times stay. With zeros it
    /// serves nothing any more: all that it owned is over.
    pub fn set_lease(&self, until: u64, write_time_limit: i64) {
        if until == 0 {
            let owned = self.shards.get().into_iter().flatten();
            owned.filter_map(|place| place.swap(None)).for_each(|state| state.stop());
        }
        self.lease.write_time_limit.store(write_time_limit, Ordering::SeqCst);
        self.lease.until.store(until, Ordering::SeqCst);
        self.lease.changed.notify_waiters();
    }

    /// This node owns a shard from now on, in an epoch that it never had before. Write times are
    /// not below `floor`.
    pub fn grant(&self, shard: u32, epoch: u64, floor: i64) {
        let Some(place) = self.place(shard) else {
            tracing::error!(shard, "no such shard");
            return;
        };
        let state = State {
            granted: self.now(),
            lease: Arc::clone(&self.lease),
            epoch,
            floor,
            last: AtomicI64::new(0),
            over: AtomicBool::new(false),
            ending: CancellationToken::new(),
            holds: TaskTracker::new(),
        };
        if let Some(before) = place.swap(Some(Arc::new(state))) {
            before.stop();
        }
    }

    /// Begins nothing new for a shard. Resolves when all that was begun is carried out and nothing
    /// will be written any more, with the greatest write time that was used (0: nothing was
    /// written).
    ///
    /// Dropping the future leaves the shard as it is then.
    pub fn wind_down(&self, shard: u32, epoch: u64) -> impl Future<Output = i64> + Send + 'static {
        let state = self.tenure(shard).filter(|state| state.epoch == epoch);
        if let Some(state) = &state {
            state.ending.cancel();
            state.holds.close();
        }
        async move {
            let Some(state) = state else { return 0 };
            state.holds.wait().await;
            state.close()
        }
    }

    /// This node has nothing to do with a shard any more: nothing more is written or answered.
    pub fn stop(&self, shard: u32, epoch: u64) {
        let Some(state) = self.tenure(shard).filter(|state| state.epoch == epoch) else { return };
        state.stop();
        if let Some(place) = self.place(shard) {
            place.compare_and_swap(&Some(state), None);
        }
    }

    /// The tenure of a group's shard that begins new work now.
    pub(super) fn tenure_of(&self, app: AppId, group_id: &str) -> Option<Tenure> {
        let shards = self.shards.get()?;
        let count = u32::try_from(shards.len()).ok()?;
        let state = shards[shard_of(app, group_id, count) as usize].load_full()?;
        let tenure = Tenure { state };
        (!tenure.state.ending.is_cancelled() && tenure.is_current()).then_some(tenure)
    }

    fn place(&self, shard: u32) -> Option<&ArcSwapOption<State>> {
        self.shards.get()?.get(shard as usize)
    }

    fn tenure(&self, shard: u32) -> Option<Arc<State>> {
        self.place(shard)?.load_full()
    }
}

/// The lease of this node, which all its shards share.
#[derive(Debug)]
struct Lease {
    origin: Instant,
    until: AtomicU64,
    write_time_limit: AtomicI64,
    changed: Notify,
}

impl Lease {
    /// Rounded down, as what `until` is made from was: the lease ends a little early, never late.
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether it lasts, and there are write times above the floor.
    fn is_fresh(&self, floor: i64) -> bool {
        let until = self.until.load(Ordering::SeqCst);
        (until == u64::MAX || self.now() < until)
            && floor < self.write_time_limit.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct State {
    lease: Arc<Lease>,
    /// When this node learned of it.
    granted: u64,
    epoch: u64,
    floor: i64,
    /// The greatest write time that was used; 0 before the first, [`CLOSED`] at the end.
    last: AtomicI64,
    over: AtomicBool,
    ending: CancellationToken,
    holds: TaskTracker,
}

impl State {
    /// Gives out no more write times, and says which was the last one.
    fn close(&self) -> i64 {
        self.over.store(true, Ordering::SeqCst);
        match self.last.swap(CLOSED, Ordering::SeqCst) {
            CLOSED => 0,
            last => last,
        }
    }

    fn stop(&self) {
        self.close();
        self.ending.cancel();
        self.holds.close();
        self.lease.changed.notify_waiters();
    }
}

/// The right of this node to serve one shard in one epoch. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Tenure {
    state: Arc<State>,
}

impl Tenure {
    /// Which ownership of the shard it is.
    pub(crate) fn epoch(&self) -> u64 {
        self.state.epoch
    }

    /// For how long this node has had the shard, milliseconds.
    pub(crate) fn age_ms(&self) -> u64 {
        self.state.lease.now().saturating_sub(self.state.granted)
    }

    /// Whether this node may answer for the shard at this moment: its lease is fresh, and the shard
    /// was not given away. It may be again a moment later, unless it [`is_over`](Self::is_over).
    pub(crate) fn is_current(&self) -> bool {
        // In this order: the lease of the node's next incarnation comes after the end of this.
        self.state.lease.is_fresh(self.state.floor) && !self.is_over()
    }

    /// Whether it will never be current again.
    pub(crate) fn is_over(&self) -> bool {
        self.state.over.load(Ordering::SeqCst)
    }

    /// The time of the next write, greater than all before it; `None` when nothing may be written.
    pub(crate) fn stamp(&self) -> Option<WriteTime> {
        if !self.is_current() {
            return None;
        }
        let State { lease, floor, last, .. } = &*self.state;
        let (limit, wall) = (lease.write_time_limit.load(Ordering::SeqCst), wall_micros());
        let mut before = last.load(Ordering::SeqCst);
        loop {
            let next = next_write_time(*floor, before, wall, limit)?;
            match last.compare_exchange_weak(before, next, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Some(WriteTime(next)),
                Err(found) => before = found,
            }
        }
    }

    /// As [`stamp`](Self::stamp), after a pause in the lease too, if it is short.
    pub(crate) async fn stamp_soon(&self) -> Option<WriteTime> {
        match self.stamp() {
            None if self.is_current_soon().await => self.stamp(),
            stamp => stamp,
        }
    }

    /// As [`is_current`](Self::is_current), after a pause in the lease too, if it is short: when the
    /// lease comes back, nobody else has owned the shard in between.
    pub(crate) async fn is_current_soon(&self) -> bool {
        self.is_current() || timeout(PAUSE, self.regained()).await.unwrap_or(false)
    }

    /// The right to write once, for who writes on behalf of this node.
    pub(crate) fn fence(&self) -> Option<Fence> {
        self.stamp().map(|at| self.fence_at(at))
    }

    /// As [`fence`](Self::fence), after a short pause in the lease too.
    pub(crate) async fn fence_soon(&self) -> Option<Fence> {
        self.stamp_soon().await.map(|at| self.fence_at(at))
    }

    fn fence_at(&self, WriteTime(write_time): WriteTime) -> Fence {
        Fence { epoch: self.epoch(), write_time }
    }

    /// Resolves once it has to be wound down, or is over.
    pub(crate) async fn ending(&self) {
        self.state.ending.cancelled().await;
    }

    /// Resolves when it is current (true), or over (false).
    pub(crate) async fn regained(&self) -> bool {
        loop {
            let mut changed = std::pin::pin!(self.state.lease.changed.notified());
            changed.as_mut().enable();
            if self.is_current() {
                return true;
            }
            if self.is_over() {
                return false;
            }
            changed.await;
        }
    }

    /// Kept by whoever works for the shard: a hand-over waits until all are dropped.
    pub(crate) fn hold(&self) -> TenureHold {
        TenureHold { _token: self.state.holds.token() }
    }
}

/// See [`Tenure::hold`].
#[derive(Debug)]
pub(crate) struct TenureHold {
    _token: TaskTrackerToken,
}

fn wall_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
