//! The rows of a group's partition. Values are protobuf, so that fields can be added later.

use prost::Message;
use throng_proto::v1::StoredMessage;
use throng_store::{Op, key};

use super::tables::GROUP_STATE;

/// What a row of [`GROUP_STATE`] holds; numbers are never used again for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum RowKind {
    Profile = 0,
    Sequence = 1,
    Attributes = 2,
    Counters = 3,
    /// One row a muted user.
    Mute = 4,
    /// One row a banned user.
    Ban = 5,
    Admins = 6,
    Robots = 7,
    /// One row a stored member.
    Member = 8,
    /// What the owner notes of the group's log.
    Log = 9,
    /// One row somebody who wants to become a member.
    Application = 10,
    /// Pinned messages.
    Pins = 11,
    /// Messages that do not count as unread.
    Uncounted = 12,
    /// One row a member whose read mark was set after an import.
    Unread = 13,
    /// Tips that the log has to tell of the newest rows.
    Tips = 14,
    /// One row a member who deleted for itself what its conversation would show.
    Deleted = 15,
    /// One row somebody who was taken in by another and has not agreed yet.
    Invitation = 16,
    /// One row a member who was mentioned, and one without a name for all.
    Mentions = 17,
}

impl RowKind {
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        [
            Self::Profile,
            Self::Sequence,
            Self::Attributes,
            Self::Counters,
            Self::Mute,
            Self::Ban,
            Self::Admins,
            Self::Robots,
            Self::Member,
            Self::Log,
            Self::Application,
            Self::Pins,
            Self::Uncounted,
            Self::Unread,
            Self::Tips,
            Self::Deleted,
            Self::Invitation,
            Self::Mentions,
        ]
        .into_iter()
        .find(|kind| *kind as u32 == number)
    }
}

/// The group's profile. Times are seconds since 1970.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProfileRow {
    #[prost(string, tag = "1")]
    pub(crate) group_type: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(string, tag = "3")]
    pub(crate) introduction: String,
    #[prost(string, tag = "4")]
    pub(crate) notification: String,
    #[prost(string, tag = "5")]
    pub(crate) face_url: String,
    /// Empty: the group has no owner.
    #[prost(string, tag = "6")]
    pub(crate) owner: String,
    #[prost(int64, tag = "7")]
    pub(crate) created: i64,
    #[prost(int64, tag = "8")]
    pub(crate) last_info: i64,
    #[prost(uint32, tag = "9")]
    pub(crate) info_seq: u32,
    #[prost(string, tag = "10")]
    pub(crate) apply_join_option: String,
    #[prost(bool, tag = "11")]
    pub(crate) mute_all: bool,
    #[prost(uint32, tag = "12")]
    pub(crate) max_member_num: u32,
    #[prost(btree_map = "string, string", tag = "13")]
    pub(crate) custom: std::collections::BTreeMap<String, String>,
    /// Tells its messages from those of an earlier group with this ID; 0 where there is no log.
    #[prost(uint64, tag = "14")]
    pub(crate) incarnation: u64,
    /// Empty: as groups of the type have it.
    #[prost(string, tag = "15")]
    pub(crate) invite_join_option: String,
    /// Whether members may read what was said before they came; `None`: as groups of the type have it.
    #[prost(bool, optional, tag = "16")]
    pub(crate) sees_before_join: Option<bool>,
    /// Clients do not see the log up to this number any more.
    #[prost(uint32, tag = "17")]
    pub(crate) cleared: u32,
    /// An import made everybody have read up to this number, whatever rows of members say.
    #[prost(uint32, tag = "18")]
    pub(crate) read_floor: u32,
    /// The group is dismissed: what is left of it has to be cleared away.
    #[prost(bool, tag = "30")]
    pub(crate) ended: bool,
}

/// Sequence numbers up to and including `reserved` may have been given out.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct SequenceRow {
    #[prost(uint32, tag = "1")]
    pub(crate) reserved: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttributesRow {
    #[prost(uint64, tag = "1")]
    pub(crate) main_seq: u64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) attributes: Vec<AttributeRow>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttributeRow {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
    #[prost(uint64, tag = "3")]
    pub(crate) seq: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CountersRow {
    #[prost(uint64, tag = "1")]
    pub(crate) seq: u64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) counters: Vec<CounterRow>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CounterRow {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(int64, tag = "2")]
    pub(crate) value: i64,
}

