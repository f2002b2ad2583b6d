//! One presence node as this gateway knows it.

use std::sync::Arc;

use parking_lot::Mutex;
use throng_node::cluster::Home;
use throng_proto::Link;
use throng_proto::v1::presence_client::PresenceClient;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Default)]
struct Known {
    bond: u64,
    told: u64,
}

/// A presence node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    incarnation: u64,
    link: Link,
    known: Mutex<Known>,
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
            known: Mutex::default(),
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

    /// What the node calls its acquaintance with this gateway; 0 when it has not answered yet.
    pub(super) fn bond(&self) -> u64 {
        self.known.lock().bond
    }

    /// The node answered. Where it may have forgotten sessions, it is told of all of them again.
    pub(super) fn learn_bond(&self, bond: u64) {
        let mut known = self.known.lock();
        if known.bond != bond {
            *known = Known { bond, told: 0 };
            self.untold.notify_one();
        }
    }

    /// Version of the list of nodes up to which it was told of all sessions that are at home there.
    pub(super) fn told(&self) -> u64 {
        self.known.lock().told
    }

    /// It was told of everything by this list, if that is still the same acquaintance.
    pub(super) fn has_told(&self, bond: u64, version: u64) {
        let mut known = self.known.lock();
        if known.bond == bond && known.told < version {
            known.told = version;
            self.hurry.notify_one();
        }
    }

    /// A list came that has the same nodes as the last one. True: the node was told of everything by
    /// that one, and so it is by this.
    pub(super) fn has_known(&self, last: u64, version: u64) -> bool {
        let mut known = self.known.lock();
        let was_told = known.told != 0 && known.told >= last;
        if was_told {
            known.told = known.told.max(version);
        }
        was_told
    }
}
