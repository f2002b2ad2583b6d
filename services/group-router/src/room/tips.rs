//! Members come and go: the room's count, its list of the latest, and the tips about it.

use std::sync::Arc;

use super::publish::Extra;
use super::{GatewayTag, Room};
use crate::actor::{Now, Unit};
use crate::core::tip_pacer::{self, Kind};
use crate::wire::{MemberInfo, Tip, op};

impl Room {
    /// A session came in. Nothing happens if it is in already.
    pub(crate) fn member_joins(
        &mut self,
        member: MemberInfo,
        inst_id: u32,
        gateway: GatewayTag,
        now: Now,
        unit: &mut Unit,
    ) {
        let was_in = self.members.contains_user(&member.user);
        if !self.members.join(&member.user, inst_id, gateway) || member.user.is_empty() {
            return;
        }
        let user: Arc<str> = Arc::from(member.user.as_str());
        self.latest.join(seconds(now), &user, inst_id);
        if !was_in {
            self.tip_about(Kind::Join, member, now, unit);
        }
    }

    /// A session that the room knows nothing of any more is in all the same: no tip.
    pub(crate) fn member_returns(
        &mut self,
        user: &str,
        inst_id: u32,
        gateway: GatewayTag,
        now: Now,
    ) {
        if self.members.join(user, inst_id, gateway) && !user.is_empty() {
            self.latest.join(seconds(now), &Arc::from(user), inst_id);
        }
    }

    /// A session left for good.
    pub(crate) fn member_leaves(
        &mut self,
        member: &MemberInfo,
        inst_id: u32,
        now: Now,
        unit: &mut Unit,
    ) {
        if !self.members.leave(&member.user, inst_id) || member.user.is_empty() {
            self.latest.leave(member.user.as_str(), inst_id);
            return;
        }
        self.latest.remove(member.user.as_str());
        self.marks.leave(&Arc::from(member.user.as_str()));
        self.tip_about(Kind::Quit, member.clone(), now, unit);
    }

    /// A gateway is gone, and its guests with it.
    pub(crate) fn gateway_gone(&mut self, gateway: GatewayTag) {
        self.members.expel_guests(gateway);
    }

    /// Takes a banned user out, without a tip.
    pub(crate) fn expel(&mut self, user: &str) {
        self.members.expel(user);
        self.latest.remove(user);
        self.marks.leave(&Arc::from(user));
    }

    /// When a user came, if he is among the latest; seconds since 1970.
    pub(crate) fn join_time(&self, user: &str) -> Option<i64> {
        self.latest.joined(user).map(i64::from)
    }

    fn tip_about(&mut self, kind: Kind, member: MemberInfo, now: Now, unit: &mut Unit) {
        let mut due = Vec::new();
        let online = self.members.online();
        self.tips.event(now.ms, kind, online, member, &mut |tip| due.push(tip));
        self.emit_tips(due, now, unit);
    }

    /// Tips that were held back until now.
    pub(super) fn send_due_tips(&mut self, now: Now, unit: &mut Unit) {
        let mut due = Vec::new();
        self.tips.poll(now.ms, &mut |tip| due.push(tip));
        self.emit_tips(due, now, unit);
    }

    fn emit_tips(&mut self, due: Vec<tip_pacer::Tip<MemberInfo>>, now: Now, unit: &mut Unit) {
        for paced in due {
            if paced.unnamed > 0 {
                self.metrics.tips_suppressed.increment(paced.unnamed);
            }
            let Some(first) = paced.users.first().cloned() else {
                continue;
            };
            let tip = Tip {
                op: if paced.kind == Kind::Join { op::JOINED } else { op::QUIT },
                operator: first,
                members: paced.users,
                ..Tip::default()
            };
            self.emit_tip(&tip, Extra::default(), now, unit);
        }
    }
}

fn seconds(now: Now) -> u32 {
    u32::try_from(now.seconds).unwrap_or(u32::MAX)
}
