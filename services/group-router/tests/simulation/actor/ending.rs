//! How groups end on their owner: in order when they go to another, at once when they are lost, and
//! to be read again when the store does not answer.

use super::{Batch, Beacon, Stage};
use crate::env::Env;
use crate::router::Router;
use crate::wire::RoomEvent;

impl Router {
    /// What is in memory may be ahead of the store or behind it: it goes, and is read again when
    /// somebody asks.
    pub(super) fn fail(&mut self, env: &mut Env, group: usize, stage: Stage) {
        env.note(|| format!("router-{} gives group {group} up for now", self.id));
        let Some(actor) = self.actors.remove(&group) else { return };
        let begun = match stage {
            Stage::Reserving(_, _, batch) | Stage::Noting(_, batch) | Stage::Writing(_, batch) => {
                batch
            }
            Stage::Loading(_) | Stage::Opening(_) | Stage::Idle | Stage::Closing(_) => Batch::new(),
        };
        let begun = begun.into_iter().map(|(from, _, message)| (from, message));
        for (from, message) in begun.chain(actor.waiting) {
            self.answer(env, from, message, None);
        }
    }

    /// Ends waits that took too long, and tells where silent rooms stand.
    pub(crate) fn tick_actors(&mut self, env: &mut Env) {
        let now = self.now(env).ms;
        let groups: Vec<_> = self.actors.keys().copied().collect();
        for group in groups {
            let Some(actor) = self.actors.get(&group) else { continue };
            let event = RoomEvent { group, position: actor.position, message: None };
            let late = actor.stage.waits().is_some_and(|wait| now >= wait.until);
            let due = actor.beacon.filter(|beacon| beacon.due <= now);
            if let Some(Beacon { pause, .. }) = due
                && self.tenure(env, actor.shard).is_some()
            {
                let next = Beacon { due: now + pause, pause: 2 * pause };
                let goes_on = !env.profile.broken.no_beacons;
                self.with(group, |actor| actor.beacon = goes_on.then_some(next));
                self.to_gateways(env, event);
            }
            if late {
                let stage = self
                    .actors
                    .get_mut(&group)
                    .map(|actor| std::mem::replace(&mut actor.stage, Stage::Idle));
                self.fail(env, group, stage.unwrap_or(Stage::Idle));
            }
        }
        let winding = self.tenures.iter().filter(|(_, tenure)| tenure.winding_down);
        let winding: Vec<_> = winding.map(|(shard, _)| *shard).collect();
        for shard in winding {
            self.finish_winding_down(env, shard);
        }
    }

    /// Nothing of this shard goes on.
    pub(crate) fn end_actors(&mut self, env: &mut Env, shard: u32) {
        for group in self.groups_of(shard) {
            if let Some(actor) = self.actors.get_mut(&group) {
                let stage = std::mem::replace(&mut actor.stage, Stage::Idle);
                self.fail(env, group, stage);
            }
        }
    }

    /// What is not writing messages ends: what waits is refused, and notes are closed.
    pub(crate) fn wind_actors_down(&mut self, env: &mut Env, shard: u32) {
        for group in self.groups_of(shard) {
            let Some(actor) = self.actors.get_mut(&group) else { continue };
            match std::mem::replace(&mut actor.stage, Stage::Idle) {
                stage @ (Stage::Writing(..) | Stage::Closing(_)) => actor.stage = stage,
                Stage::Idle if actor.noted => {
                    let refused = std::mem::take(&mut actor.waiting);
                    for (from, message) in refused {
                        self.answer(env, from, message, None);
                    }
                    self.write_note(env, group, true, Stage::Closing);
                }
                stage => self.fail(env, group, stage),
            }
        }
    }

    fn groups_of(&self, shard: u32) -> Vec<usize> {
        let groups = self.actors.iter().filter(|(_, actor)| actor.shard == shard);
        groups.map(|(group, _)| *group).collect()
    }
}
