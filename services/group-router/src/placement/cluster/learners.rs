//! The Raft group beyond its voters. Group routers that are no voters follow the log as learners:
//! they are added when they ask for a lease for the first time, and removed when they were away for
//! so long that they will hardly come back. The voters are never changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use openraft::ChangeMembers;
use tokio::time::timeout;

use super::super::raft::{Member, NodeId, node_id};
use super::Node;

/// A learner without a lease for this long is removed.
const AWAY: Duration = Duration::from_secs(15 * 60);
/// Between two looks at who is away.
const LOOK: Duration = Duration::from_secs(10);
/// Entries that a router may be behind to be given shards.
const BEHIND: u64 = 64;
/// Time for one change of the membership.
const CHANGE_TIME: Duration = Duration::from_secs(3);

/// What the leader knows of them, in one term.
#[derive(Debug, Default)]
pub(super) struct Learners {
    /// One change at a time.
    changing: Arc<AtomicBool>,
    away: HashMap<NodeId, Instant>,
    looked: Option<Instant>,
    clash: BTreeSet<NodeId>,
}

impl Learners {
    /// Whether a router that wants to join has the log, or nearly. If it is not in the Raft group
    /// yet, it comes into it.
    pub(super) fn follows(&mut self, node: &Node, name: &str, address: &str) -> bool {
        let id = node_id(name);
        if id == node.id {
            return true;
        }
        let member = Member { name: name.to_owned(), address: address.to_owned() };
        let metrics = node.raft.metrics();
        let metrics = metrics.borrow();
        let membership = metrics.membership_config.membership();
        match membership.get_node(&id) {
            None => self.change(node, ChangeMembers::AddNodes(BTreeMap::from([(id, member)]))),
            Some(known) if known.name != name => self.clash(id, &known.name, name),
            // Voters are dialled where the configuration says.
            Some(known) if known.address != address && !node.voters.contains_key(&id) => {
                self.change(node, ChangeMembers::SetNodes(BTreeMap::from([(id, member)])));
            }
            Some(_) => {
                let replication = metrics.replication.as_ref().and_then(|all| all.get(&id));
                let matched = replication.copied().flatten().map(|log_id| log_id.index);
                let last = metrics.last_log_index.unwrap_or_default();
                return matched.is_some_and(|matched| matched + BEHIND >= last);
            }
        }
        false
    }

    /// Removes who was away for long.
    pub(super) fn tick(&mut self, node: &Node) {
        let now = Instant::now();
        if self.looked.is_some_and(|looked| now < looked + LOOK) {
            return;
        }
        let metrics = node.raft.metrics();
        let membership = metrics.borrow().membership_config.membership().clone();
        if self.looked.replace(now).is_none() {
            warn_of_other_voters(node, &membership.voter_ids().collect());
        }
        let voters: BTreeSet<_> = membership.voter_ids().collect();
        let state = Arc::clone(&node.applied.borrow());
        let away: BTreeSet<_> = membership
            .nodes()
            .filter(|(id, known)| !voters.contains(id) && !state.nodes.contains_key(&known.name))
            .map(|(id, _)| *id)
            .collect();
        self.away.retain(|id, _| away.contains(id));
        for id in away {
            if now >= *self.away.entry(id).or_insert(now) + AWAY {
                tracing::info!(id, "a group router is away for long, the log is not sent to it");
                self.change(node, ChangeMembers::RemoveNodes(BTreeSet::from([id])));
            }
        }
    }

    fn change(&self, node: &Node, changes: ChangeMembers<NodeId, Member>) {
        if self.changing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (raft, changing) = (node.raft.clone(), Arc::clone(&self.changing));
        node.spawn(async move {
            match timeout(CHANGE_TIME, raft.change_membership(changes, true)).await {
                Ok(Ok(changed)) => {
                    let index = changed.log_id.index;
                    tracing::info!(index, "the members of the placement's Raft group changed");
                }
                Ok(Err(error)) => tracing::warn!(%error, "membership of Raft not changed"),
                Err(_) => tracing::warn!("membership of Raft not changed in time"),
            }
            changing.store(false, Ordering::Release);
        });
    }

    fn clash(&mut self, id: NodeId, known: &str, name: &str) {
        if self.clash.insert(id) {
            tracing::error!(known, name, "two names have the same number: rename one");
        }
    }
}

fn warn_of_other_voters(node: &Node, voters: &BTreeSet<NodeId>) {
    if !voters.iter().eq(node.voters.keys()) {
        tracing::warn!("the configured voters are not those that the cluster began with");
    }
}
