//! Sessions across gateways and nodes: policies and kicks, nodes that are lost or come, gateways that
//! die.

use throng_proto::v1::register_reply::Outcome;

use super::*;
use crate::support::{key, tracked};

fn id(user: &str, inst_id: u32) -> (String, u32) {
    (user.to_owned(), inst_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_holds_across_gateways() {
    let cluster = Cluster::start(3, 1).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    for user in (0..9).map(|number| format!("user-{number}")) {
        one.login(&user, 1).await;
        two.login(&user, 2).await;
    }
    eventually("nine are displaced", || one.kicked().len() == 9 && one.held().is_empty()).await;
    assert!(one.kicked().iter().all(|(_, kick_type)| *kick_type == 1));
    assert_eq!(two.held().len(), 9);
    let back = one.come_back("user-0", 1).await;
    assert_eq!((back.outcome(), back.kick_type), (Outcome::Kicked, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kick_finds_all_sessions_of_a_user() {
    let cluster = Cluster::start(3, 10).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    for place in 0..3 {
        let user = users_of(&cluster, place, 1).remove(0);
        one.login(&user, 1).await;
        two.login(&user, 2).await;
        two.login(&user, 3).await;
        cluster.kick(&user).await;
    }
    eventually("all are put offline", || one.held().is_empty() && two.held().is_empty()).await;
    assert_eq!((one.kicked().len(), two.kicked().len()), (3, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_moves_leaves_its_gateway() {
    let cluster = Cluster::start(2, 10).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    one.login("ann", 1).await;
    two.come_back("ann", 1).await;
    eventually("the first one hears", || one.kicked() == [(id("ann", 1), 0)]).await;
    assert_eq!(two.held(), [id("ann", 1)]);
    assert_eq!(cluster.deliver(&["ann"], "1").await, 1);
    eventually("it gets items there", || two.items("ann") == ["1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_node_is_made_good_from_what_gateways_hold() {
    let mut cluster = Cluster::start(3, 2).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    let lost = users_of(&cluster, 2, 5);
    let others = users_of(&cluster, 0, 2);
    for user in lost.iter().chain(&others) {
        one.login(user, 1).await;
        two.login(user, 2).await;
        one.join(user, 1, "live").await;
    }
    cluster.kill(2);
    let version = cluster.place(&[0, 1]);
    // At once: the new homes know nothing of them yet.
    let everybody: Vec<&str> = lost.iter().chain(&others).map(String::as_str).collect();
    cluster.deliver(&everybody, "early").await;
    eventually("they are told", || one.has_told(version) && two.has_told(version)).await;
    for user in &everybody {
        eventually("nobody missed it", || {
            one.items(user) == ["early"] && two.items(user) == ["early"]
        })
        .await;
    }
    assert_eq!(cluster.online(&everybody).await, everybody);
    assert_eq!(cluster.inside("live", &everybody).await, everybody);
    assert_eq!(cluster.deliver(&everybody, "late").await, 7);
    for user in &everybody {
        eventually("it came", || one.items(user).len() == 2 && two.items(user).len() == 2).await;
    }
    // Kicks and the policy work again.
    two.login(&lost[0], 3).await;
    eventually("the oldest one makes room", || one.kicked() == [(id(&lost[0], 1), 1)]).await;
    cluster.kick(&lost[1]).await;
    eventually("a kick reaches them", || {
        one.kicked().contains(&(id(&lost[1], 1), 3)) && two.kicked().contains(&(id(&lost[1], 2), 3))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_a_node_was_lost_is_caught_up() {
    let mut cluster = Cluster::start(2, 1).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    let user = users_of(&cluster, 1, 1).remove(0);
    one.login(&user, 1).await;
    cluster.kill(1);
    one.inner.state.lock().mute = true;
    cluster.place(&[0]);
    // The new home does not know of the session at the other gateway.
    two.login(&user, 2).await;
    assert!(one.kicked().is_empty());
    one.inner.state.lock().mute = false;
    eventually("it hears when it tells of it", || one.kicked() == [(id(&user, 1), 1)]).await;
    assert_eq!(two.held(), [id(&user, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_takes_its_users_over() {
    let mut cluster = Cluster::start(1, 10).await;
    let gateway = cluster.gateway("g1").await;
    let users: Vec<String> = (0..30).map(|number| format!("user-{number}")).collect();
    for user in &users {
        gateway.login(user, 1).await;
        gateway.join(user, 1, "live").await;
    }
    let status = serde_json::json!({ "CustomStatus": "busy" });
    for user in &users {
        let command = "im_open_status.ws_set_custom_status";
        cluster.execute(gateway::home(user), (user, 1), command, &status).await;
    }
    cluster.add_node();
    let version = cluster.place(&[0, 1]);
    eventually("both are told", || gateway.has_told(version)).await;
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    assert!(!users_of(&cluster, 1, 1).is_empty());
    assert_eq!(cluster.inside("live", &names).await, users);
    let body = serde_json::json!({ "To_Account": users });
    let command = "im_open_status.ws_get_user_status";
    let answer = cluster.execute(Route::ANY, ("user-0", 1), command, &body).await;
    for known in answer["UserStatusList"].as_array().unwrap() {
        assert_eq!((&known["Status"], &known["CustomStatus"]), (&1.into(), &"YnVzeQ==".into()));
    }
    // Each knows its own and no others.
    for place in 0..2 {
        let (mine, theirs): (Vec<_>, Vec<_>) =
            users.iter().cloned().partition(|user| cluster.home_of(user) == place);
        let question =
            |users| v1::FilterOnlineRequest { app: APP, users, part: true, with_status: false };
        let mut node = cluster.node(place);
        assert_eq!(
            node.filter_online(question(mine.clone())).await.unwrap().into_inner().users,
            mine
        );
        let refused = node.filter_online(question(theirs)).await.unwrap_err();
        assert!(cluster::is_not_begun(&refused), "{refused}");
    }
    assert!(gateway.kicked().is_empty() && cluster.detached.try_recv().is_err());
}

/// The store says that somebody is online, and the gateway that it names is no more.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_a_gateway_that_died_with_the_node_end() {
    let mut cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    let user = users_of(&cluster, 1, 1).remove(0);
    gateway.login(&user, 1).await;
    gateway.join(&user, 1, "live").await;
    cluster.stored(&user).await;
    gateway.kill();
    cluster.kill(1);
    cluster.place(&[0]);
    assert_eq!(cluster.next_gone().await, "g1", "the node that is left knew it as well");
    // Nobody ever asks for the user again.
    let detached = cluster.next_detached().await;
    assert_eq!((detached.user, &*detached.group_id, &*detached.gateway), (user, "live", "g1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_only_the_store_knows_is_gone_too() {
    let mut cluster = Cluster::start(1, 10).await;
    let gateway = cluster.gateway("g1").await;
    gateway.login("ann", 1).await;
    gateway.join("ann", 1, "live").await;
    cluster.stored("ann").await;
    gateway.kill();
    cluster.kill(0);
    let place = cluster.add_node();
    cluster.place(&[place]);
    assert_eq!(cluster.inside("live", &["ann"]).await, ["ann"], "it may still come back");
    assert_eq!(cluster.next_gone().await, "g1");
    assert_eq!(&*cluster.next_detached().await.user, "ann");
    assert!(cluster.inside("live", &["ann"]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_dies_takes_its_sessions_along_after_the_grace_period() {
    let mut cluster = Cluster::start(2, 10).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    one.login("ann", 1).await;
    one.join("ann", 1, "live").await;
    two.login("bob", 1).await;
    two.join("bob", 1, "live").await;
    two.login("ann", 2).await;
    one.kill();
    assert_eq!(cluster.next_gone().await, "g1");
    let detached = cluster.next_detached().await;
    assert_eq!((&*detached.user, detached.inst_id, &*detached.gateway), ("ann", 1, "g1"));
    assert_eq!(cluster.inside("live", &["ann", "bob"]).await, ["bob"]);
    assert_eq!(cluster.online(&["ann", "bob"]).await, ["ann", "bob"]);
    // A client that comes back later than that has its rooms all the same.
    let back = two.come_back("ann", 1).await;
    assert_eq!(back.rooms, [tracked("live", 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_leaves_in_order_is_gone_at_once() {
    let mut cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    gateway.login("ann", 1).await;
    gateway.join("ann", 1, "live").await;
    eventually("it beats everywhere", || gateway.has_told(1)).await;
    gateway.leave().await;
    assert_eq!(cluster.next_gone().await, "g1");
    assert_eq!(&*cluster.next_detached().await.user, "ann");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_lease_answers_for_nobody() {
    let cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    let user = users_of(&cluster, 1, 1).remove(0);
    gateway.login(&user, 1).await;
    cluster.lend(1, false);
    let hello = || v1::HelloRequest { session: key(&user, 1), ..v1::HelloRequest::default() };
    let refused = cluster.node(1).hello(hello()).await.unwrap_err();
    assert!(cluster::is_not_begun(&refused), "{refused}");
    let refused = cluster.node(0).hello(hello()).await.unwrap_err();
    assert!(cluster::is_not_begun(&refused), "nor does another one");
    // Calls wait for it.
    let waiting = tokio::spawn({
        let mut presence = cluster.presence();
        let request = gateway::home(&user).request(hello());
        async move { presence.hello(request).await }
    });
    cluster.lend(1, true);
    assert_eq!(waiting.await.unwrap().unwrap().into_inner().kick_type, 0);
    assert_eq!(cluster.online(&[&user]).await.len(), 1, "it forgot nobody");
}

/// For a moment two nodes think that a user is at home there, because they see different lists.
#[tokio::test(flavor = "multi_thread")]
async fn two_homes_for_a_moment_do_no_harm() {
    let mut cluster = Cluster::start(1, 1).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    let place = cluster.add_node();
    let list = cluster.list_of(&[0, place]);
    let user = (0..).map(|number| format!("user-{number}")).find(|user| {
        let home = list.of(user_hash(AppId(APP), user)).unwrap();
        &*home.name == "presence-1"
    });
    let user = user.unwrap();
    one.login(&user, 1).await;
    // The new node knows that it is the user's home; the old one and the callers do not yet.
    cluster.show_to(place, &list);
    two.login(&user, 2).await;
    eventually("the old home applies the policy", || one.kicked() == [(id(&user, 1), 1)]).await;
    // Callers see it before the old home does: a login there, while that still holds the session.
    cluster.show(&list);
    one.login(&user, 3).await;
    eventually("the new home applies it when it is told", || {
        two.kicked() == [(id(&user, 2), 1)] && one.held() == [id(&user, 3)]
    })
    .await;
    cluster.show_to(0, &list);
    let version = list.version;
    eventually("all agree", || one.has_told(version) && two.has_told(version)).await;
    assert_eq!(one.held(), [id(&user, 3)]);
    // What one home did, the other knows.
    let back = two.come_back(&user, 2).await;
    assert_eq!((back.outcome(), back.kick_type), (Outcome::Kicked, 1));
    cluster.kick(&user).await;
    eventually("one session is left to kick", || one.held().is_empty()).await;
    assert_eq!(one.kicked().len() + two.kicked().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_the_bus_loses_arrive_with_the_beats() {
    let cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    let users: Vec<String> = (0..20).map(|number| format!("user-{number}")).collect();
    for user in &users {
        gateway.login(user, 1).await;
    }
    let version = cluster.list.borrow().version;
    eventually("it is known", || gateway.has_told(version)).await;
    // One message of seven arrives.
    cluster.bus.of.store(7, Ordering::Relaxed);
    for number in 0..5 {
        let names: Vec<&str> = users.iter().map(String::as_str).collect();
        cluster.deliver(&names, &number.to_string()).await;
    }
    for user in &users {
        eventually("all items came, each once", || {
            let mut items = gateway.items(user);
            items.sort();
            items == ["0", "1", "2", "3", "4"]
        })
        .await;
    }
    for user in &users {
        cluster.kick(user).await;
    }
    eventually("all kicks came", || gateway.held().is_empty()).await;
    assert_eq!(gateway.kicked().len(), 20);
}
