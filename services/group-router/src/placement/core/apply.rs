//! How an entry of the log changes the placement. Every node runs this with the same entries.

use std::cmp::Ordering;

use throng_node::invariant;

use super::balance::Loads;
use super::command::{Command, Move, Proposal, Rejected, Released, Response};
use super::state::{Incarnation, Node, PlacementState, Shard};

#[cfg(test)]
mod tests;

/// Incarnations that are remembered as over.
const MOST_GONE: usize = 128;

impl PlacementState {
    /// Carries an entry out. `term` is the one under which it is in the log.
    pub fn apply(&mut self, term: u64, proposal: &Proposal) -> Response {
        let before = self.clone();
        let done = if proposal.term == term {
            self.change(&proposal.command)
        } else {
            Err(Rejected::OtherTerm)
        };
        let done =
            done.and_then(|()| if *self == before { Err(Rejected::NoChange) } else { Ok(()) });
        match done {
            Ok(()) => {
                invariant!(Own1, owners_follow(&before, self), "{proposal:?} breaks {before:?}");
                self.version += 1;
                let (shards, nodes) = differences(&before, self);
                Response { version: self.version, shards, nodes, rejected: None }
            }
            Err(rejected) => {
                *self = before;
                Response { version: self.version, rejected: Some(rejected), ..Response::default() }
            }
        }
    }

    fn change(&mut self, command: &Command) -> Result<(), Rejected> {
        match command {
            Command::Found { shards } => self.found(*shards),
            Command::Join { name, node } => return self.join(name, node),
            Command::Expire { nodes, room } => self.expire(nodes, *room),
            Command::Assign { first_epoch } => return self.assign(*first_epoch),
            Command::Move { moves } => self.plan(moves),
            Command::Release { owner, shards } => return self.release(owner, shards),
            Command::Leave { node } => return self.leave(node),
            Command::Horizon { until } => self.raise_horizon(*until),
        }
        Ok(())
    }

    fn found(&mut self, shards: u32) {
        if self.shards.is_empty() {
            self.shards = vec![Shard::default(); shards as usize];
        }
    }

    fn join(&mut self, name: &str, node: &Node) -> Result<(), Rejected> {
        let incarnation = Incarnation { name: name.to_owned(), number: node.incarnation };
        if self.is_gone(&incarnation) {
            return Err(Rejected::NotMember);
        }
        // The other incarnation's lease may still run.
        if self.nodes.get(name).is_some_and(|known| known.incarnation != node.incarnation) {
            return Err(Rejected::NameInUse);
        }
        self.nodes.entry(name.to_owned()).or_insert_with(|| node.clone());
        Ok(())
    }

    /// The shards go to others in the same step: that the old leases are over is known, so the new
    /// owners need not wait for anything.
    fn expire(&mut self, nodes: &[Incarnation], room: i64) {
        let expired: Vec<_> = nodes.iter().filter(|node| self.is_member(node)).collect();
        if expired.is_empty() {
            return;
        }
        for node in &expired {
            self.remove(&node.name);
        }
        let floor = self.write_time_horizon.saturating_add(1);
        let mut loads = Loads::of(self);
        let mut raised = false;
        for shard in &mut self.shards {
            shard.next.take_if(|next| !loads.contains(next));
            if !shard.owner.as_ref().is_some_and(|owner| expired.iter().any(|n| n.name == *owner)) {
                continue;
            }
            (shard.floor, raised) = (floor, true);
            // A destination counts as its load already.
            let owner = shard.next.take().or_else(|| loads.take_least());
            shard.pass_to(owner);
        }
        if raised {
            self.raise_floor(floor);
            self.raise_horizon(floor.saturating_add(room));
        }
    }

    fn assign(&mut self, first_epoch: u64) -> Result<(), Rejected> {
        let mut loads = Loads::of(self);
        if loads.is_empty() {
            return Err(Rejected::NoRouter);
        }
        for shard in self.shards.iter_mut().filter(|shard| shard.owner.is_none()) {
            if shard.epoch == 0 {
                shard.epoch = first_epoch.saturating_sub(1);
            }
            shard.pass_to(loads.take_least());
        }
        Ok(())
    }

