//! A message's way: event, answer, history, repetitions.

use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn a_message_goes_out_as_one_frame_for_all_and_is_answered_when_it_is_kept() {
    let world = World::new();
    world.create("live").await;
    let mut events = world.events("live").await;
    world.join("ann", "live").await;
    let mut body = message("live", 7);
    body["CloudCustomData"] = json!("custom");
    body["ClientSeq"] = json!(99);
    let answer = world.client("ann", "send_group_msg", body).await;
    let item = events.next_message().await;
    assert_eq!(item["MsgSeq"], ok(&answer)["MsgSeq"]);
    assert_eq!(item["MsgTimeStamp"], answer["MsgTime"]);
    assert_eq!(item["MsgRandom"], 7);
    assert_eq!(item["MsgClientTime"], 1_800_000_000);
    assert_eq!((&item["ClientSeq"], &item["MsgPriority"]), (&json!(99), &json!(2)));
    assert_eq!(item["From_Account"], "ann");
    assert_eq!(item["CloudCustomData"], "custom");
    assert_eq!(item["GroupInfo"]["From_AccountNick"], "Nick of ann");
    assert_eq!(item["GroupInfo"]["GroupType"], "AVChatRoom");
    let tiny_id: u64 = item["TinyId"].as_str().unwrap().parse().unwrap();
    assert!(tiny_id >= 1 << 57, "digits of a number that JavaScript cannot hold: {item}");
    let kept = world.around.history.messages("live");
    assert_eq!(kept.len(), 1, "DUR-1: kept before the answer");
    assert_eq!((kept[0].random, kept[0].nick.as_str()), (7, "Nick of ann"));
}

#[tokio::test]
async fn the_event_does_not_wait_for_history_and_the_answer_does() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let mut events = world.events("live").await;
    world.around.history.stalls();
    let sent = world.send("ann", "live", 1);
    tokio::pin!(sent);
    tokio::select! {
        _ = &mut sent => panic!("DUR-1: answered before it was kept"),
        item = events.next_message() => assert_eq!(item["MsgRandom"], 1),
    }
    world.around.history.works();
    ok(&sent.await);
}

/// Regression: everything in a unit with a kept message waited for history, and failed with it.
#[tokio::test]
async fn a_stalled_history_holds_up_nobody_but_senders() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let mut events = world.events("live").await;
    world.around.history.stalls();
    let all = async {
        let senders = (1..=30).map(|random| world.send("ann", "live", random));
        futures_util::future::join_all(senders).await
    };
    let others = async {
        // All thirty go out, though no append has ended, and others are served meanwhile.
        for random in 1..=30 {
            assert_eq!(events.next_message().await["MsgRandom"], random);
        }
        world.join("bob", "live").await;
        assert_eq!(world.online("live").await, 2);
        world.around.history.works();
    };
    let (answers, ()) = tokio::join!(all, others);
    answers.iter().for_each(|answer| _ = ok(answer));
    assert_eq!(world.around.history.messages("live").len(), 30);
}

/// Regression: a repetition was answered with success while the first one was not yet kept.
#[tokio::test]
async fn dup_1_a_message_repeated_while_in_flight_waits_for_the_first_one() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let mut events = world.events("live").await;
    world.around.history.stalls();
    let first = world.send("ann", "live", 5);
    let second = world.send("ann", "live", 5);
    tokio::pin!(first, second);
    tokio::select! {
        _ = &mut first => panic!("not kept"),
        _ = &mut second => panic!("DUR-1: the repetition overtook the first one"),
        item = events.next_message() => assert_eq!(item["MsgRandom"], 5),
    }
    tokio::select! {
        _ = &mut second => panic!("DUR-1: the repetition overtook the first one"),
        () = async { for _ in 0..100 { world.online("live").await; } } => {}
    }
    world.around.history.works();
    let (first, second) = tokio::join!(first, second);
    assert_eq!(ok(&first)["MsgSeq"], ok(&second)["MsgSeq"]);
    // And long after: the same answer, nothing goes out.
    let third = world.send("ann", "live", 5).await;
    assert_eq!(third, first);
    let bobs = {
        world.join("bob", "live").await;
        world.send("bob", "live", 5).await
    };
    assert_ne!(ok(&bobs)["MsgSeq"], first["MsgSeq"], "another sender's is another message");
    assert_eq!(world.around.history.messages("live").len(), 2);
    assert_eq!(events.next_message().await["From_Account"], "bob");
}