/// A mute or a ban; the user is the row's name.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BanRow {
    /// Seconds since 1970; `i64::MAX` is for ever.
    #[prost(int64, tag = "1")]
    pub(crate) until: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AdminsRow {
    #[prost(string, repeated, tag = "1")]
    pub(crate) users: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RobotsRow {
    #[prost(string, repeated, tag = "1")]
    pub(crate) users: Vec<String>,
}

/// A stored member; the user is the row's name.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MemberRow {
    #[prost(bool, tag = "1")]
    pub(crate) admin: bool,
    /// Seconds since 1970.
    #[prost(int64, tag = "2")]
    pub(crate) joined: i64,
    #[prost(uint32, tag = "3")]
    pub(crate) since: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) read: u32,
    /// Seconds since 1970 of the last message.
    #[prost(int64, tag = "5")]
    pub(crate) spoke: i64,
    /// `MsgFlag`; empty in rows of before there was one.
    #[prost(string, tag = "6")]
    pub(crate) receive: String,
    #[prost(string, tag = "7")]
    pub(crate) name_card: String,
    #[prost(btree_map = "string, string", tag = "8")]
    pub(crate) custom: std::collections::BTreeMap<String, String>,
}

/// Somebody wants to become a member, or somebody wants that for him; the user is the row's name. With an
/// invitation that the user has to agree to himself, `nick` is the inviter's.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ApplicationRow {
    /// Who invites; empty: the user applied.
    #[prost(string, tag = "1")]
    pub(crate) inviter: String,
    /// What the user said.
    #[prost(string, tag = "2")]
    pub(crate) text: String,
    /// Microseconds since 1970; no two applications of a group have the same.
    #[prost(uint64, tag = "3")]
    pub(crate) added: u64,
    /// Nickname of the user then.
    #[prost(string, tag = "4")]
    pub(crate) nick: String,
}

/// Pinned messages, the oldest pin first.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PinsRow {
    #[prost(message, repeated, tag = "1")]
    pub(crate) pins: Vec<PinRow>,
}

/// One of them; see [`crate::core::pins::Pin`].
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PinRow {
    #[prost(uint32, tag = "1")]
    pub(crate) msg_seq: u32,
    #[prost(string, tag = "2")]
    pub(crate) pinner: String,
    #[prost(uint64, tag = "3")]
    pub(crate) tiny_id: u64,
    #[prost(uint32, tag = "4")]
    pub(crate) random: u32,
    #[prost(int64, tag = "5")]
    pub(crate) client_time: i64,
    #[prost(int64, tag = "6")]
    pub(crate) time: i64,
}

/// The latest numbers of a log that do not count as unread.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct UncountedRow {
    #[prost(uint32, repeated, tag = "1")]
    pub(crate) numbers: Vec<u32>,
}

/// That a member's row counts although it lies below the group's `read_floor`; the user is the row's
/// name.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct UnreadRow {
    /// The floor that it was set under.
    #[prost(uint32, tag = "1")]
    pub(crate) floor: u32,
}

/// The newest message that a member deleted for itself; the user is the row's name.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct DeletedRow {
    #[prost(uint32, tag = "1")]
    pub(crate) msg_seq: u32,
}

/// The latest mentions of a member; see [`crate::core::mentions`].
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MentionsRow {
    #[prost(uint32, tag = "1")]
    pub(crate) seen: u32,
    #[prost(message, repeated, tag = "2")]
    pub(crate) latest: Vec<MentionRow>,
}

/// One of them.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MentionRow {
    #[prost(uint32, tag = "1")]
    pub(crate) msg_seq: u32,
    #[prost(string, tag = "2")]
    pub(crate) from: String,
    #[prost(uint32, tag = "3")]
    pub(crate) random: u32,
    #[prost(int64, tag = "4")]
    pub(crate) time: i64,
    #[prost(bool, tag = "5")]
    pub(crate) by_name: bool,
    #[prost(bool, tag = "6")]
    pub(crate) all: bool,
}

/// How far a group's log is certain: see history's `groups/tail.rs`.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct LogNote {
    #[prost(uint32, tag = "1")]
    pub(crate) head: u32,
    /// The life whose rows count behind `head`.
    #[prost(uint64, tag = "2")]
    pub(crate) epoch: u64,
    /// That life ended in order, and nothing of it is under way.
    #[prost(bool, tag = "3")]
    pub(crate) closed: bool,
}

/// Tips that speak of rows which were written with this one, in one batch: where a life breaks off between
/// rows and log, the next one tells them.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TipsRow {
    /// The life that was to append them.
    #[prost(uint64, tag = "1")]
    pub(crate) epoch: u64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) tips: Vec<StoredMessage>,
}

/// Writes one row of a group. `name` is empty where a kind has one row.
pub(crate) fn put_row(kind: RowKind, name: &str, row: &impl Message) -> Op {
    Op::put(&GROUP_STATE, key![kind as u32, name], row.encode_to_vec())
}

/// Deletes one row of a group.
pub(crate) fn delete_row(kind: RowKind, name: &str) -> Op {
    Op::delete(&GROUP_STATE, key![kind as u32, name])
}

/// Deletes the rows of several users.
pub(crate) fn delete_rows<'a>(
    kind: RowKind,
    names: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = Op> {
    names.into_iter().map(move |name| delete_row(kind, name))
}
