//! Messages that go one after the other: whose turn it is in each room, and who waits for it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::client::Deed;
use super::worker::Worker;
use crate::check::{Fate, Outcome};
use crate::plan::{Nanos, Turns};

/// How far each room is.
#[derive(Debug, Default)]
pub(super) struct TurnKeeper {
    next: Vec<u32>,
    /// Which messages are settled.
    done: Vec<bool>,
    /// Messages whose moment came before their turn, with that moment.
    held: HashMap<u32, Nanos>,
    /// Messages whose turn has come.
    ready: VecDeque<(u32, Nanos)>,
    /// They are being sent.
    busy: bool,
}

impl TurnKeeper {
    pub(super) fn new(turns: &Turns) -> Self {
        let (next, done) = (vec![0; turns.order.len()], vec![false; turns.place.len()]);
        Self { next, done, ..Self::default() }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.held.is_empty()
    }
}

impl Worker {
    /// Whether a message has to wait for the one before it; then it is kept.
    pub(super) fn hold(&mut self, number: u32, due: Nanos) -> bool {
        let Some(turns) = &self.shared.plan.turns else {
            return false;
        };
        let message = self.shared.plan.messages[number as usize];
        if self.turns.next[message.room as usize] >= turns.place[number as usize] {
            return false;
        }
        self.turns.held.insert(number, due);
        self.clients[(message.sender / self.shared.workers) as usize].held += 1;
        true
    }

    /// A message is settled: the next one of its room may go, if it waits.
    pub(super) fn pass_turn(&mut self, number: u32) {
        let shared = Arc::clone(&self.shared);
        let Some(turns) = &shared.plan.turns else {
            return;
        };
        let room = shared.plan.messages[number as usize].room as usize;
        let (order, keeper) = (&turns.order[room], &mut self.turns);
        keeper.done[number as usize] = true;
        let next = &mut keeper.next[room];
        while order.get(*next as usize).is_some_and(|it| keeper.done[*it as usize]) {
            *next += 1;
        }
        let next = order.get(*next as usize);
        keeper.ready.extend(next.and_then(|next| keeper.held.remove_entry(next)));
        // A message that cannot be sent is settled at once: not deeper and deeper.
        if std::mem::replace(&mut keeper.busy, true) {
            return;
        }
        while let Some((number, due)) = self.turns.ready.pop_front() {
            let local = (shared.plan.messages[number as usize].sender / shared.workers) as usize;
            self.clients[local].held -= 1;
            self.send(number, due);
            self.carry_on(local);
        }
        self.turns.busy = false;
    }

    /// Something of a client, in its order.
    pub(super) fn deed(&mut self, local: usize, deed: Deed) {
        let client = &mut self.clients[local];
        if !client.gone
            && (!client.waiting.is_empty() || client.has_to_wait(deed, &self.shared.plan))
        {
            client.waiting.push_back(deed);
        } else {
            self.carry_out(local, deed);
        }
    }

    fn carry_out(&mut self, local: usize, deed: Deed) {
        match deed {
            Deed::Send(number, due) => {
                if self.clients[local].gone || !self.hold(number, due) {
                    self.send(number, due);
                }
            }
            Deed::Step(what) => self.step(local, what),
        }
    }

    /// Does what waited for an answer that came, or for nothing any more.
    pub(super) fn carry_on(&mut self, local: usize) {
        while let Some(deed) = self.clients[local].waiting.front() {
            let client = &self.clients[local];
            if !client.gone && client.has_to_wait(*deed, &self.shared.plan) {
                return;
            }
            let deed = *deed;
            self.clients[local].waiting.pop_front();
            self.carry_out(local, deed);
        }
    }

    /// A message will not be sent.
    pub(super) fn unsent(&mut self, number: u32, why: &str) {
        self.fates[number as usize] =
            Fate { sent: self.now, settled: self.now, outcome: Outcome::Unsent };
        self.tick.failed += 1;
        self.trouble(format!("not sent: {why}"));
        self.pass_turn(number);
    }

    /// The run is over: what still waits is not done any more.
    pub(super) fn drop_what_waits(&mut self) {
        let waiting = self.clients.iter_mut().flat_map(|client| client.waiting.drain(..));
        let left = waiting.filter(|deed| matches!(deed, Deed::Send(..))).count();
        let held = std::mem::take(&mut self.turns.held).len();
        self.tick.failed += (left + held) as u64;
        for (count, why) in [(left, "the sender never was as far"), (held, "its turn never came")] {
            if count > 0 {
                *self.outcome.trouble.entry(format!("not sent: {why}")).or_default() +=
                    count as u64;
            }
        }
    }
}
