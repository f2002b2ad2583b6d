//! What a row of the catalogue says.

use std::fmt;

use crate::error::{Code, CommandError};
use crate::limits;

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// `service.command`, the name that the documents use.
    pub name: &'static str,
    /// Other names for the same thing, in full.
    pub aliases: &'static [&'static str],
    /// The service that answers.
    pub owner: Owner,
    /// What in the body says which node of the owner's.
    pub key: RoutingKey,
    /// Who may call it.
    pub callers: Callers,
    /// Requests a second and app over REST; 0 if it cannot be called over REST.
    pub rate: u32,
    /// Carried out twice it does what it does once, as far as anybody can tell: it may be repeated
    /// when nobody knows whether it was carried out.
    pub repeatable: bool,
    /// How far it is built.
    pub state: Support,
    /// Which codes its general errors have.
    pub family: Family,
    /// Where it is documented: a section of the SDK protocol notes, or pages of the vendor's
    /// ("CN n", "INT n").
    pub doc: &'static str,
}

/// The service that answers a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The gateway itself.
    Gateway,
    /// Groups, members, what is sent into them.
    GroupRouter,
    /// Messages, conversations, read state.
    History,
    /// Sessions and states of users.
    Presence,
    /// Apps, accounts, profiles, relations.
    Directory,
}

/// How to find the node of the owner that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutingKey {
    /// `GroupId` in the body.
    GroupId,
    /// `GroupId` in the body, which may be missing: then any node will do, and makes one.
    NewGroupId,
    /// Each of `GroupIdList` in the body: the gateway splits what belongs to several nodes and puts
    /// the answers' `GroupInfo` together.
    FirstOfGroupIdList,
    /// A user.
    User(UserKey),
    /// Any node will do.
    None,
}

/// Which user a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// Whoever calls.
    Caller,
    /// The user that this field of the body names; whoever calls, if it is missing.
    Field(&'static str),
}

/// How far a command is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// As documented.
    Works,
    /// Always the same, harmless answer; the text says which and why.
    Answers(&'static str),
    /// Known, but refused with [`Command::not_yet`].
    NotYet,
}

/// A set of callers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Callers(u8);

impl Callers {
    /// An administrator of the app, over REST.
    pub const REST: Callers = Callers(1);
    /// A logged-in user, on a WebSocket.
    pub const CLIENT: Callers = Callers(2);
    /// Somebody who has not logged in, on a WebSocket.
    pub const GUEST: Callers = Callers(4);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Callers) -> Callers {
        Callers(self.0 | other.0)
    }

    /// Whether all of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Callers) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            [(Callers::REST, "REST"), (Callers::CLIENT, "CLIENT"), (Callers::GUEST, "GUEST")];
        f.debug_set()
            .entries(names.iter().filter(|(one, _)| self.contains(*one)).map(|(_, name)| name))
            .finish()
    }
}

/// A family of commands whose general errors have the same codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Connections and sessions.
    Session,
    /// Groups, their messages, bots and official accounts.
    Group,
    /// Accounts and states.
    Account,
    /// Profiles.
    Profile,
    /// Friends, blocklists, followers.
    Relation,
    /// Conversations.
    Conversation,
    /// One-to-one messages and what is pushed to all.
    Message,
    /// Settings of the app and statistics.
    Operation,
    /// Files, search, moderation and the like.
    Other,
}

impl Family {
    /// The code for a body that is not JSON.
    #[must_use]
    pub const fn bad_json(self) -> Code {
        match self {
            Family::Session | Family::Other => Code::BODY_NOT_JSON,
            Family::Group => Code::GROUP_BAD_JSON,
            Family::Account => Code::ACCOUNT_BAD_PARAMETER,
            Family::Profile => Code::PROFILE_BAD_PARAMETER,
            Family::Relation => Code::SNS_BAD_PARAMETER,
            Family::Conversation => Code::CONVERSATION_BAD_PARAMETER,
            Family::Message => Code::MSG_REST_BAD_JSON,
            Family::Operation => Code::CONFIG_BAD_JSON,
        }
    }

