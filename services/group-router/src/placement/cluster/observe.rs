//! What people see of the placement: log lines, metrics, and its description. Here it is also held
//! against what always has to be so.

use std::sync::Arc;

use openraft::error::Fatal;
use throng_node::invariant;
use throng_proto::v1;

use super::super::core::state::PlacementState;
use super::Node;
use super::watch::{described, placed};

/// Tells of changes, for as long as this node runs.
pub(super) async fn run(node: Node) {
    let mut raft = node.raft.metrics();
    let mut applied = node.applied.clone();
    let mut state = Arc::clone(&applied.borrow_and_update());
    let mut led_by = None;
    loop {
        let (leader, term, failed) = {
            let metrics = raft.borrow_and_update();
            let failed = metrics.running_state.clone().err();
            (metrics.current_leader, metrics.current_term, failed)
        };
        if let Some(error) = failed.filter(|error| *error != Fatal::Stopped) {
            tracing::error!(%error, "the placement log cannot be kept, this node is of no use");
        }
        if leader != led_by && leader.is_some() {
            led_by = leader;
            let name = node.known_leader().map_or_else(String::new, |(_, leader)| leader.name);
            tracing::info!(leader = name, term, "the placement has a leader");
            metrics::counter!("throng_placement_leader_changes_total").increment(1);
        }
        metrics::gauge!("throng_placement_is_leader").set(f64::from(leader == Some(node.id)));
        metrics::gauge!("throng_placement_term").set(number(term));
        tokio::select! {
            changed = raft.changed() => if changed.is_err() { return },
            changed = applied.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = Arc::clone(&applied.borrow_and_update());
                if state.shards.is_empty() && !now.shards.is_empty() {
                    compare_shards(&node, now.shards.len());
                }
                check(&state, &now);
                metrics::gauge!("throng_placement_version").set(number(now.version));
                state = now;
            }
        }
    }
}

/// Metrics are floating point; above 2^53 nobody counts on the last digit.
#[allow(clippy::cast_precision_loss)]
fn number(value: u64) -> f64 {
    value as f64
}

fn compare_shards(node: &Node, shards: usize) {
    if shards != node.shards as usize {
        let configured = node.shards;
        tracing::warn!(shards, configured, "the number of shards was set when the cluster began");
    }
}

/// OWN-1, as far as it can be seen in two states of one node.
fn check(before: &PlacementState, now: &PlacementState) {
    for (shard, (old, new)) in before.shards.iter().zip(&now.shards).enumerate() {
        let rises = new.epoch > old.epoch || (new.epoch == old.epoch && new.owner == old.owner);
        let released = new.epoch == old.epoch && new.owner.is_none();
        invariant!(Own1, rises || released, "shard {shard} from {old:?} to {new:?}");
        invariant!(Own1, new.floor >= old.floor, "shard {shard}: {new:?} writes below {old:?}");
        let known = new.owner.as_ref().is_none_or(|owner| now.nodes.contains_key(owner));
        invariant!(Own1, known, "shard {shard}: {new:?} without a lease");
    }
}

/// The placement as this node knows it.
pub(super) fn describe(node: &Node) -> v1::DescribePlacementReply {
    let metrics = node.raft.server_metrics();
    let metrics = metrics.borrow().clone();
    let membership = metrics.membership_config.membership();
    let name = |id| membership.get_node(&id).map_or_else(|| id.to_string(), |m| m.name.clone());
    let state = Arc::clone(&node.applied.borrow());
    let count = |wanted: &dyn Fn(&super::super::core::state::Shard) -> bool| {
        let count = state.shards.iter().filter(|shard| wanted(shard)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let nodes = state.nodes.iter().map(|(name, known)| v1::NodeDescription {
        node: Some(described(name, known)),
        shards: count(&|shard| shard.owner.as_ref() == Some(name)),
        arriving: count(&|shard| shard.next.as_ref() == Some(name)),
        departing: count(&|shard| shard.owner.as_ref() == Some(name) && shard.next.is_some()),
    });
    v1::DescribePlacementReply {
        leader: metrics.current_leader.map(name).unwrap_or_default(),
        term: metrics.vote.leader_id.term,
        version: state.version,
        voters: membership.voter_ids().map(name).collect(),
        learners: membership.learner_ids().map(name).collect(),
        nodes: nodes.collect(),
        shards: (0..).zip(&state.shards).map(|(number, shard)| placed(number, shard)).collect(),
        answered_by: node.name.to_string(),
    }
}
