//! What a worker does when it is time: dials, messages, steps of the plan; and what follows from lines that
//! break.

use std::cmp::Reverse;

use mio::{Interest, Token};

use super::client::Deed;
use super::connection::{Connection, Stage};
use super::worker::{NOT_YET, Worker};
use crate::check::{Fate, Outcome};
use crate::client::websocket::Kind;
use crate::plan::{Move, Nanos, SECOND};

/// Dials and steps of one round of the loop: frames must not wait for hundreds of them.
const A_ROUND: usize = 64;
/// A line that broke this soon after it was dialled is not dialled again at once.
const YOUNG: Nanos = SECOND;
/// Attempts in a row that may fail before a client is given up that was never in its room.
const TRIES: u32 = 20;

impl Worker {
    /// When the plan has something for this worker next.
    pub(super) fn next_deed(&self) -> Option<Nanos> {
        if self.start == NOT_YET {
            return None;
        }
        let plan = &self.shared.plan;
        let message = self.messages.get(self.next_message);
        let step = self.steps.get(self.next_step);
        let message = message.map(|number| plan.messages[*number as usize].at);
        let step = step.map(|place| plan.steps[*place as usize].at);
        let at = message.into_iter().chain(step).min()?;
        Some(self.start + at)
    }

    pub(super) fn do_what_is_due(&mut self) {
        for _ in 0..A_ROUND {
            match self.dials.peek() {
                Some(Reverse((at, local))) if *at <= self.now => {
                    let local = *local;
                    self.dials.pop();
                    self.dial(local);
                }
                _ => break,
            }
        }
        if self.start == NOT_YET {
            return;
        }
        if self.shared.plan.in_order {
            return self.do_in_order();
        }
        while let Some(number) = self.messages.get(self.next_message) {
            let number = *number;
            let due = self.start + self.shared.plan.messages[number as usize].at;
            if due > self.now {
                break;
            }
            self.next_message += 1;
            self.note_lag(due);
            self.send(number, due);
        }
        for _ in 0..A_ROUND {
            let Some(place) = self.steps.get(self.next_step) else {
                break;
            };
            let step = self.shared.plan.steps[*place as usize];
            if self.start + step.at > self.now {
                break;
            }
            self.next_step += 1;
            self.step((step.client / self.shared.workers) as usize, step.what);
        }
    }

    /// Messages and steps by their moments, each in the order of its client.
    fn do_in_order(&mut self) {
        let mut steps = 0;
        while steps < A_ROUND {
            let plan = &self.shared.plan;
            let message = self.messages.get(self.next_message).copied();
            let message = message.map(|number| (plan.messages[number as usize].at, number));
            let step = self.steps.get(self.next_step).map(|place| plan.steps[*place as usize]);
            // A step first: who joins and sends in one moment joins first.
            let (at, sender, deed) = match (message, step) {
                (Some((at, number)), step) if step.is_none_or(|step| at < step.at) => {
                    let sender = plan.messages[number as usize].sender;
                    (at, sender, Deed::Send(number, self.start + at))
                }
                (_, Some(step)) => (step.at, step.client, Deed::Step(step.what)),
                (_, None) => return,
            };
            if self.start + at > self.now {
                return;
            }
            match deed {
                Deed::Send(_, due) => {
                    self.next_message += 1;
                    self.note_lag(due);
                }
                Deed::Step(_) => {
                    self.next_step += 1;
                    steps += 1;
                }
            }
            self.deed((sender / self.shared.workers) as usize, deed);
        }
    }

    /// How late this tool is. What a client has to wait for is not its fault.
    fn note_lag(&mut self, due: Nanos) {
        self.outcome.lag.record(self.shared.clock.now().saturating_sub(due));
    }

