//! A new owner learns from each gateway who is in, and tells it what its members may have missed.

use std::collections::BTreeSet;

use bytes::Bytes;
use throng_proto::v1;
use throng_proto::v1::attach_member_reply::Outcome;

use super::{GatewayTag, Room};
use crate::actor::{Now, Unit};
use crate::wire::{Notice, message_frame, report};

/// A gateway whose stream brought no MsgSeq so far may have lost what was stored in this time,
/// seconds: as long as it takes until there is a new owner, and a little more.
const MAY_BE_LOST: i64 = 10;
/// Messages that were kept are not dropped before others.
const PRIORITY: u32 = 1;

impl Room {
    /// Takes a gateway's members in, as they were: nobody joins. Who is in already stays as he is.
    pub(crate) fn attach_gateway(
        &mut self,
        request: v1::AttachGatewayRequest,
        now: Now,
        unit: &mut Unit,
    ) -> v1::AttachGatewayReply {
        let gateway = GatewayTag::of(&request.gateway);
        let mut banned = BTreeSet::new();
        for v1::GatewayMember { user, inst_id } in request.members {
            if self.is_banned(&user, now.seconds) {
                banned.insert(user);
            } else {
                self.member_returns(&user, inst_id, gateway, now);
            }
        }
        let banned_notice_items = match banned.len() {
            0 => Bytes::new(),
            _ => self.ban_notice(now, unit),
        };
        v1::AttachGatewayReply {
            outcome: Outcome::Attached.into(),
            position: Some(self.position()),
            missed: self.missed_events(request.last_seq, now),
            banned: banned.into_iter().collect(),
            banned_notice_items,
            ..v1::AttachGatewayReply::default()
        }
    }

    /// The notice that somebody is banned, for a session that does not know it.
    pub(crate) fn ban_notice(&mut self, now: Now, unit: &mut Unit) -> Bytes {
        let notice = Notice { report: report::BANNED, ban: Some((0, "")), ..Notice::default() };
        self.notice_items(&notice, now, unit)
    }

    /// Messages after a MsgSeq that were stored before this life of the room. Those of this life come
    /// by its stream.
    fn missed_events(&self, last_seq: u32, now: Now) -> Vec<v1::RoomEvent> {
        let since = if last_seq == 0 { now.seconds.saturating_sub(MAY_BE_LOST) } else { 0 };
        let kept = self.recent.entries_since(since, last_seq);
        let before = kept.take_while(|(msg_seq, _)| *msg_seq <= self.sequence.start());
        let event = |(msg_seq, item): (u32, &Bytes)| v1::RoomEvent {
            app: self.key.app.0,
            group_id: self.key.group_id.to_string(),
            msg_seq,
            priority: PRIORITY,
            ..message_frame(item).into_event()
        };
        before.map(event).collect()
    }
}
