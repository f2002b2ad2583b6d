//! The table of the five types of groups (REST notes 01, 4.1): one line a rule, one column a type. All
//! code is the same for all types and asks here.
//!
//! Where the vendor's documents disagree or are silent, this is what Throng does:
//!
//! - Settings of a Private group (all that is no text or picture) are its owner's, too, not only the
//!   app's; anybody may change the texts, as documented.
//! - Profiles of public groups and meetings are changed by owner and admins (FAQ), not by the owner
//!   alone (table of 2022); of live rooms and communities by the owner.
//! - Members may be banned where they can be removed; in a Private group by its owner.
//! - Messages are pinned by owner and admins; in a Private group, which has no admins, by all members.
//! - The options of joining and inviting can be set in all groups that store members; the documents
//!   have them fixed in some types of some versions.

use throng_protocol::ids::GroupType;
use throng_protocol::limits;

use super::{Delivery, Members, Messages, Receive, Right, Role};

const MEMBER: Right = Right::From(Role::Member);
const ADMIN: Right = Right::From(Role::Admin);
const OWNER: Right = Right::From(Role::Owner);
const APP: Right = Right::From(Role::AppAdmin);
const NOBODY: Right = Right::Nobody;

const NOTIFY: Receive = Receive::AcceptAndNotify;
const SILENT: Receive = Receive::AcceptNotNotify;

const LOG: Messages = Messages::Log;
const WINDOW: Messages = Messages::Window;

const USERS: Delivery = Delivery::Presence;
const STREAM: Delivery = Delivery::Stream;

const STORED: Members = Members::Stored;
const SESSIONS: Members = Members::Sessions;

const FREE: &str = "FreeAccess";
const ASK: &str = "NeedPermission";
const NO_APPLY: &str = "DisableApply";
const NO_INVITE: &str = "DisableInvite";

const MOST: u32 = limits::GROUP_MEMBERS_MOST;
const HUGE: u32 = limits::COMMUNITY_MEMBERS_MOST;

const YES: bool = true;
const NO: bool = false;

macro_rules! table {
    ($($(#[$doc:meta])* $rule:ident: $kind:ty = [$($value:expr),* $(,)?];)*) => {
        /// One type of groups.
        #[derive(Debug)]
        pub struct Rules {
            /// Which one.
            pub kind: GroupType,
            $($(#[$doc])* pub $rule: $kind,)*
        }

        /// A column of the table.
        pub(super) const fn column(kind: GroupType, number: usize) -> Rules {
            Rules {
                kind,
                $($rule: {
                    const LINE: [$kind; 5] = [$($value),*];
                    LINE[number]
                },)*
            }
        }
    };
}

table! {
    //                              Private    Public     ChatRoom   AVChatRoom Community

    /// Who counts as a member.
    members: Members             = [STORED,    STORED,    STORED,    SESSIONS,  STORED];
    /// What becomes of messages.
    messages: Messages           = [LOG,       LOG,       LOG,       WINDOW,    LOG];
    /// How members get what happens.
    delivery: Delivery           = [USERS,     USERS,     USERS,     STREAM,    USERS];
    /// Members of a group whose maker does not say; 0: no bound.
    max_members: u32             = [MOST,      MOST,      MOST,      0,         HUGE];
    /// `ApplyJoinOption` of a group whose maker does not say.
    apply_join_option: &'static str  = [NO_APPLY,  ASK,       FREE,      FREE,      FREE];
    /// `InviteJoinOption`.
    invite_join_option: &'static str = [FREE,      NO_INVITE, NO_INVITE, NO_INVITE, NO_INVITE];
    /// Who is no member may find it by its ID.
    public: bool                 = [NO,        YES,       YES,       YES,       YES];

    /// May change name, introduction, notice and picture.
    edit_texts: Right            = [MEMBER,    ADMIN,     ADMIN,     OWNER,     OWNER];
    /// May change everything else of the profile: options of joining, muting all, custom fields.
    edit_settings: Right         = [OWNER,     ADMIN,     ADMIN,     OWNER,     OWNER];
    /// May take others in, as far as the group's `InviteJoinOption` lets them.
    invite: Right                = [MEMBER,    MEMBER,    MEMBER,    NOBODY,    MEMBER];
    /// Decides about applications and invitations.
    approve: Right               = [OWNER,     ADMIN,     ADMIN,     NOBODY,    ADMIN];
    /// May take those out who stand below.
    remove: Right                = [OWNER,     ADMIN,     ADMIN,     NOBODY,    ADMIN];
    /// May change name cards and fields of those who stand below; everybody changes their own.
    edit_members: Right          = [OWNER,     ADMIN,     ADMIN,     NOBODY,    ADMIN];
    /// May mute those who stand below.
    mute: Right                  = [NOBODY,    ADMIN,     ADMIN,     ADMIN,     ADMIN];
    /// May keep those out for a time who stand below.
    ban: Right                   = [OWNER,     ADMIN,     ADMIN,     ADMIN,     NOBODY];
    /// May make members admins; of live rooms by a command of its own.
    set_admins: Right            = [NOBODY,    OWNER,     OWNER,     NOBODY,    OWNER];
    /// May give the group to another member.
    transfer: Right              = [OWNER,     OWNER,     OWNER,     NOBODY,    OWNER];
    /// May pin messages.
    pin: Right                   = [MEMBER,    ADMIN,     ADMIN,     NOBODY,    ADMIN];
    /// May dissolve it.
    dissolve: Right              = [APP,       OWNER,     OWNER,     OWNER,     OWNER];
    /// The owner may leave; the group has none then.
    owner_may_quit: bool         = [YES,       NO,        NO,        NO,        NO];

    /// Members learn who comes and goes.
    member_tips: bool            = [YES,       YES,       NO,        YES,       YES];
    /// Nobody but its owner sees it in a list before its first message, and nothing is told in it.
    starts_hidden: bool          = [YES,       NO,        NO,        NO,        NO];
    /// Members may read what was said before they came, where the group does not say otherwise.
    sees_before_join: bool       = [NO,        NO,        YES,       NO,        YES];
    /// Unread messages are counted.
    unread: bool                 = [YES,       YES,       NO,        NO,        YES];
    /// `MsgFlag` of a member who did not choose.
    receive: Receive             = [NOTIFY,    NOTIFY,    SILENT,    SILENT,    NOTIFY];
    /// Messages may be for some members alone.
    directed: bool               = [YES,       YES,       YES,       YES,       NO];
    /// Messages may mention all at once.
    mentions_all: bool           = [YES,       YES,       YES,       YES,       NO];
    /// An app server may hide what was said from clients.
    clearable: bool              = [YES,       YES,       YES,       NO,        NO];
    /// Messages may ask who reads them.
    receipts: bool               = [YES,       YES,       YES,       NO,        NO];
    /// Messages may carry keys and values, and reactions.
    extensions: bool             = [YES,       YES,       YES,       NO,        YES];
    /// Has counters.
    counters: bool               = [YES,       YES,       YES,       YES,       NO];
}
