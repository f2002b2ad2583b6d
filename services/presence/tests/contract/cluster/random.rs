//! Random sequences over gateways and nodes, with a bus that loses messages: once the dust has settled,
//! the nodes know exactly the sessions that the gateways hold.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm, TestRng, TestRunner};

use super::*;

const USERS: [&str; 4] = ["ann", "bob", "cid", "dan"];
const LIMIT: usize = 2;
const SEEDS: u64 = 6;
/// A real cluster takes longer from one to the next.
const BETWEEN_LISTS: Duration = Duration::from_millis(20);

#[derive(Debug, Clone)]
enum Step {
    Login {
        user: usize,
        gateway: usize,
    },
    ComeBack {
        gateway: usize,
    },
    Disconnect {
        gateway: usize,
    },
    LogOut {
        gateway: usize,
    },
    Kick {
        user: usize,
    },
    /// These nodes of three are on the list, at least one.
    Place {
        mask: u8,
    },
    /// One node is killed; a new one comes in its place.
    Replace {
        node: usize,
    },
    /// One gateway dies; a new one comes in its place.
    GatewayDies {
        gateway: usize,
    },
    Lossy {
        of: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..USERS.len(), 0..2usize)
            .prop_map(|(user, gateway)| Step::Login { user, gateway }),
        4 => (0..2usize).prop_map(|gateway| Step::ComeBack { gateway }),
        4 => (0..2usize).prop_map(|gateway| Step::Disconnect { gateway }),
        2 => (0..2usize).prop_map(|gateway| Step::LogOut { gateway }),
        2 => (0..USERS.len()).prop_map(|user| Step::Kick { user }),
        3 => (1..8u8).prop_map(|mask| Step::Place { mask }),
        1 => (0..3usize).prop_map(|node| Step::Replace { node }),
        1 => (0..2usize).prop_map(|gateway| Step::GatewayDies { gateway }),
        1 => prop_oneof![Just(1usize), Just(3), Just(1000)].prop_map(|of| Step::Lossy { of }),
    ];
    prop::collection::vec(step, 30..60)
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_end_up_knowing_what_gateways_hold() {
    let seed: u64 = std::env::var("THRONG_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random);
    println!("THRONG_TEST_SEED={seed}");
    let plays = (seed..seed.saturating_add(SEEDS)).map(|seed| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
        let steps = steps().new_tree(&mut runner).unwrap().current();
        tokio::spawn(async move { play(seed, steps).await })
    });
    for play in plays.collect::<Vec<_>>() {
        play.await.unwrap();
    }
}

