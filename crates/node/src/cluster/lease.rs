//! The lease of a node that owns nothing by itself (presence): kept by asking for it again and again.
//! Group routers keep theirs along with what they own.

use std::time::Duration;

use rand::RngExt;
use throng_proto::v1;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

use super::leader::PlacementLeader;
use crate::drain::Drain;

/// Time for one request, and to the next one while the length of a lease is unknown.
const FIRST_TIME: Duration = Duration::from_millis(300);
/// Pause after one that failed, on average.
const RETRY: Duration = Duration::from_millis(75);
/// Requests in the time of one lease.
const PER_LEASE: u32 = 4;
/// How long a node that ends tries to say so. The others learn it anyway when its lease is over.
const LEAVE_TIME: Duration = Duration::from_secs(2);

/// What is known of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseState {
    /// Which start of the node it is for. It is another one after the cluster gave the node up.
    pub incarnation: u64,
    /// When it ends, if nothing more is heard. `None`: there is none.
    pub until: Option<Instant>,
    /// Version of the placement when it was last extended: who goes by an older one may not know
    /// yet what it lost.
    pub placement_version: u64,
}

impl LeaseState {
    /// That of a node that begins.
    fn new() -> Self {
        Self { incarnation: new_incarnation(), until: None, placement_version: 0 }
    }

    /// Whether the cluster counts on the node at this moment, and the node may go by a placement of
    /// this version.
    #[must_use]
    pub fn covers(&self, version: u64) -> bool {
        self.until.is_some_and(|until| Instant::now() < until) && version >= self.placement_version
    }
}

/// A lease that is being kept. Clones share it.
#[derive(Debug, Clone)]
pub struct Lease {
    state: watch::Receiver<LeaseState>,
}

impl Lease {
    /// Asks for it until the process drains, and leaves the placement then. `node` names the node;
    /// its incarnation is filled in.
    #[must_use]
    pub fn keep(node: v1::ClusterNode, leader: PlacementLeader, drain: &Drain) -> Self {
        let first = LeaseState::new();
        let (sender, state) = watch::channel(first);
        let keeper = Keeper { node, leader, state: sender };
        let draining = drain.clone();
        drain.spawn(async move {
            tokio::select! {
                () = keeper.run() => {}
                () = draining.draining() => {}
            }
            keeper.leave().await;
        });
        Self { state }
    }

    /// Whether the cluster counts on this node at this moment.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.state.borrow().until.is_some_and(|until| Instant::now() < until)
    }

    /// What is known of it now, and every change.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LeaseState> {
        self.state.clone()
    }
}

/// A number for a start of a node.
#[must_use]
pub fn new_incarnation() -> u64 {
    rand::rng().random_range(1..=u64::MAX)
}

struct Keeper {
    node: v1::ClusterNode,
    leader: PlacementLeader,
    state: watch::Sender<LeaseState>,
}

impl Keeper {
    async fn run(&self) {
        let mut time = FIRST_TIME;
        loop {
            let sent = Instant::now();
            let pause = match self.leader.renew(self.now(), time).await {
                Ok(reply) if reply.granted => {
                    let length = Duration::from_millis(reply.lease_ms.into());
                    time = length / PER_LEASE;
                    let version = reply.placement_version;
                    self.state.send_modify(|state| {
                        state.until = Some(sent + length);
                        state.placement_version = state.placement_version.max(version);
                    });
                    time.saturating_sub(sent.elapsed())
                }
                Ok(_) => {
                    let name = self.node.name.as_str();
                    tracing::warn!(name, "the cluster gave this node up; it begins anew");
                    self.state.send_replace(LeaseState::new());
                    Duration::ZERO
                }
                Err(status) => {
                    self.failed(&status);
                    RETRY.mul_f64(rand::rng().random_range(0.5..1.5))
                }
            };
            sleep(pause).await;
        }
    }

    fn failed(&self, status: &Status) {
        if status.code() != Code::Aborted {
            metrics::counter!("throng_placement_lease_renewal_failures_total").increment(1);
            tracing::debug!(%status, "lease not renewed");
        }
    }

    fn now(&self) -> v1::ClusterNode {
        let incarnation = self.state.borrow().incarnation;
        v1::ClusterNode { incarnation, ..self.node.clone() }
    }

    async fn leave(&self) {
        let v1::ClusterNode { name, incarnation, .. } = self.now();
        self.state.send_modify(|state| state.until = None);
        let request = v1::LeaveRequest { name, incarnation };
        if let Err(status) = self.leader.leave(request, LEAVE_TIME).await {
            tracing::info!(%status, "the cluster was not told that this node ends");
        }
    }
}
