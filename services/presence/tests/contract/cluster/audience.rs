//! Deliveries to large groups: told once who is in, and by whichever nodes there are.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// A group as its owner delivers to it.
struct Group {
    presence: PresenceClient<Link>,
    term: u64,
    version: u64,
    number: u64,
    /// Whether they want no messages.
    members: BTreeMap<String, bool>,
    /// Since the last version.
    changed: BTreeMap<String, Option<bool>>,
}

impl Group {
    fn new(cluster: &Cluster, members: &[&str]) -> Self {
        let members = members.iter().map(|user| ((*user).to_owned(), false)).collect();
        let (presence, changed) = (cluster.presence(), BTreeMap::new());
        Self { presence, term: 1, version: 0, number: 0, members, changed }
    }

    fn named(&self) -> Option<v1::Audience> {
        let group_id = "community".to_owned();
        Some(v1::Audience { app: APP, group_id, term: self.term, version: self.version })
    }

    fn change(&mut self, user: &str, discards: Option<bool>) {
        match discards {
            Some(discards) => self.members.insert(user.to_owned(), discards),
            None => self.members.remove(user),
        };
        self.changed.insert(user.to_owned(), discards);
    }

    /// In parts of two. False: it was refused.
    async fn register(&mut self) -> bool {
        self.version += 1;
        self.changed.clear();
        let members: Vec<_> = self.members.iter().map(member).collect();
        let mut parts = (0..).zip(members.chunks(2)).peekable();
        let mut homes = 0;
        while let Some((place, members)) = parts.next() {
            let request = v1::RegisterAudienceRequest {
                audience: self.named(),
                place,
                last: parts.peek().is_none(),
                members: members.to_vec(),
                homes,
                part: false,
            };
            let reply = self.presence.register_audience(request).await.unwrap().into_inner();
            if reply.refused {
                return false;
            }
            homes = reply.homes;
        }
        true
    }

    /// One try at the next delivery.
    async fn try_to_deliver(&mut self, number: u64, item: &str) -> v1::AudienceReply {
        let from = self.version;
        let changed = std::mem::take(&mut self.changed);
        self.version += u64::from(!changed.is_empty());
        let request = v1::DeliverToAudienceRequest {
            audience: self.named(),
            from,
            changed: changed
                .iter()
                .filter_map(|(user, discards)| Some(member((user, discards.as_ref()?))))
                .collect(),
            gone: changed
                .iter()
                .filter(|(_, discards)| discards.is_none())
                .map(|(user, _)| user.clone())
                .collect(),
            number,
            event_items: Bytes::copy_from_slice(item.as_bytes()),
            guarantee: Guarantee::Client.into(),
            ..v1::DeliverToAudienceRequest::default()
        };
        self.presence.deliver_to_audience(request).await.unwrap().into_inner()
    }

