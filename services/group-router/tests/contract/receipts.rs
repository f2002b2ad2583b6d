//! Who has read a message whose sender wants to know.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::*;

const GROUP: &str = "public";

async fn ask(world: &World, user: &str, random: u32) -> u64 {
    let mut body = message(GROUP, random);
    body["NeedReadReceipt"] = json!(1);
    let answer = world.client(user, "send_group_msg", body).await;
    ok(&answer)["MsgSeq"].as_u64().unwrap()
}

fn named(msg_seqs: &[u64]) -> Value {
    let list: Vec<_> = msg_seqs.iter().map(|seq| json!({ "MsgSeq": seq })).collect();
    json!({ "GroupId": GROUP, "MsgSeqList": list })
}

async fn read(world: &World, user: &str, msg_seqs: &[u64]) -> Value {
    world.client(user, "group_msg_receipt", named(msg_seqs)).await
}

/// Code, readers and others of each message.
async fn counts(world: &World, msg_seqs: &[u64]) -> Vec<(u64, Value, Value)> {
    let answer = world.client("owner", "get_group_msg_receipt", named(msg_seqs)).await;
    let one = |entry: &Value| {
        (entry["Code"].as_u64().unwrap(), entry["ReadNum"].clone(), entry["UnreadNum"].clone())
    };
    ok(&answer)["GroupMsgReceiptList"].as_array().unwrap().iter().map(one).collect()
}

/// All pages of a list by the door of a client, or by REST.
async fn list(world: &World, msg_seq: u64, unread: bool, page: usize, rest: bool) -> Vec<String> {
    let (list, name) =
        if unread { ("UnreadList", "Unread_Account") } else { ("ReadList", "Read_Account") };
    let (mut users, mut cursor) = (Vec::new(), String::new());
    loop {
        let filter = u32::from(unread);
        let answer = if rest {
            let body = json!({ "GroupId": GROUP, "MsgSeq": msg_seq, "Filter": filter,
                "Cursor": cursor, "Count": page });
            world.rest("get_group_msg_receipt_detail", body).await
        } else {
            let body = json!({ "GroupId": GROUP, "MsgSeq": msg_seq, "Flag": filter,
                "Cursor": cursor, "Num": page });
            world.client("owner", "get_group_msg_receipt_detail", body).await
        };
        let answer = ok(&answer);
        let part = answer[list].as_array().unwrap();
        assert!(part.len() <= page);
        users.extend(part.iter().map(|user| user[name].as_str().unwrap().to_owned()));
        assert_eq!(answer["IsFinish"], answer["IsFinished"]);
        if answer["IsFinish"] == 1 {
            return users;
        }
        answer["Cursor"].as_str().unwrap().clone_into(&mut cursor);
    }
}

/// Readers and others of each push to a sender.
fn pushes(world: &World, sender: &str) -> Vec<(u64, u64, u64)> {
    let mut all = Vec::new();
    for (users, entry) in world.around.presence.told() {
        let list = &entry["GroupTips"][0]["MsgBody"]["GroupMsgReceiptList"];
        for receipt in list.as_array().into_iter().flatten() {
            assert_eq!((&users[..], &entry["Event"]), (&[sender.to_owned()][..], &json!(5)));
            let number = |name: &str| receipt[name].as_u64().unwrap();
            all.push((number("MsgSeq"), number("ReadNum"), number("UnreadNum")));
        }
    }
    all
}

