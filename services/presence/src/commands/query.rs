//! `openim.query_online_status`, for administrators (CN 2566).

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits::ONLINE_USERS;

use super::Known;
use crate::core::is_web;
use crate::service::Inner;

#[derive(Debug, Deserialize)]
struct Query {
    #[serde(rename = "To_Account")]
    to_account: Vec<String>,
    #[serde(rename = "IsNeedDetail", default)]
    is_need_detail: u8,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    query_result: Vec<UserState<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error_list: Vec<Failed<'a>>,
}

#[derive(Debug, Serialize)]
struct UserState<'a> {
    #[serde(rename = "To_Account")]
    to_account: &'a str,
    #[serde(rename = "Status")]
    status: &'static str,
    #[serde(rename = "Detail", skip_serializing_if = "Option::is_none")]
    detail: Option<Vec<PlatformState>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PlatformState {
    platform: &'static str,
    status: &'static str,
}

#[derive(Debug, Serialize)]
struct Failed<'a> {
    #[serde(rename = "To_Account")]
    to_account: &'a str,
    #[serde(rename = "ErrorCode")]
    error_code: u32,
}

pub(super) async fn query_online_status(
    inner: &Inner,
    context: &Context,
    body: &[u8],
) -> Result<Bytes, CommandError> {
    let query: Query = envelope::parse(body, Code::MSG_REST_BAD_JSON)?;
    if query.to_account.is_empty() {
        return Err(Code::MSG_REST_BAD_JSON.with("To_Account: must name at least one user"));
    }
    if query.to_account.len() > ONLINE_USERS {
        let info = format!("To_Account: more than {ONLINE_USERS} users");
        return Err(Code::MSG_REST_TOO_MANY_RECEIVERS.with(info));
    }
    let known = Known::of(inner, context, &query.to_account).await;
    if query.to_account.iter().all(|user| known.unknown.contains(user)) {
        return Err(Code::ACCOUNT_UNKNOWN.with("To_Account: none of these users exists"));
    }
    let mut answer = Answer { query_result: Vec::new(), error_list: Vec::new() };
    for user in &query.to_account {
        if known.unknown.contains(user) {
            let error_code = Code::ACCOUNT_UNKNOWN.number();
            answer.error_list.push(Failed { to_account: user, error_code });
        } else {
            answer.query_result.push(state(&known, user, query.is_need_detail == 1));
        }
    }
    Ok(envelope::ok(&answer))
}

fn state<'a>(known: &Known, user: &'a str, detailed: bool) -> UserState<'a> {
    let status = known.online.get(user);
    let detail = |platforms: &[u32]| {
        let mut names: Vec<_> = platforms.iter().map(|platform| name(*platform)).collect();
        names.dedup();
        names.into_iter().map(|platform| PlatformState { platform, status: "Online" }).collect()
    };
    UserState {
        to_account: user,
        status: if status.is_some() { "Online" } else { "Offline" },
        detail: status.filter(|_| detailed).map(|status| detail(&status.platforms)),
    }
}

/// The documents name a platform outside the Web family by its device; the connection tells no more
/// than that it is another.
fn name(platform: u32) -> &'static str {
    if is_web(platform) { "Web" } else { "PC" }
}
