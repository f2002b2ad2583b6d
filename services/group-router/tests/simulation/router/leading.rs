//! What a router does with its part in Raft: it applies the log, and leads when it is elected.

use throng_group_router::placement::core::clock::Now;
use throng_group_router::placement::core::command::{Command, Rejected};
use throng_group_router::placement::core::leader::{Leader, LeaderConfig, Output};
use throng_group_router::placement::core::member::Ticket;
use throng_group_router::placement::core::state::{Incarnation, Node, PlacementState};

use super::{Confirming, Router, name};
use crate::env::{Env, Event, MS};
use crate::raft::RaftMessage;
use crate::wire::{Body, Peer, Proposal};

impl Router {
    /// A decision of this node as leader reaches its log.
    pub(crate) fn propose(&mut self, env: &mut Env, proposal: Proposal) {
        let now = self.now(env).ms;
        let out = self.raft.propose(now, proposal);
        self.send_raft(env, out);
        self.after_raft(env);
    }

    pub(super) fn propose_for(&mut self, env: &mut Env, command: Command) {
        if let Some((_, leader)) = &self.leader {
            let proposal = leader.proposal(command);
            self.propose(env, proposal);
        }
    }

    pub(super) fn send_raft(&self, env: &mut Env, out: Vec<(usize, RaftMessage)>) {
        for (to, message) in out {
            env.send(Peer::Router(self.id), Peer::Router(to), Body::Raft(message));
        }
    }

    /// What Raft has come to: who leads, what is committed, whether a quorum has answered.
    pub(super) fn after_raft(&mut self, env: &mut Env) {
        let now = self.now(env);
        let term = self.raft.leads().then(|| self.raft.term());
        if term != self.leader.as_ref().map(|(term, _)| *term) {
            self.confirming = None;
            self.asked.clear();
            let before = self.state.nodes.get(&self.last_leader()).cloned();
            self.leader = term.map(|term| {
                env.note(|| format!("router-{} leads in term {term}", self.id));
                env.counts.elections += 1;
                (term, Leader::elected(leader_config(env), term, now, &self.state))
            });
            if let Some(term) = term
                && env.profile.broken.no_wait_after_election
                && let Some(node) = before
            {
                let gone = Incarnation { name: self.last_leader(), number: node.incarnation };
                let command = Command::Expire { nodes: vec![gone], room: 1_000_000 };
                self.propose(env, Proposal { term, command });
            }
        }
        self.apply(env);
        let confirmed = self.confirming.as_ref().is_some_and(|confirming| {
            self.raft.has_quorum(confirming.round) && self.applied >= confirming.applied
        });
        if confirmed {
            self.confirmed(env, true);
        }
    }

    /// The node that led when the last committed decision was made.
    pub(super) fn last_leader(&self) -> String {
        name(self.raft.leader_before())
    }

    pub(super) fn apply(&mut self, env: &mut Env) {
        let mut changed = false;
        while let Some(entry) = self.raft.committed().get(self.applied).cloned() {
            self.applied += 1;
            let Some(proposal) = entry.proposal else { continue };
            let term = if env.profile.broken.any_term { proposal.term } else { entry.term };
            let response = self.state.apply(term, &proposal);
            changed |= response.rejected.is_none();
            env.counts.other_term += u64::from(response.rejected == Some(Rejected::OtherTerm));
            env.note(|| {
                let outcome = response.rejected.map_or("", |_| " (rejected)");
                format!("router-{} applies {:?}{outcome}", self.id, proposal.command)
            });
        }
        if changed {
            let now = self.now(env).ms;
            let out = self.member.applied(now, &self.state);
            self.carry_out(env, out);
            self.with_leader(env, Leader::tick);
        }
    }

    pub(super) fn renew_for(
        &mut self,
        env: &mut Env,
        from: usize,
        ticket: Ticket,
        who: Incarnation,
        node: Node,
    ) {
        if self.leader.is_none() {
            let body = Body::Renewed { ticket, answer: None };
            return env.send(Peer::Router(self.id), Peer::Router(from), body);
        }
        let request = env.unique();
        self.asked.insert(request, (from, ticket));
        self.with_leader(env, |leader, now, _| leader.renew(now, request, who, node));
    }

    pub(super) fn confirmed(&mut self, env: &mut Env, leads: bool) {
        self.confirming = None;
        self.with_leader(env, |leader, now, state| leader.confirmed(now, state, leads));
    }

    pub(super) fn with_leader(
        &mut self,
        env: &mut Env,
        decide: impl FnOnce(&mut Leader, Now, &PlacementState) -> Vec<Output>,
    ) {
        let now = self.now(env);
        let Some((_, leader)) = &mut self.leader else { return };
        for decision in decide(leader, now, &self.state) {
            match decision {
                Output::Confirm if env.profile.broken.no_quorum => self.confirmed(env, true),
                Output::Confirm => {
                    if let Some((round, applied, out)) = self.raft.ask_quorum(now.ms) {
                        self.confirming = Some(Confirming { round, applied, since: now.ms });
                        self.send_raft(env, out);
                        if self.raft.has_quorum(round) && self.applied >= applied {
                            self.confirmed(env, true);
                        }
                    }
                }
                Output::Answer { request, answer } => {
                    let Some((to, ticket)) = self.asked.remove(&request) else { continue };
                    let body = Body::Renewed { ticket, answer: Some(answer) };
                    env.send(Peer::Router(self.id), Peer::Router(to), body);
                }
                Output::Propose(proposal) => {
                    let slow = env.chaos && env.rng.permille(env.profile.slow_proposals);
                    let delay = if slow { env.rng.scaled(MS, 3_000 * MS) } else { 10 };
                    let Self { id: router, life, .. } = *self;
                    env.after(delay, Event::Propose { router, life, proposal });
                }
            }
        }
    }
}

fn leader_config(env: &Env) -> LeaderConfig {
    LeaderConfig {
        shards: env.profile.shards,
        expected_routers: env.profile.routers,
        // Short, so that a run of some seconds needs many.
        write_time_ahead: 500_000,
        horizon_block: 2_000_000,
        ..LeaderConfig::default()
    }
}