#[tokio::test]
async fn each_reader_counts_once_and_the_sender_hears_of_it() {
    let world = World::new();
    public_group(&world, GROUP, &["ann", "bob", "cleo"]).await;
    let (first, second) = (ask(&world, "ann", 1).await, ask(&world, "ann", 2).await);
    let plain = ok(&world.send("ann", GROUP, 3).await)["MsgSeq"].as_u64().unwrap();
    for _ in 0..2 {
        ok(&read(&world, "bob", &[first, second, plain, 99]).await);
        ok(&read(&world, "ann", &[first]).await);
    }
    ok(&read(&world, "cleo", &[first]).await);
    let on_behalf = json!({ "GroupId": GROUP, "From_Account": "owner",
        "MsgSeqList": [{ "MsgSeq": first }] });
    ok(&world.rest("group_msg_receipt", on_behalf.clone()).await);
    refused(&world.client("bob", "group_msg_receipt", on_behalf).await, 10004);
    refused(&read(&world, "zed", &[first]).await, 10007);
    refused(&world.rest("group_msg_receipt", named(&[first])).await, 10007);
    refused(&read(&world, "bob", &[]).await, 10004);
    refused(&read(&world, "bob", &(1..=51).collect::<Vec<_>>()).await, 10005);
    let expected = vec![
        (0, json!(3), json!(0)),
        (0, json!(1), json!(2)),
        (10062, Value::Null, Value::Null),
        (10062, Value::Null, Value::Null),
    ];
    assert_eq!(counts(&world, &[first, second, plain, 99]).await, expected);
    let told = || pushes(&world, "ann");
    eventually("the sender is told", || {
        told().contains(&(first, 3, 0)) && told().contains(&(second, 1, 2))
    })
    .await;
    let world = world.crash();
    assert_eq!(counts(&world, &[first, second, plain, 99]).await, expected, "over a crash");
    ok(&read(&world, "bob", &[first, second]).await);
    assert_eq!(counts(&world, &[second]).await, [(0, json!(1), json!(2))], "still once");
    let history = json!({ "GroupId": GROUP, "ReqMsgNumber": 3 });
    let history = world.rest("group_msg_get_simple", history).await;
    let flags: Vec<_> = ok(&history)["RspMsgList"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|item| item["NeedReadReceipt"] == 1)
        .collect();
    assert_eq!(flags, [true, true, false]);
}

#[tokio::test]
async fn who_came_later_does_not_count_and_who_left_stays_unread() {
    let world = World::new();
    public_group(&world, GROUP, &["ann", "bob", "cleo"]).await;
    let asked = ask(&world, "ann", 1).await;
    ok(&world.client("dan", "apply_join_group", in_group(GROUP)).await);
    ok(&read(&world, "dan", &[asked]).await);
    assert_eq!(counts(&world, &[asked]).await, [(0, json!(0), json!(3))]);
    assert_eq!(list(&world, asked, true, 10, true).await, ["bob", "cleo", "owner"]);
    ok(&world.client("cleo", "quit_group", in_group(GROUP)).await);
    ok(&read(&world, "bob", &[asked]).await);
    assert_eq!(counts(&world, &[asked]).await, [(0, json!(1), json!(2))]);
    assert_eq!(list(&world, asked, true, 10, true).await, ["owner"]);
    assert_eq!(list(&world, asked, false, 10, true).await, ["bob"]);
    let users = json!({ "GroupId": GROUP, "MemberReadMsgList":
        [{ "MsgSeq": asked, "MemberList_Account": ["bob", "owner"] }] });
    let times = world.client("ann", "get_group_msg_receipts_by_users", users).await;
    let times = ok(&times)["MsgReadList"].as_array().unwrap();
    assert_eq!((times.len(), &times[0]["MsgSeq"]), (1, &json!(asked)));
    let readers = times[0]["ReadList"].as_array().unwrap();
    assert_eq!((readers.len(), &readers[0]["Read_Account"]), (1, &json!("bob")));
    assert!(readers[0]["Read_Time"].as_i64().unwrap() > 1_700_000_000);
}

#[tokio::test]
async fn many_readers_are_few_pushes_and_lists_come_in_pages() {
    let world = World::new();
    let members: Vec<String> = (0..400).map(|number| format!("m{number:03}")).collect();
    public_group(&world, GROUP, &["ann"]).await;
    for part in members.chunks(200) {
        let list: Vec<_> = part.iter().map(|user| json!({ "Member_Account": user })).collect();
        let body = json!({ "GroupId": GROUP, "MemberList": list, "Silence": 1 });
        ok(&world.rest("add_group_member", body).await);
    }
    let asked = ask(&world, "ann", 1).await;
    let started = std::time::Instant::now();
    let readers: Vec<_> = members.iter().filter(|user| !user.ends_with('7')).collect();
    let receipts = readers.iter().map(|user| read(&world, user, std::slice::from_ref(&asked)));
    for answer in futures_util::future::join_all(receipts).await {
        ok(&answer);
    }
    let total = 401;
    let last = (asked, 360, total - 360);
    eventually("the last news", || pushes(&world, "ann").last() == Some(&last)).await;
    let most = started.elapsed().as_millis() / 500 + 1;
    assert!(pushes(&world, "ann").len() as u128 <= most, "{:?}", pushes(&world, "ann"));
    for rest in [false, true] {
        let read = list(&world, asked, false, 37, rest).await;
        assert_eq!(read, readers.iter().map(ToString::to_string).collect::<Vec<_>>());
        let unread: BTreeSet<_> = list(&world, asked, true, 7, rest).await.into_iter().collect();
        let expected = members.iter().filter(|user| user.ends_with('7')).cloned();
        assert_eq!(unread, expected.chain(["owner".to_owned()]).collect());
    }
    let too_many =
        json!({ "GroupId": GROUP, "MsgSeq": asked, "Flag": 0, "Cursor": "", "Num": 101 });
    refused(&world.client("ann", "get_group_msg_receipt_detail", too_many).await, 10004);
    let none = json!({ "GroupId": GROUP, "MsgSeq": 99, "Filter": 0, "Cursor": "", "Count": 9 });
    refused(&world.rest("get_group_msg_receipt_detail", none).await, 10062);
}

