//! While this node leads the Raft group: it grants leases, gives up nodes, and writes the log. What to
//! do is decided by `core::leader`; one such leader lives from an election to its end.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use throng_node::time::now_millis;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::super::core::clock::Now;
use super::super::core::command::{Command, Proposal, Response};
use super::super::core::leader::{Leader, Output};
use super::super::core::lease::Answer;
use super::super::core::state::{Incarnation, Node as Known, PlacementState, Role};
use super::Node;
use super::ask::{Ask, Refusal, Reply};
use super::learners::Learners;

/// Looks at the clock in the time of one lease.
const TICKS: u32 = 24;
/// Entries that may be on their way into the log.
const MOST_PROPOSALS: usize = 64;
/// Time for an entry to be applied. openraft may lose a waiting writer when it is no longer the
/// leader and takes a snapshot in; nobody waits for ever.
const PROPOSAL_TIME: Duration = Duration::from_secs(3);

/// Leads whenever this node is elected, and says so to those who ask while it is not.
pub(super) async fn run(node: Node, mut asks: mpsc::Receiver<Ask>) {
    let mut metrics = node.raft.server_metrics();
    loop {
        let term = leading_term(&node);
        if let Some(term) = term {
            lead(&node, term, &mut asks).await;
            continue;
        }
        tokio::select! {
            changed = metrics.changed() => if changed.is_err() { return },
            Some(ask) = asks.recv() => ask.refuse(Refusal::NotLeading),
        }
    }
}

/// The term that this node leads in.
pub(super) fn leading_term(node: &Node) -> Option<u64> {
    let metrics = node.raft.server_metrics();
    let metrics = metrics.borrow();
    metrics.state.is_leader().then_some(metrics.vote.leader_id.term)
}

type Confirmation = Pin<Box<dyn Future<Output = bool> + Send>>;

struct Term<'a> {
    node: &'a Node,
    term: u64,
    elected: Now,
    /// Not before a quorum confirmed it, and all that earlier leaders committed is applied.
    leader: Option<Leader>,
    confirming: Option<Confirmation>,
    waiting: HashMap<u64, Reply<Answer>>,
    next_request: u64,
    /// Since it led, it was cut off from the quorum for longer than a lease.
    cut_off: bool,
    /// Last sign of life of each member.
    heard: HashMap<Incarnation, Instant>,
    proposals: Arc<Semaphore>,
    learners: Learners,
}

