//! Everything that members hear of passes here. Where the group has a stream it gets its place there
//! and goes into the ring; else it goes to the members' sessions.

use bytes::Bytes;
use rand::RngExt;
use throng_proto::v1;
use throng_proto::v1::deliver_request::Guarantee;

use super::Room;
use crate::actor::{Now, Unit};
use crate::core::rules::{Delivery, Messages};
use crate::group::Everybody;
use crate::wire::{self, EVENT_TIP, Encoded, Notice, SYSTEM, Tip};

/// How an event differs from an item for all members.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// The item for polling members where it is another one.
    pub(crate) poll_item: Bytes,
    /// 1 to 4 for messages; 0 is never dropped.
    pub(crate) priority: u32,
    /// Only these get it; empty: all.
    pub(crate) recipients: Vec<String>,
    pub(crate) membership: Option<v1::room_event::Membership>,
}

impl Room {
    /// Sends an encoded item to all members, or to those that `extra` names.
    pub(crate) fn emit(&mut self, encoded: Encoded, msg_seq: u32, extra: Extra, unit: &mut Unit) {
        if self.rules.delivery == Delivery::Presence {
            return self.deliver_to_audience(extra.recipients, encoded.entry(), unit);
        }
        let event = v1::RoomEvent {
            app: self.key.app.0,
            group_id: self.key.group_id.to_string(),
            msg_seq,
            poll_item: extra.poll_item,
            priority: extra.priority,
            recipients: extra.recipients,
            membership: extra.membership,
            ..encoded.into_event()
        };
        unit.events.push(self.ring.push(event));
    }

    /// The next MsgSeq.
    pub(crate) fn take_seq(&mut self, unit: &mut Unit) -> u32 {
        self.sequence.next(&mut unit.ops)
    }

    /// A tip for everybody in the room, where anything is told there yet.
    pub(crate) fn emit_tip(&mut self, tip: &Tip, extra: Extra, now: Now, unit: &mut Unit) {
        if self.is_hidden() {
            return;
        }
        let (seq, random, counts) = (self.take_seq(unit), random(), self.counts());
        let encoded = wire::tip_item(tip, counts, self.group_info(), seq, random, now.seconds);
        let stored = || v1::StoredMessage {
            event: EVENT_TIP,
            msg_seq: seq,
            msg_time: now.seconds,
            from: SYSTEM.to_owned(),
            random,
            client_time: now.seconds,
            msg_body: wire::tip_body(tip, counts),
            nick: tip.operator.nick.clone(),
            avatar: tip.operator.avatar.clone(),
            ..v1::StoredMessage::default()
        };
        self.store(stored, unit);
        self.emit(encoded, seq, extra, unit);
    }

    /// The number of a notice: clients drop what has one that they know. In a log notices take none.
    fn notice_seq(&mut self, unit: &mut Unit) -> u32 {
        if self.rules.messages == Messages::Log { random() } else { self.take_seq(unit) }
    }

    /// A system notice for everybody in the room.
    pub(crate) fn emit_notice(
        &mut self,
        notice: &Notice<'_>,
        extra: Extra,
        now: Now,
        unit: &mut Unit,
    ) {
        if self.rules.delivery == Delivery::Presence {
            let items = self.notice_items(notice, now, unit);
            let everybody = Everybody { discarding_too: true, ..Everybody::default() };
            return self.deliver_to_all(everybody, items, Guarantee::Client, unit);
        }
        let seq = self.notice_seq(unit);
        let encoded = wire::notice_item(notice, self.group_info(), seq, random(), now.seconds);
        self.emit(encoded, seq, extra, unit);
    }

    /// A system notice for sessions of some users, in the room or not.
    pub(crate) fn notify(
        &mut self,
        users: Vec<String>,
        notice: &Notice<'_>,
        now: Now,
        unit: &mut Unit,
    ) {
        self.notify_others(users, notice, 0, now, unit);
    }

    /// A system notice as an item of `EventArray`.
    pub(crate) fn notice_items(&mut self, notice: &Notice<'_>, now: Now, unit: &mut Unit) -> Bytes {
        let seq = self.notice_seq(unit);
        let encoded = wire::notice_item(notice, self.group_info(), seq, random(), now.seconds);
        encoded.entry()
    }
}

/// A MsgRandom for what the system itself sends.
pub(crate) fn random() -> u32 {
    rand::rng().random_range(3..=u32::MAX >> 1)
}
