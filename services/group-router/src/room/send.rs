//! A message inside the room: was it sent before, does the rate limit let it pass; then its sequence
//! and time, its frame, and its place in history. The stages of a message's way that are serial.

use std::sync::Arc;

use bytes::Bytes;
use rand::rng;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};

use super::publish::Extra;
use super::{Role, Room};
use crate::actor::{Appended, Failure, Kept, KeptMark, MOST_UNKEPT, Now, Reply, Unit};
use crate::core::dedupe::{Lookup, Ticket};
use crate::core::limiter::{Priority, Verdict};
use crate::core::mentions::Mention;
use crate::core::rules::Messages;
use crate::group::Meant;
use crate::message::Control;
use crate::order::Turnstile;
use crate::wire::{self, EVENT_MESSAGE, GroupInfo, ItemControl, ItemHead, MemberInfo, Wants};

/// Callers that may wait for one message they all repeat.
const MOST_REPEATS: usize = 32;

/// A checked message that asks to be sent.
pub(crate) struct PendingSend {
    pub(crate) sender: Arc<MemberInfo>,
    pub(crate) tiny_id: u64,
    pub(crate) random: u32,
    /// Seconds since 1970, the client's.
    pub(crate) client_time: i64,
    pub(crate) client_seq: u64,
    /// The checked JSON text of `MsgBody`.
    pub(crate) body: Bytes,
    pub(crate) cloud_custom_data: String,
    /// Only these members get it; empty: all.
    pub(crate) recipients: Vec<String>,
    /// What the sender asks for beside, as far as this group has it.
    pub(crate) wants: Wants,
    /// What else is to be done with it; nothing where there is no log.
    pub(crate) control: Control,
    /// Where the answer goes.
    pub(crate) reply: Option<Reply<Sent>>,
    /// Its entry among the duplicates.
    pub(crate) ticket: Option<Ticket>,
    /// Keeps its sender's next messages back until this one is taken in.
    pub(crate) turnstile: Option<Turnstile>,
}

/// What became of a message.
pub(crate) enum Sent {
    Answer(SendAnswer),
    /// The room does not know its sender as a member. The message comes back for another try.
    Stranger(Box<PendingSend>),
}

/// The answer to a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SendAnswer {
    pub(crate) msg_seq: u32,
    pub(crate) msg_time: i64,
    /// Why it was dropped although the answer is success; empty if it was not.
    pub(crate) drop_reason: &'static str,
}

impl Room {
    /// Refuses a sender who may not speak here now.
    pub(crate) fn may_speak(&self, user: &str, role: Role, now: i64) -> Result<(), CommandError> {
        if role == Role::AppAdmin {
            return Ok(());
        }
        self.refuse_banned(user, now)?;
        if self.muted_until(user, now) > 0 {
            return Err(Code::GROUP_MUTED.with(format!("{user} is muted")));
        }
        if self.profile.mute_all && role < Role::Admin {
            return Err(Code::GROUP_MUTED.with("all members are muted"));
        }
        Ok(())
    }

    /// Takes a message in. It is answered when it is out (and durable, where it is kept), dropped,
    /// or known to be a repetition.
    pub(crate) fn send(
        &mut self,
        mut pending: Box<PendingSend>,
        priority: Priority,
        now: Now,
        unit: &mut Unit,
    ) {
        match self.dedupe.begin(now.ms, pending.tiny_id, pending.random) {
            Lookup::Done(answer) => {
                if let Some(reply) = pending.reply.take() {
                    unit.answer(reply, Ok(Sent::Answer(answer)));
                }
            }
            Lookup::InFlight(ticket) => {
                if let Some(reply) = pending.reply.take() {
                    self.wait_for(ticket, reply, unit);
                }
            }
            Lookup::New(ticket) => {
                pending.ticket = Some(ticket);
                let mut verdicts = Verdicts::new();
                self.limiter.offer(now.ms, priority, pending, &mut rng(), &mut |verdict| {
                    verdicts.push(verdict);
                });
                self.carry_out(verdicts, now, unit);
            }
        }
    }

