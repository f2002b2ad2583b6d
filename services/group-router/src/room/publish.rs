//! Everything that becomes an event of the room passes here: it gets its place in the stream and
//! goes into the ring.

use bytes::Bytes;
use rand::RngExt;
use throng_proto::v1;

use super::Room;
use crate::actor::{Now, Unit};
use crate::wire::{self, Encoded, Notice, Tip};

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
    /// Puts an encoded item into the stream.
    pub(crate) fn emit(&mut self, encoded: Encoded, msg_seq: u32, extra: Extra, unit: &mut Unit) {
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

    /// A tip for everybody in the room.
    pub(crate) fn emit_tip(&mut self, tip: &Tip, extra: Extra, now: Now, unit: &mut Unit) {
        let seq = self.take_seq(unit);
        let encoded = wire::tip_item(tip, self.group_info(), seq, random(), now.seconds);
        self.emit(encoded, seq, extra, unit);
    }

    /// A system notice for everybody in the room.
    pub(crate) fn emit_notice(
        &mut self,
        notice: &Notice<'_>,
        extra: Extra,
        now: Now,
        unit: &mut Unit,
    ) {
        let seq = self.take_seq(unit);
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
        if users.is_empty() {
            return;
        }
        let items = self.notice_items(notice, now, unit);
        unit.notices.push(v1::DeliverRequest {
            app: self.key.app.0,
            users,
            event_items: items,
            reliable: true,
            ..v1::DeliverRequest::default()
        });
    }

    /// A system notice as an item of `EventArray`.
    pub(crate) fn notice_items(&mut self, notice: &Notice<'_>, now: Now, unit: &mut Unit) -> Bytes {
        let seq = self.take_seq(unit);
        let encoded = wire::notice_item(notice, self.group_info(), seq, random(), now.seconds);
        encoded.entry()
    }
}

/// A MsgRandom for what the system itself sends.
pub(crate) fn random() -> u32 {
    rand::rng().random_range(3..=u32::MAX >> 1)
}
