//! Clients: they send, and send again until they are told that it is kept.

use crate::env::{Env, Event, MS, Time};
use crate::gateway::Gateway;
use crate::wire::{Body, Message, Peer};

const TICK_MS: u64 = 150;
/// Messages that a client waits for at once.
const PENDING: usize = 2;

#[derive(Debug)]
pub(crate) struct Client {
    id: usize,
    sent: u32,
    /// Messages that it is still to send.
    pub(crate) left: u32,
    next_at: Time,
    pub(crate) pending: Vec<Pending>,
}

#[derive(Debug)]
pub(crate) struct Pending {
    group: usize,
    message: Message,
    again_at: Time,
}

impl Client {
    pub(crate) fn new(env: &mut Env, id: usize) -> Self {
        env.after((id as u64 + 1) * MS, Event::ClientTick(id));
        Self { id, sent: 0, left: env.profile.messages, next_at: 0, pending: Vec::new() }
    }

    pub(crate) fn tick(&mut self, env: &mut Env, gateways: &[Gateway]) {
        env.after(TICK_MS * MS, Event::ClientTick(self.id));
        if self.left > 0 && self.pending.len() < PENDING && env.now >= self.next_at {
            self.left -= 1;
            self.sent += 1;
            let message = Message { client: self.id, random: self.sent };
            let focused = env.rng.permille(env.profile.focus);
            let group = if focused { 0 } else { env.rng.place(env.profile.groups()) };
            self.pending.push(Pending { group, message, again_at: env.now });
            let pause = 2 * env.profile.chaos_ms / u64::from(env.profile.messages);
            self.next_at = if env.chaos { env.now + env.rng.below(pause) * MS } else { 0 };
        }
        for pending in &mut self.pending {
            if env.now < pending.again_at {
                continue;
            }
            pending.again_at = env.now + env.rng.scaled(300 * MS, 2_000 * MS);
            let twice = usize::from(env.rng.permille(100));
            for _ in 0..=twice {
                let gateway = env.rng.place(gateways.len());
                let shard = env.profile.shard_of(pending.group);
                let (Some(owner), _) = gateways[gateway].view[shard as usize] else { continue };
                let from = Peer::Client { client: self.id, gateway };
                let body = Body::Send { group: pending.group, message: pending.message };
                env.send(from, Peer::Router(owner), body);
            }
        }
    }

    pub(crate) fn receive(&mut self, env: &mut Env, body: &Body) {
        let Body::Sent { random, seq } = *body else { unreachable!("{body:?} to a client") };
        let soon = env.now + env.rng.between(50, 200) * MS;
        if seq.is_some() {
            self.pending.retain(|pending| pending.message.random != random);
        } else if let Some(pending) =
            self.pending.iter_mut().find(|pending| pending.message.random == random)
        {
            pending.again_at = pending.again_at.min(soon);
        }
    }
}
