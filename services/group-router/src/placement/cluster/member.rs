//! This node's own part: it keeps its lease, and tells `tenure` what it may serve. What to do is
//! decided by `core::member`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use throng_node::cluster::lease::new_incarnation;
use throng_proto::v1;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::super::core::command::{Command, Released};
use super::super::core::lease::{Answer, Grant};
use super::super::core::member::{Member, Output, Ticket};
use super::super::core::state::{Incarnation, Node as Known, Role};
use super::Node;

/// What may wait for this task: answers of the leader, and shards that are wound down.
const MOST_EVENTS: usize = 256;
/// Between two looks at the clock.
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// Time to tell the leader what was given up; it is told again anyway.
const TELL_TIME: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
enum Event {
    Answered(Ticket, Option<Answer>),
    WoundDown { shard: u32, epoch: u64, last_write_time: i64 },
}

/// Takes part until this node has left, or cannot go on.
pub(super) async fn run(node: Node) {
    let (sender, mut events) = mpsc::channel(MOST_EVENTS);
    let me = Incarnation { name: node.name.to_string(), number: new_incarnation() };
    let member = Member::new(node.config.timing(), me);
    let mut applied = node.applied.clone();
    let mut task = Task { node, member, sender, behind: None };
    let mut leaving = false;
    task.applied();
    while !task.is_over() {
        let wait = task.member.next_tick().saturating_sub(task.now());
        let wait = Duration::from_millis(wait).min(LONGEST_WAIT);
        let out = tokio::select! {
            changed = applied.changed() => match changed {
                Ok(()) => { task.applied(); Vec::new() }
                Err(_) => break,
            },
            Some(event) = events.recv() => {
                let mut out = task.happened(event);
                // Shards that are wound down at once are given up in one entry.
                while let Ok(event) = events.try_recv() {
                    out.extend(task.happened(event));
                }
                out
            }
            () = task.node.leaving.cancelled(), if !leaving => {
                leaving = true;
                task.member.leave(task.now())
            }
            () = sleep(wait) => Vec::new(),
        };
        task.carry_out(out);
        let out = task.member.tick(task.now());
        task.carry_out(out);
    }
    task.node.ownership.set_lease(0, 0);
}

struct Task {
    node: Node,
    member: Member,
    sender: mpsc::Sender<Event>,
    /// The leader grants leases for a placement that does not come to be applied here: since when,
    /// and up to where it is applied.
    behind: Option<(u64, u64)>,
}

impl Task {
    fn now(&self) -> u64 {
        self.node.ownership.now()
    }

    fn is_over(&self) -> bool {
        *self.node.left.borrow() || self.node.raft.metrics().borrow().running_state.is_err()
    }

    fn applied(&mut self) {
        let state = Arc::clone(&self.node.applied.borrow());
        if let Ok(shards) = u32::try_from(state.shards.len())
            && shards > 0
        {
            self.node.ownership.found(shards);
        }
        let out = self.member.applied(self.now(), &state);
        self.carry_out(out);
    }

    fn happened(&mut self, event: Event) -> Vec<Output> {
        let now = self.now();
        match event {
            Event::Answered(ticket, Some(answer)) => {
                self.note(answer);
                self.member.answered(now, ticket, answer)
            }
            Event::Answered(ticket, None) => {
                self.member.not_answered(now, ticket);
                Vec::new()
            }
            Event::WoundDown { shard, epoch, last_write_time } => {
                self.member.wound_down(now, shard, epoch, last_write_time)
            }
        }
    }

    fn note(&mut self, answer: Answer) {
        let version = self.node.applied.borrow().version;
        let behind = matches!(answer, Answer::Granted(Grant { placement_version, .. })
            if placement_version > version);
        let known = self.behind.filter(|(_, seen)| *seen == version);
        self.behind = behind.then(|| known.unwrap_or((self.now(), version)));
    }

    /// A node that gets leases, but does not apply the placement that they are for, must not hold
    /// its shards for ever.
    fn stands_still(&self) -> bool {
        let version = self.node.applied.borrow().version;
        let long = 3 * self.node.config.lease_ms;
        self.behind.is_some_and(|(since, seen)| seen == version && self.now() > since + long)
    }

    fn carry_out(&mut self, out: Vec<Output>) {
        let mut todo = VecDeque::from(out);
        let mut released = Vec::new();
        while let Some(output) = todo.pop_front() {
            match output {
                Output::Renew(ticket) => self.renew(ticket),
                Output::Lease { until, write_time_limit } => {
                    self.node.lease_until.store(until, Ordering::Relaxed);
                    self.node.ownership.set_lease(until, write_time_limit);
                }
                Output::Serve { shard, epoch, floor } => {
                    changed("gained");
                    self.node.ownership.grant(shard, epoch, floor);
                }
                Output::WindDown { shard, epoch } => self.wind_down(shard, epoch),
                Output::Stop { shard, epoch } => {
                    changed("lost");
                    self.node.ownership.stop(shard, epoch);
                }
                Output::Release(shards) => released.extend(shards),
                Output::Leave => self.tell_leave(),
                Output::BeginAnew => todo.extend(self.begin_anew()),
                Output::Left => {
                    tracing::info!("this node has left the placement");
                    self.node.left.send_replace(true);
                }
            }
        }
        if !released.is_empty() {
            self.release(released);
        }
        metrics::gauge!("throng_placement_owned_shards").set(self.node.owned_shards());
    }

