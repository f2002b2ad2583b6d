//! What may be done with messages of a log after they were sent.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_recall_is_told_to_all_and_stays_over_a_crash() {
    let world = public().await;
    for random in 1..=4 {
        ok(&world.send("ann", GROUP, random).await);
    }
    refused(&world.client("bob", "group_msg_recall", recall(&[1])).await, 10007);
    refused(&world.client("cem", "group_msg_recall", recall(&[1])).await, 10007);
    refused(&world.client("ann", "group_msg_recall", recall(&[9])).await, 10030);
    ok(&world.client("ann", "group_msg_recall", recall(&[4])).await);
    let (users, entry) = told_of(&world, 5, 3).await.pop().unwrap();
    assert_eq!(users, ["ann", "bob", "owner"]);
    let item = &entry["GroupTips"][0];
    assert_eq!(item["RevokerInfo"], json!({ "Revoker_Account": "ann", "Reason": "a slip" }));
    let recalled = &item["MsgBody"]["GroupWithdrawInfoArray"][0];
    assert_eq!((&recalled["MsgSeq"], &recalled["MsgRandom"]), (&json!(4), &json!(4)));
    refused(&world.client("owner", "group_msg_recall", recall(&[4])).await, 10032);
    let many = world.client("owner", "group_msg_recall", recall(&[4, 2, 9])).await;
    let codes: Vec<_> = ok(&many)["RecallRetList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["RetCode"].clone())
        .collect();
    assert_eq!(codes, [10032, 0, 10030]);
    let last = described(&world, "bob").await.last.unwrap();
    assert!(last.recalled, "the conversation shows it");
    assert_eq!(unread(&world, "bob").await, 2, "nobody has to have read what is gone");

    let world = world.crash();
    let page = page(&world, "bob").await;
    let places: Vec<_> =
        page["RspMsgList"].as_array().unwrap().iter().map(|item| &item["IsPlaceMsg"]).collect();
    assert_eq!(places, [2, 0, 2, 0]);
    assert_eq!(page["RspMsgList"][0]["RevokerInfo"]["Revoker_Account"], "ann");
    assert_eq!(unread(&world, "bob").await, 2);
    assert!(described(&world, "bob").await.last.unwrap().recalled);
    let simple = json!({ "GroupId": GROUP, "ReqMsgNumber": 2 });
    let simple = world.rest("group_msg_get_simple", simple).await;
    assert_eq!(seqs(&simple), [3, 1], "without recalled ones, whose place others take");
}

#[tokio::test]
async fn a_recall_may_be_asked_for_again() {
    let world = public().await;
    for random in 1..=3 {
        ok(&world.send("ann", GROUP, random).await);
    }
    let codes = |answer: &Value| -> Vec<Value> {
        let list = ok(answer)["RecallRetList"].as_array().unwrap().iter();
        list.map(|one| one["RetCode"].clone()).collect()
    };
    let before = told(&world, 5).len();
    let all = json!([recall(&[1]), recall(&[1]), recall(&[1, 2]), recall(&[1, 2])]);
    for body in all.as_array().unwrap() {
        let answer = world.client("ann", "group_msg_recall", body.clone()).await;
        assert!(codes(&answer).iter().all(|code| *code == 0), "{answer}");
    }
    // Whoever waits for the answer, and asks once more meanwhile.
    let at_once = (0..4).map(|_| world.client("ann", "group_msg_recall", recall(&[3])));
    for answer in futures_util::future::join_all(at_once).await {
        assert_eq!(codes(&answer), [0]);
    }
    ok(&world.send("ann", GROUP, 4).await);
    eventually("all is told", || told(&world, 3).len() == 4).await;
    let recalled: Vec<_> = told(&world, 5)[before..]
        .iter()
        .map(|(_, entry)| entry["GroupTips"][0]["MsgBody"]["GroupWithdrawInfoArray"].clone())
        .collect();
    let seqs: Vec<_> = recalled.iter().map(|list| &list[0]["MsgSeq"]).collect();
    assert_eq!(seqs, [1, 2, 3], "each once");
    assert!(recalled.iter().all(|list| list.as_array().unwrap().len() == 1));
    refused(&world.client("owner", "group_msg_recall", recall(&[1])).await, 10032);
}

