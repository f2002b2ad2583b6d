//! Groups on their owner: one after the other, sends become numbers, rows, events and answers.
//!
//! A stored group gives dense numbers, and tells nobody of a message before it is kept. A live room
//! reserves numbers in blocks, and publishes at once.

mod ending;

use std::collections::VecDeque;

use throng_group_router::core::dedupe::{Dedupe, Lookup, Ticket};

use crate::env::Env;
use crate::router::Router;
use crate::store::{Change, Note, Reply, RequestKind, Rows};
use crate::wire::{Body, LIFE_BITS, Message, Peer, Position, RoomEvent};

/// Numbers that a live room reserves at once beyond what it needs.
const BLOCK: u64 = 4;
/// Events that the owner holds for gateways that lost some.
const RING: usize = 6;
/// After this a silent room's place is told, milliseconds; then in pauses twice as long each.
const BEACON_MS: u64 = 1_000;

#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) shard: u32,
    epoch: u64,
    stored: bool,
    stage: Stage,
    /// Sends that are not begun.
    waiting: Vec<(Peer, Message)>,
    head: u64,
    reserved: u64,
    /// It has left its note.
    noted: bool,
    /// Messages that went out or were kept before, in their order.
    messages: Vec<(u64, Message)>,
    dedupe: Dedupe<usize, u64>,
    position: Position,
    ring: VecDeque<RoomEvent>,
    beacon: Option<Beacon>,
}

/// When a room tells where it stands, and the pause after that, milliseconds.
#[derive(Debug, Clone, Copy)]
struct Beacon {
    due: u64,
    pause: u64,
}

/// What the store was asked last; one thing at a time.
#[derive(Debug)]
enum Stage {
    Loading(Wait),
    /// It leaves its note; then it may answer.
    Opening(Wait),
    Idle,
    /// It leaves its note before its first append.
    Noting(Wait, Batch),
    Reserving(Wait, u64, Batch),
    Writing(Wait, Batch),
    /// It ends in order.
    Closing(Wait),
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    number: u64,
    until: u64,
}

type Batch = Vec<(Peer, Ticket, Message)>;

impl Stage {
    fn waits(&self) -> Option<Wait> {
        match self {
            Self::Idle => None,
            Self::Loading(wait)
            | Self::Opening(wait)
            | Self::Reserving(wait, ..)
            | Self::Noting(wait, _)
            | Self::Writing(wait, _)
            | Self::Closing(wait) => Some(*wait),
        }
    }
}

impl Router {
    /// A client sends.
    pub(crate) fn send(&mut self, env: &mut Env, from: Peer, group: usize, message: Message) {
        if self.open(env, group) {
            if let Some(actor) = self.actors.get_mut(&group) {
                actor.waiting.push((from, message));
            }
            self.advance(env, group);
        } else {
            self.answer(env, from, message, None);
        }
    }

    /// A gateway has members in a room, and last got the message `after`.
    pub(crate) fn attach(&mut self, env: &mut Env, from: Peer, group: usize, after: u64) {
        if !self.open(env, group) {
            return;
        }
        let Some(actor) = self.actors.get(&group).filter(|actor| actor.is_open()) else { return };
        let messages = actor.messages.iter().filter(|(seq, _)| *seq > after).copied().collect();
        let body = Body::Attached { group, position: actor.position, messages };
        env.send(Peer::Router(self.id), from, body);
    }

    /// A gateway misses events.
    pub(crate) fn fetch(&mut self, env: &mut Env, from: Peer, group: usize, after: Position) {
        if !self.open(env, group) {
            return;
        }
        let Some(actor) = self.actors.get(&group).filter(|actor| actor.is_open()) else { return };
        let position = actor.position;
        let held = position.event_no - actor.ring.len() as u64;
        let in_ring = position.epoch == after.epoch && after.event_no >= held;
        let events = actor.ring.iter().filter(|event| event.position > after).copied();
        let body = Body::Fetched { group, position, events: in_ring.then(|| events.collect()) };
        env.send(Peer::Router(self.id), from, body);
    }

    /// Begins to load a group that is this node's and not there yet. False: it is not this node's.
    fn open(&mut self, env: &mut Env, group: usize) -> bool {
        let shard = env.profile.shard_of(group);
        let Some(epoch) = self.tenure(env, shard) else { return false };
        if self.tenures[&shard].winding_down {
            return false;
        }
        if !self.actors.contains_key(&group) {
            self.rooms += 1;
            let wait = self.ask(env, group, RequestKind::Read);
            let actor = Actor {
                shard,
                epoch,
                stored: env.profile.is_stored(group),
                stage: Stage::Loading(wait),
                waiting: Vec::new(),
                head: 0,
                reserved: 0,
                noted: false,
                messages: Vec::new(),
                dedupe: Dedupe::new(1_000),
                position: Position { epoch: epoch << LIFE_BITS | self.rooms, event_no: 0 },
                ring: VecDeque::new(),
                beacon: None,
            };
            self.actors.insert(group, actor);
        }
        true
    }

