//! `recentcontact.*`: the list of conversations and their groups (SDK protocol notes 3, 11 and 12).

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};

/// Conversations in one `search_contact_group` (INT 53442).
const MOST_SEARCHED: usize = 300;

const BAD: Code = Code::CONVERSATION_BAD_PARAMETER;

/// Nothing goes into a list that is empty.
type Nothing = [(); 0];

/// Where the caller stands in the list. An answer gives it back: nothing was passed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Position {
    time_stamp: i64,
    start_index: i64,
    top_time_stamp: i64,
    top_start_index: i64,
}

/// A client's list. Without `CompleteFlag` the SDK asks for ever.
pub(super) fn page_get(body: &[u8]) -> Result<Bytes, CommandError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        complete_flag: u8,
        #[serde(flatten)]
        position: Position,
        group_item: Nothing,
        session_item: Nothing,
    }
    let position: Position = envelope::parse(body, BAD)?;
    Ok(envelope::ok(&Answer { complete_flag: 1, position, group_item: [], session_item: [] }))
}

/// The same for an administrator (CN 62118): everything has to be named.
pub(super) fn get_list(body: &[u8]) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        #[serde(rename = "From_Account")]
        from_account: String,
        time_stamp: i64,
        start_index: i64,
        top_time_stamp: i64,
        top_start_index: i64,
        #[serde(rename = "AssistFlags")]
        _assist_flags: i64,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        session_item: Nothing,
        complete_flag: u8,
        #[serde(flatten)]
        position: Position,
    }
    let request: Request = envelope::parse(body, BAD)?;
    named(&request.from_account)?;
    let position = Position {
        time_stamp: request.time_stamp,
        start_index: request.start_index,
        top_time_stamp: request.top_time_stamp,
        top_start_index: request.top_start_index,
    };
    Ok(envelope::ok(&Answer { session_item: [], complete_flag: 1, position }))
}

/// Groups of conversations.
pub(super) fn get_contact_group(body: &[u8]) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    struct Request {
        #[serde(rename = "From_Account")]
        from_account: String,
        #[serde(rename = "StartIndex", default)]
        _start_index: i64,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        group_item: Nothing,
        contact_item: Nothing,
        complete_flag: u8,
        next_start_index: u32,
    }
    let request: Request = envelope::parse(body, BAD)?;
    named(&request.from_account)?;
    let answer = Answer { group_item: [], contact_item: [], complete_flag: 1, next_start_index: 0 };
    Ok(envelope::ok(&answer))
}

/// Marks and groups of named conversations; those that have none are left out.
pub(super) fn search_contact_group(body: &[u8]) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    struct Request {
        #[serde(rename = "From_Account")]
        from_account: String,
        #[serde(rename = "ContactItem")]
        contact_item: Vec<IgnoredAny>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        contact_result_item: Nothing,
        group_item: Nothing,
    }
    let request: Request = envelope::parse(body, BAD)?;
    named(&request.from_account)?;
    if request.contact_item.len() > MOST_SEARCHED {
        return Err(BAD.with(format!("ContactItem: more than {MOST_SEARCHED} conversations")));
    }
    Ok(envelope::ok(&Answer { contact_result_item: [], group_item: [] }))
}

fn named(from_account: &str) -> Result<(), CommandError> {
    if from_account.is_empty() {
        return Err(BAD.with("From_Account: must not be empty"));
    }
    Ok(())
}