async fn lead(node: &Node, term: u64, asks: &mut mpsc::Receiver<Ask>) {
    let mut metrics = node.raft.server_metrics();
    let mut applied = node.applied.clone();
    let mut ticks = interval(node.lease() / TICKS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut term = Term {
        node,
        term,
        elected: now(node),
        leader: None,
        confirming: Some(confirm(node, term)),
        waiting: HashMap::new(),
        next_request: 0,
        cut_off: false,
        heard: HashMap::new(),
        proposals: Arc::new(Semaphore::new(MOST_PROPOSALS)),
        learners: Learners::default(),
    };
    while leading_term(node) == Some(term.term) {
        tokio::select! {
            leads = confirmed(&mut term.confirming) => term.confirmed(leads),
            Some(ask) = asks.recv() => term.asked(ask),
            changed = applied.changed() => match changed {
                Ok(()) => term.tick(),
                Err(_) => return,
            },
            _ = ticks.tick() => {
                term.tick();
                term.learners.tick(node);
            }
            changed = metrics.changed() => if changed.is_err() { return },
        }
    }
    for (_, reply) in term.waiting.drain() {
        let _ = reply.send(Err(Refusal::NotLeading));
    }
}

fn now(node: &Node) -> Now {
    Now { ms: node.ownership.now(), wall: now_millis().saturating_mul(1_000) }
}

async fn confirmed(confirming: &mut Option<Confirmation>) -> bool {
    match confirming {
        Some(confirmation) => {
            let leads = confirmation.await;
            *confirming = None;
            leads
        }
        None => std::future::pending().await,
    }
}

/// Asks a quorum whether this node leads in that term, and waits until all that was committed by
/// then is applied.
fn confirm(node: &Node, term: u64) -> Confirmation {
    let (raft, time) = (node.raft.clone(), node.lease());
    // One round after the other while there is no quorum would keep everybody busy.
    let pause = Duration::from_millis(node.config.heartbeat_ms / 2);
    Box::pin(async move {
        let leads = match timeout(time, raft.ensure_linearizable()).await {
            // The entry that began the term, or a later one.
            Ok(Ok(Some(log_id))) => log_id.leader_id.term == term,
            Ok(Ok(None) | Err(_)) | Err(_) => false,
        };
        if !leads {
            sleep(pause).await;
        }
        leads
    })
}

impl Term<'_> {
    fn state(&self) -> Arc<PlacementState> {
        Arc::clone(&self.node.applied.borrow())
    }

    fn confirmed(&mut self, leads: bool) {
        let state = self.state();
        let now = now(self.node);
        match &mut self.leader {
            Some(leader) => {
                let out = leader.confirmed(now, &state, leads);
                self.carry_out(out);
            }
            None if leads => {
                tracing::info!(term = self.term, version = state.version, "leads the placement");
                let config = self.node.config.leader(self.node.shards);
                self.leader = Some(Leader::elected(config, self.term, self.elected, &state));
                self.tick();
            }
            None => self.confirming = Some(confirm(self.node, self.term)),
        }
    }

    fn tick(&mut self) {
        if !self.has_quorum() {
            self.cut_off = self.leader.is_some();
            return;
        }
        if std::mem::take(&mut self.cut_off) {
            return self.begin_again();
        }
        let (now, state) = (now(self.node), self.state());
        if let Some(leader) = &mut self.leader {
            let out = leader.tick(now, &state);
            self.carry_out(out);
        }
    }

    /// Nobody could be given a lease for a while. Those who come now are as good as before.
    fn begin_again(&mut self) {
        tracing::warn!(term = self.term, "the other voters answer again");
        self.leader = None;
        self.elected = now(self.node);
        for (_, reply) in self.waiting.drain() {
            let _ = reply.send(Ok(Answer::Later));
        }
        self.confirming = Some(confirm(self.node, self.term));
    }

    fn has_quorum(&self) -> bool {
        let metrics = self.node.raft.data_metrics();
        let since = metrics.borrow().millis_since_quorum_ack;
        // Not known before the first answer; then it was only just confirmed.
        self.node.voters.len() == 1 || since.is_none_or(|since| since < self.node.config.lease_ms)
    }

    fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::Renew { who, node, reply } => self.renew(who, node, reply),
            Ask::Propose { command, reply } => match &self.leader {
                Some(leader) => self.propose(leader.proposal(command), Some(reply)),
                None => drop(reply.send(Err(Refusal::Busy))),
            },
        }
    }

    fn renew(&mut self, who: Incarnation, known: Known, reply: Reply<Answer>) {
        let Some(leader) = &mut self.leader else {
            let _ = reply.send(Ok(Answer::Later));
            return;
        };
        // It would be given shards that it cannot serve yet.
        if self.node.applied.borrow().is_member(&who) {
            self.heard.insert(who.clone(), Instant::now());
        } else if known.role == Role::GroupRouter
            && !self.learners.follows(self.node, &who.name, &known.address)
        {
            let _ = reply.send(Ok(Answer::Later));
            return;
        }
        self.next_request += 1;
        self.waiting.insert(self.next_request, reply);
        let out = leader.renew(now(self.node), self.next_request, who, known);
        self.carry_out(out);
    }

    fn carry_out(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Confirm => self.confirming = Some(confirm(self.node, self.term)),
                Output::Answer { request, answer } => {
                    if let Some(reply) = self.waiting.remove(&request) {
                        let _ = reply.send(Ok(answer));
                    }
                }
                Output::Propose(proposal) => {
                    if let Command::Expire { nodes, .. } = &proposal.command {
                        let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
                        tracing::warn!(?names, "leases are over, others take over");
                    }
                    self.propose(proposal, None);
                }
            }
        }
    }

    /// Writes an entry, and says what came of it to whoever asked for it.
    fn propose(&mut self, proposal: Proposal, reply: Option<Reply<Response>>) {
        let Ok(permit) = Arc::clone(&self.proposals).try_acquire_owned() else {
            if let Some(reply) = reply {
                let _ = reply.send(Err(Refusal::Busy));
            }
            return;
        };
        let raft = self.node.raft.clone();
        let heard = self.last_heard(&proposal.command);
        self.node.spawn(async move {
            let _permit = permit;
            let written = timeout(PROPOSAL_TIME, raft.client_write(proposal)).await;
            let result = match written {
                Ok(Ok(written)) => Ok(written.data),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "not written into the placement log");
                    Err(Refusal::NotLeading)
                }
                Err(_) => Err(Refusal::Busy),
            };
            if let Ok(Response { rejected: None, .. }) = &result {
                for heard in heard {
                    metrics::histogram!("throng_placement_takeover_seconds")
                        .record(heard.elapsed().as_secs_f64());
                }
            }
            if let Some(reply) = reply {
                let _ = reply.send(result);
            }
        });
    }

    /// When those who are given up were heard last.
    fn last_heard(&mut self, command: &Command) -> Vec<Instant> {
        let state = self.state();
        self.heard.retain(|who, _| state.is_member(who));
        match command {
            Command::Expire { nodes, .. } => {
                nodes.iter().filter_map(|node| self.heard.get(node).copied()).collect()
            }
            _ => Vec::new(),
        }
    }
}
