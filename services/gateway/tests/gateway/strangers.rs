//! What strangers can take of a gateway, and what they cannot.

use std::time::Duration;

use throng_gateway::{Config, DemoConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{APP, Cluster, LONG};

/// Whether the server ends a connection that says nothing.
async fn is_refused(cluster: &Cluster) -> bool {
    let mut socket = TcpStream::connect(cluster.address).await.unwrap();
    let read = timeout(Duration::from_millis(100), socket.read(&mut [0; 1])).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

async fn is_free_again(cluster: &Cluster) {
    let served = async { while is_refused(cluster).await {} };
    timeout(LONG, served).await.expect("the place is free again");
}

/// One address could hold all places for HTTP: its limit was for WebSockets alone.
#[tokio::test]
async fn an_address_holds_no_more_connections_that_say_nothing_than_others() {
    let config = Config { max_connections_per_address: 2, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let connect = || async { TcpStream::connect(cluster.address).await.unwrap() };
    let held = [connect().await, connect().await];
    assert!(is_refused(&cluster).await);
    drop(held);
    let served = async { while is_refused(&cluster).await {} };
    timeout(LONG, served).await.expect("the places are free again");
}

/// An answer that nobody takes held its connection for ever.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_asks_and_never_reads_is_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let sdk_path = folder.path().join("sdk.js");
    // More than the system keeps for a socket.
    std::fs::write(&sdk_path, vec![b' '; 15 << 20]).unwrap();
    let demo = DemoConfig { app: Some(APP.0), sdk_path, ..DemoConfig::default() };
    let stall_timeout = Duration::from_millis(500);
    let max_connections_per_address = 1;
    let config = Config { demo, stall_timeout, max_connections_per_address, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut socket = TcpStream::connect(cluster.address).await.unwrap();
    socket.write_all(b"GET /demo/sdk.js HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(is_refused(&cluster).await, "its place is taken");
    is_free_again(&cluster).await;
}
