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
use tokio::time::{Instant, sleep};

use crate::connection::Close;
use crate::context::Context;
use node::Node;
use streams::Streams;
pub(crate) use streams::{Numbers, Place};
use tracker::Arrival;

/// How often this gateway looks whether it stood still.
const TICK: Duration = Duration::from_millis(200);
/// It did not run for so long.
const STILL: Duration = Duration::from_secs(1);
/// So long after that it may hear of nodes that began meanwhile.
const REMEMBERED: Duration = Duration::from_secs(10);

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
    let mut awake = Awake::new();
    loop {
        let new = context.presence.follow();
        if awake.stood_still() && !new.is_empty() {
            close_unheard(&context, &new);
        }
        for node in new {
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
        loop {
            tokio::select! {
                () = homes.changed() => break,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => break,
                () = sleep(TICK) => {
                    awake.stood_still();
                }
            }
        }
    }
}

/// Ends connections of users who are at home on nodes that are new. While this gateway stood still such a
/// node brought items to gateways that it knew, and this one was none of them. Clients come back and compare.
fn close_unheard(context: &Context, new: &[Arc<Node>]) {
    let list = context.presence.homes.now();
    let mut closed = 0;
    for place in 0..context.sessions.places() {
        for session in context.sessions.at(place) {
            let Some(identity) = session.online() else { continue };
            if list.of(identity.home).is_some_and(|home| new.iter().any(|node| node.is(home))) {
                session.outbox().close(Close::OUT_OF_TOUCH);
                closed += 1;
            }
        }
    }
    if closed > 0 {
        tracing::warn!(closed, "this gateway stood still while presence nodes changed");
    }
}

/// Notices that the process did not run.
struct Awake {
    seen: Instant,
    woke: Option<Instant>,
}

impl Awake {
    fn new() -> Self {
        Self { seen: Instant::now(), woke: None }
    }

    /// Called often. Whether the process stood still, a moment ago or not long before: news of the nodes
    /// come a little later than the process goes on.
    fn stood_still(&mut self) -> bool {
        let now = Instant::now();
        if now.duration_since(self.seen) >= STILL {
            self.woke = Some(now);
        }
        self.seen = now;
        self.woke.is_some_and(|woke| now.duration_since(woke) < REMEMBERED)
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

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn to_stand_still_is_remembered_for_a_while() {
        let mut awake = Awake::new();
        for _ in 0..20 {
            advance(TICK).await;
            assert!(!awake.stood_still());
        }
        advance(STILL).await;
        assert!(awake.stood_still());
        for _ in 1..REMEMBERED.as_millis() / TICK.as_millis() {
            advance(TICK).await;
            assert!(awake.stood_still(), "nodes are heard of later");
        }
        advance(TICK).await;
        assert!(!awake.stood_still());
    }
}
