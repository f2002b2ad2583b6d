//! One presence node as this gateway knows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use throng_node::cluster::Home;
use throng_proto::Link;
use throng_proto::v1::presence_client::PresenceClient;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A presence node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    incarnation: u64,
    link: Link,
    /// What the node calls its acquaintance with this gateway; 0 when it has not answered yet.
    bond: AtomicU64,
    /// Version of the list of nodes up to which it was told of all sessions that are at home there.
    told: AtomicU64,
    /// There may be sessions of which it was not told.
    pub(super) untold: Notify,
    /// There is something to say before the next beat.
    pub(super) hurry: Notify,
    /// It is on the list no more.
    pub(super) gone: CancellationToken,
}

impl Node {
    pub(super) fn new(home: &Home) -> Self {
        Self {
            name: Arc::clone(&home.name),
            incarnation: home.incarnation,
            link: home.link.clone(),
            bond: AtomicU64::new(0),
            told: AtomicU64::new(0),
            untold: Notify::new(),
            hurry: Notify::new(),
            gone: CancellationToken::new(),
        }
    }

    pub(super) fn is(&self, home: &Home) -> bool {
        self.name == home.name && self.incarnation == home.incarnation
    }

    pub(super) fn client(&self) -> PresenceClient<Link> {
        PresenceClient::new(self.link.clone())
    }

    pub(super) fn bond(&self) -> u64 {
        self.bond.load(Ordering::Acquire)
    }

    /// The node answered. Where it may have forgotten sessions, it is told of all of them again.
    pub(super) fn learn_bond(&self, bond: u64) {
        if self.bond.swap(bond, Ordering::AcqRel) != bond {
            self.told.store(0, Ordering::Release);
            self.untold.notify_one();
        }
    }

    pub(super) fn told(&self) -> u64 {
        self.told.load(Ordering::Acquire)
    }

    /// It was told of everything by this list.
    pub(super) fn has_told(&self, version: u64) {
        if self.told.swap(version, Ordering::AcqRel) != version {
            self.hurry.notify_one();
        }
    }
}
