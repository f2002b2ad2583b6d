//! Which node a call goes to, by service.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use throng_proto::Target;
use tokio::sync::watch;

use super::discovery::Discovery;
use super::view::PlacementView;

/// How long a node that failed is passed over while there are others.
const PASSED_OVER: Duration = Duration::from_secs(1);

/// Picks the address for a call.
#[derive(Debug, Clone)]
pub(super) enum Choice {
    /// All nodes are alike.
    Alike(Alike),
    /// Groups have owners.
    Owners(PlacementView, Arc<AtomicUsize>),
    /// Users have homes.
    Homes(PlacementView, Arc<AtomicUsize>),
}

impl Choice {
    /// The address for the call, `None` while there is none.
    pub(super) fn pick(&self, target: Target) -> Option<Arc<str>> {
        match (self, target) {
            (Self::Alike(alike), _) => alike.pick(),
            (Self::Owners(view, _), Target::Hash(hash)) => {
                view.now().owner(hash).map(|owner| owner.address)
            }
            (Self::Homes(view, _), Target::Hash(hash)) => {
                view.now().home(hash).map(|node| Arc::clone(&node.address))
            }
            (Self::Owners(view, next), Target::Any) => turn(view.now().routers(), next),
            (Self::Homes(view, next), Target::Any) => turn(view.now().presence(), next),
        }
    }

    /// A call to this address failed below gRPC.
    pub(super) fn failed(&self, address: &Arc<str>) {
        if let Self::Alike(alike) = self {
            alike.failed(address);
        }
    }

    /// Tells when it may choose differently.
    pub(super) fn changes(&self) -> Option<watch::Receiver<u64>> {
        match self {
            Self::Alike(_) => None,
            Self::Owners(view, _) | Self::Homes(view, _) => Some(view.changes()),
        }
    }
}

fn turn(nodes: &[super::view::Node], next: &AtomicUsize) -> Option<Arc<str>> {
    let turn = next.fetch_add(1, Ordering::Relaxed);
    nodes.get(turn % nodes.len().max(1)).map(|node| Arc::clone(&node.address))
}

/// Nodes that are all alike, taken in turn.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    discovery: Discovery,
    next: Arc<AtomicUsize>,
    failed: Arc<Mutex<HashMap<Arc<str>, Instant>>>,
}

impl Alike {
    pub(super) fn new(discovery: Discovery) -> Self {
        Self { discovery, next: Arc::default(), failed: Arc::default() }
    }

    fn pick(&self) -> Option<Arc<str>> {
        let addresses = self.discovery.addresses();
        let count = addresses.len();
        if count == 0 {
            self.discovery.doubt();
            return None;
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = |step| &addresses[turn.wrapping_add(step) % count];
        let failed = self.failed.lock();
        let now = Instant::now();
        let well = |address: &&Arc<str>| failed.get(*address).is_none_or(|until| *until <= now);
        Some(Arc::clone((0..count).map(in_turn).find(well).unwrap_or_else(|| in_turn(0))))
    }

    fn failed(&self, address: &Arc<str>) {
        let now = Instant::now();
        let mut failed = self.failed.lock();
        failed.retain(|_, until| *until > now);
        failed.insert(Arc::clone(address), now + PASSED_OVER);
        self.discovery.doubt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_that_failed_is_passed_over_while_there_are_others() {
        let names = ["127.0.0.1:1", "127.0.0.1:2"].map(str::to_owned);
        let choice = Choice::Alike(Alike::new(Discovery::start("test", &names)));
        let one = choice.pick(Target::Any).unwrap();
        let other = choice.pick(Target::Any).unwrap();
        assert_ne!(one, other);
        choice.failed(&one);
        assert_eq!(choice.pick(Target::Any).unwrap(), other);
        assert_eq!(choice.pick(Target::Any).unwrap(), other);
        choice.failed(&other);
        assert!(choice.pick(Target::Any).is_some(), "better a doubtful one than none");
    }
}
