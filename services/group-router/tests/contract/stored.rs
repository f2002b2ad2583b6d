//! Groups with stored members and a log: what is acknowledged is in the log under its number, whatever
//! fails, and nobody hears what is not.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::*;

const GROUP: &str = "public";

async fn create(world: &World) {
    let body = json!({ "Type": "Public", "Name": "Chess", "GroupId": GROUP,
        "Owner_Account": "owner", "ApplyJoinOption": "FreeAccess",
        "MemberList": [{ "Member_Account": "ann" }, { "Member_Account": "bob" }] });
    ok(&world.rest("create_group", body).await);
}

async fn public() -> World {
    let world = World::new();
    world.around.directory.policy.lock().messages_per_second = 100_000;
    create(&world).await;
    world
}

/// What presence had to bring, in order: users and entry.
fn delivered(world: &World) -> Vec<(Vec<String>, Value)> {
    world.around.presence.told()
}

/// The numbers of the messages and tips that members were brought.
fn heard(world: &World) -> Vec<u64> {
    let number = |(_, entry): (_, Value)| {
        let item = match entry["Event"].as_u64() {
            Some(3) => &entry["GroupMsgArray"][0],
            Some(4) => &entry["GroupTips"][0],
            _ => return None,
        };
        item["MsgSeq"].as_u64()
    };
    delivered(world).into_iter().filter_map(number).collect()
}

/// The same as a client has them: it drops what it knows.
fn known(world: &World) -> Vec<u64> {
    let mut known = Vec::new();
    for number in heard(world) {
        if !known.contains(&number) {
            known.push(number);
        }
    }
    known
}

/// Number and `Random` of everything in the log, which has no gap.
fn log(world: &World) -> BTreeMap<u64, u32> {
    let log = world.around.history.log(GROUP);
    log.iter().map(|message| (message.msg_seq.into(), message.random)).collect()
}

async fn next_seq(world: &World) -> u64 {
    let info = world.rest("get_group_info", json!({ "GroupIdList": [GROUP] })).await;
    ok(&info)["GroupInfo"][0]["NextMsgSeq"].as_u64().unwrap()
}

#[tokio::test]
async fn members_hear_what_is_in_the_log_and_in_its_order() {
    let world = public().await;
    for random in 1..=20 {
        let answer = world.send("ann", GROUP, random).await;
        assert_eq!(ok(&answer)["MsgSeq"], random, "numbers have no gap");
    }
    eventually("all is delivered", || heard(&world).len() == 20).await;
    assert_eq!(heard(&world), (1..=20).collect::<Vec<_>>());
    let (mut users, entry) = delivered(&world).pop().unwrap();
    users.sort();
    assert_eq!(users, ["ann", "bob", "owner"]);
    let item = &entry["GroupMsgArray"][0];
    assert_eq!((&item["MsgRandom"], &item["From_Account"]), (&json!(20), &json!("ann")));
    assert_eq!(item["GroupInfo"]["GroupType"], "Public");
}

#[tokio::test]
async fn nothing_is_heard_or_answered_before_it_is_stored_and_what_waits_goes_in_one_append() {
    let world = public().await;
    world.around.history.stalls();
    let sends = (1..=40).map(|random| world.send("ann", GROUP, random));
    let sends = futures_util::future::join_all(sends);
    let works = async {
        eventually("one append is under way", || world.around.history.appends.lock().len() == 1)
            .await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.around.history.appends.lock().len(), 1, "one at a time");
        assert!(heard(&world).is_empty());
        world.around.history.works();
    };
    let (answers, ()) = tokio::join!(sends, works);
    let mut seqs: Vec<_> =
        answers.iter().map(|answer| ok(answer)["MsgSeq"].as_u64().unwrap()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
    assert!(world.around.history.appends.lock().len() <= 3, "group commit");
}

#[tokio::test]
async fn ord_1_a_number_whose_append_failed_is_given_again() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    world.around.history.fails();
    refused(&world.send("ann", GROUP, 2).await, 10002);
    world.around.history.works();
    assert_eq!(ok(&world.send("bob", GROUP, 3).await)["MsgSeq"], 2);
    assert_eq!(ok(&world.send("ann", GROUP, 2).await)["MsgSeq"], 3);
    eventually("both are heard", || known(&world) == [1, 2, 3]).await;
    assert_eq!(log(&world), BTreeMap::from([(1, 1), (2, 3), (3, 2)]));
}

