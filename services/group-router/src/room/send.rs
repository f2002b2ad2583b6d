//! A message inside the room: is its sender allowed to speak, was it sent before, does the rate
//! limit let it pass; then its sequence and time, its frame, and its place in history. The stages of
//! a message's way that are serial.

use std::sync::Arc;

use rand::rng;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};

use super::publish::Extra;
use super::{Role, Room};
use crate::actor::{Now, Reply, Unit};
use crate::core::dedupe::{Lookup, Ticket};
use crate::core::limiter::{Priority, Verdict};
use crate::wire::{self, EVENT_MESSAGE, GroupInfo, ItemHead};

/// A checked message that asks to be sent.
pub(crate) struct PendingSend {
    /// All but its sequence and time.
    pub(crate) message: v1::StoredMessage,
    /// Only these members get it; empty: all.
    pub(crate) recipients: Vec<String>,
    /// Where the answer goes.
    pub(crate) reply: Option<Reply<SendAnswer>>,
    /// Its entry among the duplicates.
    pub(crate) ticket: Option<Ticket>,
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
        if self.is_banned(user, now) {
            return Err(Code::GROUP_FORBIDDEN.with(format!("{user} is banned from this group")));
        }
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
        let message = &pending.message;
        match self.dedupe.begin(now.ms, Arc::from(message.from.as_str()), message.random) {
            Lookup::Done(answer) => {
                if let Some(reply) = pending.reply.take() {
                    unit.answer(reply, Ok(answer));
                }
                return;
            }
            Lookup::InFlight(ticket) => {
                if let Some(reply) = pending.reply.take() {
                    self.duplicates.entry(ticket).or_default().push(reply);
                }
                return;
            }
            Lookup::New(ticket) => pending.ticket = Some(ticket),
        }
        let mut verdicts = Verdicts::new();
        self.limiter.offer(now.ms, priority, pending, &mut rng(), &mut |verdict| {
            verdicts.push(verdict);
        });
        self.carry_out(verdicts, now, unit);
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
                    metrics::counter!(
                        "throng_room_messages_dropped_total",
                        "class" => self.class(),
                        "priority" => priority.name(),
                        "reason" => reason.name(),
                    )
                    .increment(1);
                    let answer = SendAnswer {
                        msg_seq: self.sequence.last(),
                        msg_time: now.seconds,
                        drop_reason: "frequency limit",
                    };
                    self.settle(*item, answer, unit);
                }
            }
        }
    }

    fn deliver(&mut self, mut send: PendingSend, priority: Priority, now: Now, unit: &mut Unit) {
        let seq = self.take_seq(unit);
        send.message.msg_seq = seq;
        send.message.msg_time = now.seconds;
        send.message.priority = priority.wire();
        self.last_message = now.seconds;
        let encoded = {
            let message = &send.message;
            let head = ItemHead {
                from: &message.from,
                tiny_id: message.tiny_id,
                msg_seq: seq,
                random: message.random,
                time: message.msg_time,
                client_time: message.client_time,
                client_seq: message.client_seq,
                priority: message.priority,
                cloud_custom_data: &message.cloud_custom_data,
            };
            let info = GroupInfo {
                nick: Some(&message.nick),
                avatar: Some(&message.avatar),
                ..self.group_info()
            };
            wire::message_item(EVENT_MESSAGE, &head, info, &message.msg_body).0
        };
        let directed = !send.recipients.is_empty();
        if !directed {
            self.recent.push(seq, now.seconds, encoded.item());
            if self.policy.keep_history {
                unit.appends.push(send.message.clone());
            }
        }
        let recipients = std::mem::take(&mut send.recipients);
        let extra = Extra { priority: priority.wire(), recipients, ..Extra::default() };
        self.emit(encoded, seq, extra, unit);
        metrics::counter!("throng_room_messages_total", "class" => self.class()).increment(1);
        let answer = SendAnswer { msg_seq: seq, msg_time: now.seconds, drop_reason: "" };
        self.settle(send, answer, unit);
    }

    /// Answers a sender and whoever repeated the same message meanwhile.
    fn settle(&mut self, send: PendingSend, answer: SendAnswer, unit: &mut Unit) {
        let mut repeated = Vec::new();
        if let Some(ticket) = send.ticket {
            self.dedupe.settle(ticket, answer);
            repeated = self.duplicates.remove(&ticket).unwrap_or_default();
        }
        for reply in send.reply.into_iter().chain(repeated) {
            unit.answer(reply, Ok(answer));
        }
    }

    /// A message that history kept from an earlier life of this room.
    pub(super) fn remember_stored(&mut self, message: &v1::StoredMessage) {
        self.last_message = self.last_message.max(message.msg_time);
        let answer =
            SendAnswer { msg_seq: message.msg_seq, msg_time: message.msg_time, drop_reason: "" };
        let age = now_seconds().saturating_sub(message.msg_time).saturating_mul(1000);
        let sender = Arc::from(message.from.as_str());
        // The actor's clock starts with the room.
        self.dedupe.preload(0, age.try_into().unwrap_or(0), sender, message.random, answer);
        if !message.recalled {
            let encoded = wire::stored_item(
                message,
                &self.key.group_id,
                &self.profile.name,
                self.kind.as_str(),
            );
            self.recent.push(message.msg_seq, message.msg_time, encoded.item());
        }
    }
}

type Verdicts = smallvec::SmallVec<[Verdict<Box<PendingSend>>; 2]>;
