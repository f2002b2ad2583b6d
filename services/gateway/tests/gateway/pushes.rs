//! What reaches a session from the rest of the cluster.

use std::time::Duration;

use serde_json::json;
use throng_gateway::Config;
use throng_proto::v1;
use throng_proto::v1::gateway_message::Message;

use crate::support::{APP, Client, Cluster, Login, body, code, eventually, signature};

fn delivery(user: &str, inst_ids: &[u64], item: &'static str, reliable: bool) -> Message {
    let inst_ids = inst_ids.iter().map(|&inst_id| u32::try_from(inst_id).unwrap()).collect();
    Message::Delivery(v1::UserDelivery {
        app: APP.0,
        targets: vec![v1::DeliveryTarget { user: user.to_owned(), inst_ids }],
        event_items: item.into(),
        reliable,
        ..v1::UserDelivery::default()
    })
}

fn kick(client: &Client, user: &str, kick_type: u32) -> Message {
    Message::Kick(v1::SessionKick {
        app: APP.0,
        user: user.to_owned(),
        inst_id: u32::try_from(client.login.inst_id).unwrap(),
        kick_type,
        connection: 0,
    })
}

#[tokio::test]
async fn items_reach_the_sessions_they_are_for() {
    let cluster = Cluster::start().await;
    let mut one = Client::connect(cluster.address, "/binfo", "one").await;
    one.log_in("ann", &signature("ann")).await;
    let mut two = Client::connect(cluster.address, "/info", "two").await;
    two.log_in("ann", &signature("ann")).await;
    cluster.tell(delivery("ann", &[], r#"{"Event":8},{"Event":7}"#, false));
    for client in [&mut one, &mut two] {
        let push = client.push().await;
        assert_eq!(
            push,
            json!({
                "head": {"servcmd": "im_open_push.msg_push"},
                "body": {"EventArray": [{"Event": 8}, {"Event": 7}]},
            })
        );
    }
    cluster.tell(delivery("ann", &[two.login.inst_id], r#"{"Event":19}"#, false));
    cluster.tell(delivery("bob", &[], r#"{"Event":1}"#, false));
    cluster.tell(delivery("ann", &[], r#"{"Event":24}"#, false));
    assert_eq!(body(&one.push().await)["EventArray"][0]["Event"], 24);
    assert_eq!(body(&two.push().await)["EventArray"][0]["Event"], 19);
}

#[tokio::test]
async fn a_push_comes_again_until_it_is_acknowledged() {
    let config = Config { ack_timeout: Duration::from_millis(100), ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut client = cluster.login("ann").await;
    cluster.tell(delivery("ann", &[], r#"{"Event":5}"#, true));
    let first = client.push().await;
    assert_eq!(body(&first)["NeedAck"], 1);
    let data = body(&first)["SessionData"].as_str().unwrap().to_owned();
    assert_eq!(client.push().await, first);
    client.send("openim.ws_msg_push_ack", &json!({"SessionData": data})).await;
    let answer = client.ask("heartbeat.alive", &json!({})).await;
    assert_eq!(code(&answer), 0);
    // Not the acknowledged one again, and the acknowledgement has no answer.
    cluster.tell(delivery("ann", &[], r#"{"Event":6}"#, true));
    let mut sixes = 0;
    while sixes < 3 {
        let push = client.push().await;
        if push == first {
            // It was on its way already.
            assert_eq!(sixes, 0);
            continue;
        }
        assert_eq!(body(&push)["EventArray"][0]["Event"], 6);
        sixes += 1;
    }
    // Three times and no more.
    let quiet = tokio::time::timeout(Duration::from_millis(400), client.push()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

/// SDK protocol notes 01, 3.4: the logout that follows a kick must not end a newer session.
#[tokio::test]
async fn a_kicked_session_is_told_and_stays_out() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    client.ask("group_open_http_svc.apply_join_group", &json!({"GroupId": "r"})).await;
    cluster.tell(kick(&client, "ann", 1));
    let push = client.push().await;
    assert_eq!(push["head"]["servcmd"], "im_open_status.stat_forceoffline");
    let item = &body(&push)["EventArray"][0];
    assert_eq!(item["C2cNotifyMsgArray"][0]["KickoutMsgNotify"]["KickType"], 1);

    cluster.owner.say("r", "not for ann");
    let answer = client.ask("group_open_http_svc.send_group_msg", &json!({"GroupId": "r"})).await;
    assert_eq!((code(&answer), body(&answer)["KickType"].as_u64()), (1002, Some(1)));
    let answer = client.ask("im_open_status.wslogout", &json!({"wslogout_type": 1})).await;
    assert_eq!(code(&answer), 0);
    assert!(cluster.presence.unregistered.lock().is_empty());

    // The connection serves the next login.
    client.login = Login::default();
    assert_eq!(code(&client.log_in("ann", &signature("ann")).await), 0);
    let answer = client.ask("group_open_http_svc.send_group_msg", &json!({"GroupId": "r"})).await;
    assert_eq!(code(&answer), 0);
}

#[tokio::test]
async fn a_kick_of_another_session_is_not_ours() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let mut other = Client::connect(cluster.address, "/binfo", "two").await;
    other.log_in("ann", &signature("ann")).await;
    cluster.tell(kick(&other, "ann", 2));
    cluster.tell(delivery("ann", &[], r#"{"Event":8}"#, false));
    assert_eq!(body(&client.push().await)["EventArray"][0]["Event"], 8);
    assert_eq!(other.push().await["head"]["servcmd"], "im_open_status.stat_forceoffline");
}

/// SDK protocol notes 01, 3.2: it reads what lies between its newest message and the list.
#[tokio::test]
async fn who_comes_back_gets_pushes_once_it_has_compared_the_list_of_conversations() {
    let cluster = Cluster::start().await;
    let login = cluster.login("ann").await.login;
    let mut again = cluster.connect().await;
    assert_eq!(code(&again.come_back(&login).await), 0);
    for item in [r#"{"Event":8}"#, r#"{"Event":7}"#] {
        cluster.tell(delivery("ann", &[], item, false));
    }
    // What the last connection did not answer is asked for again, and compares nothing.
    let repeated = json!({"GroupId": "g", "ReqMsgNumber": 15, "ReqMsgSeq": 9});
    again.ask("group_open_http_svc.group_msg_get", &repeated).await;
    // It came after these, and does not wait: it is repeated until it is acknowledged.
    cluster.tell(delivery("ann", &[], r#"{"Event":5}"#, true));
    let reliable = again.push().await;
    assert_eq!(body(&reliable)["EventArray"][0]["Event"], 5);
    again
        .send("openim.ws_msg_push_ack", &json!({"SessionData": body(&reliable)["SessionData"]}))
        .await;
    let seq = again.send("recentcontact.page_get", &json!({})).await;
    assert_eq!(again.next().await["head"]["seq"], seq);
    let from = json!({"GroupId": "g", "ReqMsgNumber": 15, "ReqMsgSeq": 20});
    again.send("group_open_http_svc.group_msg_get", &from).await;
    for event in [8, 7] {
        assert_eq!(body(&again.next().await)["EventArray"][0]["Event"], event);
    }
    cluster.tell(delivery("ann", &[], r#"{"Event":24}"#, false));
    assert_eq!(body(&again.push().await)["EventArray"][0]["Event"], 24, "at once");
}

/// It repeats its messages before it logs in; what was answered would be its newest.
#[tokio::test]
async fn what_was_said_before_the_login_is_answered_after_it_has_compared() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let login = client.login.clone();
    client.ask("group_open_http_svc.apply_join_group", &json!({"GroupId": "room"})).await;
    let mut again = cluster.connect().await;
    again.login = login.clone();
    let said = again.send("group_open_http_svc.send_group_msg", &json!({"GroupId": "g"})).await;
    eventually("it is said", || cluster.owner.names().len() == 2).await;
    assert_eq!(code(&again.come_back(&login).await), 0);
    again.ask("recentcontact.page_get", &json!({})).await;
    let asked = again.send("openim.getmsg", &json!({"Cookie": "", "SyncFlag": 0})).await;
    assert_eq!(again.next().await["head"]["seq"], said);
    assert_eq!(again.next().await["head"]["seq"], asked);
}

#[tokio::test]
async fn who_comes_back_and_asks_for_no_list_gets_pushes_all_the_same() {
    let cluster = Cluster::start().await;
    let login = cluster.login("ann").await.login;
    let mut again = cluster.connect().await;
    assert_eq!(code(&again.come_back(&login).await), 0);
    cluster.tell(delivery("ann", &[], r#"{"Event":8}"#, false));
    assert_eq!(body(&again.push().await)["EventArray"][0]["Event"], 8);
}

#[tokio::test]
async fn one_that_asked_for_the_list_has_longer_than_one_that_did_not() {
    let cluster = Cluster::start().await;
    let (ann, bob) = (cluster.login("ann").await.login, cluster.login("bob").await.login);
    let mut slow = cluster.connect().await;
    assert_eq!(code(&slow.come_back(&ann).await), 0);
    let mut silent = cluster.connect().await;
    assert_eq!(code(&silent.come_back(&bob).await), 0);
    slow.ask("recentcontact.page_get", &json!({})).await;
    cluster.tell(delivery("ann", &[], r#"{"Event":8}"#, false));
    cluster.tell(delivery("bob", &[], r#"{"Event":8}"#, false));
    assert_eq!(body(&silent.push().await)["EventArray"][0]["Event"], 8);
    // What is repeated until it is acknowledged does not wait: so it tells that the other still does.
    cluster.tell(delivery("ann", &[], r#"{"Event":5}"#, true));
    let reliable = slow.push().await;
    assert_eq!(body(&reliable)["EventArray"][0]["Event"], 5);
    let token = json!({"SessionData": body(&reliable)["SessionData"]});
    slow.send("openim.ws_msg_push_ack", &token).await;
    slow.send("openim.getmsg", &json!({"Cookie": "", "SyncFlag": 0})).await;
    let events = [slow.next().await, slow.next().await].map(|frame| body(&frame).clone());
    assert!(events.iter().any(|body| body["EventArray"][0]["Event"] == 8), "{events:?}");
}

#[tokio::test]
async fn what_waited_for_one_who_logged_out_is_for_nobody_else() {
    let cluster = Cluster::start().await;
    let login = cluster.login("ann").await.login;
    let mut again = cluster.connect().await;
    again.come_back(&login).await;
    cluster.tell(delivery("ann", &[], r#"{"Event":8}"#, false));
    again.ask("im_open_status.wslogout", &json!({"wslogout_type": 0})).await;
    again.login = Login::default();
    assert_eq!(code(&again.log_in("bob", &signature("bob")).await), 0);
    cluster.tell(delivery("bob", &[], r#"{"Event":7}"#, false));
    assert_eq!(body(&again.next().await)["EventArray"][0]["Event"], 7);
}
