//! What stands in a capture: a header line, then a record on each line.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Pseudonym;

/// The version of the format that is written and read here.
pub const VERSION: u32 = 1;

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    #[serde(rename = "throng_capture")]
    pub version: u32,
    /// Drawn by the process that wrote it; parts of one source follow each other.
    pub source: Pseudonym,
    /// Number of this file among those of its source, from 0.
    pub part: u32,
    /// What the records' times count from: microseconds since 1970. The same in all parts.
    pub began_unix_us: u64,
    /// [`Key::fingerprint`](crate::Key::fingerprint): files of different keys do not go together.
    pub key: Pseudonym,
    /// The part of all users that was captured.
    pub share: f64,
    /// What was kept of bodies.
    pub bodies: Bodies,
    /// Program and version.
    pub made_by: String,
}

/// What is kept of the bodies of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bodies {
    /// Kinds and lengths of their elements.
    #[default]
    Shape,
    /// Nothing.
    None,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When: microseconds since the header's beginning. Of a command when it came in.
    pub at: u64,
    /// The connection, counted by its source; 0 for none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub line: u64,
    /// Its place among the records of this connection: records of one microsecond have an order too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub place: u32,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Pseudonym>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The connection was opened.
    Open,
    /// A command, and what came of it.
    Command(Command),
    /// The connection ended.
    Close {
        /// The client said that it does not come back.
        #[serde(default, skip_serializing_if = "is_default")]
        for_good: bool,
    },
    /// So many records are missing here.
    Dropped {
        /// How many.
        count: u64,
    },
    /// The source ended as it should.
    End,
}

/// A command of a client.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Command {
    /// The catalogue's name.
    pub name: Cow<'static, str>,
    /// Microseconds until it was answered; nothing if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<u64>,
    /// `ErrorCode` of the answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub code: u32,
    /// The group that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Pseudonym>,
    /// That group is a live room, as far as the gateway knows.
    #[serde(default, skip_serializing_if = "is_default")]
    pub live: bool,
    /// Another user that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Pseudonym>,
    /// A login with a session's token.
    #[serde(default, skip_serializing_if = "is_default")]
    pub again: bool,
    /// The message that it sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
}

/// A message to a group, without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The same when a client sends it again.
    pub id: Pseudonym,
    /// One of the four, if it named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Cow<'static, str>>,
    /// Its elements, where they are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<Element>,
    /// The number that it got in its group; 0 if it got none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seq: u32,
    /// The rate limit dropped it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropped: bool,
}

/// An element of a message, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// `MsgType`; `other` for what is none.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// Bytes of the text, or of the content's JSON.
    pub bytes: u32,
}

/// A header or record as a line of the file.
///
/// # Panics
/// Never: headers and records can always be written as JSON.
#[must_use]
pub fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("strings and numbers are JSON");
    line.push(b'\n');
    line
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
