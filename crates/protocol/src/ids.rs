//! Names of apps, users and groups: what is a valid one, and what the cluster derives from them
//! (the shard of a group, the number of a user).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Code, CommandError};
use crate::limits;

/// An app: the number that the vendor calls `SDKAppID`. Everything else is named within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(pub u32);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The five kinds of groups, by their names on the wire (SDK protocol notes 02, introduction).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupType {
    /// "Work" in newer documents: friends, by invitation.
    Private,
    /// People apply, the owner approves.
    Public,
    /// "Meeting" in newer documents: people come and go.
    ChatRoom,
    /// A live room: any number of members, none of them stored.
    AvChatRoom,
    /// A very large group, with or without topics.
    Community,
}

impl GroupType {
    /// All types, in the order of the documents.
    pub const ALL: [GroupType; 5] = [
        GroupType::Private,
        GroupType::Public,
        GroupType::ChatRoom,
        GroupType::AvChatRoom,
        GroupType::Community,
    ];

    /// The name on the wire, in requests and answers alike.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            GroupType::Private => "Private",
            GroupType::Public => "Public",
            GroupType::ChatRoom => "ChatRoom",
            GroupType::AvChatRoom => "AVChatRoom",
            GroupType::Community => "Community",
        }
    }

    /// The type of a wire name; capitals matter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        GroupType::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for GroupType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What all IDs that the server makes begin with, and IDs that an app chooses must not.
pub const RESERVED_PREFIX: &str = "@TGS#";
/// What the ID of every community begins with. Clients send its commands to the `million_` service
/// on the strength of this alone, so no other group may have it.
pub const COMMUNITY_PREFIX: &str = "@TGS#_";
/// What separates a community's ID from the rest of a topic's ID.
pub const TOPIC_SEPARATOR: &str = "@TOPIC#_";

/// Checks a user ID: 1 to 32 bytes of printable ASCII (CN 9346; SDK error 7003).
///
/// # Errors
/// 70402 that says what is wrong.
pub fn user_id(id: &str) -> Result<(), CommandError> {
    printable(id, limits::USER_ID_BYTES, "user ID", Code::ACCOUNT_BAD_PARAMETER)
}

/// Checks a group ID that an app chose: 1 to 48 bytes of printable ASCII; a community's has to begin
/// with `@TGS#_` and its rest not with `@TGS#`; any other must not begin with `@TGS#` (CN 1615).
///
/// # Errors
/// 10015 that says what is wrong.
pub fn custom_group_id(id: &str, kind: GroupType) -> Result<(), CommandError> {
    printable(id, limits::GROUP_ID_BYTES, "GroupId", Code::GROUP_BAD_ID)?;
    let bad = |info: &str| Err(Code::GROUP_BAD_ID.with(info));
    if id.contains(TOPIC_SEPARATOR) {
        return bad("GroupId: @TOPIC#_ is reserved for topics");
    }
    if kind == GroupType::Community {
        return match id.strip_prefix(COMMUNITY_PREFIX) {
            None => bad("GroupId: a community's ID begins with @TGS#_"),
            Some("") => bad("GroupId: nothing after @TGS#_"),
            Some(rest) if rest.starts_with(RESERVED_PREFIX) => {
                bad("GroupId: after @TGS#_ a chosen ID must not go on with @TGS#")
            }
            Some(_) => Ok(()),
        };
    }
    if id.starts_with(RESERVED_PREFIX) {
        return bad("GroupId: @TGS# is reserved for IDs that the server makes");
    }
    Ok(())
}

fn printable(id: &str, max: usize, what: &str, code: Code) -> Result<(), CommandError> {
    if id.is_empty() {
        return Err(code.with(format!("{what}: empty")));
    }
    if id.len() > max {
        return Err(code.with(format!("{what}: {} bytes, at most {max}", id.len())));
    }
    if !id.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(code.with(format!("{what}: only printable ASCII")));
    }
    Ok(())
}

/// The ID of a group whose creator chose none, from a number that the caller keeps unique.
#[must_use]
pub fn generated_group_id(kind: GroupType, number: u64) -> String {
    let prefix = match kind {
        GroupType::Private => "@TGS#1",
        GroupType::Public => "@TGS#2",
        GroupType::ChatRoom => "@TGS#3",
        GroupType::AvChatRoom => "@TGS#a",
        GroupType::Community => "@TGS#_@TGS#c",
    };
    let mut id = String::with_capacity(prefix.len() + 13);
    id.push_str(prefix);
    push_base36(&mut id, number);
    id
}

fn push_base36(out: &mut String, mut number: u64) {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut digits = [0_u8; 13];
    let mut used = 0;
    loop {
        digits[used] = DIGITS[(number % 36) as usize];
        used += 1;
        number /= 36;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[..used].iter().rev().map(|&digit| digit as char));
}

/// What a group is placed by: XXH3 (64 bits, seed 0) over the app's four bytes, least significant
/// first, and the group ID's bytes. Every node and every version has to agree on this, so it never
/// changes. A topic has the hash of its community.
#[must_use]
pub fn group_hash(app: AppId, group: &str) -> u64 {
    let owner = group.split_once(TOPIC_SEPARATOR).map_or(group, |(community, _)| community);
    place_hash(app, owner)
}

/// What a user is placed by among the presence nodes; made like [`group_hash`].
#[must_use]
pub fn user_hash(app: AppId, user: &str) -> u64 {
    place_hash(app, user)
}

fn place_hash(app: AppId, name: &str) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&app.0.to_le_bytes());
    hash.update(name.as_bytes());
    hash.digest()
}

/// The virtual shard of a group: its [`group_hash`] modulo `shards`, which is at least 1; 0 counts
/// as 1.
#[must_use]
pub fn shard_of(app: AppId, group: &str, shards: u32) -> u32 {
    shard_of_hash(group_hash(app, group), shards)
}

/// As [`shard_of`], of a group's hash.
#[must_use]
pub fn shard_of_hash(hash: u64, shards: u32) -> u32 {
    (hash % u64::from(shards.max(1))) as u32
}

/// The number of a user (`TinyId`): the same for ever, without a look-up, and not to be guessed
/// without the key. It has 58 bits with the highest one set, so it looks like the vendor's
/// 144115…, and goes out as a string since JavaScript cannot hold it.
#[must_use]
pub fn tiny_id(key: &[u8; 32], app: AppId, user: &str) -> u64 {
    const TOP: u64 = 1 << 57;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(b"tinyid");
    mac.update(&app.0.to_le_bytes());
    mac.update(user.as_bytes());
    let digest = mac.finalize().into_bytes();
    let mut low = [0_u8; 8];
    low.copy_from_slice(&digest[..8]);
    TOP | (u64::from_le_bytes(low) & (TOP - 1))
}

#[cfg(test)]
mod tests;
