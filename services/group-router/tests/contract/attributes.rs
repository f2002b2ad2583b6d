//! Attributes and counters of a group.

use serde_json::{Value, json};

use crate::support::*;

fn set(main_seq: u64, pairs: &Value) -> Value {
    json!({ "GroupId": "live", "GroupAttr": pairs, "AttrMainSeq": main_seq, "AttrControl": ["RaceConflict"] })
}

#[tokio::test]
async fn the_second_of_two_clients_that_saw_the_same_state_is_refused() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    world.join("bob", "live").await;
    let mut events = world.events("live").await;
    let first =
        world.client("ann", "set_group_attr", set(0, &json!([{ "key": "k", "value": "1" }]))).await;
    assert_eq!(ok(&first)["AttrMainSeq"], 1);
    let late = set(0, &json!([{ "key": "k", "value": "2" }]));
    refused(&world.client("bob", "modify_group_attr", late.clone()).await, 10056);
    ok(&world.rest("modify_group_attr", late).await);
    for (main_seq, op) in [(1, 1), (2, 2)] {
        let entry = events.next_entry().await;
        let option = &entry["GroupTips"][0]["MsgBody"]["MsgGroupNewInfo"]["GroupAttrOption"];
        assert_eq!((&option["GroupAttrSeq"], &option["OpType"]), (&json!(main_seq), &json!(op)));
    }
    let world = world.crash();
    let all = world.rest("get_group_attr", in_group("live")).await;
    assert_eq!(
        (&all["AttrMainSeq"], &all["GroupAttrAry"]),
        (&json!(2), &json!([{ "key": "k", "value": "2" }]))
    );
}

/// Regression: anybody who was logged in could write attributes and counters of any room.
#[tokio::test]
async fn only_members_write() {
    let world = World::new();
    world.create("live").await;
    let attributes = json!([{ "key": "k", "value": "1" }]);
    let writes = [
        ("set_group_attr", set(0, &attributes)),
        ("modify_group_attr", set(0, &attributes)),
        ("delete_group_attr", set(0, &json!([{ "key": "k" }]))),
        ("clear_group_attr", set(0, &json!([]))),
        (
            "update_group_counter",
            json!({ "GroupId": "live", "GroupCounter": [{ "Key": "a", "Value": 1 }] }),
        ),
    ];
    for (command, body) in &writes {
        refused(&world.client("stranger", command, body.clone()).await, 10007);
    }
    ok(&world.client("owner", "set_group_attr", set(0, &attributes)).await);
    world.around.presence.members.lock().insert("bob".to_owned());
    ok(&world.client("bob", "set_group_attr", set(1, &attributes)).await);
    ok(&world.client("stranger", "get_group_attr", in_group("live")).await);
}
