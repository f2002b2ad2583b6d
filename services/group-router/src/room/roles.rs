//! Who may do what in a group.

use throng_node::command::Context;
use throng_protocol::error::{Code, CommandError};

use super::Room;
use crate::core::rules::{Right, Role};

impl Room {
    /// What a user is here, app administrators not considered.
    pub(crate) fn role_of(&self, user: &str) -> Role {
        if !user.is_empty() && self.profile.owner == user {
            return Role::Owner;
        }
        let admin = match &self.durable {
            None => self.admins.iter().any(|admin| admin == user),
            Some(durable) => match durable.roster.get(user) {
                None => return Role::Stranger,
                Some(member) => member.admin,
            },
        };
        if admin { Role::Admin } else { Role::Member }
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

    /// Refuses callers who do not have a right of this type of groups; `what` goes on after "may not".
    pub(crate) fn permit(
        &self,
        context: &Context,
        right: Right,
        what: &str,
    ) -> Result<Role, CommandError> {
        let role = self.role(context);
        if right.allows(role) {
            return Ok(role);
        }
        let info = match right {
            Right::Nobody => format!("GroupId: one may not {what} of type {}", self.kind),
            Right::From(_) => format!("{} may not {what}", context.caller.user),
        };
        Err(Code::GROUP_FORBIDDEN.with(info))
    }

    /// Refuses those who do not stand above everybody that they want to do something to.
    pub(crate) fn require_above<'a>(
        &self,
        role: Role,
        caller: &str,
        users: impl IntoIterator<Item = &'a str>,
        what: &str,
    ) -> Result<(), CommandError> {
        match users.into_iter().find(|user| self.role_of(user) >= role) {
            None => Ok(()),
            Some(equal) => {
                Err(Code::GROUP_FORBIDDEN.with(format!("{equal} may not be {what} by {caller}")))
            }
        }
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