#[tokio::test]
async fn the_time_to_recall_ends_for_members_alone() {
    let around = Around::default();
    around.directory.policy.lock().recall_seconds = 0;
    let world = World::with(Default::default(), around);
    let body = json!({ "Type": "Public", "Name": "Chess", "GroupId": GROUP,
        "Owner_Account": "owner", "MemberList": [{ "Member_Account": "ann" }] });
    ok(&world.rest("create_group", body).await);
    let sent = ok(&world.send("ann", GROUP, 1).await)["MsgTime"].as_i64().unwrap();
    eventually("a second went by", || throng_node::time::now_seconds() > sent).await;
    refused(&world.client("ann", "group_msg_recall", recall(&[1])).await, 10031);
    ok(&world.client("owner", "group_msg_recall", recall(&[1])).await);
}

#[tokio::test]
async fn a_recall_that_is_not_kept_is_told_to_nobody_and_may_be_repeated() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    world.around.history.turn_to(Mood::Unheard);
    refused(&world.client("ann", "group_msg_recall", recall(&[1])).await, 10002);
    world.around.history.works();
    assert_eq!(told(&world, 5).len(), 2, "the notices of the foundation");
    ok(&world.send("ann", GROUP, 2).await);
    // It is there, and so the next life tells it.
    told_of(&world, 5, 3).await;
    ok(&world.client("ann", "group_msg_recall", recall(&[1])).await);
    told_of(&world, 5, 4).await;
}

#[tokio::test]
async fn what_was_changed_and_not_told_is_told_by_the_next_life() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    ok(&world.send("ann", GROUP, 2).await);
    world.around.history.turn_to(Mood::Unheard);
    refused(&world.client("ann", "modify_group_msg", edit(1, 0, "new")).await, 10002);
    world.around.history.works();
    assert_eq!(told(&world, 18).len() + told(&world, 3).len(), 2, "nobody hears of it");
    // The client asks again: it is there already.
    assert_eq!(
        ok(&world.client("ann", "modify_group_msg", edit(1, 0, "new")).await)["MsgVersion"],
        1
    );
    eventually("it is told", || {
        let retold = told(&world, 3);
        retold.iter().any(|(_, entry)| entry["GroupMsgArray"][0]["MsgVersion"] == 1)
    })
    .await;
}

#[tokio::test]
async fn a_senders_messages_vanish_silently() {
    let world = public().await;
    for random in 1..=3 {
        ok(&world.send("ann", GROUP, random).await);
        ok(&world.send("bob", GROUP, random).await);
    }
    let before = told(&world, 5).len();
    let body = json!({ "GroupId": GROUP, "Sender_Account": "ann" });
    ok(&world.rest("delete_group_msg_by_sender", body.clone()).await);
    ok(&world.rest("delete_group_msg_by_sender", body).await);
    let page = page(&world, "bob").await;
    let places: Vec<_> =
        page["RspMsgList"].as_array().unwrap().iter().map(|item| &item["IsPlaceMsg"]).collect();
    assert_eq!(places, [0, 2, 0, 2, 0, 2]);
    assert_eq!(told(&world, 5).len(), before, "nobody is told");
    assert_eq!(world.around.history.asked_to_amend(), 1, "once");
    world.create("live").await;
    let body = json!({ "GroupId": "live", "Sender_Account": "ann" });
    ok(&world.rest("delete_group_msg_by_sender", body).await);
}

#[tokio::test]
async fn recalls_that_were_missed_are_asked_for_by_time() {
    let world = public().await;
    let randoms: Vec<u32> = (1..=5).collect();
    for random in &randoms {
        ok(&world.send("ann", GROUP, *random).await);
    }
    let before = throng_node::time::now_micros();
    ok(&world.rest("group_msg_recall", recall(&[5, 1])).await);
    ok(&world.rest("group_msg_recall", recall(&[3])).await);
    let ask = |user: &'static str, begin: i64, limit: u32| {
        let one = json!({ "GroupId": GROUP, "NotifyType": 1, "Limit": limit, "BeginTime": begin,
            "EndTime": before + 3_600_000_000i64 });
        let unknown =
            json!({ "GroupId": "nowhere", "NotifyType": 1, "BeginTime": 0, "EndTime": 0 });
        world.client(user, "batch_get_group_notify", json!({ "NotifyReqList": [one, unknown] }))
    };
    let (mut begin, mut seen) = (before, Vec::new());
    loop {
        let answer = ask("bob", begin, 2).await;
        let [group] = &ok(&answer)["NotifyRspList"].as_array().unwrap()[..] else {
            panic!("{answer}");
        };
        for notify in group["NotifyMsgList"].as_array().unwrap() {
            assert_eq!(notify["RevokerInfo"]["Revoker_Account"], "admin");
            assert_eq!(notify["Random"], notify["MsgSeq"]);
            seen.push(notify["MsgSeq"].as_u64().unwrap());
        }
        begin = group["NextMsgTime"].as_i64().unwrap();
        if begin == 0 {
            break;
        }
    }
    assert_eq!(seen, [5, 1, 3]);
    assert_eq!(ask("cem", 0, 20).await["NotifyRspList"], json!([]), "not in the group");
}

