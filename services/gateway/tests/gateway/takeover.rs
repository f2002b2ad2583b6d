//! Rooms whose owner changes while members sit in them.

use serde_json::json;
use throng_proto::v1::attach_member_reply::Outcome;

use crate::rooms::texts;
use crate::support::{Cluster, eventually};

const JOIN: &str = "group_open_http_svc.apply_join_group";

#[tokio::test]
async fn a_new_owner_hears_who_sits_here_and_says_what_they_missed() {
    let cluster = Cluster::start().await;
    cluster.succeed(1);
    let mut ann = cluster.login("ann").await;
    let mut bob = cluster.login("bob").await;
    for client in [&mut ann, &mut bob] {
        client.ask(JOIN, &json!({"GroupId": "r"})).await;
    }
    cluster.owner.is_followed("r").await;
    cluster.owner.say("r", "from the old owner");
    for client in [&mut ann, &mut bob] {
        assert_eq!(texts(client, 1).await, ["from the old owner"]);
    }
    cluster.owner.0.missed.lock().extend(["stored".to_owned(), "and lost".to_owned()]);
    cluster.succeed(2);
    // Whichever the gateway hears of first, the placement or the event: what was missed comes first.
    cluster.owner.say("r", "from the new owner");
    for client in [&mut ann, &mut bob] {
        let got = texts(client, 3).await;
        assert_eq!(got, ["stored", "and lost", "from the new owner"]);
    }
    let told = cluster.owner.0.gateways.lock().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    let mut users: Vec<_> = told[0].members.iter().map(|member| &*member.user).collect();
    users.sort_unstable();
    assert_eq!(users, ["ann", "bob"]);
    assert_eq!(told[0].last_seq, 1);
}

#[tokio::test]
async fn a_silent_room_hears_of_its_new_owner_too() {
    let cluster = Cluster::start().await;
    cluster.succeed(1);
    let mut ann = cluster.login("ann").await;
    ann.ask(JOIN, &json!({"GroupId": "r"})).await;
    cluster.owner.is_followed("r").await;
    cluster.succeed(2);
    eventually("the new owner is told", || cluster.owner.0.gateways.lock().len() == 1).await;
    // Somebody who joins at the new owner is no news to it.
    let mut bob = cluster.login("bob").await;
    bob.ask(JOIN, &json!({"GroupId": "r"})).await;
    cluster.succeed(3);
    eventually("the third is told", || cluster.owner.0.gateways.lock().len() == 2).await;
    assert_eq!(cluster.owner.0.gateways.lock()[1].members.len(), 2);
}

#[tokio::test]
async fn a_room_that_is_gone_is_left_cleanly() {
    let cluster = Cluster::start().await;
    cluster.succeed(1);
    let mut ann = cluster.login("ann").await;
    ann.ask(JOIN, &json!({"GroupId": "r"})).await;
    cluster.owner.is_followed("r").await;
    *cluster.owner.0.outcome.lock() = Outcome::Gone;
    cluster.succeed(2);
    let notice = ann.push().await;
    assert_eq!(notice["body"]["EventArray"][0]["GroupTips"][0]["MsgBody"]["ReportType"], 5);
    eventually("presence forgets the room", || {
        cluster.presence.tracked.lock().iter().any(|tracked| tracked.left == ["r"])
    })
    .await;
}

#[tokio::test]
async fn the_last_event_before_a_silence_is_missed_no_more() {
    let cluster = Cluster::start().await;
    let mut ann = cluster.login("ann").await;
    ann.ask(JOIN, &json!({"GroupId": "r"})).await;
    cluster.owner.is_followed("r").await;
    cluster.owner.say_unheard("r", "the bus lost it");
    cluster.owner.beacon("r");
    assert_eq!(texts(&mut ann, 1).await, ["the bus lost it"]);
}
