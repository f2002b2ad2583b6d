//! Where users are at home: the presence nodes, each with a way to that very node. Gateways tell all
//! of them that they live, and presence nodes ask each other about users of several homes.

use std::sync::Arc;

use throng_proto::{Link, LinkError};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::channels::Channels;
use super::rendezvous;
use super::view::{Node, PlacementView, Placements};
use crate::drain::Drain;

/// A presence node.
#[derive(Debug, Clone)]
pub struct Home {
    /// Stable over restarts.
    pub name: Arc<str>,
    /// A number of its present start.
    pub incarnation: u64,
    /// To this node and no other. Nothing is repeated on the way.
    pub link: Link,
}

/// All presence nodes at one moment.
#[derive(Debug, Clone, Default)]
pub struct HomeList {
    /// Rises with every change of the placement, also of those that leave the nodes as they are; the
    /// same everywhere.
    pub version: u64,
    /// In no order.
    pub nodes: Vec<Home>,
}

impl HomeList {
    /// The home of users with this hash (`throng_protocol::ids::user_hash`); `None` while there is
    /// no node.
    #[must_use]
    pub fn of(&self, user_hash: u64) -> Option<&Home> {
        let names = self.nodes.iter().map(|node| &*node.name);
        rendezvous(user_hash, names).map(|place| &self.nodes[place])
    }
}

/// The presence nodes as they come and go.
#[derive(Debug, Clone)]
pub struct Homes {
    list: watch::Receiver<Arc<HomeList>>,
}

impl Homes {
    /// One node, for ever: everybody is at home there.
    #[must_use]
    pub fn one(link: Link) -> Self {
        let node = Home { name: "presence".into(), incarnation: 0, link };
        Self::following(
            watch::Sender::new(Arc::new(HomeList { version: 1, nodes: vec![node] })).subscribe(),
        )
    }

    /// Those of the placement, until the process has drained. Needs a runtime.
    #[must_use]
    pub fn placed(view: &PlacementView, channels: &Channels, drain: &Drain) -> Self {
        let mut changes = view.changes();
        changes.mark_changed();
        let list = watch::Sender::new(Arc::default());
        let homes = Self::following(list.subscribe());
        let (view, channels, drain) = (view.clone(), channels.clone(), drain.clone());
        let follow = async move {
            let mut known = Vec::new();
            while changes.changed().await.is_ok() {
                let now = next(&view.now(), &channels, &mut known);
                list.send_replace(Arc::new(now));
            }
        };
        tokio::spawn(async move {
            tokio::select! {
                () = follow => {}
                () = drain.finished() => {}
            }
        });
        homes
    }

    /// Those that somebody else says.
    #[must_use]
    pub fn following(list: watch::Receiver<Arc<HomeList>>) -> Self {
        Self { list }
    }

    /// The nodes as far as is known now.
    #[must_use]
    pub fn now(&self) -> Arc<HomeList> {
        Arc::clone(&self.list.borrow())
    }

    /// Returns when they changed since the last call, or else when they next do.
    pub async fn changed(&mut self) {
        if self.list.changed().await.is_err() {
            // They never change again.
            std::future::pending::<()>().await;
        }
    }
}

/// The list of a placement. Nodes that were known keep their link.
fn next(now: &Placements, channels: &Channels, known: &mut Vec<(Node, Link)>) -> HomeList {
    known.retain(|(node, _)| now.presence().contains(node));
    for node in now.presence() {
        if known.iter().any(|(other, _)| other == node) {
            continue;
        }
        match channels.get(&node.address) {
            Ok(channel) => {
                let link = Link::unconnected();
                link.connect_transport(channel.map_err(LinkError::from));
                known.push((node.clone(), link));
            }
            Err(error) => {
                tracing::error!(%error, node = &*node.name, "a presence node has no good address");
            }
        }
    }
    let nodes = known.iter().map(|(node, link)| Home {
        name: Arc::clone(&node.name),
        incarnation: node.incarnation,
        link: link.clone(),
    });
    HomeList { version: now.version(), nodes: nodes.collect() }
}

#[cfg(test)]
mod tests {
    use throng_proto::v1;

    use super::*;

    fn update(version: u64, names: &[&str]) -> v1::PlacementUpdate {
        let nodes = names.iter().map(|name| v1::ClusterNode {
            name: (*name).to_owned(),
            role: v1::NodeRole::RolePresence.into(),
            address: "127.0.0.1:9".to_owned(),
            incarnation: 1,
            leaving: false,
        });
        v1::PlacementUpdate { version, shards: 1, nodes: nodes.collect(), changed: Vec::new() }
    }

    #[tokio::test]
    async fn the_list_follows_the_placement() {
        let view = PlacementView::still(Placements::default());
        let drain = Drain::new();
        let mut homes = Homes::placed(&view, &Channels::default(), &drain);
        for (version, names) in [(3, &["a", "b"][..]), (4, &["b"]), (5, &[])] {
            view.update(update(version, names));
            while homes.now().version < version {
                homes.changed().await;
            }
            let list = homes.now();
            assert_eq!(list.nodes.len(), names.len());
            for hash in 0..20 {
                let expected = view.now().home(hash).map(|node| Arc::clone(&node.name));
                assert_eq!(list.of(hash).map(|node| Arc::clone(&node.name)), expected);
            }
        }
    }

    #[tokio::test]
    async fn one_node_is_everybodys_home() {
        let mut homes = Homes::one(Link::unconnected());
        assert!((0..20).all(|hash| homes.now().of(hash).is_some()));
        tokio::select! {
            biased;
            () = homes.changed() => panic!("it does not change"),
            () = tokio::task::yield_now() => {}
        }
    }
}