fn edit(msg_seq: u64, version: u32, text: &str) -> Value {
    json!({ "GroupId": GROUP, "MsgSeq": msg_seq, "MsgVersion": version, "CloudCustomData": "c",
        "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } }] })
}

#[tokio::test]
async fn a_message_is_modified_by_who_knows_its_version() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    let answer = world.client("bob", "modify_group_msg", edit(1, 0, "one")).await;
    assert_eq!(ok(&answer)["MsgVersion"], 1);
    assert_eq!(answer["MsgBody"][0]["MsgContent"]["Text"], "one");
    let (users, entry) = told_of(&world, 18, 1).await.pop().unwrap();
    assert_eq!(users, ["ann", "bob", "owner"]);
    let item = &entry["GroupMsgModNotifys"][0];
    assert_eq!((&item["MsgSeq"], &item["MsgRandom"]), (&json!(1), &json!(1)));
    assert_eq!((&item["MsgVersion"], &item["CloudCustomData"]), (&json!(1), &json!("c")));
    assert_eq!(item["MsgBody"][0]["MsgContent"]["Text"], "one");

    let conflict = world.client("ann", "modify_group_msg", edit(1, 0, "two")).await;
    refused(&conflict, 20027);
    assert_eq!(conflict["MsgBody"][0]["MsgContent"]["Text"], "one");
    assert_eq!((&conflict["MsgVersion"], &conflict["CloudCustomData"]), (&json!(1), &json!("c")));
    // The answer was lost, and the client asks again.
    assert_eq!(
        ok(&world.client("bob", "modify_group_msg", edit(1, 0, "one")).await)["MsgVersion"],
        1
    );
    assert_eq!(
        ok(&world.client("ann", "modify_group_msg", edit(1, 1, "two")).await)["MsgVersion"],
        2
    );
    let custom = json!({ "GroupId": GROUP, "MsgSeq": 1, "CloudCustomData": "of the server" });
    let answer = world.rest("modify_group_msg", custom).await;
    assert_eq!((&answer["ErrorInfo"], &answer["MsgVersion"]), (&json!("succeed"), &json!(3)));

    let custom = json!({ "GroupId": GROUP, "MsgSeq": 1, "CloudCustomData": "of the server" });
    let again = world.rest("modify_group_msg", custom).await;
    assert_eq!(ok(&again)["MsgVersion"], 3, "nothing to change");

    let world = world.crash();
    let item = page(&world, "ann").await["RspMsgList"][0].clone();
    assert_eq!(
        (&item["MsgVersion"], &item["CloudCustomData"]),
        (&json!(3), &json!("of the server"))
    );
    assert_eq!(item["MsgBody"][0]["MsgContent"]["Text"], "two");
    let last = described(&world, "bob").await.last.unwrap();
    assert_eq!(last.cloud_custom_data, "of the server");
}

#[tokio::test]
async fn a_late_change_of_an_earlier_life_loses() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    ok(&world.send("ann", GROUP, 2).await);
    world.around.history.turn_to(Mood::Late);
    refused(&world.client("ann", "modify_group_msg", edit(1, 0, "late")).await, 10002);
    refused(&world.client("ann", "group_msg_recall", recall(&[2])).await, 10002);
    world.around.history.works();
    ok(&world.client("bob", "modify_group_msg", edit(1, 0, "in time")).await);
    world.around.history.late_appends_arrive();
    let world = world.crash();
    let page = page(&world, "ann").await;
    assert_eq!(page["RspMsgList"][1]["MsgBody"][0]["MsgContent"]["Text"], "in time");
    // What nobody was told may come to be so; then it is for all and for good.
    assert_eq!(page["RspMsgList"][0]["IsPlaceMsg"], 2);
}

