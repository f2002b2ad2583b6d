//! What a worker does when it is time: dials, messages, steps of the plan; and what follows from answers
//! and from lines that break.

use std::cmp::Reverse;

use mio::{Interest, Token};

use super::connection::{Connection, Stage};
use super::worker::{NOT_YET, Worker};
use crate::check::{Fate, Outcome};
use crate::client::session::Happened;
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
        while let Some(number) = self.messages.get(self.next_message) {
            let number = *number;
            let due = self.start + self.shared.plan.messages[number as usize].at;
            if due > self.now {
                break;
            }
            self.next_message += 1;
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

    fn dial(&mut self, local: u32) {
        let place = local as usize;
        if self.clients[place].gone || self.clients[place].line.is_some() {
            return;
        }
        let client = self.clients[place].session.number();
        let dialled = self.shared.sources.dial(client, self.shared.target).and_then(|stream| {
            let mut stream = mio::net::TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(place), interest)?;
            Ok(stream)
        });
        match dialled {
            Ok(stream) => self.clients[place].line = Some(Connection::new(stream, self.now)),
            Err(error) => {
                self.trouble(format!("cannot dial: {error}"));
                self.try_again(place);
            }
        }
    }

    fn send(&mut self, number: u32, due: Nanos) {
        let message = self.shared.plan.messages[number as usize];
        let local = (message.sender / self.shared.workers) as usize;
        let client = &mut self.clients[local];
        self.outcome.lag.record(self.shared.clock.now().saturating_sub(due));
        if client.gone || !client.session.is_known() {
            self.tick.failed += 1;
            self.trouble("not sent: its sender is not there".to_owned());
            return;
        }
        self.tick.sent += 1;
        self.open_sends += 1;
        self.fates[number as usize] =
            Fate { sent: self.now, settled: self.now, outcome: Outcome::Open };
        let coarse = self.shared.clock.coarse(self.now);
        client.session.send(&self.shared.common, number, &message, coarse, &mut self.out);
        self.write_out(local);
    }

    fn step(&mut self, local: usize, what: Move) {
        let coarse = self.shared.clock.coarse(self.now);
        let client = &mut self.clients[local];
        if client.gone || !client.session.is_known() {
            return;
        }
        match what {
            Move::Leave => {
                client.member.left(self.now);
                client.session.quit(&self.shared.common, coarse, &mut self.out);
                self.write_out(local);
            }
            Move::Join => {
                client.session.join(&self.shared.common, coarse, &mut self.out);
                self.write_out(local);
            }
            Move::Break => self.broken(local),
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
        if client.member.is_in() && logged_in {
            client.broken_at = self.now;
        }
        if line.stage == Stage::Open {
            self.tick.broken += 1;
        }
        if line.stage == Stage::Open && self.now >= line.since + YOUNG {
            self.dials.push(Reverse((self.now, local_number(local))));
        } else {
            self.try_again(local);
        }
    }

    /// Dials again after a pause; not for ever if the client was never in.
    fn try_again(&mut self, local: usize) {
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
        client.member.left(self.now);
        let arrived = client.arrived;
        self.outcome.gone += 1;
        if !arrived {
            self.settled();
        }
    }

    /// Notes something that should not happen.
    pub(super) fn trouble(&mut self, what: String) {
        *self.outcome.trouble.entry(what).or_default() += 1;
    }

    /// Carries on after an answer.
    pub(super) fn react(&mut self, local: usize, happened: Happened) {
        let coarse = self.shared.clock.coarse(self.now);
        let client = &mut self.clients[local];
        match happened {
            Happened::LoggedIn => {
                client.session.join(&self.shared.common, coarse, &mut self.out);
                self.write_out(local);
            }
            Happened::Returned => {
                client.tries = 0;
                self.last_stir = self.now;
                self.outcome.returned += 1;
            }
            Happened::Joined => {
                client.tries = 0;
                client.member.joined(self.now);
                if !std::mem::replace(&mut client.arrived, true) {
                    self.settled();
                }
            }
            Happened::Quit => {}
            Happened::LoginRefused(code, info) => {
                let known = client.session.is_known();
                self.trouble(format!("login refused: {code} {info}"));
                if known {
                    // The SDK stays outside for ever.
                    self.give_up(local);
                } else if self.clients[local].line.take().is_some() {
                    self.clients[local].session.lost();
                    self.try_again(local);
                }
            }
            Happened::JoinRefused(code, info) => {
                client.tries += 1;
                let tries = client.tries;
                self.trouble(format!("join refused: {code} {info}"));
                if tries > 3 {
                    return self.give_up(local);
                }
                let client = &mut self.clients[local];
                client.session.join(&self.shared.common, coarse, &mut self.out);
                self.write_out(local);
            }
            Happened::Acknowledged { number, seq, dropped } => {
                let outcome = if dropped { Outcome::Dropped } else { Outcome::Kept(seq) };
                self.settle(number, outcome);
                self.tick.acknowledged += 1;
                self.tick.dropped += u64::from(dropped);
                let at = self.shared.plan.messages[number as usize].at;
                let latency = self.now.saturating_sub(self.start + at);
                self.tick.ack.record(latency);
                if at >= self.shared.plan.measured_from {
                    self.outcome.ack.record(latency);
                }
            }
            Happened::SendFailed { number, code } => {
                self.settle(number, Outcome::Failed);
                self.tick.failed += 1;
                self.trouble(format!("send failed: {code}"));
            }
            Happened::Dead => {
                self.trouble("line broke: no answer to a heartbeat".to_owned());
                self.broken(local);
            }
        }
    }

    fn settle(&mut self, number: u32, outcome: Outcome) {
        let fate = &mut self.fates[number as usize];
        fate.settled = self.now;
        fate.outcome = outcome;
        self.open_sends -= 1;
    }
}

fn local_number(local: usize) -> u32 {
    u32::try_from(local).expect("clients are counted in 32 bits")
}