/// Random failures, crashes and orderly ends, with an oracle: a count is always that of the list, and
/// the list holds everybody who was answered.
#[tokio::test]
async fn dur_1_whatever_fails_a_count_is_that_of_its_list() {
    for seed in 0..15 {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut world = World::new();
        let users: Vec<String> = (0..12).map(|number| format!("u{number:02}")).collect();
        let names: Vec<&str> = users.iter().map(String::as_str).collect();
        public_group(&world, GROUP, &names).await;
        let mut asked = Vec::new();
        for random in 1..=3 {
            asked.push(ask(&world, "owner", random).await);
        }
        let mut answered: BTreeSet<(u64, String)> = BTreeSet::new();
        for _ in 0..20 {
            let burst: Vec<(String, Vec<u64>)> = (0..chance.random_range(1..8))
                .map(|_| {
                    let user = users[chance.random_range(0..users.len())].clone();
                    let seqs = asked.iter().copied().filter(|_| chance.random_range(0..2) == 0);
                    let mut seqs: Vec<u64> = seqs.collect();
                    seqs.push(asked[0]);
                    (user, seqs)
                })
                .collect();
            if chance.random_range(0..4) == 0 {
                world.around.store.fail_writes(1);
            }
            let calls = burst.iter().map(|(user, seqs)| read(&world, user, seqs));
            let answers = futures_util::future::join_all(calls).await;
            world.around.store.fail_writes(0);
            for ((user, seqs), answer) in burst.iter().zip(&answers) {
                if answer["ErrorCode"] == 0 {
                    answered.extend(seqs.iter().map(|seq| (*seq, user.clone())));
                }
            }
            match chance.random_range(0..6) {
                0 => world = world.crash(),
                1 => world = world.restart().await,
                _ => {}
            }
        }
        for seq in &asked {
            let read = list(&world, *seq, false, 5, true).await;
            let unread = list(&world, *seq, true, 5, true).await;
            let counted = counts(&world, &[*seq]).await;
            assert_eq!(counted, [(0, json!(read.len()), json!(unread.len()))], "seed {seed}");
            for (_, user) in answered.iter().filter(|(of, _)| of == seq) {
                assert!(read.contains(user), "seed {seed}: {user} was answered");
            }
        }
    }
}

#[tokio::test]
async fn the_next_owner_goes_on_counting_and_what_comes_late_of_the_former_one_changes_nothing() {
    let around = Around::default();
    let nodes = [Node::beside(&around), Node::beside(&around), Node::beside(&around)];
    nodes[0].serves((1, 0));
    public_group(&nodes[0], GROUP, &["ann", "bob", "cleo", "dan"]).await;
    let asked = ask(&nodes[0], "ann", 1).await;
    ok(&read(&nodes[0], "bob", &[asked]).await);
    let term = nodes[0].hands_over(1).await;
    // Its news waited for more readers; the end of its life did not.
    eventually("the sender is told", || pushes(&nodes[0], "ann") == [(asked, 1, 3)]).await;

    nodes[1].serves(term);
    let store = &nodes[1].around.store;
    ok(&read(&nodes[1], "bob", &[asked]).await);
    assert_eq!(counts(&nodes[1], &[asked]).await, [(0, json!(1), json!(3))], "known");
    store.stall();
    let body = named(&[asked]);
    let request = nodes[1].client_request("cleo", "group_msg_receipt", &body);
    let (lost, ()) = tokio::join!(nodes[1].try_execute(request), async {
        eventually("it is on its way", || store.waiting() > 0).await;
        nodes[1].is_given_up();
        nodes[2].serves((3, i64::MAX / 4));
        ok(&read(&nodes[2], "cleo", &[asked]).await);
        ok(&read(&nodes[2], "dan", &[asked]).await);
        store.go_on();
    });
    unknown(lost);
    assert_eq!(counts(&nodes[2], &[asked]).await, [(0, json!(3), json!(1))]);
    assert_eq!(list(&nodes[2], asked, false, 2, true).await, ["bob", "cleo", "dan"]);
}