#[tokio::test]
async fn of_changes_at_the_same_time_one_after_the_other_counts() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    let texts: Vec<String> = (0..6).map(|number| format!("text {number}")).collect();
    let edits = texts.iter().map(|text| world.client("bob", "modify_group_msg", edit(1, 0, text)));
    let answers = futures_util::future::join_all(edits).await;
    let codes: Vec<_> =
        answers.iter().map(|answer| answer["ErrorCode"].as_u64().unwrap()).collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| [0, 20027].contains(code)), "{codes:?}");
    // Without a version each counts.
    let edits = texts.iter().map(|text| {
        let body = json!({ "GroupId": GROUP, "MsgSeq": 1, "CloudCustomData": text });
        world.rest("modify_group_msg", body)
    });
    let mut versions: Vec<_> = futures_util::future::join_all(edits)
        .await
        .iter()
        .map(|answer| ok(answer)["MsgVersion"].as_u64().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, [2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn what_cannot_be_modified() {
    let world = public().await;
    ok(&world.client("cem", "apply_join_group", in_group(GROUP)).await);
    ok(&world.send("ann", GROUP, 1).await);
    let modify = |user: &'static str, body: Value| world.client(user, "modify_group_msg", body);
    refused(&modify("ann", edit(1, 0, "a tip")).await, 20022);
    refused(&modify("ann", edit(9, 0, "nothing")).await, 20022);
    refused(&modify("dan", edit(2, 0, "from outside")).await, 10007);
    refused(&modify("ann", json!({ "GroupId": GROUP, "MsgSeq": 2 })).await, 20001);
    refused(&modify("ann", edit(2, 0, &"x".repeat(13_000))).await, 80002);
    let broken = json!({ "GroupId": GROUP, "MsgSeq": 2, "MsgBody": [{ "MsgType": "TIMNoElem" }] });
    refused(&world.rest("modify_group_msg", broken).await, 90010);
    ok(&world.client("ann", "group_msg_recall", recall(&[2])).await);
    refused(&modify("ann", edit(2, 0, "recalled")).await, 20023);
    world.create("live").await;
    let live = json!({ "GroupId": "live", "MsgSeq": 1, "CloudCustomData": "" });
    refused(&world.rest("modify_group_msg", live).await, 10007);
}

#[tokio::test]
async fn deleted_and_cleared_messages_are_out_of_sight_and_no_more() {
    let world = public().await;
    for random in 1..=5 {
        ok(&world.send("ann", GROUP, random).await);
    }
    let delete = |seqs: Value| {
        let body = json!({ "GroupId": GROUP, "Deleter_Account": "bob", "Seqs": seqs });
        world.client("bob", "delete_group_ramble_msg_by_seq", body)
    };
    ok(&delete(json!(["2", 4, "77"])).await);
    refused(&delete(json!(["two"])).await, 10004);
    refused(&delete(json!((0..31).collect::<Vec<_>>())).await, 10005);
    let other = json!({ "GroupId": GROUP, "Deleter_Account": "ann", "Seqs": ["1"] });
    refused(&world.client("bob", "delete_group_ramble_msg_by_seq", other).await, 10007);
    let page_of_bob = page(&world, "bob").await;
    assert_eq!(seqs(&page_of_bob), [5, 3, 1]);
    assert_eq!(page_of_bob["InvisibleMsgSeq"], json!([4, 2]));
    let named =
        json!({ "GroupId": GROUP, "GetType": 3, "ReqMsgNumber": 1, "ReqMsgSeqList": [5, 4, 3] });
    assert_eq!(seqs(&world.client("bob", "group_msg_get", named).await), [5, 3]);
    assert_eq!(seqs(&page(&world, "ann").await), [5, 4, 3, 2, 1], "for the others nothing changed");

    ok(&world.rest("clear_group_msg", json!({ "GroupId": GROUP, "MsgSeq": 3 })).await);
    let world = world.crash();
    assert_eq!(seqs(&page(&world, "ann").await), [5, 4]);
    assert_eq!(seqs(&page(&world, "bob").await), [5]);
    let simple = json!({ "GroupId": GROUP, "ReqMsgNumber": 20 });
    assert_eq!(seqs(&world.rest("group_msg_get_simple", simple.clone()).await), [5, 4, 3, 2, 1]);
    refused(&world.client("ann", "group_msg_recall", recall(&[2])).await, 10030);
    ok(&world.rest("clear_group_msg", json!({ "GroupId": GROUP })).await);
    assert_eq!(seqs(&page(&world, "ann").await), [0u64; 0]);
    assert_eq!((unread(&world, "bob").await, last(&world, "bob").await), (0, 0));
    ok(&world.send("ann", GROUP, 6).await);
    assert_eq!(seqs(&page(&world, "bob").await), [6]);
    assert_eq!(unread(&world, "bob").await, 1);
}

#[tokio::test]
async fn a_conversation_shows_the_newest_message_that_the_member_did_not_delete() {
    let world = public().await;
    for random in 1..=120 {
        ok(&world.send("ann", GROUP, random).await);
    }
    ok(&send(&world, "ann", json!({ "Random": 121, "To_Account": ["ann"] })).await);
    let delete = |world: &World, seqs: std::ops::RangeInclusive<u32>| {
        let seqs: Vec<_> = seqs.map(|seq| seq.to_string()).collect();
        let body = json!({ "GroupId": GROUP, "Deleter_Account": "bob", "Seqs": seqs });
        let request = world.client_request("bob", "delete_group_ramble_msg_by_seq", &body);
        let router = world.router.clone();
        async move { router.clone().execute(request).await.unwrap().into_inner() }
    };
    assert_eq!(delete(&world, 116..=118).await.code, 0);
    assert_eq!((last(&world, "bob").await, last(&world, "ann").await), (120, 121));
    assert_eq!(delete(&world, 119..=120).await.code, 0);
    assert_eq!((last(&world, "bob").await, last(&world, "owner").await), (115, 120));
    let world = world.crash();
    for first in [91, 61, 31, 1] {
        assert_eq!(last(&world, "bob").await, if first == 91 { 115 } else { first + 29 });
        assert_eq!(delete(&world, first..=first + 29).await.code, 0);
    }
    assert_eq!(last(&world, "bob").await, 0, "over several pages");
    ok(&world.send("ann", GROUP, 122).await);
    assert_eq!(last(&world, "bob").await, 122);
}

#[tokio::test]
async fn nor_one_that_was_never_for_the_member() {
    let world = public().await;
    for (random, recipients) in [(1, json!([])), (2, json!(["owner"])), (3, json!(["bob"]))] {
        ok(&send(&world, "ann", json!({ "Random": random, "To_Account": recipients })).await);
    }
    ok(&world.send("ann", GROUP, 4).await);
    for (deleted, left) in [(4, 3), (3, 1)] {
        let body = json!({ "GroupId": GROUP, "Deleter_Account": "bob", "Seqs": [deleted] });
        ok(&world.client("bob", "delete_group_ramble_msg_by_seq", body).await);
        assert_eq!(last(&world, "bob").await, left);
    }
}

#[tokio::test]
async fn imported_messages_are_there_unheard_and_read() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    assert_eq!(unread(&world, "bob").await, 1);
    let now = throng_node::time::now_seconds();
    let entry = |random: u32, time: i64, text: &str| {
        json!({ "From_Account": "ann", "SendTime": time, "Random": random,
            "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } }] })
    };
    let long = "x".repeat(13_000);
    let list = json!([
        entry(5, now, "one"),
        entry(6, 1000, "too early"),
        entry(7, now + 900, "not yet"),
        entry(8, now, &long),
        entry(5, now, "again")
    ]);
    let import = json!({ "GroupId": GROUP, "RecentContactFlag": 1, "MsgList": list });
    let answer = world.rest("import_group_msg", import).await;
    let results: Vec<_> = ok(&answer)["ImportMsgResult"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["MsgSeq"].as_u64().unwrap(), one["Result"].as_u64().unwrap()))
        .collect();
    assert_eq!(results, [(2, 0), (0, 10004), (0, 10004), (0, 80002), (2, 0)]);
    assert_eq!(told(&world, 3).len(), 1, "nobody is told");
    assert_eq!((unread(&world, "bob").await, last(&world, "bob").await), (0, 2));
    let quiet = json!({ "GroupId": GROUP, "MsgList": [entry(9, now, "quiet")] });
    ok(&world.rest("import_group_msg", quiet).await);
    assert_eq!(last(&world, "bob").await, 2, "unless it is to be shown");
    ok(&world.send("ann", GROUP, 10).await);

    let unread_of = |user: &str, number: u32| json!({ "GroupId": GROUP, "Member_Account": user, "UnreadMsgNum": number });
    ok(&world.rest("set_unread_msg_num", unread_of("bob", 3)).await);
    refused(&world.rest("set_unread_msg_num", unread_of("cem", 3)).await, 10007);
    let world = world.crash();
    assert_eq!((unread(&world, "bob").await, unread(&world, "owner").await), (3, 1));
    ok(&world.rest("set_unread_msg_num", unread_of("bob", 99)).await);
    assert_eq!(unread(&world, "bob").await, 4, "at most all");
    let many: Vec<_> = (0..8).map(|random| entry(random, now, "many")).collect();
    refused(
        &world.rest("import_group_msg", json!({ "GroupId": GROUP, "MsgList": many })).await,
        10005,
    );
}
