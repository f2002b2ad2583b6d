//! One of several group routers, whose shard a test gives and takes.

use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;
use throng_group_router::placement::Ownership;
use throng_group_router::{Config, Placement};
use throng_node::cluster::is_not_begun;
use throng_proto::v1;
use tonic::Status;

use super::{Around, FaultyStore, World, body_of};

/// All groups are in one shard.
const SHARD: u32 = 0;

pub struct Node {
    pub world: World,
    ownership: Arc<Ownership>,
}

impl Deref for Node {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// An epoch and the floor of its write times.
pub type Term = (u64, i64);

impl Node {
    /// On the same store, bus and services as the others.
    pub fn beside(around: &Around) -> Self {
        let store = Arc::new(FaultyStore::beside(&around.store));
        let around = Around { store, ..around.clone() };
        let ownership = Arc::new(Ownership::new());
        ownership.found(1);
        let placement = Placement::of(Arc::clone(&ownership));
        Self { world: World::placed(Config::default(), around, placement), ownership }
    }

    /// It owns all groups from now on, and has its lease.
    pub fn serves(&self, (epoch, floor): Term) {
        self.renew();
        self.ownership.grant(SHARD, epoch, floor);
    }

    /// Its lease is fresh for all of the test.
    pub fn renew(&self) {
        self.ownership.set_lease(u64::MAX, i64::MAX - 1);
    }

    /// Its lease is over. Nobody has told it that it is given up.
    pub async fn lapses(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        self.ownership.set_lease(self.ownership.now().max(1), i64::MAX - 1);
    }

    /// It learns that it was given up.
    pub fn is_given_up(&self) {
        self.ownership.set_lease(0, 0);
    }

    /// Hands its groups over; the term of the next owner.
    pub async fn hands_over(&self, epoch: u64) -> Term {
        let last = self.ownership.wind_down(SHARD, epoch).await;
        self.ownership.stop(SHARD, epoch);
        (epoch + 1, last + 1)
    }

    /// A call by the app's server, or the status instead of its answer.
    pub async fn try_rest(&self, command: &str, body: Value) -> Result<Value, Status> {
        let kind = v1::origin::Kind::Rest;
        let request = super::request(kind, "admin", 0, command, &body);
        self.try_execute(request).await.map(|reply| body_of(&reply))
    }

    /// A message by a logged-in client, or the status instead of its answer.
    pub async fn try_send(&self, user: &str, group_id: &str, random: u32) -> Result<Value, Status> {
        let body = super::message(group_id, random);
        let request = self.client_request(user, "send_group_msg", &body);
        self.try_execute(request).await.map(|reply| body_of(&reply))
    }
}

/// The other node has to be asked, and nothing of this happened here.
#[track_caller]
pub fn not_begun<T: std::fmt::Debug>(result: Result<T, Status>) {
    let status = result.unwrap_err();
    assert!(is_not_begun(&status), "{status:?}");
}

/// Nobody knows what became of it.
#[track_caller]
pub fn unknown<T: std::fmt::Debug>(result: Result<T, Status>) {
    let status = result.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
    assert!(!is_not_begun(&status), "{status:?}");
}
