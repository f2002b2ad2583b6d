//! Who may do what in a group.

use throng_node::command::Context;
use throng_protocol::error::{Code, CommandError};

use super::Room;

/// What a caller is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Anybody else, in the room or not.
    Member,
    /// A live admin: may mute, ban, and speak while all are muted.
    Admin,
    /// The owner.
    Owner,
    /// An administrator of the app: has every right in every group.
    AppAdmin,
}

impl Role {
    /// The name on the wire.
    pub(crate) fn wire(self) -> &'static str {
        match self {
            Self::Member => "Member",
            Self::Admin => "Admin",
            Self::Owner | Self::AppAdmin => "Owner",
        }
    }
}

impl Room {
    /// What a user is here, app administrators not considered.
    pub(crate) fn role_of(&self, user: &str) -> Role {
        if !user.is_empty() && self.profile.owner == user {
            Role::Owner
        } else if self.admins.iter().any(|admin| admin == user) || self.is_stored_admin(user) {
            Role::Admin
        } else {
            Role::Member
        }
    }

    fn is_stored_admin(&self, user: &str) -> bool {
        let member = self.durable.as_ref().and_then(|durable| durable.roster.get(user));
        member.is_some_and(|member| member.admin)
    }

    /// What the caller is here.
    pub(crate) fn role(&self, context: &Context) -> Role {
        if context.caller.admin { Role::AppAdmin } else { self.role_of(&context.caller.user) }
    }

    /// Refuses callers below a role.
    pub(crate) fn require(
        &self,
        context: &Context,
        least: Role,
        what: &str,
    ) -> Result<Role, CommandError> {
        let role = self.role(context);
        if role < least {
            let info = format!("{} may not {what}", context.caller.user);
            return Err(Code::GROUP_FORBIDDEN.with(info));
        }
        Ok(role)
    }

    /// Until when a user is muted, seconds since 1970; 0 = not.
    pub(crate) fn muted_until(&self, user: &str, now: i64) -> i64 {
        self.mutes.get(user).copied().filter(|until| *until > now).unwrap_or(0)
    }

    /// Refuses users who are banned now.
    pub(crate) fn refuse_banned(&self, user: &str, now: i64) -> Result<(), CommandError> {
        if self.is_banned(user, now) {
            return Err(Code::GROUP_FORBIDDEN.with(format!("{user} is banned from this group")));
        }
        Ok(())
    }

    /// Whether a user is banned now.
    pub(crate) fn is_banned(&self, user: &str, now: i64) -> bool {
        self.bans.get(user).is_some_and(|until| *until > now)
    }
}
