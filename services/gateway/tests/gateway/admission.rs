//! Who comes in when more come than are let in: they wait, and are not refused.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use throng_gateway::Config;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Cluster, LONG};

#[tokio::test]
async fn a_storm_is_let_in_at_the_set_pace() {
    let config = Config { accepts_per_second: 10, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let began = Instant::now();
    // The first ten have the budget of a second, the others come evenly.
    let clients = join_all((0..25).map(|_| cluster.connect())).await;
    assert!(began.elapsed() > Duration::from_millis(1400), "{:?}", began.elapsed());
    assert_eq!(clients.len(), 25, "nobody was refused");
}

#[tokio::test]
async fn who_says_nothing_makes_room_for_who_does() {
    let config = Config { max_handshakes: 2, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let connect = || async { TcpStream::connect(cluster.address).await.unwrap() };
    let mut silent = [connect().await, connect().await];
    // It waits with the system, and is served long before the others' time is up.
    let began = Instant::now();
    let client = cluster.connect().await;
    assert!(began.elapsed() > Duration::from_millis(1500), "{:?}", began.elapsed());
    let read = timeout(LONG, silent[0].read(&mut [0; 1])).await.expect("the first is ended");
    assert!(matches!(read, Ok(0) | Err(_)));
    let other = timeout(Duration::from_millis(200), silent[1].read(&mut [0; 1])).await;
    assert!(other.is_err(), "the second was not in the way");
    drop(client);
}

#[tokio::test]
async fn open_connections_are_no_handshakes() {
    let config = Config { max_handshakes: 1, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let began = Instant::now();
    let clients = join_all((0..20).map(|_| cluster.connect())).await;
    assert!(began.elapsed() < Duration::from_millis(1900), "none had to make room");
    drop(clients);
}
