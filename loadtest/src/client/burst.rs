//! What the SDK asks for by itself once it is logged in (SDK protocol notes 01, 2.1 and 3.2): nine
//! requests at once, two that follow upon answers, and one on the next tick of its clock. After a new
//! line it asks for a part of that again.

use serde_json::{Value, json};

/// A request of the burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The own profile.
    Profile,
    /// The blacklist.
    Blacklist,
    /// The list of conversations; a session that came back asks for it before anything else.
    Conversations,
    /// The groups that it is in.
    Groups,
    /// Unread one-to-one messages.
    Messages,
    /// Friends.
    Friends,
    /// How they are sorted.
    FriendGroups,
    /// Who wants to be one.
    Applications,
    /// Settings for the SDK.
    Config,
    /// How conversations are sorted.
    ConversationGroups,
    /// The communities that it is in.
    Communities,
    /// What the app has paid for.
    Features,
}

impl Ask {
    /// All at once after a first login, in the SDK's order.
    pub const FIRST: [Self; 9] = [
        Self::Profile,
        Self::Blacklist,
        Self::Conversations,
        Self::Groups,
        Self::Messages,
        Self::Friends,
        Self::FriendGroups,
        Self::Applications,
        Self::Config,
    ];
    /// All at once after a login on a later line.
    pub const AGAIN: [Self; 4] =
        [Self::Conversations, Self::Friends, Self::FriendGroups, Self::Applications];

    /// What is asked for when this one was answered.
    #[must_use]
    pub fn then(self) -> Option<Self> {
        match self {
            Self::Conversations => Some(Self::ConversationGroups),
            Self::Groups => Some(Self::Communities),
            _ => None,
        }
    }

    /// Its command.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Profile => "profile.portrait_get_all",
            Self::Blacklist => "sns.black_list_get",
            Self::Conversations => "recentcontact.page_get",
            Self::Groups => "group_open_http_svc.get_joined_group_list",
            Self::Messages => "openim.getmsg",
            Self::Friends => "sns.friend_get",
            Self::FriendGroups => "sns.group_get",
            Self::Applications => "sns.pendency_get",
            Self::Config => "im_sdk_config_mgr.fetch_config",
            Self::ConversationGroups => "recentcontact.get_contact_group",
            Self::Communities => "million_group_open_http_svc.get_joined_group_list",
            Self::Features => "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2",
        }
    }

    /// Its body; all lists from their beginning.
    #[must_use]
    pub fn body(self, app: u32, user: &str) -> Value {
        match self {
            Self::Profile => json!({ "From_Account": user, "UserItem": [
                { "To_Account": user, "StandardSequence": 0, "CustomSequence": 0 }] }),
            Self::Blacklist => json!({ "From_Account": user, "StartIndex": 0, "MaxLimited": 1000 }),
            Self::Conversations => json!({ "From_Account": user, "TimeStamp": 0, "StartIndex": 0,
                "TopTimeStamp": 0, "TopStartIndex": 0, "OrderType": 1, "AssistFlags": 15,
                "MaxCount": 100 }),
            Self::Groups => groups(user, 0),
            Self::Messages => json!({ "Cookie": "", "SyncFlag": 0, "NeedAbstract": 1 }),
            Self::Friends => json!({ "From_Account": user, "StartIndex": 0, "StandardSequence": 0,
                "CustomSequence": 0 }),
            Self::FriendGroups => json!({ "From_Account": user, "LastSequence": 0 }),
            Self::Applications => json!({ "From_Account": user, "StartTime": 0, "LastSequence": 0,
                "PendencyType": "Pendency_Type_Both", "MaxLimited": 100 }),
            Self::Config => json!({ "uint32_sdkappid": app, "uint64_version": 0 }),
            Self::ConversationGroups => json!({ "From_Account": user, "StartIndex": 0 }),
            Self::Communities => groups(user, 1),
            Self::Features => json!({ "uint32_sdkappid": app }),
        }
    }
}

fn groups(user: &str, support_topic: u32) -> Value {
    let base = ["Type", "Name", "FaceUrl", "Owner_Account", "NextMsgSeq", "LastInfoTime"];
    json!({ "Member_Account": user, "Limit": 200, "Offset": 0, "SupportTopic": support_topic,
        "NeedAppDefineData": 1, "ResponseFilter": { "GroupBaseInfoFilter": base,
        "SelfInfoFilter": ["Role", "JoinTime", "MsgFlag", "MsgSeq"] } })
}
