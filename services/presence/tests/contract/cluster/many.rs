//! Calls about users of several homes.

use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_reaches_users_of_every_home_once_and_in_order() {
    let cluster = Cluster::start(3, 10).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    let users: Vec<String> = (0..30).map(|number| format!("user-{number}")).collect();
    for user in &users {
        one.login(user, 1).await;
        two.login(user, 2).await;
    }
    // After nodes came, deliveries go to all gateways for a while.
    for place in 0..3 {
        let user = users.iter().find(|user| cluster.home_of(user) == place).unwrap();
        cluster.settled(&one, user).await;
    }
    let mut names: Vec<&str> = users.iter().map(String::as_str).collect();
    names.push("nobody");
    let items = |gateway: &Gateway, user: &str| -> Vec<String> {
        gateway.items(user).into_iter().filter(|item| !item.starts_with("mark")).collect()
    };
    for number in 0..20 {
        // Whichever node gets it.
        assert_eq!(cluster.deliver(&names, &number.to_string()).await, 30);
    }
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    for user in &users {
        for gateway in [&one, &two] {
            eventually("it came", || items(gateway, user).len() >= 20).await;
            assert_eq!(items(gateway, user), expected);
        }
    }
    assert!(!one.inner.state.lock().strays.contains("nobody"), "it is at no gateway");
    let request = v1::DeliverRequest {
        app: APP,
        users: users.clone(),
        event_items: Bytes::from_static(b"last"),
        guarantee: Guarantee::Client.into(),
        except_inst_id: 2,
        part: false,
    };
    cluster.presence().deliver(request).await.unwrap();
    for user in &users {
        eventually("it came", || items(&one, user).len() == 21).await;
    }
    let excepted = |user| items(&two, user).len() == 20;
    assert!(users.iter().all(|user| excepted(user)), "but not to the excepted ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_not_shared_out_again() {
    let cluster = Cluster::start(2, 10).await;
    let user = users_of(&cluster, 1, 1).remove(0);
    let request = v1::DeliverRequest {
        app: APP,
        users: vec![user.clone()],
        part: true,
        ..v1::DeliverRequest::default()
    };
    let refused = cluster.node(0).deliver(request).await.unwrap_err();
    assert!(cluster::is_not_begun(&refused), "{refused}");
    let users = vec![user];
    let request =
        v1::FilterRoomMembersRequest { app: APP, users, part: true, ..Default::default() };
    let refused = cluster.node(0).filter_room_members(request).await.unwrap_err();
    assert!(cluster::is_not_begun(&refused), "{refused}");
}

/// The node that shares out sees the new list before, or after, the one that it asks.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_out_follows_the_list() {
    let mut cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    let users: Vec<String> = (0..12).map(|number| format!("user-{number}")).collect();
    for user in &users {
        gateway.login(user, 1).await;
    }
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let place = cluster.add_node();
    let list = cluster.list_of(&[0, 1, place]);
    cluster.show_to(0, &list);
    cluster.show(&list);
    let late = async {
        sleep(Duration::from_millis(300)).await;
        cluster.show_to(place, &list);
        sleep(Duration::from_millis(300)).await;
        cluster.show_to(1, &list);
    };
    let users = names.iter().map(|user| (*user).to_owned()).collect();
    let question = v1::FilterOnlineRequest { app: APP, users, ..Default::default() };
    let mut node = cluster.node(0);
    let (answer, ()) = tokio::join!(node.filter_online(question), late);
    assert_eq!(answer.unwrap().into_inner().users, names);
    // A node that dies in the middle, and is taken off the list a moment later.
    cluster.kill(1);
    let users = names.iter().map(|user| (*user).to_owned()).collect();
    let question = v1::FilterOnlineRequest { app: APP, users, ..Default::default() };
    let late = async {
        sleep(Duration::from_millis(300)).await;
        cluster.place(&[0, place]);
    };
    let (answer, ()) = tokio::join!(node.filter_online(question), late);
    assert_eq!(answer.unwrap().into_inner().users, names);
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_known_and_heard_of_across_homes() {
    let mut cluster = Cluster::start(3, 10).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    let watcher = users_of(&cluster, 0, 1).remove(0);
    let watched: Vec<String> = (0..3).map(|place| users_of(&cluster, place, 2).remove(1)).collect();
    one.login(&watcher, 1).await;
    one.login(&watcher, 2).await;
    let body = json!({ "To_Account": watched });
    let subscribe = "im_open_status.ws_status_subscribe";
    let home = gateway::home(&watcher);
    let answer = cluster.execute(home, (&watcher, 1), subscribe, &body).await;
    assert_eq!(answer["ErrorCode"], 0);
    let told = |user: &str, status: u64, custom: &str| {
        let state = one.inner.state.lock();
        let known = json!({ "To_Account": user, "Status": status, "CustomStatus": custom });
        let is_it = |item: &String| {
            serde_json::from_str::<Value>(item).unwrap()["UserStatusList"][0] == known
        };
        let told: Vec<u32> = state
            .items
            .iter()
            .filter(|((name, _), item)| *name == watcher && is_it(item))
            .map(|((_, inst_id), _)| *inst_id)
            .collect();
        told == [1]
    };
    for user in &watched {
        two.login(user, 5).await;
        eventually("the one that subscribed hears of it, once", || told(user, 1, "")).await;
        let custom = json!({ "CustomStatus": "hi" });
        let set = "im_open_status.ws_set_custom_status";
        cluster.execute(gateway::home(user), (user, 5), set, &custom).await;
        eventually("and of a custom status", || told(user, 1, "aGk=")).await;
    }
    let body =
        json!({ "To_Account": [watched[0], watched[1], watched[2], watcher, "nobody", "zed"] });
    let query = "openim.query_online_status";
    for _ in 0..3 {
        let answer = cluster.execute(Route::ANY, ("admin", 0), query, &body).await;
        let states = answer["QueryResult"].as_array().unwrap();
        let online = states.iter().filter(|state| state["Status"] == "Online").count();
        assert_eq!((states.len(), online), (5, 4), "{answer}");
        assert_eq!(answer["ErrorList"][0]["To_Account"], "nobody");
    }
    // A subscription outlives the node that had it.
    cluster.stored(&watcher).await;
    cluster.kill(0);
    let version = cluster.place(&[1, 2]);
    eventually("the rest is told", || one.has_told(version) && two.has_told(version)).await;
    two.disconnect(&watched[1], 5).await;
    eventually("it still hears", || told(&watched[1], 2, "aGk=")).await;
}