    /// Whether an imported message is one that was brought before.
    pub(crate) fn recognise(&mut self, now: Now, tiny_id: u64, random: u32) -> Lookup<SendAnswer> {
        self.dedupe.begin(now.ms, tiny_id, random)
    }

    /// What became of an imported message; nothing: it may be brought again.
    pub(crate) fn settle_import(&mut self, ticket: Option<Ticket>, answer: Option<SendAnswer>) {
        match (ticket, answer) {
            (Some(ticket), Some(answer)) => _ = self.dedupe.settle(ticket, answer),
            (Some(ticket), None) => self.dedupe.abandon(ticket),
            (None, _) => {}
        }
    }

    /// The newest message has this time, seconds since 1970.
    pub(crate) fn note_last_message(&mut self, time: i64) {
        self.last_message = time;
    }

    /// A caller repeats a message that is not answered yet.
    fn wait_for(&mut self, ticket: Ticket, reply: Reply<Sent>, unit: &mut Unit) {
        let waiting = self.duplicates.entry(ticket).or_default();
        if waiting.len() >= MOST_REPEATS {
            waiting.retain(|reply| !reply.is_abandoned());
        }
        if waiting.len() >= MOST_REPEATS {
            let error = Code::GROUP_SEND_FREQUENCY.with("Random: repeated too often");
            return unit.answer(reply, Err(error));
        }
        waiting.push(reply);
    }

    /// Lets the limiter see the time.
    pub(super) fn run_limiter(&mut self, now: Now, unit: &mut Unit) {
        if self.limiter.waiting() == 0 {
            return;
        }
        let mut verdicts = Verdicts::new();
        self.limiter.poll(now.ms, &mut |verdict| verdicts.push(verdict));
        self.carry_out(verdicts, now, unit);
    }

    /// Drops all that wait.
    pub(super) fn close_limiter(&mut self, now: Now, unit: &mut Unit) {
        let mut verdicts = Verdicts::new();
        self.limiter.drain_all(&mut |verdict| verdicts.push(verdict));
        self.carry_out(verdicts, now, unit);
    }

    /// Gives all that wait back to their senders: the group's next owner takes them in.
    pub(crate) fn hand_back(&mut self) {
        let mut waiting = Verdicts::new();
        self.limiter.drain_all(&mut |verdict| waiting.push(verdict));
        for verdict in waiting {
            let (Verdict::Deliver { item, .. } | Verdict::Drop { item, .. }) = verdict;
            let repeated = item.ticket.and_then(|ticket| self.duplicates.remove(&ticket));
            for reply in item.reply.into_iter().chain(repeated.into_iter().flatten()) {
                reply.refuse(Failure::NotBegun);
            }
        }
    }

    /// A new budget of messages a second.
    pub(super) fn set_budget(&mut self, budget: u32, now: Now, unit: &mut Unit) {
        let mut verdicts = Verdicts::new();
        self.limiter.set_budget(now.ms, budget, budget, &mut |verdict| verdicts.push(verdict));
        self.carry_out(verdicts, now, unit);
    }

    fn carry_out(&mut self, verdicts: Verdicts, now: Now, unit: &mut Unit) {
        for verdict in verdicts {
            match verdict {
                Verdict::Deliver { item, priority, .. } => {
                    self.deliver(*item, priority, now, unit);
                }
                Verdict::Drop { item, priority, reason, .. } => {
                    self.metrics.dropped(self.class(), priority, reason);
                    let answer = SendAnswer {
                        msg_seq: self.sequence.last(),
                        msg_time: now.seconds,
                        drop_reason: "frequency limit",
                    };
                    self.settle(item.ticket, &Ok(answer), item.reply, unit);
                }
            }
        }
    }

