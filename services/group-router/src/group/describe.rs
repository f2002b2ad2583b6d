//! What a group says of itself: its profile, and what somebody is in it.

use throng_node::command::Context;
use throng_proto::v1;

use crate::core::roster::Member;
use crate::room::Room;

impl Room {
    /// The profile, as everybody may know it.
    pub(crate) fn describe(&self) -> v1::GroupProfile {
        let profile = &self.profile;
        v1::GroupProfile {
            group_id: self.key.group_id.to_string(),
            group_type: self.kind.as_str().to_owned(),
            name: profile.name.clone(),
            introduction: profile.introduction.clone(),
            notification: profile.notification.clone(),
            face_url: profile.face_url.clone(),
            owner: profile.owner.clone(),
            created: profile.created,
            info_seq: profile.info_seq,
            last_info: profile.last_info,
            last_message: self.last_message(),
            next_msg_seq: self.next_seq(),
            member_num: self.member_count(),
            max_member_num: profile.max_member_num,
            apply_join_option: profile.apply_join_option.clone(),
            invite_join_option: self.invite_join_option().to_owned(),
            mute_all: profile.mute_all,
            custom: profile.custom.clone().into_iter().collect(),
        }
    }

    /// What a user is here; anybody is a member of a live room. `now` is in seconds since 1970.
    pub(crate) fn membership(&self, user: &str, now: i64) -> Option<v1::Membership> {
        let head = self.next_seq() - 1;
        let role = self.role_of(user).wire().to_owned();
        let muted_until = self.muted_until(user, now);
        let Some(durable) = &self.durable else {
            return Some(v1::Membership {
                role,
                muted_until,
                joined: self.join_time(user).unwrap_or(now),
                read_seq: head,
                msg_flag: self.rules.receive.wire().to_owned(),
                ..v1::Membership::default()
            });
        };
        let member = durable.roster.get(user)?;
        Some(v1::Membership {
            role,
            muted_until,
            joined: member.joined,
            read_seq: member.read,
            unread: if self.rules.unread { self.unread(member, head) } else { 0 },
            since: member.since,
            msg_flag: member.receive.wire().to_owned(),
            name_card: member.card.as_ref().map(|card| card.name.clone()).unwrap_or_default(),
            custom: member.card.iter().flat_map(|card| card.custom.clone()).collect(),
            spoke: member.spoke,
        })
    }

    /// Who may take others in.
    pub(crate) fn invite_join_option(&self) -> &str {
        match self.profile.invite_join_option.as_str() {
            "" => self.rules.invite_join_option,
            option => option,
        }
    }

    /// Whether who comes may read what was said before.
    pub(crate) fn sees_before_join(&self) -> bool {
        self.profile.sees_before_join.unwrap_or(self.rules.sees_before_join)
    }

    /// Whether nothing was said yet in a group that is hidden until then.
    pub(crate) fn is_hidden(&self) -> bool {
        self.rules.starts_hidden && self.next_seq() <= 1
    }

    /// The log and the numbers of it that a caller may see, both inclusive. `None`: there is no log;
    /// `Some(None)`: it is not for the caller.
    pub(crate) fn log_seen_by(
        &self,
        context: &Context,
    ) -> Option<Option<(v1::GroupLog, u32, u32)>> {
        let durable = self.durable.as_ref()?;
        let member = durable.roster.get(&context.caller.user);
        let since = match member {
            _ if context.caller.admin => Some(0),
            Some(member) => Some(member.since.max(self.profile.cleared)),
            None => None,
        };
        let log = durable.log.log(&self.key);
        Some(since.map(|since| (log, since.saturating_add(1), self.next_seq() - 1)))
    }

    /// Messages that a member has not read and ought to.
    fn unread(&self, member: &Member, head: u32) -> u32 {
        let unread = member.unread(head);
        let from = (head - unread).max(self.profile.cleared);
        let uncounted = self.durable.as_ref().map(|durable| &durable.uncounted);
        let uncounted = uncounted.map_or(0, |uncounted| uncounted.between(from, head));
        head.saturating_sub(from).saturating_sub(uncounted)
    }
}
