//! `im_open_status.ws_*_status*`: a user's own status and that of others (SDK protocol notes 1, 5.2).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits::{CUSTOM_STATUS_BYTES, ONLINE_USERS};

use super::Known;
use crate::core::Routes;
use crate::service::Inner;

/// Users whom one request subscribes to or unsubscribes from.
const MOST_SUBSCRIBED: usize = 100;

const ONLINE: u8 = 1;
const OFFLINE: u8 = 2;

#[derive(Debug, Serialize)]
struct UserStatus<'a> {
    #[serde(rename = "To_Account")]
    to_account: &'a str,
    #[serde(rename = "Status")]
    status: u8,
    #[serde(rename = "CustomStatus")]
    custom_status: Cow<'a, str>,
}

#[derive(Debug, Serialize)]
struct Failed<'a> {
    #[serde(rename = "To_Account")]
    to_account: &'a str,
    #[serde(rename = "Invalid_Account")]
    invalid_account: &'a str,
    #[serde(rename = "ErrorCode")]
    error_code: u32,
    #[serde(rename = "ErrorInfo")]
    error_info: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Errors<'a> {
    error_list: Vec<Failed<'a>>,
}

/// The item of an event push that tells a user's status.
pub(crate) fn status_item(user: &str, online: bool, custom_status: &str) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Item<'a> {
        event: u8,
        user_status_list: [UserStatus<'a>; 1],
    }
    let item = Item {
        event: 19,
        user_status_list: [UserStatus {
            to_account: user,
            status: if online { ONLINE } else { OFFLINE },
            custom_status: Cow::Borrowed(custom_status),
        }],
    };
    serde_json::to_vec(&item).map(Bytes::from).unwrap_or_default()
}

pub(super) async fn set_custom_status(
    inner: &Inner,
    context: &Context,
    body: &[u8],
) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        custom_status: String,
    }
    let request: Request = envelope::parse(body, Code::STATUS_BAD_PARAMETER)?;
    if request.custom_status.len() > CUSTOM_STATUS_BYTES {
        let info = format!("CustomStatus: longer than {CUSTOM_STATUS_BYTES} bytes");
        return Err(Code::STATUS_BAD_PARAMETER.with(info));
    }
    // Plain text from the client, base64 to clients.
    let status: Arc<str> = Arc::from(STANDARD.encode(&request.custom_status));
    let (app, user) = (context.app.0, context.caller.user.as_str());
    let decision = inner.shards.decide(app, user, |index, now, out| {
        index.set_custom_status(now, app, user, Arc::clone(&status), out);
    });
    let ((), effects) = decision.await;
    inner.carry(effects).await;
    inner.carrier.publish_status(app, user, true, &status);
    // The user's own other sessions hear of it without a subscription.
    let origin = context.origin.inst_id;
    let mut others = Routes::default();
    inner.shards.look(app, user, |index| index.route_user(app, user, origin, &mut others));
    let event_items = status_item(user, true, &status);
    let push =
        v1::DeliverRequest { app, event_items, except_inst_id: origin, ..Default::default() };
    inner.carrier.deliver(&push, others);
    Ok(envelope::ok(&()))
}

pub(super) async fn get_user_status(
    inner: &Inner,
    context: &Context,
    body: &[u8],
) -> Result<Bytes, CommandError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        user_status_list: Vec<UserStatus<'a>>,
        error_list: Vec<Failed<'a>>,
    }
    let users = named_users(body, ONLINE_USERS)?;
    let known = Known::of(inner, context, &users).await;
    let there = users.iter().filter(|user| !known.unknown.contains(*user));
    let user_status_list = there.map(|user| {
        let (status, custom_status) = match known.online.get(user) {
            Some(status) => (ONLINE, Cow::Borrowed(status.custom_status.as_str())),
            None => (OFFLINE, Cow::Borrowed("")),
        };
        UserStatus { to_account: user, status, custom_status }
    });
    let user_status_list = user_status_list.collect();
    Ok(envelope::ok(&Answer { user_status_list, error_list: failed(&users, &known.unknown) }))
}

pub(super) async fn subscribe(
    inner: &Inner,
    context: &Context,
    body: &[u8],
) -> Result<Bytes, CommandError> {
    let users = named_users(body, MOST_SUBSCRIBED)?;
    let known = Known::of(inner, context, &users).await;
    let wanted: Vec<String> =
        users.iter().filter(|user| !known.unknown.contains(*user)).cloned().collect();
    let (app, user) = (context.app.0, context.caller.user.as_str());
    let decision = inner.shards.decide(app, user, |index, now, out| {
        index.subscribe(now, (app, user), context.origin.inst_id, &wanted, out);
    });
    let ((), effects) = decision.await;
    inner.carry(effects).await;
    Ok(envelope::ok(&Errors { error_list: failed(&users, &known.unknown) }))
}

pub(super) async fn unsubscribe(
    inner: &Inner,
    context: &Context,
    body: &[u8],
) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    struct Request {
        #[serde(rename = "To_Account", default)]
        to_account: Vec<String>,
        #[serde(rename = "UnsubscribeAll", default)]
        unsubscribe_all: u8,
    }
    let request: Request = envelope::parse(body, Code::STATUS_BAD_PARAMETER)?;
    let users = if request.unsubscribe_all == 1 {
        None
    } else {
        check_number(&request.to_account, MOST_SUBSCRIBED)?;
        Some(request.to_account.as_slice())
    };
    let (app, user) = (context.app.0, context.caller.user.as_str());
    let decision = inner.shards.decide(app, user, |index, now, out| {
        index.unsubscribe(now, (app, user), context.origin.inst_id, users, out);
    });
    let ((), effects) = decision.await;
    inner.carry(effects).await;
    Ok(envelope::ok(&Errors { error_list: Vec::new() }))
}

fn named_users(body: &[u8], most: usize) -> Result<Vec<String>, CommandError> {
    #[derive(Deserialize)]
    struct Request {
        #[serde(rename = "To_Account")]
        to_account: Vec<String>,
    }
    let request: Request = envelope::parse(body, Code::STATUS_BAD_PARAMETER)?;
    check_number(&request.to_account, most)?;
    Ok(request.to_account)
}

fn check_number(users: &[String], most: usize) -> Result<(), CommandError> {
    if users.is_empty() {
        return Err(Code::STATUS_BAD_PARAMETER.with("To_Account: must name at least one user"));
    }
    if users.len() > most {
        return Err(Code::STATUS_BAD_PARAMETER.with(format!("To_Account: more than {most} users")));
    }
    Ok(())
}

fn failed<'a>(users: &'a [String], unknown: &HashSet<String>) -> Vec<Failed<'a>> {
    let failed = users.iter().filter(|user| unknown.contains(*user)).map(|user| Failed {
        to_account: user,
        invalid_account: user,
        error_code: Code::ACCOUNT_UNKNOWN.number(),
        error_info: "the user does not exist",
    });
    failed.collect()
}
