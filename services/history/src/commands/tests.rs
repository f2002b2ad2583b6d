//! The shapes that clients rely on.

use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::{Value, json};
use throng_node::command::Context;
use throng_node::secret::Secret;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::{Link, v1};
use throng_protocol::ids::AppId;
use throng_store::MemoryStore;

use crate::merged::MergedLists;

/// What needs no group.
fn call(command: &str, body: &Value) -> Value {
    let context = Context {
        app: AppId(1),
        caller: v1::Caller::default(),
        origin: v1::Origin::default(),
        name: command.to_owned(),
    };
    let commands = super::Commands {
        groups: GroupRouterClient::new(Link::unconnected()),
        merged: Arc::new(MergedLists::new(Arc::new(MemoryStore::new()))),
        secret: Secret::new(&[7; 32]),
    };
    let answer = super::execute(&context, body.to_string().as_bytes(), &commands).now_or_never();
    match answer.expect("nobody else is asked") {
        Ok(body) => serde_json::from_slice(&body).unwrap(),
        Err(error) => json!({ "code": error.code.number(), "info": error.info }),
    }
}

#[test]
fn groups_of_conversations_are_empty_lists_that_end() {
    let asked = json!({ "From_Account": "ann", "StartIndex": 0 });
    let answer = call("recentcontact.get_contact_group", &asked);
    assert_eq!(answer["CompleteFlag"], 1);
    assert_eq!(answer["NextStartIndex"], 0);
    assert_eq!((&answer["GroupItem"], &answer["ContactItem"]), (&json!([]), &json!([])));

    let asked =
        json!({ "From_Account": "ann", "ContactItem": [{ "Type": 1, "To_Account": "bob" }] });
    let answer = call("recentcontact.search_contact_group", &asked);
    assert_eq!((&answer["GroupItem"], &answer["ContactResultItem"]), (&json!([]), &json!([])));
}

#[test]
fn nothing_was_missed() {
    let answer = call("openim.getmsg", &json!({ "Cookie": "", "SyncFlag": 0, "NeedAbstract": 1 }));
    assert_eq!(answer["SyncFlag"], 2);
    assert_eq!(answer["MsgList"], json!([]));
    // Nobody knows of groups here; the client asks again from there.
    assert_eq!(answer["Cookie"], "0");
    let again = call("openim.getmsg", &json!({ "Cookie": "1800000000", "SyncFlag": 2 }));
    assert_eq!((&again["Cookie"], &again["EventArray"]), (&json!("1800000000"), &Value::Null));
    assert_eq!(call("openim.authkey", &json!({}))["ErrorCode"], 0);
}

#[test]
fn bad_requests_name_the_field() {
    let answer = call("recentcontact.get_list", &json!({ "From_Account": "ann", "TimeStamp": 0 }));
    assert_eq!(answer["code"], 50002);
    assert_eq!(answer["info"], "StartIndex: missing field");
    let answer = call("recentcontact.page_get", &json!({ "TimeStamp": "x" }));
    assert_eq!(answer["code"], 50002);
    assert!(answer["info"].as_str().unwrap().starts_with("TimeStamp: "), "{answer}");
    let answer = call("openim.getmsg", &json!({ "Cookie": 1 }));
    assert_eq!(answer["code"], 20001);
    assert_eq!(call("openim.nonsense", &json!({}))["code"], 60009);
    assert_eq!(call("other.page_get", &json!({}))["code"], 60009);
}
