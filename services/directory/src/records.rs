//! What the rows of the directory's tables hold, as protobuf. Numbers of fields are never reused.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// An app that was made here.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AppRecord {
    /// Its secret key.
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    /// Seconds since 1970.
    #[prost(int64, tag = "2")]
    pub(crate) created_at: i64,
    /// The demo app of a server that was started without any.
    #[prost(bool, tag = "3")]
    pub(crate) demo: bool,
}

/// An account. The row stays when the account is deleted, so that old signatures stay revoked.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AccountRecord {
    /// Seconds since 1970; 0 when there is no such account.
    #[prost(int64, tag = "1")]
    pub(crate) created_at: i64,
    /// Signatures issued before this second do not count; 0: all do.
    #[prost(int64, tag = "2")]
    pub(crate) not_before: i64,
}

impl AccountRecord {
    /// The account exists now.
    pub(crate) fn exists(&self) -> bool {
        self.created_at != 0
    }
}

/// A profile: values by tag. Tags that were never set are absent.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ProfileRecord {
    /// Standard and custom tags.
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) tags: BTreeMap<String, TagRecord>,
}

/// The value of one tag.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TagRecord {
    /// Never absent in what is written.
    #[prost(oneof = "TagValue", tags = "1, 2")]
    pub(crate) value: Option<TagValue>,
}

/// Text or a number, by tag.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub(crate) enum TagValue {
    /// A string.
    #[prost(string, tag = "1")]
    Text(String),
    /// A number.
    #[prost(uint32, tag = "2")]
    Number(u32),
}

impl Serialize for TagValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u32(*number),
        }
    }
}

impl ProfileRecord {
    /// The value of a tag.
    pub(crate) fn get(&self, tag: &str) -> Option<&TagValue> {
        self.tags.get(tag)?.value.as_ref()
    }

    /// The text of a tag, empty when it was never set.
    pub(crate) fn text(&self, tag: &str) -> String {
        match self.get(tag) {
            Some(TagValue::Text(text)) => text.clone(),
            Some(TagValue::Number(_)) | None => String::new(),
        }
    }

    /// The number of a tag, 0 when it was never set.
    pub(crate) fn number(&self, tag: &str) -> u32 {
        match self.get(tag) {
            Some(TagValue::Number(number)) => *number,
            Some(TagValue::Text(_)) | None => 0,
        }
    }
}