    /// The store has answered.
    pub(crate) fn store_replied(&mut self, env: &mut Env, reply: Reply) {
        let Reply { number, group, rows } = reply;
        let Some(actor) = self.actors.get_mut(&group) else { return };
        if actor.stage.waits().is_none_or(|wait| wait.number != number) {
            return;
        }
        let (shard, epoch) = (actor.shard, actor.epoch);
        let stage = std::mem::replace(&mut actor.stage, Stage::Idle);
        let current = self.tenure(env, shard) == Some(epoch);
        match stage {
            _ if !current && !env.profile.broken.unchecked_acknowledgement => {
                env.counts.unanswered += 1;
                self.fail(env, group, stage);
            }
            Stage::Loading(_) => self.loaded(env, group, rows.expect("it was a read")),
            Stage::Reserving(_, reserved, batch) => {
                self.with(group, |actor| actor.reserved = reserved);
                self.write_batch(env, group, batch);
            }
            Stage::Noting(_, batch) => self.write_batch(env, group, batch),
            Stage::Writing(_, batch) => self.kept(env, group, batch),
            Stage::Closing(_) => self.fail(env, group, stage),
            Stage::Opening(_) | Stage::Idle => self.opened(env, group),
        }
        if self.tenures.get(&shard).is_some_and(|tenure| tenure.winding_down) {
            self.finish_winding_down(env, shard);
        }
    }

    /// Whether an answer of the store would still be heard.
    pub(crate) fn waits_for(&self, life: u32, group: usize, number: u64) -> bool {
        let wait = self.actors.get(&group).and_then(|actor| actor.stage.waits());
        self.life == life && wait.is_some_and(|wait| wait.number == number)
    }

    fn loaded(&mut self, env: &mut Env, group: usize, rows: Rows) {
        let now = self.now(env).ms;
        let read_back = !env.profile.broken.no_read_back;
        let Some(actor) = self.actors.get_mut(&group) else { return };
        let Rows { reserved, closed, messages } = rows;
        actor.reserved = reserved;
        actor.head =
            if actor.stored { messages.last().map_or(0, |(seq, _)| *seq) } else { reserved };
        for (seq, message) in messages.iter().filter(|_| read_back) {
            actor.dedupe.preload(now, 0, message.client, message.random, *seq);
        }
        actor.messages = messages;
        if actor.stored && !closed && !env.profile.broken.no_notes {
            // What the last life still has on its way must not count any more.
            self.write_note(env, group, false, Stage::Opening);
        } else {
            self.opened(env, group);
        }
    }

    fn write_note(
        &mut self,
        env: &mut Env,
        group: usize,
        closed: bool,
        next: impl FnOnce(Wait) -> Stage,
    ) {
        let Some(actor) = self.actors.get_mut(&group) else { return };
        actor.noted = true;
        let note = Note { head: actor.head, life: actor.position.epoch, closed };
        self.write(env, group, Change::Note(note), next);
    }

    fn opened(&mut self, env: &mut Env, group: usize) {
        let now = self.now(env).ms;
        // Whoever follows the last life of the room learns that there is a new one.
        if !env.profile.broken.no_greeting {
            let beacon = Beacon { due: now, pause: BEACON_MS };
            self.with(group, |actor| actor.beacon = Some(beacon));
        }
        self.advance(env, group);
    }

    /// Begins with what waits, if nothing is under way.
    fn advance(&mut self, env: &mut Env, group: usize) {
        let now = self.now(env).ms;
        let Some(actor) = self.actors.get_mut(&group) else { return };
        if !matches!(actor.stage, Stage::Idle) || actor.waiting.is_empty() {
            return;
        }
        let (mut batch, mut known) = (Batch::new(), Vec::new());
        for (from, message) in std::mem::take(&mut actor.waiting) {
            match actor.dedupe.begin(now, message.client, message.random) {
                Lookup::New(ticket) => batch.push((from, ticket, message)),
                Lookup::Done(seq) => known.push((from, message, seq)),
                // The client asks again if the first answer does not come.
                Lookup::InFlight(_) => {}
            }
        }
        let (head, reserved) = (actor.head, actor.reserved);
        let (stored, noted) = (actor.stored, actor.noted || env.profile.broken.no_notes);
        for (from, message, seq) in known {
            env.counts.known += 1;
            env.oracle.acknowledge(&env.store, group, message, seq);
            self.answer(env, from, message, Some(seq));
        }
        let last = head + batch.len() as u64;
        if batch.is_empty() {
        } else if !stored && last > reserved {
            let to = last + BLOCK;
            let next = |wait| Stage::Reserving(wait, to, batch);
            self.write(env, group, Change::Reserve(to), next);
        } else if stored && !noted {
            self.write_note(env, group, false, |wait| Stage::Noting(wait, batch));
        } else {
            self.write_batch(env, group, batch);
        }
    }