    fn dial(&mut self, local: u32) {
        let place = local as usize;
        let client = &self.clients[place];
        if client.gone || client.away || client.line.is_some() {
            return;
        }
        let gateway = self.shared.gateways[client.gateway.number()].address;
        let client = client.session.number();
        let dialled = self.shared.sources.dial(client, gateway).and_then(|stream| {
            let mut stream = mio::net::TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(place), interest)?;
            Ok(stream)
        });
        match dialled {
            Ok(stream) => self.clients[place].line = Some(Connection::new(stream, self.now)),
            Err(error) => {
                self.trouble(format!("cannot dial: {error}"));
                self.clients[place].gateway.failed(self.shared.gateways.len());
                self.try_again(place);
            }
        }
    }

    /// Sends a message that was meant for the moment `due`.
    pub(super) fn send(&mut self, number: u32, due: Nanos) {
        debug_assert!(due <= self.now, "nothing is sent too early");
        let message = self.shared.plan.messages[number as usize];
        let local = (message.sender / self.shared.workers) as usize;
        let client = &mut self.clients[local];
        if client.gone || !client.session.is_known() {
            return self.unsent(number, "its sender is not there");
        }
        self.tick.sent += 1;
        self.open_sends += 1;
        self.fates[number as usize] =
            Fate { sent: self.now, settled: self.now, outcome: Outcome::Open };
        let coarse = self.shared.clock.coarse(self.now);
        client.session.send(&self.shared.common, number, &message, coarse, &mut self.out);
        self.write_out(local);
    }

    pub(super) fn step(&mut self, local: usize, what: Move) {
        let coarse = self.shared.clock.coarse(self.now);
        let client = &mut self.clients[local];
        if client.gone || !(client.session.is_known() || matches!(what, Move::Dial | Move::Hang)) {
            return;
        }
        match what {
            Move::Leave(room) => {
                let now = self.now;
                client.member(room).into_iter().for_each(|member| member.left(now));
                client.session.quit(&self.shared.common, room, coarse, &mut self.out);
                self.write_out(local);
            }
            Move::Join(room) => {
                client.session.join(&self.shared.common, room, coarse, &mut self.out);
                self.write_out(local);
            }
            Move::Break => self.broken(local),
            Move::Hang => self.hang_up(local),
            Move::Dial => {
                client.away = false;
                self.dials.push(Reverse((self.now, local_number(local))));
            }
        }
    }

    /// Closes a connection as a page does that is left. Until it is back nothing is owed to it.
    fn hang_up(&mut self, local: usize) {
        if self.clients[local].line.as_ref().is_some_and(|line| line.stage == Stage::Open) {
            self.out.frame(Kind::Close, &1000_u16.to_be_bytes());
            self.write_out(local);
        }
        let now = self.now;
        let client = &mut self.clients[local];
        client.away = true;
        client.line = None;
        client.session.lost();
        for seat in client.seats.iter_mut().filter(|seat| seat.member.is_in()) {
            seat.member.left(now);
            seat.resumes = true;
        }
    }

    /// Puts what a session said on its line.
    pub(super) fn write_out(&mut self, local: usize) {
        if self.out.bytes.is_empty() {
            return;
        }
        let result = match &mut self.clients[local].line {
            Some(line) => line.write(&self.out.bytes),
            None => Ok(()),
        };
        self.out.bytes.clear();
        if let Err(error) = result {
            self.trouble(format!("line broke: {}", error.kind()));
            self.broken(local);
        }
    }

    /// A line is gone; it is dialled again at once, unless it was young.
    pub(super) fn broken(&mut self, local: usize) {
        let client = &mut self.clients[local];
        let Some(line) = client.line.take() else {
            return;
        };
        let logged_in = client.session.is_logged_in();
        client.session.lost();
        // A line that was never logged in on changes nothing.
        if logged_in && client.is_in_a_room() {
            client.broken_at = self.now;
        }
        if line.stage == Stage::Open {
            self.tick.broken += 1;
        } else {
            client.gateway.failed(self.shared.gateways.len());
        }
        if line.stage == Stage::Open && self.now >= line.since + YOUNG {
            self.dials.push(Reverse((self.now, local_number(local))));
        } else {
            self.try_again(local);
        }
    }

    /// Dials again after a pause; not for ever if the client was never in.
    pub(super) fn try_again(&mut self, local: usize) {
        let client = &mut self.clients[local];
        client.tries += 1;
        if client.tries > TRIES && !client.arrived {
            return self.give_up(local);
        }
        // Spread, so that many do not come at once: 200 to 600 ms, as the SDK.
        let pause = SECOND / 5 + (self.now / 1_000 % 400_000) * 1_000;
        self.dials.push(Reverse((self.now + pause, local_number(local))));
    }

    /// A client is lost for good.
    pub(super) fn give_up(&mut self, local: usize) {
        let client = &mut self.clients[local];
        if client.gone {
            return;
        }
        client.gone = true;
        client.line = None;
        client.session.lost();
        client.left_all(self.now);
        let arrived = client.arrived;
        self.outcome.gone += 1;
        if !arrived {
            self.settled();
        }
        self.carry_on(local);
    }

    /// Notes something that should not happen.
    pub(super) fn trouble(&mut self, what: String) {
        *self.outcome.trouble.entry(what).or_default() += 1;
    }
}

fn local_number(local: usize) -> u32 {
    u32::try_from(local).expect("clients are counted in 32 bits")
}
