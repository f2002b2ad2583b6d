//! Messages of a log: how they may be sent, and what may be done with them afterwards.

mod changed;
mod ways;

use serde_json::{Value, json};
use throng_proto::v1;

use crate::support::*;

const GROUP: &str = "public";

async fn public() -> World {
    let world = World::new();
    world.around.directory.policy.lock().messages_per_second = 100_000;
    let body = json!({ "Type": "Public", "Name": "Chess", "GroupId": GROUP,
        "Owner_Account": "owner", "ApplyJoinOption": "FreeAccess",
        "MemberList": [{ "Member_Account": "ann" }, { "Member_Account": "bob" }] });
    ok(&world.rest("create_group", body).await);
    world
}

/// What presence had to bring of one kind, in order: users and the entry's items.
fn told(world: &World, event: u64) -> Vec<(Vec<String>, Value)> {
    let told = world.around.presence.told().into_iter();
    let told = told.filter(|(_, entry)| entry["Event"] == event);
    told.map(|(mut users, entry)| {
        users.sort();
        (users, entry)
    })
    .collect()
}

async fn told_of(world: &World, event: u64, number: usize) -> Vec<(Vec<String>, Value)> {
    eventually("they are told", || told(world, event).len() >= number).await;
    let told = told(world, event);
    assert_eq!(told.len(), number, "{told:?}");
    told
}

fn recall(msg_seqs: &[u64]) -> Value {
    let list: Vec<_> = msg_seqs.iter().map(|seq| json!({ "MsgSeq": seq })).collect();
    json!({ "GroupId": GROUP, "MsgSeqList": list, "TopicId": "", "Reason": "a slip" })
}

async fn send(world: &World, user: &str, fields: Value) -> Value {
    let random = fields["Random"].as_u64().unwrap_or(1) as u32;
    let mut body = message(GROUP, random);
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    world.client(user, "send_group_msg", body).await
}

/// The client's page of history.
async fn page(world: &World, user: &str) -> Value {
    let body = json!({ "GroupId": GROUP, "ReqMsgNumber": 21, "WithRecalledMsg": 1 });
    let page = world.client(user, "group_msg_get", body).await;
    ok(&page);
    page
}

fn seqs(page: &Value) -> Vec<u64> {
    let list = page["RspMsgList"].as_array().unwrap();
    list.iter().map(|item| item["MsgSeq"].as_u64().unwrap()).collect()
}

async fn described(world: &World, user: &str) -> v1::DescribeGroupReply {
    let request = v1::DescribeGroupRequest {
        app: APP.0,
        group_id: GROUP.to_owned(),
        user: user.to_owned(),
        with_last: true,
        ..v1::DescribeGroupRequest::default()
    };
    world.router.clone().describe_group(request).await.unwrap().into_inner()
}

async fn unread(world: &World, user: &str) -> u32 {
    described(world, user).await.member.unwrap().unread
}

async fn last(world: &World, user: &str) -> u32 {
    described(world, user).await.last.map_or(0, |last| last.msg_seq)
}