    fn deliver(&mut self, mut send: PendingSend, priority: Priority, now: Now, unit: &mut Unit) {
        send.wants = self.granted(send.wants);
        send.control.no_unread |= self.rules.tells_no_unread();
        let directed = !send.recipients.is_empty();
        let log = self.rules.messages == Messages::Log;
        if log && send.control.online_only {
            return self.deliver_online(send, priority, now, unit);
        }
        let keep = self.policy.keep_history && !directed && !log;
        if keep && self.unkept >= MOST_UNKEPT {
            self.metrics.not_kept.increment(1);
            let error = Code::GROUP_INTERNAL.with("messages cannot be kept now, try again");
            return self.settle(send.ticket, &Err(error), send.reply, unit);
        }
        let seq = self.take_seq(unit);
        self.last_message = now.seconds;
        let encoded = self.encode(&send, seq, priority, now.seconds);
        let mentions = if log { self.mentions_in(&send, seq, now) } else { Vec::new() };
        if !(directed || log) {
            self.recent.push(seq, now.seconds, encoded.item());
        }
        let mut message = stored(&send, seq, priority, now);
        message.receipt_members = self.readers_of(&message);
        let PendingSend { mut recipients, reply, ticket, .. } = send;
        let answer = SendAnswer { msg_seq: seq, msg_time: now.seconds, drop_reason: "" };
        if log {
            recipients = self.audience(&message);
            if self.rules.unread && (directed || message.no_unread) {
                self.uncount(std::iter::once(seq), unit);
            }
            self.note_spoken(&message.from, seq, now);
            self.store(|| message, unit);
            self.settle(ticket, &Ok(answer), reply, unit);
        } else if keep {
            self.unkept += 1;
            let mark = KeptMark { stream: self.position().epoch, ticket, answer };
            unit.kept.push(Kept { message, reply, mark });
        } else {
            self.settle(ticket, &Ok(answer), reply, unit);
        }
        let extra = Extra { priority: priority.wire(), recipients, ..Extra::default() };
        self.emit(encoded, seq, extra, unit);
        for (mentioned, mention) in mentions {
            self.mention(mentioned, &mention, unit);
        }
        self.metrics.delivered(self.class());
    }

    /// Brings a message to those who are online, and forgets it: it takes no number.
    fn deliver_online(&mut self, send: PendingSend, priority: Priority, now: Now, unit: &mut Unit) {
        // Clients want some number.
        let seq = self.sequence.last().max(1);
        let encoded = self.encode(&send, seq, priority, now.seconds);
        let recipients = self.audience(&stored(&send, seq, priority, now));
        let answer = SendAnswer { msg_seq: seq, msg_time: now.seconds, drop_reason: "" };
        self.settle(send.ticket, &Ok(answer), send.reply, unit);
        let extra = Extra { priority: priority.wire(), recipients, ..Extra::default() };
        self.emit(encoded, 0, extra, unit);
        self.metrics.delivered(self.class());
    }

    /// Who is mentioned, and how. Clients leave out what they sent themselves.
    fn mentions_in(&self, send: &PendingSend, seq: u32, now: Now) -> Vec<(Meant, Mention)> {
        let control = &send.control;
        let sees = |user: &String| {
            *user != send.sender.user
                && self.is_member(user)
                && (send.recipients.is_empty() || send.recipients.contains(user))
        };
        let named: Vec<String> =
            control.mentions.iter().filter(|user| sees(user)).cloned().collect();
        let mention = |by_name: bool| Mention {
            msg_seq: seq,
            from: send.sender.user.clone(),
            random: send.random,
            time: now.seconds,
            by_name,
            all: control.mentions_all,
        };
        let mut mentions = Vec::new();
        if control.mentions_all && send.recipients.is_empty() {
            mentions.push((Meant::AllBut(named.clone()), mention(false)));
        } else if control.mentions_all {
            let mut others = send.recipients.clone();
            others.retain(|user| !named.contains(user) && self.is_member(user));
            if !others.is_empty() {
                mentions.push((Meant::Users(others), mention(false)));
            }
        }
        if !named.is_empty() {
            mentions.push((Meant::Users(named), mention(true)));
        }
        mentions
    }

