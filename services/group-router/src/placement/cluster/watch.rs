//! How others follow the placement: the whole of it, then what changed. A follower that is slow gets
//! the latest placement next, whatever it missed in between.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use throng_node::cluster::not_begun;
use throng_proto::v1;
use tokio::sync::watch::Receiver;
use tokio::time::sleep;
use tonic::Status;

use super::super::core::state::{Node as Known, PlacementState, Role};
use super::{Applied, Node};

/// Leases that this node may be without before it sends its followers to another one: its placement
/// is old then, and it may not know it.
const LEASES: u32 = 3;

struct Follower {
    node: Node,
    applied: Receiver<Applied>,
    left: Receiver<bool>,
    /// What the follower has; `None` before the first update.
    sent: Option<Arc<PlacementState>>,
}

/// The updates for one follower.
pub(super) fn updates(
    node: &Node,
) -> Result<impl Stream<Item = Result<v1::PlacementUpdate, Status>> + use<>, Status> {
    if !is_up_to_date(node) {
        return Err(not_begun("has no lease, its placement may be old"));
    }
    let (applied, left) = (node.applied.clone(), node.left.subscribe());
    let follower = Follower { node: node.clone(), applied, left, sent: None };
    Ok(unfold(follower, |mut follower| async move {
        let update = follower.next().await?;
        Some((Ok(update), follower))
    }))
}

impl Follower {
    async fn next(&mut self) -> Option<v1::PlacementUpdate> {
        loop {
            let state = Arc::clone(&self.applied.borrow_and_update());
            let before = self.sent.as_ref();
            if before.is_none_or(|before| before.version != state.version) {
                let update = update(before.map(|before| &**before), &state);
                self.sent = Some(state);
                return Some(update);
            }
            tokio::select! {
                changed = self.applied.changed() => changed.ok()?,
                _ = self.left.wait_for(|left| *left) => return None,
                () = self.node.stop.cancelled() => return None,
                () = sleep(self.node.lease()) => {
                    if !is_up_to_date(&self.node) {
                        return None;
                    }
                }
            }
        }
    }
}

/// Whether this node had a lease lately: then it is in touch with the leader.
fn is_up_to_date(node: &Node) -> bool {
    let lately = Duration::from_millis(node.ownership.now()).saturating_sub(node.lease() * LEASES);
    let until = Duration::from_millis(node.lease_until.load(Ordering::Relaxed));
    !*node.left.borrow() && until > lately
}

/// What changed between two placements; everything if there is no first one.
fn update(before: Option<&PlacementState>, now: &PlacementState) -> v1::PlacementUpdate {
    let changed = (0..).zip(&now.shards).filter(|(number, shard)| {
        let old = before.and_then(|before| before.shards.get(*number as usize));
        old.is_none_or(|old| (&old.owner, old.epoch) != (&shard.owner, shard.epoch))
    });
    v1::PlacementUpdate {
        version: now.version,
        shards: u32::try_from(now.shards.len()).unwrap_or(u32::MAX),
        nodes: now.nodes.iter().map(|(name, known)| described(name, known)).collect(),
        changed: changed.map(|(number, shard)| placed(number, shard)).collect(),
    }
}

pub(super) fn placed(number: u32, shard: &super::super::core::state::Shard) -> v1::ShardPlacement {
    v1::ShardPlacement {
        shard: number,
        owner: shard.owner.clone().unwrap_or_default(),
        epoch: shard.epoch,
    }
}

pub(super) fn described(name: &str, known: &Known) -> v1::ClusterNode {
    let role = match known.role {
        Role::GroupRouter => v1::NodeRole::RoleGroupRouter,
        Role::Presence => v1::NodeRole::RolePresence,
    };
    v1::ClusterNode {
        name: name.to_owned(),
        role: role.into(),
        address: known.address.clone(),
        incarnation: known.incarnation,
        leaving: known.leaving,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::core::state::Shard;

    fn state(version: u64, shards: &[(&str, u64)]) -> PlacementState {
        let shards = shards.iter().map(|&(owner, epoch)| Shard {
            owner: Some(owner.to_owned()),
            epoch,
            ..Shard::default()
        });
        PlacementState { version, shards: shards.collect(), ..PlacementState::default() }
    }

    #[test]
    fn the_first_update_has_all_and_the_next_what_changed() {
        let (old, new) = (state(1, &[("a", 1), ("b", 1)]), state(3, &[("a", 1), ("a", 2)]));
        assert_eq!(update(None, &old).changed.len(), 2);
        let update = update(Some(&old), &new);
        assert_eq!((update.version, update.shards), (3, 2));
        let owner = "a".to_owned();
        assert_eq!(update.changed, [v1::ShardPlacement { shard: 1, owner, epoch: 2 }]);
    }
}
