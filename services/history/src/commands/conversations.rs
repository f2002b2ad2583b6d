//! `recentcontact.*`: the list of conversations and their groups (SDK protocol notes 3, 11 and 12).

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_proto::v1;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::{Link, Route};
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;

use super::session_item::{Listed, SessionItem};

/// Conversations in one `search_contact_group` (INT 53442).
const MOST_SEARCHED: usize = 300;
/// Groups of one page of the list.
const PAGE: u32 = 100;

const BAD: Code = Code::CONVERSATION_BAD_PARAMETER;

/// Nothing goes into a list that is empty.
type Nothing = [(); 0];

/// Where the caller stands in the list. Conversations come in the order of their groups' IDs, clients
/// sort them; so the index alone says where the next page begins, and the end leads to the beginning.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Position {
    time_stamp: i64,
    start_index: u32,
    top_time_stamp: i64,
    top_start_index: i64,
}

/// A client's list. Without `CompleteFlag` the SDK asks for ever.
pub(super) async fn page_get(
    context: &Context,
    body: &[u8],
    groups: &GroupRouterClient<Link>,
) -> Result<Bytes, CommandError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        complete_flag: u8,
        #[serde(flatten)]
        position: Position,
        group_item: Nothing,
        session_item: Vec<SessionItem<'a>>,
    }
    let mut position: Position = envelope::parse(body, BAD)?;
    let page = conversations(context, &context.caller.user, position.start_index, groups).await?;
    position.start_index = page.next_offset;
    Ok(envelope::ok(&Answer {
        complete_flag: u8::from(page.next_offset == 0),
        position,
        group_item: [],
        session_item: page.groups.iter().filter_map(SessionItem::of).collect(),
    }))
}

/// The same for an administrator (CN 62118): everything has to be named.
pub(super) async fn get_list(
    context: &Context,
    body: &[u8],
    groups: &GroupRouterClient<Link>,
) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        #[serde(rename = "From_Account")]
        from_account: String,
        time_stamp: i64,
        start_index: u32,
        top_time_stamp: i64,
        top_start_index: i64,
        #[serde(rename = "AssistFlags")]
        _assist_flags: i64,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        session_item: Vec<Listed<'a>>,
        complete_flag: u8,
        #[serde(flatten)]
        position: Position,
    }
    let request: Request = envelope::parse(body, BAD)?;
    named(&request.from_account)?;
    let page = conversations(context, &request.from_account, request.start_index, groups).await?;
    let position = Position {
        time_stamp: request.time_stamp,
        start_index: page.next_offset,
        top_time_stamp: request.top_time_stamp,
        top_start_index: request.top_start_index,
    };
    Ok(envelope::ok(&Answer {
        session_item: page.groups.iter().filter_map(Listed::of).collect(),
        complete_flag: u8::from(page.next_offset == 0),
        position,
    }))
}

/// A page of the groups that a user is a member of, with what conversations show.
async fn conversations(
    context: &Context,
    user: &str,
    offset: u32,
    groups: &GroupRouterClient<Link>,
) -> Result<v1::JoinedGroupsReply, CommandError> {
    let (limit, with_last) = (PAGE, true);
    let what = v1::JoinedGroupsRequest { limit, with_last, ..v1::JoinedGroupsRequest::default() };
    joined_groups(context.app, user, offset, what, groups).await.map_err(|status| {
        tracing::warn!(code = ?status.code(), text = status.message(), "groups were not listed");
        Code::CONVERSATION_INTERNAL.with("the groups of the user could not be listed, try again")
    })
}

/// A page of the groups that a user is a member of, with as much as `what` says.
pub(super) async fn joined_groups(
    app: AppId,
    user: &str,
    offset: u32,
    what: v1::JoinedGroupsRequest,
    groups: &GroupRouterClient<Link>,
) -> Result<v1::JoinedGroupsReply, tonic::Status> {
    let user = user.to_owned();
    let request = v1::JoinedGroupsRequest { app: app.0, user, offset, ..what };
    groups.clone().joined_groups(Route::ANY.request(request)).await.map(tonic::Response::into_inner)
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