    fn begin_anew(&mut self) -> Vec<Output> {
        let number = new_incarnation();
        tracing::warn!(incarnation = number, "the cluster gave this node up; it begins anew");
        metrics::counter!("throng_placement_given_up_total").increment(1);
        self.node.ownership.set_lease(0, 0);
        self.member.begin_anew(number);
        let state = Arc::clone(&self.node.applied.borrow());
        self.member.applied(self.now(), &state)
    }

    fn renew(&mut self, ticket: Ticket) {
        if self.stands_still() {
            tracing::debug!("placement does not come forward here, lease not renewed");
            self.member.not_answered(self.now(), ticket);
            return;
        }
        let (node, sender) = (self.node.clone(), self.sender.clone());
        let time = self.node.lease() * 2 / 3;
        self.node.spawn(async move {
            let answer = timeout(time, node.ask_for_lease(ticket.incarnation)).await;
            let answer = answer.unwrap_or_default();
            if answer.is_none() {
                metrics::counter!("throng_placement_lease_renewal_failures_total").increment(1);
            }
            let _ = sender.send(Event::Answered(ticket, answer)).await;
        });
    }

    fn wind_down(&self, shard: u32, epoch: u64) {
        let done = self.node.ownership.wind_down(shard, epoch);
        let sender = self.sender.clone();
        self.node.spawn(async move {
            let last_write_time = done.await;
            let _ = sender.send(Event::WoundDown { shard, epoch, last_write_time }).await;
        });
    }

    fn release(&self, shards: Vec<Released>) {
        let (node, owner) = (self.node.clone(), self.member.me().clone());
        self.node.spawn(async move {
            let _ = timeout(TELL_TIME, node.tell(Command::Release { owner, shards })).await;
        });
    }

    fn tell_leave(&self) {
        let (node, who) = (self.node.clone(), self.member.me().clone());
        self.node.spawn(async move {
            let _ = timeout(TELL_TIME, node.tell(Command::Leave { node: who })).await;
        });
    }
}

fn changed(how: &'static str) {
    metrics::counter!("throng_placement_ownership_changes_total", "change" => how).increment(1);
}

impl Node {
    /// Whether this node leads itself; where not, who is to be asked.
    fn leads(&self) -> bool {
        let known = self.known_leader();
        if let Some((id, leader)) = &known
            && *id != self.id
        {
            self.leader.suppose(&leader.address);
        }
        known.is_some_and(|(id, _)| id == self.id)
    }

    fn owned_shards(&self) -> f64 {
        let owned = self.applied.borrow().owned_by(&self.name);
        f64::from(u32::try_from(owned).unwrap_or(u32::MAX))
    }

    async fn ask_for_lease(&self, incarnation: u64) -> Option<Answer> {
        if self.leads() {
            let who = Incarnation { name: self.name.to_string(), number: incarnation };
            let address = self.address.to_string();
            let known = Known { role: Role::GroupRouter, address, incarnation, leaving: false };
            return self.asks.renew(who, known).await.ok();
        }
        let node = v1::ClusterNode {
            name: self.name.to_string(),
            role: v1::NodeRole::RoleGroupRouter.into(),
            address: self.address.to_string(),
            incarnation,
            leaving: false,
        };
        match self.leader.renew(node, self.lease()).await {
            Ok(reply) if reply.granted => Some(Answer::Granted(Grant {
                lease_ms: reply.lease_ms.into(),
                placement_version: reply.placement_version,
                write_time_limit: reply.write_time_limit,
            })),
            Ok(_) => Some(Answer::GivenUp),
            Err(status) if status.code() == Code::Aborted => Some(Answer::Later),
            Err(status) => {
                tracing::debug!(%status, "lease not renewed");
                None
            }
        }
    }

    /// Tells the leader. Whether it worked is seen by the placement.
    async fn tell(&self, command: Command) {
        if self.leads() {
            let _ = self.asks.propose(command).await;
            return;
        }
        let told = match command {
            Command::Release { owner, shards } => {
                let shards = shards.into_iter().map(|released| v1::ReleasedShard {
                    shard: released.shard,
                    epoch: released.epoch,
                    last_write_time: released.last_write_time,
                });
                let request = v1::ReleaseRequest {
                    name: owner.name,
                    incarnation: owner.number,
                    shards: shards.collect(),
                };
                self.leader.release(request, TELL_TIME).await.map(drop)
            }
            Command::Leave { node } => {
                let request = v1::LeaveRequest { name: node.name, incarnation: node.number };
                self.leader.leave(request, TELL_TIME).await.map(drop)
            }
            _ => Ok(()),
        };
        if let Err(status) = told {
            tracing::debug!(%status, "the leader was not told");
        }
    }
}
