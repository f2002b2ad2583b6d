//! This gateway and the presence nodes, kept of one mind. Sessions log in and out by calls of their
//! own ([`session`](crate::session)); here is what goes on beside that, with every presence node:
//! [`beat`]s say that the gateway lives and bring what the bus lost ([`streams`], [`tracker`]);
//! [`retell`] tells a node of sessions that it does not know, because it is new in the place of
//! another, and from time to time of all. [`resync`] is for losses that cannot be made good.

mod beat;
mod node;
mod resync;
mod retell;
mod streams;
mod tracker;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use rand::RngExt;
use throng_node::cluster::Homes;
use throng_proto::v1::gateway_message::Message;
use tokio::task::JoinSet;

use crate::context::Context;
use node::Node;
use streams::Streams;
pub(crate) use streams::{Numbers, Place};
use tracker::Arrival;

/// What is known of the presence nodes.
#[derive(Debug)]
pub(crate) struct Presence {
    homes: Homes,
    nodes: Mutex<Vec<Arc<Node>>>,
    /// Of the list that was followed last.
    version: AtomicU64,
    pub(crate) streams: Streams<Option<Message>>,
}

impl Presence {
    pub(crate) fn new(homes: Homes) -> Self {
        let (nodes, version, streams) = Default::default();
        Self { homes, nodes, version, streams }
    }

    /// A numbered message, and its bytes, came. `next` carries out all whose turn it is. False: it had
    /// come before.
    pub(crate) fn arrived(
        &self,
        place: Place,
        message: (Option<Message>, usize),
        next: impl FnMut(Option<Message>),
    ) -> bool {
        let arrival = self.streams.arrived(place, message, next);
        if arrival == Arrival::Early {
            // Others wait too: what is missing is asked for at once.
            for node in &*self.nodes.lock() {
                node.hurry.notify_one();
            }
        }
        arrival != Arrival::Known
    }

    /// A session was told to the node that has this bond with the gateway. Where another one is the
    /// user's home by now, that one is told as well.
    pub(crate) fn told(&self, home: u64, bond: u64) {
        let list = self.homes.now();
        let Some(home) = list.of(home) else { return };
        let nodes = self.nodes.lock();
        let node = nodes.iter().find(|node| node.is(home));
        if let Some(node) = node.filter(|node| node.bond() != bond) {
            node.untold.notify_one();
        }
    }

    /// Follows the list of nodes. Returns those that are new.
    fn follow(&self) -> Vec<Arc<Node>> {
        let list = self.homes.now();
        let mut nodes = self.nodes.lock();
        let before = nodes.len();
        nodes.retain(|node| {
            let stays = list.nodes.iter().any(|home| node.is(home));
            if !stays {
                node.gone.cancel();
            }
            stays
        });
        let mut new = Vec::new();
        for home in &list.nodes {
            if !nodes.iter().any(|node| node.is(home)) {
                let node = Arc::new(Node::new(home));
                nodes.push(Arc::clone(&node));
                new.push(node);
            }
        }
        let same = new.is_empty() && nodes.len() == before;
        let last = self.version.swap(list.version, Ordering::AcqRel);
        for node in &*nodes {
            if !same || !node.has_known(last, list.version) {
                // Somebody's users may be theirs now.
                node.untold.notify_one();
            }
        }
        new
    }
}

/// Keeps in touch with all presence nodes for as long as it is polled.
pub(crate) async fn keep_in_touch(context: Arc<Context>) {
    let mut homes = context.presence.homes.clone();
    let mut tasks = JoinSet::new();
    loop {
        for node in context.presence.follow() {
            let context = Arc::clone(&context);
            tasks.spawn(async move {
                tokio::select! {
                    () = beat::beat(&context, &node) => {}
                    () = retell::catch_up(&context, &node) => {}
                    () = retell::rounds(&context, &node) => {}
                    () = node.gone.cancelled() => context.release_all(),
                }
            });
        }
        tokio::select! {
            () = homes.changed() => {}
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
        }
    }
}

/// Tells all presence nodes that this gateway ends. Its connections are closed.
pub(crate) async fn say_farewell(context: &Context) {
    let nodes = context.presence.nodes.lock().clone();
    join_all(nodes.iter().map(|node| beat::say_farewell(context, node))).await;
}

/// Some part or multiple of a time, by chance.
fn times(time: Duration, factors: Range<f64>) -> Duration {
    time.mul_f64(rand::rng().random_range(factors))
}