#[tokio::test]
async fn dup_1_what_was_stored_unheard_is_answered_when_it_is_sent_again() {
    let world = public().await;
    world.around.history.turn_to(Mood::Unheard);
    refused(&world.send("ann", GROUP, 7).await, 10002);
    world.around.history.works();
    assert_eq!(ok(&world.send("ann", GROUP, 7).await)["MsgSeq"], 1, "it is there already");
    assert_eq!(ok(&world.send("ann", GROUP, 8).await)["MsgSeq"], 2);
    let world = world.crash();
    assert_eq!(ok(&world.send("ann", GROUP, 7).await)["MsgSeq"], 1, "over a crash");
    assert_eq!(log(&world), BTreeMap::from([(1, 7), (2, 8)]));
}

#[tokio::test]
async fn a_late_append_of_an_earlier_life_is_written_over_or_hidden() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    world.around.history.turn_to(Mood::Late);
    let lost = (2..=5).map(|random| world.send("ann", GROUP, random));
    for answer in futures_util::future::join_all(lost).await {
        refused(&answer, 10002);
    }
    world.around.history.works();
    assert_eq!(ok(&world.send("bob", GROUP, 6).await)["MsgSeq"], 2);
    world.around.history.late_appends_arrive();
    assert_eq!(log(&world).get(&2), Some(&6), "the later life's message stays");
    assert_eq!(next_seq(&world).await, 3, "what lies behind it is no history");
    let page = json!({ "GroupId": GROUP, "ReqMsgNumber": 20 });
    let page = world.rest("group_msg_get_simple", page).await;
    assert_eq!(ok(&page)["RspMsgList"].as_array().unwrap().len(), 2);
    let world = world.crash();
    assert_eq!(next_seq(&world).await, 3, "nor for the next owner");
    assert_eq!(ok(&world.send("ann", GROUP, 3).await)["MsgSeq"], 3);
    assert_eq!(log(&world).get(&3), Some(&3));
}

/// Random failures of the log and the store, crashes and orderly ends, with an oracle.
#[tokio::test]
async fn dur_1_whatever_fails_what_was_acknowledged_is_there_once_and_dense() {
    for seed in 0..20 {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut world = public().await;
        let mut acknowledged: BTreeMap<u64, u32> = BTreeMap::new();
        let mut random = 0;
        for _ in 0..40 {
            let mood =
                [Mood::Works, Mood::Works, Mood::Works, Mood::Fails, Mood::Unheard, Mood::Late]
                    [chance.random_range(0..6)];
            world.around.history.turn_to(mood);
            if chance.random_range(0..8) == 0 {
                world.around.store.fail_writes(1);
            }
            let burst = chance.random_range(1..6);
            let randoms: Vec<u32> = (random + 1..=random + burst).collect();
            random += burst;
            let sends = randoms.iter().map(|random| world.send("ann", GROUP, *random));
            let answers = futures_util::future::join_all(sends).await;
            world.around.store.fail_writes(0);
            world.around.history.works();
            for (random, answer) in randoms.iter().zip(&answers) {
                if answer["ErrorCode"] == 0 {
                    let before = acknowledged.insert(answer["MsgSeq"].as_u64().unwrap(), *random);
                    assert_eq!(before, None, "seed {seed}: a number given twice");
                }
            }
            match chance.random_range(0..6) {
                0 => world = world.crash(),
                1 => world = world.restart().await,
                2 => world.around.history.late_appends_arrive(),
                _ => {}
            }
        }
        world.around.history.late_appends_arrive();
        let head = next_seq(&world).await - 1;
        let log = log(&world);
        let visible: BTreeMap<u64, u32> =
            log.range(..=head).map(|(seq, random)| (*seq, *random)).collect();
        assert_eq!(visible.len() as u64, head, "seed {seed}: a gap in {visible:?}");
        for (seq, random) in &acknowledged {
            assert_eq!(visible.get(seq), Some(random), "seed {seed}: number {seq}");
        }
        let distinct: std::collections::BTreeSet<_> = visible.values().collect();
        assert_eq!(distinct.len(), visible.len(), "seed {seed}: DUP-1");
        let unheard = || {
            let known = known(&world);
            visible.keys().copied().filter(|seq| !known.contains(seq)).collect::<Vec<_>>()
        };
        let what = format!("seed {seed}: members hear of everything");
        eventually(&what, || unheard().is_empty()).await;
    }
}