    /// The code for a field that is missing or wrong, where the documents have no better one.
    #[must_use]
    pub const fn bad_parameter(self) -> Code {
        match self {
            Family::Group => Code::GROUP_BAD_PARAMETER,
            Family::Session | Family::Account | Family::Other => Code::ACCOUNT_BAD_PARAMETER,
            Family::Profile => Code::PROFILE_BAD_PARAMETER,
            Family::Relation => Code::SNS_BAD_PARAMETER,
            Family::Conversation => Code::CONVERSATION_BAD_PARAMETER,
            Family::Message => Code::MESSAGE_BAD_PACKET,
            Family::Operation => Code::CONFIG_SET_BAD_ACCOUNT,
        }
    }

    /// The code for a caller that would have to be an administrator.
    #[must_use]
    pub const fn needs_admin(self) -> Code {
        match self {
            Family::Session | Family::Operation | Family::Other => Code::NOT_ADMIN,
            Family::Group => Code::GROUP_FORBIDDEN,
            Family::Account => Code::ACCOUNT_NEEDS_ADMIN,
            Family::Profile => Code::PROFILE_NEEDS_ADMIN,
            Family::Relation => Code::SNS_NEEDS_ADMIN,
            Family::Conversation => Code::CONVERSATION_NEEDS_ADMIN,
            Family::Message => Code::MSG_REST_NEEDS_ADMIN,
        }
    }

    /// The code for a mistake or failure of the server's.
    #[must_use]
    pub const fn internal(self) -> Code {
        match self {
            Family::Group => Code::GROUP_INTERNAL,
            Family::Session | Family::Account => Code::ACCOUNT_INTERNAL,
            Family::Profile => Code::PROFILE_INTERNAL,
            Family::Relation => Code::SNS_INTERNAL,
            Family::Conversation => Code::CONVERSATION_INTERNAL,
            Family::Message => Code::MSG_REST_INTERNAL,
            Family::Operation => Code::CONFIG_SYSTEM,
            Family::Other => Code::TIMEOUT,
        }
    }
}

impl Command {
    /// A row that is known and no more. The other methods fill it in.
    pub(super) const fn new(
        name: &'static str,
        owner: Owner,
        family: Family,
        callers: Callers,
        key: RoutingKey,
        doc: &'static str,
    ) -> Command {
        let rate = if callers.contains(Callers::REST) { limits::RATE_DEFAULT } else { 0 };
        Command {
            name,
            aliases: &[],
            owner,
            key,
            callers,
            rate,
            repeatable: true,
            state: Support::NotYet,
            family,
            doc,
        }
    }

    pub(super) const fn works(self) -> Command {
        Command { state: Support::Works, ..self }
    }

    pub(super) const fn answers(self, note: &'static str) -> Command {
        Command { state: Support::Answers(note), ..self }
    }

    pub(super) const fn rate(self, rate: u32) -> Command {
        Command { rate, ..self }
    }

    pub(super) const fn once(self) -> Command {
        Command { repeatable: false, ..self }
    }

    pub(super) const fn key(self, key: RoutingKey) -> Command {
        Command { key, ..self }
    }

    pub(super) const fn alias(self, aliases: &'static [&'static str]) -> Command {
        Command { aliases, ..self }
    }

    /// The name's part before the dot.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(service, _)| service)
    }

    /// The name's part behind the dot, by which owners find their handler.
    #[must_use]
    pub fn command(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, command)| command)
    }

    /// The error for a command that is known but not built: 10026 ("disabled") within groups, 60020
    /// ("not available") elsewhere. Both say that the request was right and will not help.
    #[must_use]
    pub fn not_yet(&self) -> CommandError {
        let code = match self.family {
            Family::Group => Code::GROUP_COMMAND_DISABLED,
            _ => Code::SERVICE_UNAVAILABLE,
        };
        code.with(format!("{} is not supported by this server yet", self.name))
    }
}
