//! One user: what it says, what it waits for, and what it does when its line breaks. Plain code: bytes
//! and times in, bytes and happenings out.
//!
//! It holds on as the SDK does (SDK protocol notes 01, 1.5 and 3.1 to 3.3): what was unanswered when a
//! line broke is sent again on the next one, byte for byte and before the login; the login is by the
//! token; a quiet line is asked whether it lives. Unlike the SDK it never sleeps for a minute after a
//! dial that failed.

use throng_protocol::usersig;

use super::burst::Ask;
use super::common::{Common, Now, Outgoing};
use super::happened::{Happened, TIMED_OUT};
use super::inbound::Answer;
use super::websocket::Kind;
use super::wire::{
    self, AckBody, Credentials, Empty, GroupBody, Identity, LOGIN_BODY, SendBody, TextElement,
    command, put_handshake,
};
use crate::plan::Message;

const REQUEST_SECONDS: u32 = 15;
const LOGIN_SECONDS: u32 = 90;
const ALIVE_SECONDS: u32 = 3;
/// A line that was quiet for so long is asked whether it lives.
const QUIET_SECONDS: u32 = 10;
const SIGNATURE_SECONDS: i64 = 86_400;

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Login,
    Alive,
    Hello,
    Ask(Ask),
    Join(u32),
    Quit(u32),
    Send(u32),
}

#[derive(Debug)]
struct Pending {
    seq: u64,
    what: What,
    due: u32,
    frame: Box<[u8]>,
}

/// One client without its socket.
#[derive(Debug)]
pub struct Session {
    number: u32,
    next_seq: u64,
    identity: Option<Box<Identity>>,
    pending: Vec<Pending>,
    /// There is a line that requests can go out on.
    on_line: bool,
    /// It logged in on the present line.
    logged_in: bool,
    heard: u32,
    hello_every: u32,
    hello_due: u32,
    /// What it asks for after its first login is not all answered.
    settling: bool,
    /// The SDK asks for this on the tick after.
    features_due: bool,
}

impl Session {
    /// A client that has not done anything yet.
    #[must_use]
    pub fn new(number: u32) -> Self {
        // The SDK begins at a random number below 10^8.
        let next_seq = 1 + u64::from(number.wrapping_mul(0x9E37_79B9)) % 100_000_000;
        let (identity, pending) = (None, Vec::new());
        let (on_line, logged_in) = (false, false);
        let (settling, features_due) = (false, false);
        let (heard, hello_every, hello_due) = (0, 0, 0);
        Self {
            number,
            next_seq,
            identity,
            pending,
            on_line,
            logged_in,
            heard,
            hello_every,
            hello_due,
            settling,
            features_due,
        }
    }