/// Regression: a message that could not be kept was a success when it was tried again.
#[tokio::test]
async fn dur_1_what_could_not_be_kept_is_new_when_it_is_tried_again() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    world.around.history.stalls();
    let (first, repeated, ()) =
        tokio::join!(world.send("ann", "live", 5), world.send("ann", "live", 5), async {
            let arrived = || !world.around.history.appends.lock().is_empty();
            eventually("the append is under way", arrived).await;
            world.around.history.fails();
        });
    refused(&first, 10002);
    refused(&repeated, 10002);
    assert_eq!(world.around.counts.sum("throng_group_router_room_messages_not_kept_total", ""), 1);
    world.around.history.works();
    let again = world.send("ann", "live", 5).await;
    ok(&again);
    let kept = world.around.history.messages("live");
    assert_eq!((kept.len(), kept[0].msg_seq), (1, again["MsgSeq"].as_u64().unwrap() as u32));
    let joined = world.join("bob", "live").await;
    assert_eq!(joined["RspMsgList"].as_array().unwrap().len(), 1, "what was not kept is not shown");
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_never_answered_fails_in_time() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    world.around.history.stalls();
    refused(&world.send("ann", "live", 5).await, 10002);
}

/// Regression: the messages of many jobs went into one append, over the size of a gRPC message.
#[tokio::test]
async fn appends_are_bounded_in_number_and_size() {
    let around = Around::default();
    around.directory.policy.lock().messages_per_second = 2000;
    let world = World::with(Default::default(), around);
    world.create("live").await;
    world.around.history.stalls();
    let large = "x".repeat(11_000);
    let senders = (0..600).map(|random| {
        let mut body = message("live", random);
        body["MsgBody"][0]["MsgContent"]["Text"] = Value::from(large.as_str());
        world.rest("send_group_msg", body)
    });
    let senders = futures_util::future::join_all(senders);
    let (answers, ()) = tokio::join!(senders, async {
        let out = || world.around.counts.sum("throng_group_router_room_messages_total", "") == 600;
        eventually("all are out", out).await;
        world.around.history.works();
    });
    answers.iter().for_each(|answer| _ = ok(answer));
    assert_eq!(world.around.history.messages("live").len(), 600);
    let appends = world.around.history.appends.lock();
    assert!(appends.iter().all(|messages| messages * large.len() < 2 << 20), "{appends:?}");
}

#[tokio::test]
async fn a_directed_message_reaches_only_those_it_names_and_is_not_kept() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let mut events = world.events("live").await;
    let mut body = message("live", 3);
    body["To_Account"] = json!(["bob", "cem"]);
    ok(&world.client("ann", "send_group_msg", body).await);
    assert_eq!(events.next().await.recipients, ["bob", "cem"]);
    assert!(world.around.history.messages("live").is_empty());
    let joined = world.join("dan", "live").await;
    assert_eq!(joined["RspMsgList"], json!([]));
}

#[tokio::test]
async fn a_sender_is_known_by_the_room_or_by_presence() {
    let world = World::new();
    world.create("live").await;
    let mut events = world.events("live").await;
    refused(&world.send("ann", "live", 1).await, 10007);
    world.around.presence.members.lock().insert("ann".to_owned());
    let answer = world.send("ann", "live", 1).await;
    ok(&answer);
    let item = events.next_message().await;
    assert_eq!((&item["MsgSeq"], &item["MsgRandom"]), (&answer["MsgSeq"], &json!(1)));
    events.none().await;
}

#[tokio::test]
async fn without_room_history_nothing_is_kept_and_repetitions_are_known_all_the_same() {
    let around = Around::default();
    around.directory.policy.lock().keep_history = false;
    around.history.fails();
    let world = World::with(Default::default(), around);
    world.create("live").await;
    world.join("ann", "live").await;
    let first = world.send("ann", "live", 5).await;
    ok(&first);
    assert_eq!(world.send("ann", "live", 5).await, first);
}

#[tokio::test]
async fn an_app_server_speaks_for_an_account() {
    let world = World::new();
    world.create("live").await;
    let mut events = world.events("live").await;
    let mut body = message("live", 3);
    body["From_Account"] = json!("ann");
    ok(&world.rest("send_group_msg", body.clone()).await);
    let by_server = events.next_message().await;
    world.join("ann", "live").await;
    ok(&world.send("ann", "live", 4).await);
    let by_ann = events.next_message().await;
    assert_eq!(by_server["From_Account"], "ann");
    assert_eq!(by_server["TinyId"], by_ann["TinyId"], "one number whoever speaks");
    body["From_Account"] = json!("nobody");
    refused(&world.rest("send_group_msg", body).await, 10019);
}