    fn write_batch(&mut self, env: &mut Env, group: usize, batch: Batch) {
        let Some(actor) = self.actors.get_mut(&group) else { return };
        let rows: Vec<_> =
            (actor.head + 1..).zip(batch.iter().map(|(_, _, message)| *message)).collect();
        if actor.stored {
            let rows = Change::Rows { life: actor.position.epoch, rows };
            self.write(env, group, rows, |wait| Stage::Writing(wait, batch));
        } else {
            for (seq, message) in &rows {
                self.publish(env, group, *seq, *message);
            }
            self.write(env, group, Change::Keep(rows), |wait| Stage::Writing(wait, batch));
        }
    }

    /// Messages are kept: now they may be told of.
    fn kept(&mut self, env: &mut Env, group: usize, batch: Batch) {
        let Some(actor) = self.actors.get_mut(&group) else { return };
        let stored = actor.stored;
        let mut seq = if stored { actor.head } else { actor.head - batch.len() as u64 };
        for (from, ticket, message) in batch {
            seq += 1;
            env.counts.acknowledged += 1;
            self.with(group, |actor| _ = actor.dedupe.settle(ticket, seq));
            env.oracle.acknowledge(&env.store, group, message, seq);
            self.answer(env, from, message, Some(seq));
            if stored {
                self.publish(env, group, seq, message);
            }
        }
        self.advance(env, group);
    }

    fn publish(&mut self, env: &mut Env, group: usize, seq: u64, message: Message) {
        let now = self.now(env).ms;
        env.note(|| format!("router-{} publishes {seq} of group {group}: {message:?}", self.id));
        env.oracle.publish(group, seq, message);
        let Some(actor) = self.actors.get_mut(&group) else { return };
        actor.head = seq;
        actor.messages.push((seq, message));
        actor.position.event_no += 1;
        let event = RoomEvent { group, position: actor.position, message: Some((seq, message)) };
        actor.ring.push_back(event);
        if actor.ring.len() > RING {
            actor.ring.pop_front();
        }
        let beacon = Beacon { due: now + BEACON_MS, pause: 2 * BEACON_MS };
        actor.beacon = (!env.profile.broken.no_beacons).then_some(beacon);
        self.to_gateways(env, event);
    }

    fn to_gateways(&self, env: &mut Env, event: RoomEvent) {
        for gateway in 0..env.profile.gateways {
            env.send(Peer::Router(self.id), Peer::Gateway(gateway), Body::Event(event));
        }
    }

    fn answer(&self, env: &mut Env, to: Peer, message: Message, seq: Option<u64>) {
        env.send(Peer::Router(self.id), to, Body::Sent { random: message.random, seq });
    }

    fn ask(&self, env: &mut Env, group: usize, kind: RequestKind) -> Wait {
        let number = env.unique();
        self.ask_store(env, number, group, kind);
        Wait { number, until: self.now(env).ms + env.profile.store_ms }
    }

    /// Writes, if this node still may.
    fn write(
        &mut self,
        env: &mut Env,
        group: usize,
        change: Change,
        next: impl FnOnce(Wait) -> Stage,
    ) {
        let Some(Actor { shard, epoch, .. }) = self.actors.get(&group) else { return };
        let (shard, epoch) = (*shard, *epoch);
        let none = Wait { number: 0, until: 0 };
        let Some(time) = self.stamp(env, shard, epoch) else {
            return self.fail(env, group, next(none));
        };
        env.note(|| format!("router-{} writes group {group} at {time}: {change:?}", self.id));
        let stage = next(self.ask(env, group, RequestKind::Write { time, change }));
        self.with(group, |actor| actor.stage = stage);
    }

    fn with(&mut self, group: usize, change: impl FnOnce(&mut Actor)) {
        if let Some(actor) = self.actors.get_mut(&group) {
            change(actor);
        }
    }
}

impl Actor {
    fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Loading(_) | Stage::Opening(_))
    }
}
