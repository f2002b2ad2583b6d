//! What differs between the types of groups; everything else is the same for all. The rules
//! themselves are in `rules/table.rs`.

mod table;

use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;
use throng_protocol::limits;

pub use table::Rules;

/// What somebody is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Not a member. In live rooms, which store none, nobody is this.
    Stranger,
    /// A member; in a live room anybody, in it or not.
    Member,
    /// Helps the owner. In live rooms: may mute, ban, and speak while all are muted.
    Admin,
    /// The owner.
    Owner,
    /// An administrator of the app: has every right of the owner in every group.
    AppAdmin,
}

impl Role {
    /// The name on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Stranger => "NotMember",
            Self::Member => "Member",
            Self::Admin => "Admin",
            Self::Owner | Self::AppAdmin => "Owner",
        }
    }
}

/// Who may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Those with this role, and all above them.
    From(Role),
    /// Nobody: there is no such thing in groups of this type.
    Nobody,
}

impl Right {
    /// Whether somebody with this role may.
    #[must_use]
    pub fn allows(self, role: Role) -> bool {
        matches!(self, Self::From(least) if role >= least)
    }
}

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

/// What a member wants of a group's messages (`MsgFlag`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Receive {
    /// Messages, and pushes where there are any.
    #[default]
    AcceptAndNotify,
    /// Messages, without pushes.
    AcceptNotNotify,
    /// Nothing.
    Discard,
}

impl Receive {
    const ALL: [Self; 3] = [Self::AcceptAndNotify, Self::AcceptNotNotify, Self::Discard];

    /// The name on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::AcceptAndNotify => "AcceptAndNotify",
            Self::AcceptNotNotify => "AcceptNotNotify",
            Self::Discard => "Discard",
        }
    }

    /// Reads a name; capitals matter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|receive| receive.wire() == name)
    }
}

static ALL: [Rules; 5] = [
    table::column(GroupType::Private, 0),
    table::column(GroupType::Public, 1),
    table::column(GroupType::ChatRoom, 2),
    table::column(GroupType::AvChatRoom, 3),
    table::column(GroupType::Community, 4),
];

impl Rules {
    /// The rules of a type.
    #[must_use]
    pub fn of(kind: GroupType) -> &'static Rules {
        let place = GroupType::ALL.iter().position(|known| *known == kind);
        &ALL[place.expect("ALL has every type")]
    }

    /// Clients have to be told that nothing counts as unread. Of themselves they do so in live rooms only
    /// (SDK protocol notes 02, 4).
    #[must_use]
    pub fn tells_no_unread(&self) -> bool {
        !self.unread && self.messages == Messages::Log
    }

    /// Checks how many members a group is to have at most.
    ///
    /// # Errors
    /// 10004 for more than any group of the type may have.
    pub fn check_max_members(&self, most: u32) -> Result<u32, CommandError> {
        let bound = match self.kind {
            GroupType::Community => limits::COMMUNITY_MEMBERS_MOST,
            _ => limits::GROUP_MEMBERS_MOST,
        };
        if self.members == Members::Stored && !(1..=bound).contains(&most) {
            let info = format!("MaxMemberNum: {most}, may be 1 to {bound}");
            return Err(Code::GROUP_BAD_PARAMETER.with(info));
        }
        Ok(most)
    }

    /// Whether members can be made admins.
    #[must_use]
    pub fn has_admins(&self) -> bool {
        self.set_admins != Right::Nobody
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_column() {
        for (column, kind) in ALL.iter().zip(GroupType::ALL) {
            assert_eq!(column.kind, kind);
            assert_eq!(Rules::of(kind).kind, kind);
        }
    }

    /// Delivery by presence tells users, not sessions; a log without members has no readers.
    #[test]
    fn lines_fit_together() {
        for rules in &ALL {
            let stored = rules.members == Members::Stored;
            assert!(stored || rules.delivery == Delivery::Stream, "{}", rules.kind);
            assert_eq!(stored, rules.messages == Messages::Log, "{}", rules.kind);
            let of_stored = [rules.unread, rules.has_admins(), rules.receipts, rules.extensions];
            assert!(stored || !of_stored.contains(&true), "{}", rules.kind);
            assert!(rules.check_max_members(rules.max_members).is_ok(), "{}", rules.kind);
        }
    }

    #[test]
    fn a_right_holds_from_its_role_on() {
        let right = Right::From(Role::Admin);
        assert!(right.allows(Role::Admin) && right.allows(Role::AppAdmin));
        assert!(!right.allows(Role::Member));
        assert!(!Right::Nobody.allows(Role::AppAdmin));
    }

    #[test]
    fn what_members_want_reads_as_it_is_written() {
        for receive in Receive::ALL {
            assert_eq!(Receive::parse(receive.wire()), Some(receive));
        }
        assert_eq!(Receive::parse("discard"), None);
    }
}