    fn plan(&mut self, moves: &[Move]) {
        let loads = Loads::of(self);
        for Move { shard, epoch, to } in moves {
            let Some(shard) = self.shards.get_mut(*shard as usize) else { continue };
            let can_move = shard.epoch == *epoch && shard.owner.is_some() && shard.next.is_none();
            if can_move && shard.owner.as_ref() != Some(to) && loads.contains(to) {
                shard.next = Some(to.clone());
            }
        }
    }

    fn release(&mut self, owner: &Incarnation, shards: &[Released]) -> Result<(), Rejected> {
        if !self.is_member(owner) {
            return Err(Rejected::NotMember);
        }
        let mut loads = Loads::of(self);
        let mut floor = 0;
        for Released { shard, epoch, last_write_time } in shards {
            let Some(shard) = self.shards.get_mut(*shard as usize) else { continue };
            if shard.epoch != *epoch || shard.owner.as_ref() != Some(&owner.name) {
                continue;
            }
            shard.floor = shard.floor.max(last_write_time.saturating_add(1));
            floor = floor.max(shard.floor);
            let next = shard.next.take().or_else(|| {
                loads.subtract(&owner.name);
                loads.take_least()
            });
            shard.pass_to(next);
        }
        self.raise_floor(floor);
        self.let_go(&owner.name);
        Ok(())
    }

    fn leave(&mut self, node: &Incarnation) -> Result<(), Rejected> {
        if !self.is_member(node) {
            return Err(Rejected::NotMember);
        }
        for shard in &mut self.shards {
            shard.next.take_if(|next| *next == node.name);
        }
        if let Some(known) = self.nodes.get_mut(&node.name) {
            known.leaving = true;
        }
        self.let_go(&node.name);
        Ok(())
    }

    /// A node that wants to leave is gone once it owns nothing.
    fn let_go(&mut self, name: &str) {
        let leaving = self.nodes.get(name).is_some_and(|node| node.leaving);
        if leaving && self.owned_by(name) == 0 {
            self.remove(name);
        }
    }

    fn remove(&mut self, name: &str) {
        let Some(node) = self.nodes.remove(name) else { return };
        if self.gone.len() == MOST_GONE {
            self.gone.pop_front();
        }
        self.gone.push_back(Incarnation { name: name.to_owned(), number: node.incarnation });
    }

    fn raise_floor(&mut self, floor: i64) {
        self.highest_floor = self.highest_floor.max(floor);
    }

    fn raise_horizon(&mut self, until: i64) {
        self.write_time_horizon = self.write_time_horizon.max(until);
    }
}

impl Shard {
    /// Whoever gets it, gets it in a new epoch.
    fn pass_to(&mut self, owner: Option<String>) {
        self.next = None;
        if owner.is_some() {
            self.epoch += 1;
        }
        self.owner = owner;
    }
}

/// Whether owners are members, and nobody came to own a shard without a new epoch above all that was
/// written before.
fn owners_follow(before: &PlacementState, after: &PlacementState) -> bool {
    let owner = |state: &PlacementState, shard: &Shard| {
        let name = shard.owner.clone()?;
        let incarnation = state.nodes.get(&name)?.incarnation;
        Some((name, incarnation))
    };
    let none = Shard::default();
    let olds = before.shards.iter().chain(std::iter::repeat(&none));
    after.shards.iter().zip(olds).all(|(new, old)| {
        let holder = owner(after, new);
        let follows = match new.epoch.cmp(&old.epoch) {
            Ordering::Less => false,
            Ordering::Equal => holder.is_none() || holder == owner(before, old),
            Ordering::Greater => true,
        };
        follows && new.floor >= old.floor && holder.is_some() == new.owner.is_some()
    })
}

/// Shards and nodes that are not the same in two states.
fn differences(before: &PlacementState, after: &PlacementState) -> (Vec<u32>, Vec<String>) {
    let none = Shard::default();
    let shards = (0..).zip(&after.shards).filter(|(number, shard)| {
        let old = before.shards.get(*number as usize).unwrap_or(&none);
        (&old.owner, old.epoch, &old.next) != (&shard.owner, shard.epoch, &shard.next)
    });
    let names = before.nodes.keys().chain(after.nodes.keys());
    let mut nodes: Vec<_> =
        names.filter(|name| before.nodes.get(*name) != after.nodes.get(*name)).cloned().collect();
    nodes.sort_unstable();
    nodes.dedup();
    (shards.map(|(number, _)| number).collect(), nodes)
}
