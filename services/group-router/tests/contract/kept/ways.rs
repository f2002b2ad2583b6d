//! How messages of a log may be sent.

use serde_json::{Value, json};
use throng_proto::v1;

use super::*;

#[tokio::test]
async fn who_is_mentioned_is_told() {
    let world = public().await;
    let named = json!([{ "GroupAtAllFlag": 0, "GroupAt_Account": "bob" },
        { "GroupAtAllFlag": 0, "GroupAt_Account": "cem" }]);
    ok(&send(&world, "ann", json!({ "Random": 1, "GroupAtInfo": named })).await);
    let (users, entry) = told_of(&world, 12, 1).await.pop().unwrap();
    assert_eq!(users, ["bob"], "not who is not here");
    let tip = &entry["GroupTips"][0]["GroupAtTips"];
    assert_eq!(
        *tip,
        json!({ "From_Account": "ann", "GroupId": GROUP, "AtMsgSeq": 1, "AtFlagList": [1] })
    );
    let item = &page(&world, "bob").await["RspMsgList"][0];
    assert_eq!(item["GroupAtInfo"][0]["GroupAt_Account"], "bob");

    let all = json!([{ "GroupAtAllFlag": 1 }, { "GroupAtAllFlag": 0, "GroupAt_Account": "bob" }]);
    ok(&send(&world, "ann", json!({ "Random": 2, "GroupAtInfo": all })).await);
    let tips = told_of(&world, 12, 3).await;
    let flags = |place: usize| tips[place].1["GroupTips"][0]["GroupAtTips"]["AtFlagList"].clone();
    assert_eq!((tips[1].0.contains(&"bob".to_owned()), flags(1)), (false, json!([2])));
    assert_eq!((&tips[2].0[..], flags(2)), (&["bob".to_owned()][..], json!([1, 2])));
    ok(&send(&world, "ann", json!({ "Random": 3, "GroupAtInfo": [{ "GroupAtAllFlag": 1 }] }))
        .await);
    assert_eq!(told_of(&world, 12, 4).await[3].0, ["ann", "bob", "owner"]);
}

/// Numbers and flags of what mentions a user, and is not read.
async fn mentions(world: &World, user: &str) -> Vec<(u64, Value)> {
    let request = v1::DescribeGroupRequest {
        app: APP.0,
        group_id: GROUP.to_owned(),
        user: user.to_owned(),
        mentions_since: 1,
        ..v1::DescribeGroupRequest::default()
    };
    let reply = world.router.clone().describe_group(request).await.unwrap().into_inner();
    let one = |entry: &bytes::Bytes| {
        let entry: Value = serde_json::from_slice(entry).unwrap();
        assert_eq!(entry["Event"], 12);
        let tip = &entry["GroupTips"][0]["GroupAtTips"];
        assert_eq!(tip["From_Account"], "ann");
        (tip["AtMsgSeq"].as_u64().unwrap(), tip["AtFlagList"].clone())
    };
    reply.mentions.iter().map(one).collect()
}

#[tokio::test]
async fn who_is_mentioned_learns_of_it_until_it_is_read() {
    let world = public().await;
    let at = |user: &str| json!({ "GroupAtAllFlag": 0, "GroupAt_Account": user });
    let all = json!({ "GroupAtAllFlag": 1 });
    let infos = [json!([at("bob")]), json!([all]), json!([all, at("bob")]), json!([at("owner")])];
    for (random, info) in infos.iter().enumerate() {
        let fields = json!({ "Random": random + 1, "GroupAtInfo": info });
        ok(&send(&world, "ann", fields).await);
    }
    ok(&world.client("cem", "apply_join_group", in_group(GROUP)).await);
    let world = world.crash();
    let of_bob = [(1, json!([1])), (2, json!([2])), (3, json!([1, 2]))];
    assert_eq!(mentions(&world, "bob").await, of_bob);
    assert_eq!(mentions(&world, "owner").await[2], (4, json!([1])));
    assert_eq!(mentions(&world, "ann").await, [], "who mentioned");
    assert_eq!(mentions(&world, "cem").await, [], "who was not there");
    let joined = |user: &str, since: i64| v1::JoinedGroupsRequest {
        app: APP.0,
        user: user.to_owned(),
        limit: 10,
        mentions_since: since,
        ..v1::JoinedGroupsRequest::default()
    };
    for (user, since, groups) in [("bob", 1, 1), ("cem", 1, 0), ("bob", i64::MAX, 0), ("cem", 0, 1)]
    {
        let reply = world.router.clone().joined_groups(joined(user, since)).await.unwrap();
        assert_eq!(reply.into_inner().groups.len(), groups, "{user} {since}");
    }

    ok(&world.client("ann", "group_msg_recall", recall(&[1])).await);
    assert_eq!(mentions(&world, "bob").await, of_bob[1..], "it is gone");
    let see = |user: &str, msg_seq: u32| v1::ForgetMentionsRequest {
        app: APP.0,
        group_id: GROUP.to_owned(),
        user: user.to_owned(),
        msg_seq,
    };
    world.router.clone().forget_mentions(see("bob", 2)).await.unwrap();
    assert_eq!(mentions(&world, "bob").await, of_bob[2..]);
    world.router.clone().forget_mentions(see("zed", 2)).await.unwrap();
    let world = world.crash();
    assert_eq!(mentions(&world, "bob").await, of_bob[2..]);
    let report = json!({ "GroupId": GROUP, "MsgReadedSeq": 3 });
    ok(&world.client("bob", "msg_read_report", report).await);
    assert_eq!(mentions(&world, "bob").await, []);
    assert_eq!(mentions(&world, "owner").await.len(), 3);
}

