//! What differs between the types of groups, one row a type; everything else is the same for all
//! (REST notes 01, 4.1).

use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;
use throng_protocol::limits;

/// Who counts as a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Members {
    /// The sessions that are in at the moment; none is stored.
    Sessions,
    /// Users, stored with the group.
    Stored,
}

/// What becomes of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// Kept for a day where the app wants it, beside the room's stream: they go out at once. Numbers
    /// rise, with gaps.
    Window,
    /// Kept for good, and out only when they are. Numbers rise by one, tips among them.
    Log,
}

/// How members get what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// By the group's own stream of events, which gateways with members follow.
    Stream,
    /// By presence, to the sessions of each member.
    Presence,
}

/// One type of groups.
#[derive(Debug)]
pub struct Rules {
    /// Which one.
    pub kind: GroupType,
    /// Who counts as a member.
    pub members: Members,
    /// What becomes of messages.
    pub messages: Messages,
    /// How members get them.
    pub delivery: Delivery,
    /// `ApplyJoinOption` of a group whose maker does not say.
    pub apply_join_option: &'static str,
    /// `InviteJoinOption`.
    pub invite_join_option: &'static str,
    /// Members of a group whose maker does not say; 0: no bound.
    pub max_members: u32,
    /// Members may read what was said before they came.
    pub sees_before_join: bool,
}

const LIVE_ROOM: Rules = Rules {
    kind: GroupType::AvChatRoom,
    members: Members::Sessions,
    messages: Messages::Window,
    delivery: Delivery::Stream,
    apply_join_option: "FreeAccess",
    invite_join_option: "DisableInvite",
    max_members: 0,
    sees_before_join: false,
};

const PUBLIC: Rules = Rules {
    kind: GroupType::Public,
    members: Members::Stored,
    messages: Messages::Log,
    delivery: Delivery::Presence,
    apply_join_option: "NeedPermission",
    invite_join_option: "DisableInvite",
    max_members: limits::GROUP_MEMBERS,
    sees_before_join: false,
};

impl Rules {
    /// The types that there are so far.
    pub const ALL: [&'static Rules; 2] = [&LIVE_ROOM, &PUBLIC];

    /// Checks how many members a group is to have at most.
    ///
    /// # Errors
    /// 10004 for more than any group may have.
    pub fn check_max_members(&self, most: u32) -> Result<u32, CommandError> {
        if self.members == Members::Stored && !(1..=limits::GROUP_MEMBERS_MOST).contains(&most) {
            let info = format!("MaxMemberNum: {most}, may be 1 to {}", limits::GROUP_MEMBERS_MOST);
            return Err(Code::GROUP_BAD_PARAMETER.with(info));
        }
        Ok(most)
    }

    /// The rules of a type; `None` when it is not built yet.
    #[must_use]
    pub fn of(kind: GroupType) -> Option<&'static Rules> {
        Self::ALL.into_iter().find(|rules| rules.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_at_most_one_row() {
        for kind in GroupType::ALL {
            let rows = Rules::ALL.into_iter().filter(|rules| rules.kind == kind).count();
            assert!(rows <= 1, "{kind}");
            assert_eq!(Rules::of(kind).is_some(), rows == 1);
        }
    }

    /// Delivery by presence tells users, not sessions; a log without members has no readers.
    #[test]
    fn rows_fit_together() {
        for rules in Rules::ALL {
            let stored = rules.members == Members::Stored;
            assert!(stored || rules.delivery == Delivery::Stream, "{}", rules.kind);
            assert_eq!(stored, rules.messages == Messages::Log, "{}", rules.kind);
        }
    }
}
