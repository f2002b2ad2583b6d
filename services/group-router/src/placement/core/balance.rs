//! Which router gets a shard: the one with the fewest, and as few moves as that takes.

use std::collections::BTreeMap;

use super::command::Move;
use super::state::{PlacementState, Role};

/// How many shards each router that may be given some has, or will have after the hand-overs that
/// are decided.
#[derive(Debug)]
pub struct Loads(BTreeMap<String, usize>);

impl Loads {
    /// Those of a state.
    #[must_use]
    pub fn of(state: &PlacementState) -> Self {
        let routers =
            state.nodes.iter().filter(|(_, node)| node.role == Role::GroupRouter && !node.leaving);
        let mut loads: BTreeMap<_, _> = routers.map(|(name, _)| (name.clone(), 0)).collect();
        for shard in &state.shards {
            let holder = shard.next.as_ref().or(shard.owner.as_ref());
            if let Some(load) = holder.and_then(|name| loads.get_mut(name)) {
                *load += 1;
            }
        }
        Self(loads)
    }

    /// Whether this router may be given shards.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether nobody may be given shards.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The router with the fewest shards gets one more; of several the first by name.
    pub fn take_least(&mut self) -> Option<String> {
        let name = self.least()?.0.clone();
        self.add(&name);
        Some(name)
    }

    /// A router gets one more.
    pub fn add(&mut self, name: &str) {
        if let Some(load) = self.0.get_mut(name) {
            *load += 1;
        }
    }

    /// A router gets one less.
    pub fn subtract(&mut self, name: &str) {
        if let Some(load) = self.0.get_mut(name) {
            *load = load.saturating_sub(1);
        }
    }

    /// By how much the largest load exceeds the smallest.
    #[must_use]
    pub fn spread(&self) -> usize {
        let least = self.least().map_or(0, |(_, load)| load);
        self.0.values().max().map_or(0, |most| most - least)
    }

    fn least(&self) -> Option<(&String, usize)> {
        self.0.iter().min_by_key(|(_, load)| **load).map(|(name, load)| (name, *load))
    }

    fn most(&self) -> Option<(&String, usize)> {
        self.0.iter().max_by_key(|(_, load)| **load).map(|(name, load)| (name, *load))
    }
}

/// The hand-overs that bring all loads within one of each other; at most `limit` of them now. Shards
/// that move already stay on their way.
#[must_use]
pub fn plan_moves(state: &PlacementState, limit: usize) -> Vec<Move> {
    let mut loads = Loads::of(state);
    let mut moves: Vec<Move> = Vec::new();
    let mut taken = vec![false; state.shards.len()];
    while moves.len() < limit && loads.spread() > 1 {
        let (Some((from, _)), Some((to, _))) = (loads.most(), loads.least()) else { break };
        let (from, to) = (from.clone(), to.clone());
        let found = state.shards.iter().enumerate().find(|(shard, placed)| {
            !taken[*shard] && placed.next.is_none() && placed.owner.as_ref() == Some(&from)
        });
        // The rest of its load is on its way to it: wait until it is there.
        let Some((shard, placed)) = found else { break };
        taken[shard] = true;
        loads.subtract(&from);
        loads.add(&to);
        let number = u32::try_from(shard).expect("the number of shards is a u32");
        moves.push(Move { shard: number, epoch: placed.epoch, to });
    }
    moves
}