    /// Its number in the plan.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether the client has logged in once.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.identity.is_some()
    }

    /// Whether it logged in on the line that it has now.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.logged_in
    }

    /// Whether it has yet to get answers to what the SDK asks for after its first login.
    #[must_use]
    pub fn is_settling(&self) -> bool {
        self.settling
    }

    /// Whether a join or quit waits for its answer.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.pending.iter().any(|pending| matches!(pending.what, What::Join(_) | What::Quit(_)))
    }

    /// The messages of the plan that wait for their answers.
    pub fn sending(&self) -> impl Iterator<Item = u32> {
        self.pending.iter().filter_map(|pending| match pending.what {
            What::Send(number) => Some(number),
            _ => None,
        })
    }

    /// The connection stands: asks for the WebSocket.
    pub fn connected(&self, common: &Common, host: &str, random: u32, out: &mut Outgoing) {
        let instance = u128::from(common.salt) << 64 | u128::from(self.number);
        put_handshake(&mut out.bytes, host, common.app.0, instance, random);
    }

    /// The WebSocket is open: what is unanswered again, then the login, then the first heartbeat.
    pub fn opened(&mut self, common: &Common, now: Now, out: &mut Outgoing) {
        self.on_line = true;
        self.heard = now.second;
        for pending in &self.pending {
            out.frame(Kind::Binary, &pending.frame);
        }
        let due = now.second + LOGIN_SECONDS;
        if self.identity.is_some() {
            self.request(common, What::Login, due, now, &LOGIN_BODY, out);
        } else {
            let user = common.user(self.number);
            let life = SIGNATURE_SECONDS;
            let sig = usersig::sign(common.app, &common.key, &user, now.unix_s, life, None);
            let seq = self.take_seq();
            let who = Credentials::Signature(&user, &sig);
            let frame =
                wire::request(common.app.0, who, command::LOGIN, seq, now.unix_s, &LOGIN_BODY);
            self.put(seq, What::Login, due, frame, out);
        }
        if self.identity.is_some() {
            self.alive(common, now, out);
        }
    }

    /// The line is gone. What only made sense on it is forgotten.
    pub fn lost(&mut self) {
        self.on_line = false;
        self.logged_in = false;
        self.pending.retain(|pending| {
            matches!(pending.what, What::Join(_) | What::Quit(_) | What::Send(_))
        });
    }

    /// Joins a room.
    pub fn join(&mut self, common: &Common, room: u32, now: Now, out: &mut Outgoing) {
        let group = common.group(room);
        let body = GroupBody { group_id: &group, web_push_flag: Some(1) };
        self.request(common, What::Join(room), now.second + REQUEST_SECONDS, now, &body, out);
    }

    /// Leaves a room.
    pub fn quit(&mut self, common: &Common, room: u32, now: Now, out: &mut Outgoing) {
        let group = common.group(room);
        let body = GroupBody { group_id: &group, web_push_flag: None };
        self.request(common, What::Quit(room), now.second + REQUEST_SECONDS, now, &body, out);
    }

    /// Sends a message of the plan; without a line it goes out on the next one.
    pub fn send(
        &mut self,
        common: &Common,
        number: u32,
        message: &Message,
        now: Now,
        out: &mut Outgoing,
    ) {
        let (user, group) = (common.user(self.number), common.group(message.room));
        let text = common.text.get(..message.bytes as usize).unwrap_or(&common.text);
        let body = SendBody {
            from: &user,
            group_id: &group,
            random: number + 1,
            client_seq: self.next_seq,
            msg_priority: message.priority.wire(),
            msg_body: [TextElement::new(text)],
            cloud_custom_data: "",
            online_only_flag: 0,
            group_at_info: [],
            msg_client_time: now.unix_s,
        };
        self.request(common, What::Send(number), now.second + REQUEST_SECONDS, now, &body, out);
    }

    /// Returns the mark of a push.
    pub fn acknowledge(&mut self, common: &Common, mark: &str, now: Now, out: &mut Outgoing) {
        let seq = self.take_seq();
        let Some(identity) = &self.identity else {
            return;
        };
        let who = Credentials::Session(identity);
        let body = AckBody { session_data: mark };
        let frame = wire::request(common.app.0, who, command::PUSH_ACK, seq, now.unix_s, &body);
        out.frame(Kind::Binary, &frame);
    }

    /// Something came.
    pub fn heard(&mut self, now: Now) {
        self.heard = now.second;
    }

    /// An answer came; what it answers, if anything.
    pub fn answered(
        &mut self,
        common: &Common,
        answer: Answer,
        now: Now,
        out: &mut Outgoing,
    ) -> Option<Happened> {
        let place = self.pending.iter().position(|pending| pending.seq == answer.seq)?;
        // The others keep their order: in that they are sent again.
        let what = self.pending.remove(place).what;
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        let body = answer.body;
        let failed = body.error_code != 0;
        match what {
            What::Login if failed => Some(Happened::LoginRefused(body.error_code, body.error_info)),
            What::Login if self.identity.is_some() => {
                self.logged_in = true;
                self.ask_again(common, now, out);
                Some(Happened::Returned)
            }
            What::Login => {
                let (Some(a2), Some(tiny_id)) = (body.a2_key, body.tiny_id) else {
                    let info = "the answer has no A2Key or TinyId".to_owned();
                    return Some(Happened::LoginRefused(2023, info));
                };
                self.identity = Some(Box::new(Identity { a2, tiny_id, inst_id: body.inst_id }));
                self.logged_in = true;
                self.hello_every = body.hello_interval;
                self.hello_due = now.second + body.hello_interval;
                self.alive(common, now, out);
                self.settling = common.burst;
                self.ask_first(common, now, out);
                Some(Happened::LoggedIn)
            }
            What::Join(room) if failed => {
                Some(Happened::JoinRefused(room, body.error_code, body.error_info))
            }
            What::Join(room) => Some(Happened::Joined(room)),
            What::Quit(room) if failed => Some(Happened::QuitFailed(room, body.error_code)),
            What::Quit(room) => Some(Happened::Quit(room)),
            What::Send(number) if failed => {
                Some(Happened::SendFailed { number, code: body.error_code })
            }
            What::Send(number) => Some(Happened::Acknowledged {
                number,
                seq: body.msg_seq,
                dropped: !body.msg_drop_reason.is_empty(),
            }),
            What::Ask(ask) if failed => {
                self.note_answered(ask);
                Some(Happened::AskFailed(ask.command(), body.error_code))
            }
            What::Ask(ask) => {
                if let Some(next) = ask.then().filter(|_| common.burst) {
                    self.ask(common, next, now, out);
                }
                self.note_answered(ask).then_some(Happened::Settled)
            }
            What::Alive | What::Hello => None,
        }
    }

    /// Looks at the clock, about once a second.
    pub fn tick(
        &mut self,
        common: &Common,
        now: Now,
        out: &mut Outgoing,
        happened: &mut Vec<Happened>,
    ) {
        if self.on_line && self.identity.is_some() {
            let asked = self.pending.iter().any(|pending| pending.what == What::Alive);
            if !asked && now.second >= self.heard + QUIET_SECONDS {
                self.alive(common, now, out);
            }
            if std::mem::take(&mut self.features_due) {
                self.ask(common, Ask::Features, now, out);
            }
            if self.hello_every > 0 && now.second >= self.hello_due {
                self.hello_due = now.second + self.hello_every;
                let due = now.second + REQUEST_SECONDS;
                self.request(common, What::Hello, due, now, &Empty {}, out);
            }
        }
        self.pending.retain(|pending| {
            if now.second < pending.due {
                return true;
            }
            happened.extend(match pending.what {
                What::Send(number) => Some(Happened::SendFailed { number, code: TIMED_OUT }),
                What::Join(room) => {
                    Some(Happened::JoinRefused(room, TIMED_OUT, "no answer".to_owned()))
                }
                What::Login => Some(Happened::LoginRefused(TIMED_OUT, "no answer".to_owned())),
                What::Alive => Some(Happened::Dead),
                What::Quit(room) => Some(Happened::QuitFailed(room, TIMED_OUT)),
                What::Ask(ask) => Some(Happened::AskFailed(ask.command(), TIMED_OUT)),
                What::Hello => None,
            });
            false
        });
        if self.logged_in && !self.is_asking() {
            self.settling = false;
        }
    }

    fn ask_first(&mut self, common: &Common, now: Now, out: &mut Outgoing) {
        if self.settling {
            self.features_due = true;
            for ask in Ask::FIRST {
                self.ask(common, ask, now, out);
            }
        }
    }

    /// The server holds pushes back until a session that came back has asked for its conversations.
    fn ask_again(&mut self, common: &Common, now: Now, out: &mut Outgoing) {
        if self.settling {
            // Its first line broke before all was answered.
            self.ask_first(common, now, out);
        } else if common.burst {
            for ask in Ask::AGAIN {
                self.ask(common, ask, now, out);
            }
        } else {
            self.ask(common, Ask::Conversations, now, out);
        }
    }

    fn ask(&mut self, common: &Common, ask: Ask, now: Now, out: &mut Outgoing) {
        let body = ask.body(common.app.0, &common.user(self.number));
        self.request(common, What::Ask(ask), now.second + REQUEST_SECONDS, now, &body, out);
    }

    /// Whether this was the last answer that was still missing. What the clock asks for is not waited for.
    fn note_answered(&mut self, ask: Ask) -> bool {
        ask != Ask::Features && !self.is_asking() && std::mem::take(&mut self.settling)
    }

    fn is_asking(&self) -> bool {
        let asks = |what| matches!(what, What::Ask(ask) if ask != Ask::Features);
        self.pending.iter().any(|pending| asks(pending.what))
    }

    fn alive(&mut self, common: &Common, now: Now, out: &mut Outgoing) {
        self.request(common, What::Alive, now.second + ALIVE_SECONDS, now, &Empty {}, out);
    }

    fn request(
        &mut self,
        common: &Common,
        what: What,
        due: u32,
        now: Now,
        body: &impl serde::Serialize,
        out: &mut Outgoing,
    ) {
        let seq = self.take_seq();
        let Some(identity) = &self.identity else {
            return;
        };
        let servcmd = match what {
            What::Login => command::LOGIN,
            What::Alive => command::ALIVE,
            What::Hello => command::HELLO,
            What::Ask(ask) => ask.command(),
            What::Join(_) => command::JOIN,
            What::Quit(_) => command::QUIT,
            What::Send(_) => command::SEND,
        };
        let who = Credentials::Session(identity);
        let frame = wire::request(common.app.0, who, servcmd, seq, now.unix_s, body);
        self.put(seq, what, due, frame, out);
    }

    fn put(&mut self, seq: u64, what: What, due: u32, frame: Vec<u8>, out: &mut Outgoing) {
        if self.on_line {
            out.frame(Kind::Binary, &frame);
        }
        self.pending.push(Pending { seq, what, due, frame: frame.into() });
    }

    fn take_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }
}

#[cfg(test)]
mod tests;