async fn play(seed: u64, steps: Vec<Step>) {
    let mut cluster = Cluster::start(3, u32::try_from(LIMIT).unwrap()).await;
    let mut nodes = vec![0, 1, 2];
    let mut mask = 7;
    let mut gateways = vec![cluster.gateway("g0").await, cluster.gateway("g1").await];
    for step in &steps {
        match *step {
            Step::Login { user, gateway } => {
                let inst_id = u32::try_from(next_number()).unwrap();
                gateways[gateway].login(USERS[user], inst_id).await;
            }
            Step::ComeBack { gateway } => {
                // A session of the other gateway, which does not notice by itself.
                let held = gateways[1 - gateway].held();
                if let Some((user, inst_id)) = held.first() {
                    gateways[gateway].come_back(user, *inst_id).await;
                }
            }
            Step::Disconnect { gateway } => {
                if let Some((user, inst_id)) = gateways[gateway].held().pop() {
                    gateways[gateway].disconnect(&user, inst_id).await;
                }
            }
            Step::LogOut { gateway } => {
                if let Some((user, inst_id)) = gateways[gateway].held().pop() {
                    gateways[gateway].log_out(&user, inst_id).await;
                }
            }
            Step::Kick { user } => cluster.kick(USERS[user]).await,
            Step::Place { mask: placed } => {
                mask = placed;
                place(&cluster, &nodes, mask);
                // Nodes see one list after the other.
                sleep(BETWEEN_LISTS).await;
            }
            Step::Replace { node } => {
                cluster.kill(nodes[node]);
                nodes[node] = cluster.add_node();
                place(&cluster, &nodes, mask);
                sleep(BETWEEN_LISTS).await;
            }
            Step::GatewayDies { gateway } => {
                let next = cluster.gateway(&format!("gateway-{}", next_number())).await;
                std::mem::replace(&mut gateways[gateway], next).kill();
            }
            Step::Lossy { of } => cluster.bus.of.store(of, Ordering::Relaxed),
        }
    }
    cluster.bus.of.store(1, Ordering::Relaxed);
    let version = place(&cluster, &nodes, mask);
    let began = Instant::now();
    loop {
        let told = gateways.iter().all(|gateway| gateway.has_told(version));
        match told {
            true => match disagreement(&cluster, &gateways).await {
                None => break,
                Some(why) => assert!(
                    began.elapsed() < PATIENCE,
                    "THRONG_TEST_SEED={seed}: {why}\n{}{}{steps:#?}",
                    gateways[0].describe(),
                    gateways[1].describe(),
                ),
            },
            false => assert!(began.elapsed() < PATIENCE, "THRONG_TEST_SEED={seed}: not told"),
        }
        sleep(Duration::from_millis(50)).await;
    }
    // A kick finds each of them, once.
    let before: Vec<usize> = gateways.iter().map(|gateway| gateway.kicked().len()).collect();
    let held: Vec<usize> = gateways.iter().map(|gateway| gateway.held().len()).collect();
    for user in USERS {
        cluster.kick(user).await;
    }
    for (place, gateway) in gateways.iter().enumerate() {
        eventually("all are kicked", || gateway.held().is_empty()).await;
        assert_eq!(gateway.kicked().len(), before[place] + held[place]);
    }
}

fn place(cluster: &Cluster, nodes: &[usize], mask: u8) -> u64 {
    let placed: Vec<usize> = nodes
        .iter()
        .enumerate()
        .filter(|(bit, _)| mask >> bit & 1 == 1)
        .map(|(_, node)| *node)
        .collect();
    cluster.place(&placed)
}

/// What nodes and gateways do not agree about, if anything: nodes are asked by a delivery, which goes to
/// the sessions that they know.
async fn disagreement(cluster: &Cluster, gateways: &[Gateway]) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    for gateway in gateways {
        for id in gateway.held() {
            if !seen.insert(id.clone()) {
                return Some(format!("{id:?} is at two gateways"));
            }
        }
    }
    for user in USERS {
        let held = seen.iter().filter(|(name, _)| name == user).count();
        if held > LIMIT {
            return Some(format!("{user} has {held} sessions"));
        }
        let online = cluster.online(&[user]).await.len();
        // A grace period may run.
        if online != usize::from(held > 0) {
            return Some(format!("{user} has {held} sessions, and nodes say {online}"));
        }
    }
    let mark = format!("mark-{}", next_number());
    let reached = cluster.deliver(&USERS, &mark).await as usize;
    let users: std::collections::BTreeSet<&String> = seen.iter().map(|(user, _)| user).collect();
    if reached != users.len() {
        return Some(format!("{reached} users are reached, {} are there", users.len()));
    }
    // On its way for moments.
    let began = Instant::now();
    loop {
        let missed = gateways.iter().find_map(|gateway| {
            let state = gateway.inner.state.lock();
            let got = |id: &gateway::Key| {
                state.items.iter().any(|(other, item)| other == id && *item == mark)
            };
            state.held.keys().find(|id| !got(id)).cloned()
        });
        match missed {
            None => return None,
            Some(id) if began.elapsed() > Duration::from_secs(1) => {
                return Some(format!("{id:?} is not known"));
            }
            Some(_) => sleep(Duration::from_millis(5)).await,
        }
    }
}
