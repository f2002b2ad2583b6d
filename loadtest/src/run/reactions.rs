//! What a worker makes of its clients' answers.

use super::worker::Worker;
use crate::check::Outcome;
use crate::client::happened::Happened;

/// Joins of one client that may be refused before it is given up.
const REFUSED_JOINS: u32 = 3;

impl Worker {
    /// Carries on after an answer.
    pub(super) fn react(&mut self, local: usize, happened: Happened) {
        let coarse = self.shared.clock.coarse(self.now);
        let client = &mut self.clients[local];
        match happened {
            Happened::LoggedIn => {
                for seat in client.seats.iter().filter(|seat| seat.first) {
                    client.session.join(&self.shared.common, seat.room, coarse, &mut self.out);
                }
                let meant = client.meant;
                self.outcome.logins.answered(meant, self.now);
                self.write_out(local);
                self.arrive(local);
            }
            Happened::Settled => {
                let meant = client.meant;
                self.outcome.logins.settled(meant, self.now);
                self.arrive(local);
            }
            Happened::AskFailed(command, code) => {
                self.outcome.logins.failed += 1;
                self.trouble(format!("{command} after a login: {code}"));
                self.arrive(local);
            }
            Happened::Returned => {
                client.tries = 0;
                for seat in client.seats.iter_mut().filter(|seat| seat.resumes) {
                    seat.resumes = false;
                    seat.member.joined(self.now);
                }
                self.last_stir = self.now;
                self.outcome.returned += 1;
            }
            Happened::Joined(room) => {
                client.tries = 0;
                let now = self.now;
                client.member(room).into_iter().for_each(|member| member.joined(now));
                self.arrive(local);
            }
            Happened::Quit(_) => self.outcome.left += 1,
            Happened::QuitFailed(_, code) => self.trouble(format!("leaving failed: {code}")),
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
            Happened::JoinRefused(room, code, info) => {
                client.tries += 1;
                let tries = client.tries;
                self.trouble(format!("join refused: {code} {info}"));
                if tries > REFUSED_JOINS {
                    return self.give_up(local);
                }
                let client = &mut self.clients[local];
                client.session.join(&self.shared.common, room, coarse, &mut self.out);
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

    /// A client is where it has to be before the traffic begins, if it is.
    fn arrive(&mut self, local: usize) {
        let client = &mut self.clients[local];
        let done = client.session.is_known() && !client.session.is_settling();
        if !client.arrived && done && client.is_in_first_rooms() {
            client.arrived = true;
            self.settled();
        }
    }

    fn settle(&mut self, number: u32, outcome: Outcome) {
        let fate = &mut self.fates[number as usize];
        fate.settled = self.now;
        fate.outcome = outcome;
        self.open_sends -= 1;
        self.pass_turn(number);
    }
}
