//! Gateways: they follow the placement, tell owners of their rooms, and see that no event is missing.

use std::collections::{BTreeMap, BTreeSet};

use throng_node::invariant::Invariant;

use crate::env::{Env, Event, MS, Time};
use crate::wire::{Body, LIFE_BITS, Message, Peer, Position, RoomEvent};

const TICK_MS: u64 = 200;
/// A question that has no answer by then is asked again.
const AGAIN: Time = 400 * MS;

#[derive(Debug)]
pub(crate) struct Gateway {
    id: usize,
    /// Owner and epoch of each shard, as far as it has heard.
    pub(crate) view: Vec<(Option<usize>, u64)>,
    rooms: Vec<Room>,
}

#[derive(Debug, Default)]
struct Room {
    position: Position,
    /// Number of the last message that its members got.
    last: u64,
    delivered: BTreeSet<Message>,
    /// Events after a hole, by their number.
    held: BTreeMap<u64, RoomEvent>,
    /// The owner has not been told, or another one has it now.
    attach: bool,
    /// The greatest number of an event that it knows of in this epoch.
    head: u64,
    asked: Option<Time>,
}

impl Gateway {
    pub(crate) fn new(env: &mut Env, id: usize) -> Self {
        env.after((id as u64 + 1) * MS, Event::GatewayTick(id));
        let rooms = (0..env.profile.groups()).map(|_| Room { attach: true, ..Room::default() });
        Self { id, view: vec![(None, 0); env.profile.shards as usize], rooms: rooms.collect() }
    }

    pub(crate) fn has(&self, group: usize, message: Message) -> bool {
        self.rooms[group].delivered.contains(&message)
    }

    pub(crate) fn tick(&mut self, env: &mut Env) {
        env.after(TICK_MS * MS, Event::GatewayTick(self.id));
        let router = env.rng.place(env.profile.routers);
        env.send(Peer::Gateway(self.id), Peer::Router(router), Body::Watch);
        for group in 0..self.rooms.len() {
            self.ask(env, group);
        }
    }

    pub(crate) fn receive(&mut self, env: &mut Env, body: Body) {
        match body {
            Body::Watched { shards } => self.watched(env, &shards),
            Body::Event(event) => self.event(env, event),
            Body::Fetched { group, position, events } => {
                let room = &mut self.rooms[group];
                room.asked = None;
                match events {
                    Some(events) => events.into_iter().for_each(|event| self.event(env, event)),
                    None if position.epoch >= room.position.epoch => room.attach = true,
                    None => {}
                }
            }
            Body::Attached { group, position, messages } => {
                self.attached(env, group, position, messages);
            }
            body => unreachable!("{body:?} to a gateway"),
        }
    }

    fn watched(&mut self, env: &mut Env, shards: &[(Option<usize>, u64)]) {
        for (known, (owner, epoch)) in self.view.iter_mut().zip(shards) {
            if *epoch >= known.1 {
                *known = (*owner, *epoch);
            }
        }
        for group in 0..self.rooms.len() {
            let (_, epoch) = self.view[env.profile.shard_of(group) as usize];
            self.rooms[group].attach |= self.rooms[group].position.epoch >> LIFE_BITS < epoch;
            self.ask(env, group);
        }
    }

    fn event(&mut self, env: &mut Env, event: RoomEvent) {
        let RoomEvent { group, position, message } = event;
        let room = &mut self.rooms[group];
        if env.profile.broken.ignore_holes {
            if let Some((seq, message)) = message {
                room.position = room.position.max(position);
                room.deliver(env, group, seq, message);
            }
            return;
        }
        if position.epoch > room.position.epoch {
            // Another life of the room: what was before its first event is not known.
            room.attach = true;
        } else if position.epoch == room.position.epoch {
            if message.is_some() {
                room.held.insert(position.event_no, event);
            }
            room.head = room.head.max(position.event_no);
            room.take_held(env, group);
        }
        self.ask(env, group);
    }

    fn attached(
        &mut self,
        env: &mut Env,
        group: usize,
        position: Position,
        messages: Vec<(u64, Message)>,
    ) {
        let (_, epoch) = self.view[env.profile.shard_of(group) as usize];
        let room = &mut self.rooms[group];
        room.asked = None;
        if position < room.position {
            return;
        }
        env.note(|| format!("gateway-{} is at {position:?} of group {group}", self.id));
        if position.epoch > room.position.epoch {
            room.held.clear();
            room.head = position.event_no;
        }
        room.position = position;
        room.attach = position.epoch >> LIFE_BITS < epoch;
        for (seq, message) in messages {
            env.oracle.bind(group, seq, message);
            room.deliver(env, group, seq, message);
        }
        room.take_held(env, group);
    }

    /// Asks the owner for what is missing.
    fn ask(&mut self, env: &mut Env, group: usize) {
        let (Some(owner), _) = self.view[env.profile.shard_of(group) as usize] else { return };
        let room = &mut self.rooms[group];
        let waits = room.asked.is_some_and(|asked| env.now < asked + AGAIN);
        let hole = room.head > room.position.event_no;
        let body = match (room.attach, hole) {
            _ if waits => return,
            (true, _) => Body::Attach { group, after: room.last },
            (false, true) => Body::Fetch { group, after: room.position },
            (false, false) => return,
        };
        env.counts.attached += u64::from(room.attach);
        env.counts.holes += u64::from(!room.attach);
        room.asked = Some(env.now);
        env.send(Peer::Gateway(self.id), Peer::Router(owner), body);
    }
}

impl Room {
    /// Delivers what follows without a hole.
    fn take_held(&mut self, env: &mut Env, group: usize) {
        while let Some((event_no, event)) = self.held.pop_first() {
            if event_no > self.position.event_no + 1 {
                self.held.insert(event_no, event);
                return;
            }
            if event_no == self.position.event_no + 1 {
                self.position = event.position;
                if let Some((seq, message)) = event.message {
                    self.deliver(env, group, seq, message);
                }
            }
        }
    }

    fn deliver(&mut self, env: &mut Env, group: usize, seq: u64, message: Message) {
        if seq <= self.last && !env.profile.broken.ignore_holes {
            return;
        }
        let dense = !env.profile.is_stored(group) || seq == self.last + 1;
        let last = self.last;
        env.oracle.check(Invariant::Rec1, dense, || {
            format!("group {group}: a gateway gets {seq} after {last} and asks for nothing")
        });
        self.last = seq;
        self.delivered.insert(message);
    }
}