    fn encode(
        &self,
        send: &PendingSend,
        msg_seq: u32,
        priority: Priority,
        time: i64,
    ) -> wire::Encoded {
        let log = self.rules.messages == Messages::Log;
        let head = ItemHead {
            from: &send.sender.user,
            tiny_id: send.tiny_id,
            msg_seq,
            random: send.random,
            time,
            client_time: send.client_time,
            client_seq: send.client_seq,
            priority: priority.wire(),
            cloud_custom_data: &send.cloud_custom_data,
            wants: send.wants,
            control: if log { control(send) } else { ItemControl::default() },
        };
        let info = GroupInfo {
            nick: Some(&send.sender.nick),
            avatar: Some(&send.sender.avatar),
            ..self.group_info()
        };
        wire::message_item(EVENT_MESSAGE, &head, info, &send.body).0
    }

    /// Messages were kept, or were not. Only now their repetitions may be answered: what was not kept
    /// may be tried again (DUR-1).
    pub(crate) fn note_appended(&mut self, appended: Appended, unit: &mut Unit) {
        let Appended { marks, error } = appended;
        let error = error.map(Failure::into_error);
        let stream = self.position().epoch;
        for mark in marks.into_iter().filter(|mark| mark.stream == stream) {
            self.unkept = self.unkept.saturating_sub(1);
            if let Some(error) = &error {
                self.metrics.not_kept.increment(1);
                self.recent.remove(&[mark.answer.msg_seq]);
                self.settle(mark.ticket, &Err(error.clone()), None, unit);
            } else {
                self.settle(mark.ticket, &Ok(mark.answer), None, unit);
            }
        }
    }

    /// Answers a sender and whoever repeated the same message meanwhile. After an error the next
    /// repetition is a new message.
    fn settle(
        &mut self,
        ticket: Option<Ticket>,
        outcome: &Result<SendAnswer, CommandError>,
        reply: Option<Reply<Sent>>,
        unit: &mut Unit,
    ) {
        let mut repeated = Vec::new();
        if let Some(ticket) = ticket {
            match outcome {
                Ok(answer) => _ = self.dedupe.settle(ticket, *answer),
                Err(_) => self.dedupe.abandon(ticket),
            }
            repeated = self.duplicates.remove(&ticket).unwrap_or_default();
        }
        for reply in reply.into_iter().chain(repeated) {
            unit.answer(reply, outcome.clone().map(Sent::Answer));
        }
    }
}

fn stored(send: &PendingSend, msg_seq: u32, priority: Priority, now: Now) -> v1::StoredMessage {
    v1::StoredMessage {
        msg_seq,
        msg_time: now.seconds,
        from: send.sender.user.clone(),
        tiny_id: send.tiny_id,
        random: send.random,
        client_time: send.client_time,
        priority: priority.wire(),
        msg_body: send.body.clone(),
        cloud_custom_data: send.cloud_custom_data.clone(),
        nick: send.sender.nick.clone(),
        avatar: send.sender.avatar.clone(),
        client_seq: send.client_seq,
        need_read_receipt: send.wants.receipts,
        support_message_extension: send.wants.extensions,
        recipients: send.recipients.clone(),
        no_unread: send.control.no_unread,
        no_last: send.control.no_last,
        mentions: send.control.mentions.clone(),
        mentions_all: send.control.mentions_all,
        ..v1::StoredMessage::default()
    }
}

fn control(send: &PendingSend) -> ItemControl<'_> {
    let Control { online_only, no_unread, no_last, mentions, mentions_all } = &send.control;
    ItemControl {
        online_only: *online_only,
        no_unread: *no_unread || !send.recipients.is_empty(),
        no_last: *no_last,
        mentions,
        mentions_all: *mentions_all,
        version: 0,
    }
}

type Verdicts = smallvec::SmallVec<[Verdict<Box<PendingSend>>; 2]>;