#[tokio::test]
async fn who_joins_is_a_member_over_a_crash_and_in_the_users_list() {
    let world = public().await;
    let joined = world.client("cleo", "apply_join_group", in_group(GROUP)).await;
    assert_eq!(ok(&joined)["JoinedStatus"], "JoinedSuccess");
    ok(&world.client("cleo", "apply_join_group", in_group(GROUP)).await);
    eventually("one tip", || heard(&world) == [1]).await;
    let world = world.crash();
    let list =
        |user: &'static str| world.rest("get_joined_group_list", json!({ "Member_Account": user }));
    assert_eq!(list("cleo").await["GroupIdList"], json!([{ "GroupId": GROUP }]));
    ok(&world.send("cleo", GROUP, 1).await);
    ok(&world.client("cleo", "quit_group", in_group(GROUP)).await);
    assert_eq!(list("cleo").await["TotalCount"], 0);
    refused(&world.send("cleo", GROUP, 2).await, 10007);
    let roles = json!({ "GroupId": GROUP, "User_Account": ["cleo", "ann", "owner"] });
    let roles = world.rest("get_role_in_group", roles).await;
    let roles: Vec<_> =
        ok(&roles)["UserIdList"].as_array().unwrap().iter().map(|one| &one["Role"]).collect();
    assert_eq!(roles, ["NotMember", "Member", "Owner"]);
}

#[tokio::test]
async fn a_join_whose_tip_is_not_stored_may_be_repeated() {
    let world = public().await;
    world.around.history.fails();
    refused(&world.client("cleo", "apply_join_group", in_group(GROUP)).await, 10002);
    world.around.history.works();
    ok(&world.client("cleo", "apply_join_group", in_group(GROUP)).await);
    let list = json!({ "GroupId": GROUP });
    let members = world.rest("get_group_member_info", list).await;
    assert_eq!(ok(&members)["MemberNum"], 4, "in once");
    assert_eq!(ok(&world.send("cleo", GROUP, 1).await)["MsgSeq"], next_seq(&world).await - 1);
}

#[tokio::test]
async fn a_dismissed_group_leaves_nothing_to_the_next_one_of_its_id() {
    let world = public().await;
    ok(&world.send("ann", GROUP, 1).await);
    ok(&world.rest("destroy_group", in_group(GROUP)).await);
    eventually("its messages are gone", || world.around.history.log(GROUP).is_empty()).await;
    for user in ["ann", "bob", "owner"] {
        let list = world.rest("get_joined_group_list", json!({ "Member_Account": user })).await;
        assert_eq!(ok(&list)["TotalCount"], 0, "{user}");
    }
    let dismissed = |entry: &Value| entry["GroupTips"][0]["MsgBody"]["ReportType"] == 5;
    let told = delivered(&world).into_iter().find(|(_, entry)| dismissed(entry));
    let mut users = told.unwrap().0;
    users.sort();
    assert_eq!(users, ["ann", "bob", "owner"]);
    refused(&world.send("ann", GROUP, 2).await, 10010);
    create(&world).await;
    assert_eq!(ok(&world.send("ann", GROUP, 1).await)["MsgSeq"], 1, "a new message");
}

#[tokio::test]
async fn an_owner_that_lost_the_group_tells_nobody_and_the_next_one_goes_on() {
    let around = Around::default();
    around.directory.policy.lock().messages_per_second = 100_000;
    let nodes = [Node::beside(&around), Node::beside(&around)];
    nodes[0].serves((1, 0));
    create(&nodes[0]).await;
    ok(&nodes[0].try_send("ann", GROUP, 1).await.unwrap());
    around.history.stalls();
    let (answer, ()) = tokio::join!(nodes[0].try_send("ann", GROUP, 2), async {
        eventually("it is on its way", || around.history.appends.lock().len() == 2).await;
        nodes[0].is_given_up();
        around.history.works();
    });
    unknown(answer);
    nodes[1].serves((2, i64::MAX / 4));
    assert_eq!(ok(&nodes[1].try_send("ann", GROUP, 2).await.unwrap())["MsgSeq"], 2, "found again");
    assert_eq!(ok(&nodes[1].try_send("bob", GROUP, 3).await.unwrap())["MsgSeq"], 3);
    assert_eq!(log(&nodes[1]), BTreeMap::from([(1, 1), (2, 2), (3, 3)]));
    not_begun(nodes[0].try_send("ann", GROUP, 4).await);
}