    /// As the owner does it. Returns how many users it reached, and whether it had to register.
    async fn deliver(&mut self, item: &str) -> (u32, bool) {
        self.number += 1;
        let began = Instant::now();
        let mut registered = false;
        loop {
            let reply = self.try_to_deliver(self.number, item).await;
            if !reply.refused {
                return (reply.reached, registered);
            }
            registered = true;
            while !self.register().await {
                assert!(began.elapsed() < PATIENCE, "it is never told");
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

fn member((user, discards): (&String, &bool)) -> v1::AudienceMember {
    v1::AudienceMember { user: user.clone(), discards: *discards }
}

/// So many users, all online.
async fn users_at(gateway: &Gateway, count: usize) -> Vec<String> {
    let users: Vec<String> = (0..count).map(|number| format!("member-{number}")).collect();
    for user in &users {
        gateway.login(user, 1).await;
    }
    users
}

/// Waits until every node is sure whom gateways have.
async fn all_settled(cluster: &Cluster, gateway: &Gateway, places: &[usize]) {
    for place in places {
        let user = users_of(cluster, *place, 1).remove(0);
        gateway.login(&user, 99).await;
        cluster.settled(gateway, &user).await;
        gateway.log_out(&user, 99).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_who_are_online_get_it_wherever_they_are_at_home() {
    let cluster = Cluster::start(3, 10).await;
    let (one, two) = (cluster.gateway("g1").await, cluster.gateway("g2").await);
    all_settled(&cluster, &one, &[0, 1, 2]).await;
    all_settled(&cluster, &two, &[0, 1, 2]).await;
    let users: Vec<String> = (0..12).map(|number| format!("member-{number}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut group = Group::new(&cluster, &names);
    assert_eq!(group.deliver("nobody is there").await, (0, true));
    for user in &users[..9] {
        one.login(user, 1).await;
    }
    two.login(&users[0], 2).await;
    assert_eq!(group.deliver("1").await, (9, false));
    group.change(&users[1], Some(true));
    group.change(&users[2], None);
    group.change("newcomer", Some(false));
    two.login("newcomer", 1).await;
    assert_eq!(group.deliver("2").await, (8, false));
    assert_eq!(group.deliver("3").await, (8, false));
    let before = || one.items(&users[3]) == ["1", "2", "3"];
    eventually("what came while the user was online", before).await;
    one.log_out(&users[3], 1).await;
    group.change(&users[1], Some(false));
    assert_eq!(group.deliver("4").await, (8, false));
    let all: Vec<String> = (1..=4).map(|number| number.to_string()).collect();
    for user in &users[4..9] {
        eventually("all came", || one.items(user) == all).await;
    }
    eventually("to both devices", || one.items(&users[0]) == all && two.items(&users[0]) == all)
        .await;
    eventually("while they want it", || one.items(&users[1]) == ["1", "4"]).await;
    eventually("while they are in", || one.items(&users[2]) == ["1"]).await;
    assert!(before(), "nothing after that");
    eventually("from when they came", || two.items("newcomer") == ["2", "3", "4"]).await;
    let known: BTreeSet<&String> = users.iter().collect();
    let strays = one.inner.state.lock().strays.clone();
    assert!(!strays.iter().any(|stray| known.contains(stray)), "nobody else is looked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_names_a_state_and_is_carried_out_once() {
    let cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    all_settled(&cluster, &gateway, &[0, 1]).await;
    gateway.login("ann", 1).await;
    let mut group = Group::new(&cluster, &["ann", "bob", "cem"]);
    let refused = |reply: v1::AudienceReply| reply.refused;
    assert!(refused(group.try_to_deliver(1, "unknown").await));
    assert!(group.register().await);
    assert_eq!(group.try_to_deliver(1, "a").await.reached, 1);
    assert_eq!(group.try_to_deliver(1, "a").await, {
        let homes = group.try_to_deliver(1, "a").await.homes;
        v1::AudienceReply { refused: false, homes, reached: 0 }
    });
    group.version += 3;
    assert!(refused(group.try_to_deliver(2, "another version").await));
    assert!(group.register().await);
    assert_eq!(group.try_to_deliver(1, "a").await.reached, 0, "not after it is told anew either");
    assert_eq!(group.try_to_deliver(2, "b").await.reached, 1);
    // Another owner. The former one, who does not know, is refused from then on.
    let mut next = Group::new(&cluster, &["ann"]);
    next.term = 2;
    assert_eq!(next.deliver("c").await, (1, true));
    assert!(refused(group.try_to_deliver(3, "too late").await));
    assert!(!group.register().await);
    assert_eq!(next.deliver("d").await, (1, false));
    eventually("each once", || gateway.items("ann") == ["a", "b", "c", "d"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_and_go_between_deliveries() {
    let mut cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    let users = users_at(&gateway, 12).await;
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut group = Group::new(&cluster, &names);
    let all_have =
        |item: &str| users.iter().all(|user| gateway.items(user).iter().any(|one| one == item));
    group.deliver("two").await;
    eventually("all got it", || all_have("two")).await;
    assert!(!group.deliver("again").await.1);
    let place = cluster.add_node();
    cluster.place(&[0, 1, place]);
    assert!(group.deliver("three").await.1, "others are at home elsewhere");
    eventually("all got it", || all_have("three")).await;
    cluster.kill(1);
    cluster.place(&[0, place]);
    assert!(group.deliver("without one").await.1);
    eventually("all got it", || all_have("without one")).await;
    assert!(!group.deliver("still").await.1);
    eventually("all got it", || all_have("still")).await;
}

/// The node that shares out has the old list, and the others have the new one: a user who moves between
/// them would be missed.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_see_different_lists_carry_out_nothing_together() {
    let mut cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    let users = users_at(&gateway, 12).await;
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut group = Group::new(&cluster, &names);
    group.deliver("before").await;
    let place = cluster.add_node();
    let list = cluster.list_of(&[0, 1, place]);
    cluster.show_to(1, &list);
    cluster.show_to(place, &list);
    group.presence = cluster.node(0);
    assert!(group.try_to_deliver(2, "by the old list").await.refused);
    assert!(!group.register().await);
    cluster.show_to(0, &list);
    cluster.show(&list);
    group.number = 1;
    assert!(group.deliver("by the new list").await.1);
    for user in &users {
        eventually("all got it", || gateway.items(user).contains(&"by the new list".to_owned()))
            .await;
    }
}

/// A node without a lease decides about nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_lease_refuses() {
    let cluster = Cluster::start(2, 10).await;
    let gateway = cluster.gateway("g1").await;
    let user = users_of(&cluster, 1, 1).remove(0);
    gateway.login(&user, 1).await;
    let mut group = Group::new(&cluster, &[&user]);
    group.deliver("with").await;
    cluster.lend(1, false);
    assert!(group.try_to_deliver(2, "without").await.refused);
    cluster.lend(1, true);
    group.number = 1;
    group.deliver("again").await;
    eventually("it came", || gateway.items(&user).contains(&"again".to_owned())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_has_not_told_its_sessions_gets_it_for_all() {
    let mut cluster = Cluster::start(1, 10).await;
    let gateway = cluster.gateway("g1").await;
    gateway.login("ann", 1).await;
    gateway.login("bob", 1).await;
    gateway.inner.state.lock().mute = true;
    let place = cluster.add_node();
    cluster.kill(0);
    cluster.place(&[place]);
    let mut group = Group::new(&cluster, &["ann", "bob", "cem"]);
    group.change("bob", Some(true));
    let heard =
        |count: usize| gateway.items("ann").iter().filter(|item| *item == "x").count() >= count;
    // The node hears of the gateway with its first beat.
    let began = Instant::now();
    while !heard(1) {
        assert!(began.elapsed() < PATIENCE, "it never comes");
        assert_eq!(group.deliver("x").await.0, 0, "the node knows of no session");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(gateway.inner.state.lock().strays.contains("cem"), "for all names");
    assert!(gateway.items("bob").is_empty(), "but who wants none");
}

/// Members come, go and want other things, users log in and out, nodes come, go and die: who is a
/// member and has a connection gets every message, in order.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_members_with_a_connection_get_everything() {
    let seed = std::env::var("THRONG_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(rand::random);
    println!("THRONG_TEST_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut cluster = Cluster::start(3, 10).await;
    let gateways = [cluster.gateway("g1").await, cluster.gateway("g2").await];
    let users: Vec<String> = (0..8).map(|number| format!("member-{number}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut group = Group::new(&cluster, &names[..4]);
    let mut nodes = vec![0, 1, 2];
    for number in 1..=60u32 {
        for _ in 0..rng.random_range(0..4) {
            let user = &users[rng.random_range(0..users.len())];
            let gateway = &gateways[rng.random_range(0..2)];
            let inst_id = rng.random_range(1..3);
            match rng.random_range(0..7) {
                0..=2 => drop(gateway.login(user, inst_id).await),
                3 => gateway.disconnect(user, inst_id).await,
                4 => gateway.log_out(user, inst_id).await,
                5 => group.change(user, None),
                _ => group.change(user, Some(rng.random_bool(0.3))),
            }
        }
        match rng.random_range(0..20) {
            0 => {
                let last = rng.random_range(1..=nodes.len());
                cluster.place(&nodes[..last]);
            }
            1 => drop(cluster.place(&nodes)),
            2 => {
                cluster.kill(nodes.remove(0));
                nodes.push(cluster.add_node());
                cluster.place(&nodes);
            }
            3 => {
                group = Group { presence: cluster.presence(), term: group.term + 1, ..group };
            }
            _ => {}
        }
        let item = number.to_string();
        group.deliver(&item).await;
        for gateway in &gateways {
            for (user, inst_id) in gateway.held() {
                if group.members.get(&user) != Some(&false) {
                    continue;
                }
                let has = || {
                    let state = gateway.inner.state.lock();
                    let mut items = state.items.iter();
                    items.any(|(id, one)| *id == (user.clone(), inst_id) && *one == item)
                        || !state.held.contains_key(&(user.clone(), inst_id))
                };
                eventually(&format!("{user} got {item}, seed {seed}"), has).await;
            }
        }
    }
    for gateway in &gateways {
        for user in &users {
            let numbers = gateway.items(user);
            let numbers: Vec<u32> = numbers.iter().map(|item| item.parse().unwrap()).collect();
            let mut seen = BTreeSet::new();
            // Where homes moved, a message may come again.
            let firsts: Vec<u32> = numbers.into_iter().filter(|one| seen.insert(*one)).collect();
            assert!(firsts.is_sorted(), "{user}: {firsts:?}, seed {seed}");
        }
    }
}
