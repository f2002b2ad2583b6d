//! Who may recall what, and for how long.

use serde_json::{Value, json};

use crate::support::*;

fn recall(msg_seqs: &[u64]) -> Value {
    let list: Vec<_> = msg_seqs.iter().map(|seq| json!({ "MsgSeq": seq })).collect();
    json!({ "GroupId": "live", "MsgSeqList": list, "TopicId": "" })
}

#[tokio::test]
async fn the_codes_of_recalls() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    world.join("bob", "live").await;
    let mut seqs = Vec::new();
    for random in 1..=6 {
        seqs.push(ok(&world.send("ann", "live", random).await)["MsgSeq"].as_u64().unwrap());
    }
    let age = |seq: u64, seconds: i64| {
        let older = |message: &mut throng_proto::v1::StoredMessage| message.msg_time -= seconds;
        world.around.history.edit("live", seq as u32, older);
    };
    // The group itself has to be older than its messages.
    let mut events = world.events("live").await;
    refused(&world.client("bob", "group_msg_recall", recall(&seqs[..1])).await, 10007);
    refused(&world.client("ann", "group_msg_recall", recall(&[999_999])).await, 10030);
    ok(&world.client("ann", "group_msg_recall", recall(&seqs[..1])).await);
    let entry = events.next_entry().await;
    let told = &entry["GroupTips"][0]["MsgBody"]["GroupWithdrawInfoArray"][0];
    assert_eq!((&told["MsgSeq"], &told["MsgRandom"]), (&json!(seqs[0]), &json!(1)));
    // The answer was lost, and the client asks again: nobody hears of it a second time.
    ok(&world.client("ann", "group_msg_recall", recall(&seqs[..1])).await);
    refused(&world.client("owner", "group_msg_recall", recall(&seqs[..1])).await, 10032);
    ok(&world.client("owner", "group_msg_recall", recall(&seqs[1..2])).await);
    let entry = events.next_entry().await;
    assert_eq!(entry["GroupTips"][0]["MsgBody"]["GroupWithdrawInfoArray"][0]["MsgSeq"], seqs[1]);
    let many = world.rest("group_msg_recall", recall(&[seqs[0], seqs[2], 999_999])).await;
    let codes: Vec<_> = ok(&many)["RecallRetList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["RetCode"].clone())
        .collect();
    assert_eq!(codes, [10032, 0, 10030]);
    let joined = world.join("cem", "live").await;
    assert_eq!(joined["RspMsgList"].as_array().unwrap().len(), 3, "later joiners do not see them");
    // A message from before the group was made belongs to another group.
    age(seqs[3], 3);
    refused(&world.client("ann", "group_msg_recall", recall(&seqs[3..4])).await, 10030);
}

#[tokio::test]
async fn the_time_to_recall_ends() {
    let around = Around::default();
    around.directory.policy.lock().recall_seconds = 0;
    let world = World::with(Default::default(), around);
    world.create("live").await;
    world.join("ann", "live").await;
    let seq = ok(&world.send("ann", "live", 1).await)["MsgSeq"].as_u64().unwrap();
    let sent = world.around.history.messages("live")[0].msg_time;
    eventually("a second went by", || throng_node::time::now_seconds() > sent).await;
    refused(&world.client("ann", "group_msg_recall", recall(&[seq])).await, 10031);
    ok(&world.client("owner", "group_msg_recall", recall(&[seq])).await);
}

/// Regression: a recall whose caller went away was marked in history, and nobody was told, ever.
#[tokio::test]
async fn a_recall_whose_caller_goes_away_is_carried_out_whole() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let seq = ok(&world.send("ann", "live", 1).await)["MsgSeq"].as_u64().unwrap();
    let mut events = world.events("live").await;
    world.around.history.stall_recalls();
    tokio::select! {
        _ = world.client("ann", "group_msg_recall", recall(&[seq])) => panic!("history stalls"),
        () = eventually("history was asked", || world.around.history.asked_to_recall()) => {}
    }
    world.around.history.works();
    let entry = events.next_entry().await;
    assert_eq!(entry["GroupTips"][0]["MsgBody"]["GroupWithdrawInfoArray"][0]["MsgSeq"], seq);
}