#[tokio::test]
async fn a_directed_message_is_for_its_recipients() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    let sent = send(&world, "ann", json!({ "Random": 2, "To_Account": ["bob", "cem"] })).await;
    assert_eq!(ok(&sent)["MsgSeq"], 2);
    let (users, entry) = told_of(&world, 3, 2).await.pop().unwrap();
    assert_eq!(users, ["ann", "bob"]);
    assert_eq!(entry["GroupMsgArray"][0]["SendMsgControl"]["NoUnread"], 1);
    for world in [world.crash()] {
        assert_eq!(seqs(&page(&world, "bob").await), [2, 1]);
        assert_eq!(seqs(&page(&world, "ann").await), [2, 1]);
        assert_eq!(seqs(&page(&world, "owner").await), [1]);
        assert_eq!(page(&world, "owner").await["InvisibleMsgSeq"], json!([2]));
        assert_eq!((last(&world, "bob").await, last(&world, "owner").await), (2, 1));
        assert_eq!((unread(&world, "bob").await, unread(&world, "owner").await), (1, 1));
        refused(&world.client("owner", "group_msg_recall", recall(&[2])).await, 10030);
        let before = told(&world, 5).len();
        ok(&world.client("ann", "group_msg_recall", recall(&[2])).await);
        assert_eq!(told_of(&world, 5, before + 1).await[before].0, ["ann", "bob"]);
        let nobody = send(&world, "ann", json!({ "Random": 3, "To_Account": ["cem"] })).await;
        refused(&nobody, 10004);
    }
}

#[tokio::test]
async fn online_only_messages_are_not_kept_and_take_no_number() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    let online = json!({ "Random": 2, "OnlineOnlyFlag": 1 });
    let sent = send(&world, "ann", online.clone()).await;
    assert_eq!(ok(&sent)["MsgSeq"], 1);
    ok(&send(&world, "ann", online).await);
    assert_eq!(ok(&world.send("ann", GROUP, 3).await)["MsgSeq"], 2);
    let heard = told_of(&world, 3, 3).await;
    assert_eq!(heard[1].1["GroupMsgArray"][0]["OnlineOnlyFlag"], 1);
    assert_eq!(seqs(&page(&world, "bob").await), [2, 1]);
}

#[tokio::test]
async fn some_messages_neither_count_nor_show_in_the_conversation() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    ok(&send(&world, "ann", json!({ "Random": 2, "SendMsgControl": ["NoUnread"] })).await);
    ok(&send(&world, "ann", json!({ "Random": 3, "SendMsgControl": ["NoLastMsg", "NoUnread"] }))
        .await);
    let (_, entry) = told_of(&world, 3, 3).await.pop().unwrap();
    let control = &entry["GroupMsgArray"][0]["SendMsgControl"];
    assert_eq!(*control, json!({ "NoUnread": 1, "NoLastMsg": 1 }));
    let world = world.crash();
    assert_eq!((unread(&world, "bob").await, last(&world, "bob").await), (1, 2));
    ok(&world.send("ann", GROUP, 4).await);
    assert_eq!((unread(&world, "bob").await, last(&world, "bob").await), (2, 4));
}
