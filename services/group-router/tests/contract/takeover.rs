//! Groups go from one node to another: in order, under traffic, and after a death.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use parking_lot::Mutex;
use serde_json::{Value, json};
use throng_node::cluster::is_not_begun;
use throng_proto::v1;

use crate::support::*;

/// What a link does: asks whoever owns the group now, again and again.
async fn send(nodes: &[Node], owner: &AtomicUsize, user: &str, random: u32) -> Value {
    loop {
        let node = &nodes[owner.load(Ordering::SeqCst)];
        match node.try_send(user, "live", random).await {
            Ok(answer) => return answer,
            Err(status) => {
                assert!(is_not_begun(&status), "all that was begun was carried out: {status:?}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

#[tokio::test]
async fn a_hand_over_under_traffic_loses_nothing_and_answers_all() {
    let around = Around::default();
    around.directory.policy.lock().messages_per_second = 100_000;
    let users: Vec<String> = (0..8).map(|number| format!("{number}-user")).collect();
    around.presence.members.lock().extend(users.iter().cloned());
    let nodes = [Node::beside(&around), Node::beside(&around), Node::beside(&around)];
    nodes[0].serves((1, 0));
    nodes[0].create("live").await;
    let mut events = nodes[0].events("live").await;
    let owner = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let traffic = join_all(users.iter().zip(0..).map(|(user, place)| {
        let (nodes, owner, done) = (&nodes, &owner, &done);
        async move {
            let mut answers = Vec::new();
            for number in 0..60u32 {
                let random = place * 1000 + number;
                answers.push((random, send(nodes, owner, user, random).await));
                done.fetch_add(1, Ordering::SeqCst);
            }
            answers
        }
    }));
    let handovers = async {
        let mut epoch = 1;
        for round in 1..=9 {
            eventually("some messages are answered", || done.load(Ordering::SeqCst) >= round * 40)
                .await;
            let from = owner.load(Ordering::SeqCst);
            let term = nodes[from].hands_over(epoch).await;
            let to = (from + 1) % nodes.len();
            nodes[to].serves(term);
            owner.store(to, Ordering::SeqCst);
            epoch = term.0;
        }
    };
    let (answers, ()) = tokio::join!(traffic, handovers);
    let mut acknowledged = BTreeMap::new();
    for (random, answer) in answers.iter().flatten() {
        assert!(ok(answer)["MsgDropReason"].is_null(), "{answer}");
        acknowledged.insert(answer["MsgSeq"].as_u64().unwrap(), *random);
    }
    assert_eq!(acknowledged.len(), 8 * 60, "each has a number of its own");
    let kept = around.history.messages("live");
    let kept: BTreeMap<u64, u32> =
        kept.iter().map(|message| (message.msg_seq.into(), message.random)).collect();
    assert_eq!(kept, acknowledged, "DUR-1, DUP-1");
    // ORD-1 and REC-1 over all owners: `Events` looks at each.
    let mut heard = BTreeSet::new();
    while heard.len() < acknowledged.len() {
        assert!(heard.insert(events.next_message().await["MsgRandom"].as_u64().unwrap()));
    }
    let highest = acknowledged.keys().last().unwrap();
    assert!(*highest < 8 * 60 + 20, "orderly ends give back what they did not use: {highest}");
}

/// As a gateway sends a connection's messages on: several at a time, each again until it is answered.
async fn send_numbered(nodes: &[Node], owner: &AtomicUsize, user: &str, messages: u32) {
    let answered = Mutex::new(BTreeSet::new());
    let all = (1..=messages).map(|number| {
        let answered = &answered;
        async move {
            let settled =
                (0..).take_while(|before| answered.lock().contains(&(before + 1))).count();
            let settled = u32::try_from(settled).unwrap();
            let stream = u64::from(user.as_bytes()[0]);
            let order = Some(v1::SendOrder { stream, number, settled });
            loop {
                let node = &nodes[owner.load(Ordering::SeqCst)];
                let body = message("live", number);
                let request = node.client_request(user, "send_group_msg", &body);
                match node.try_execute(v1::CommandRequest { order, ..request }).await {
                    Ok(answer) => break assert_eq!(answer.code, 0),
                    Err(status) => assert!(is_not_begun(&status), "{status:?}"),
                }
                tokio::time::sleep(Duration::from_millis(u64::from(number % 7))).await;
            }
            answered.lock().insert(number);
        }
    });
    stream::iter(all).buffer_unordered(6).collect::<()>().await;
}

#[tokio::test]
async fn ord_1_numbered_messages_keep_their_order_over_hand_overs_and_pauses() {
    const MESSAGES: u32 = 80;
    let around = Around::default();
    around.directory.policy.lock().messages_per_second = 100_000;
    let users: Vec<String> = (0..4).map(|number| format!("{number}-user")).collect();
    around.presence.members.lock().extend(users.iter().cloned());
    let nodes = [Node::beside(&around), Node::beside(&around)];
    nodes[0].serves((1, 0));
    nodes[0].create("live").await;
    let owner = AtomicUsize::new(0);
    let kept = || around.history.messages("live");
    let traffic = join_all(users.iter().map(|user| send_numbered(&nodes, &owner, user, MESSAGES)));
    let handovers = async {
        let mut epoch = 1;
        for round in 1..=6 {
            eventually("some messages are kept", || kept().len() >= round * 40).await;
            let from = owner.load(Ordering::SeqCst);
            nodes[from].lapses().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            nodes[from].renew();
            eventually("more messages are kept", || kept().len() >= round * 40 + 20).await;
            let term = nodes[from].hands_over(epoch).await;
            nodes[1 - from].serves(term);
            owner.store(1 - from, Ordering::SeqCst);
            epoch = term.0;
        }
    };
    tokio::join!(traffic, handovers);
    for user in &users {
        let of_user = kept().into_iter().filter(|message| message.from == *user);
        let numbers: Vec<u32> = of_user.map(|message| message.random).collect();
        assert_eq!(numbers, (1..=MESSAGES).collect::<Vec<_>>(), "{user}");
    }
}

/// Messages that wait for the budget of the second go to the next owner, and are not dropped.
#[tokio::test]
async fn a_hand_over_sends_waiting_messages_on() {
    let around = Around::default();
    around.directory.policy.lock().messages_per_second = 5;
    around.presence.members.lock().insert("ann".to_owned());
    let nodes = [Node::beside(&around), Node::beside(&around)];
    nodes[0].serves((1, 0));
    nodes[0].create("live").await;
    let owner = AtomicUsize::new(0);
    let first_done = Mutex::new(0);
    let traffic = join_all((0..8).map(|random| {
        let (nodes, owner, first_done) = (&nodes, &owner, &first_done);
        async move {
            let answer = send(nodes, owner, "ann", random).await;
            *first_done.lock() += 1;
            answer
        }
    }));
    let (answers, ()) = tokio::join!(traffic, async {
        eventually("the budget is spent", || *first_done.lock() == 5).await;
        nodes[1].serves(nodes[0].hands_over(1).await);
        owner.store(1, Ordering::SeqCst);
    });
    for answer in &answers {
        assert!(ok(answer)["MsgDropReason"].is_null(), "{answer}");
    }
    assert_eq!(around.history.messages("live").len(), 8);
}

#[tokio::test(start_paused = true)]
async fn dup_1_a_message_that_is_repeated_to_the_next_owner_is_still_the_same() {
    let around = Around::default();
    around.presence.members.lock().insert("ann".to_owned());
    let (old, new) = (Node::beside(&around), Node::beside(&around));
    old.serves((1, 0));
    old.create("live").await;
    let first = ok(&old.send("ann", "live", 1).await).clone();
    // This one is kept, but its sender never hears of it.
    around.history.stalls();
    let (second, ()) = tokio::join!(old.try_send("ann", "live", 2), async {
        eventually("it is on its way", || around.history.appends.lock().len() == 2).await;
        old.lapses().await;
        around.history.works();
    });
    unknown(second);
    new.serves((2, 1 << 52));
    assert_eq!(ok(&new.send("ann", "live", 1).await)["MsgSeq"], first["MsgSeq"]);
    let again = new.send("ann", "live", 2).await;
    assert!(ok(&again)["MsgSeq"].as_u64() > first["MsgSeq"].as_u64());
    assert_eq!(around.history.messages("live").len(), 2);
    let third = new.send("ann", "live", 3).await;
    assert!(ok(&third)["MsgSeq"].as_u64() > again["MsgSeq"].as_u64(), "ORD-1");
}

/// The owner died after history had marked the message, and before the room was told.
#[tokio::test]
async fn a_recall_that_nobody_was_told_of_is_made_again() {
    let around = Around::default();
    let (old, new) = (Node::beside(&around), Node::beside(&around));
    old.serves((1, 0));
    old.create("live").await;
    old.join("ann", "live").await;
    let seq = ok(&old.send("ann", "live", 1).await)["MsgSeq"].clone();
    around.history.edit("live", u32::try_from(seq.as_u64().unwrap()).unwrap(), |message| {
        message.recalled = true;
        message.revoker = "ann".to_owned();
    });
    old.lapses().await;
    new.serves((2, 1 << 52));
    let mut events = new.events("live").await;
    let body = json!({ "GroupId": "live", "MsgSeqList": [{ "MsgSeq": seq }] });
    refused(&new.rest("group_msg_recall", body.clone()).await, 10032);
    ok(&new.client("ann", "group_msg_recall", body.clone()).await);
    let entry = events.next_entry().await;
    let told = &entry["GroupTips"][0]["MsgBody"]["GroupWithdrawInfoArray"][0];
    assert_eq!(told["MsgSeq"], seq);
    ok(&new.client("ann", "group_msg_recall", body).await);
    new.join("bob", "live").await;
    assert_eq!(events.next_entry().await["Event"], 4, "the tip about bob: told once");
}

/// The same node gets the shard again: actors of its former ownership are of no use any more.
#[tokio::test]
async fn a_node_that_owns_a_group_again_begins_a_new_life_of_it() {
    let node = Node::beside(&Around::default());
    node.serves((1, 0));
    node.create("live").await;
    node.join("ann", "live").await;
    let before = node.fetch("live", Default::default()).await.unwrap().head.unwrap();
    let term = node.hands_over(1).await;
    not_begun(node.try_rest("get_online_member_num", in_group("live")).await);
    node.serves((term.0 + 1, term.1 + 10));
    let after = node.fetch("live", before).await.unwrap().head.unwrap();
    assert_eq!((before.epoch >> 40, after.epoch >> 40), (1, 3));
    assert_eq!(node.online("live").await, 0, "gateways have to say who is in");
}
