//! `openim.*`: what a client missed (SDK protocol notes 3, 6).

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_node::command::Context;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::{Link, Route};
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::group_hash;

use super::conversations::joined_groups;

const BAD: Code = Code::MESSAGE_BAD_PACKET;

/// Where somebody stands who has seen nothing yet.
const START: &str = "0";

/// `SyncFlag` of the last part.
const DONE: u8 = 2;

/// Seconds by which clocks differ, and by which a message is told of later than it was sent: who was
/// told of a mention before is rather told again than not at all.
const SLACK: i64 = 5;
/// Groups of one page, and pages at most.
const PAGE: u32 = 200;
const MOST_PAGES: usize = 50;
/// Groups in which one request has something deleted.
const MOST_GROUPS: usize = 100;

/// What was missed: who mentioned the caller, in what it has not read. The SDK takes the answer only
/// with a cookie that is not empty, a flag that it knows and a list, and looks for missed calls only
/// after such an answer.
pub(super) async fn getmsg(
    context: &Context,
    body: &[u8],
    groups: &GroupRouterClient<Link>,
) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(rename = "Cookie", default, borrow)]
        cookie: Cow<'a, str>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        cookie: &'a str,
        sync_flag: u8,
        msg_list: [(); 0],
        #[serde(skip_serializing_if = "Vec::is_empty")]
        event_array: Vec<Box<RawValue>>,
    }
    let request: Request<'_> = envelope::parse(body, BAD)?;
    let asked = if request.cookie.is_empty() { START } else { &request.cookie };
    let (now, since) = (now_seconds().to_string(), asked.parse().unwrap_or(0));
    let (cookie, event_array) = match mentions(context, since, groups).await {
        Ok(entries) => (now.as_str(), entries),
        Err(status) => {
            // The next request asks for the same time again.
            tracing::warn!(code = ?status.code(), text = status.message(), "no mentions were found");
            (asked, Vec::new())
        }
    };
    Ok(envelope::ok(&Answer { cookie, sync_flag: DONE, msg_list: [], event_array }))
}

/// Entries of `EventArray` about what mentions the caller since a time.
async fn mentions(
    context: &Context,
    since: i64,
    groups: &GroupRouterClient<Link>,
) -> Result<Vec<Box<RawValue>>, tonic::Status> {
    let mut entries = Vec::new();
    let mut offset = 0;
    for _ in 0..MOST_PAGES {
        let what = v1::JoinedGroupsRequest {
            limit: PAGE,
            mentions_since: since.saturating_sub(SLACK).max(1),
            ..v1::JoinedGroupsRequest::default()
        };
        let reply = joined_groups(context.app, &context.caller.user, offset, what, groups).await?;
        let found = reply.groups.into_iter().flat_map(|group| group.mentions);
        entries.extend(found.filter_map(|entry| serde_json::from_slice(&entry).ok()));
        offset = reply.next_offset;
        if offset == 0 {
            break;
        }
    }
    Ok(entries)
}

/// The caller has seen that it was mentioned; without this answer the SDK's mark stays. Notices of groups
/// are named in the same way and are not kept.
pub(super) async fn deletemsg(
    context: &Context,
    body: &[u8],
    groups: &GroupRouterClient<Link>,
) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        del_msg_list: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Entry {
        #[serde(default)]
        msg_seq: u32,
        #[serde(default)]
        group_id: String,
    }
    let request: Request = envelope::parse(body, BAD)?;
    let mut newest: BTreeMap<String, u32> = BTreeMap::new();
    for Entry { msg_seq, group_id } in request.del_msg_list {
        if !group_id.is_empty() {
            let newest = newest.entry(group_id).or_default();
            *newest = msg_seq.max(*newest);
        }
    }
    if newest.len() > MOST_GROUPS {
        return Err(BAD.with(format!("DelMsgList: over {MOST_GROUPS} groups")));
    }
    for (group_id, msg_seq) in newest {
        let owner = Route::hash(group_hash(context.app, &group_id));
        let (app, user) = (context.app.0, context.caller.user.clone());
        let request = v1::ForgetMentionsRequest { app, group_id, user, msg_seq };
        match groups.clone().forget_mentions(owner.request(request)).await {
            Ok(_) => {}
            Err(status) if status.code() == tonic::Code::NotFound => {}
            Err(status) => {
                let (code, text) = (status.code(), status.message());
                tracing::warn!(?code, text, "mentions were not deleted");
                return Err(Code::MESSAGE_INTERNAL.with("mentions were not deleted, try again"));
            }
        }
    }
    Ok(envelope::ok(&()))
}

/// The key for media hosts that the older SDK fetches while it starts: there are none.
pub(super) fn authkey(body: &[u8]) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    struct Request {}
    let Request {} = envelope::parse(body, BAD)?;
    Ok(envelope::ok(&()))
}
