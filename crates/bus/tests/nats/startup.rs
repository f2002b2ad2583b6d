//! How a bus begins and ends.

use std::time::Duration;

use bytes::Bytes;
use throng_bus::{Bus, BusError, Hidden, NatsBus, NatsConfig, NatsError, subjects};
use throng_protocol::ids::AppId;
use tokio::time::timeout;

use super::server::{PATIENCE, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_it_gives_up_in_time() {
    let Some(server) = Server::not_yet_started() else { return };
    let config = NatsConfig { startup_timeout: Duration::from_millis(300), ..server.config() };
    let error = timeout(PATIENCE, NatsBus::connect(&config, "test")).await.unwrap().unwrap_err();
    assert!(matches!(error, NatsError::Deadline(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_may_start_later_than_its_clients() {
    let Some(mut server) = Server::not_yet_started() else { return };
    let config = server.config();
    let (bus, ()) = tokio::join!(NatsBus::connect(&config, "test"), server.run());
    bus.unwrap().flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_and_tokens_are_checked() {
    let Some(server) = Server::start_with(&["--user", "throng", "--pass", "right"]).await else {
        return;
    };
    let with = |password| NatsConfig {
        user: "throng".to_owned(),
        password: Hidden::new(password),
        ..server.config()
    };
    let bus = NatsBus::connect(&with("right"), "test").await.unwrap();
    assert!(!format!("{bus:?}").contains("right"));
    let error = NatsBus::connect(&with("wrong"), "test").await.unwrap_err();
    assert!(matches!(error, NatsError::Refused(_)), "{error}");
    assert!(!format!("{error} {error:?}").contains("wrong"));
    let error = NatsBus::connect(&server.config(), "test").await.unwrap_err();
    assert!(matches!(error, NatsError::Refused(_)), "{error}");

    let server = Server::start_with(&["--auth", "a token"]).await.unwrap();
    let config = NatsConfig { token: Hidden::new("a token"), ..server.config() };
    NatsBus::connect(&config, "test").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_forbids_or_limits_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nats.conf");
    std::fs::write(
        &file,
        "max_payload: 1000
         authorization { users = [
           { user: deaf, password: p, permissions: { publish: \"throng.>\", subscribe: x } }
           { user: ours, password: p, permissions: { publish: \"throng.>\", subscribe: \"throng.>\" } }
         ] }",
    )
    .unwrap();
    let Some(server) = Server::start_with(&["-c", file.to_str().unwrap()]).await else { return };
    let with = |user: &str, confirm_timeout| NatsConfig {
        user: user.to_owned(),
        password: Hidden::new("p"),
        confirm_timeout,
        ..server.config()
    };
    let config = with("deaf", Duration::from_millis(300));
    let error = NatsBus::connect(&config, "test").await.unwrap_err();
    assert!(matches!(error, NatsError::Deaf), "{error}");

    let bus = NatsBus::connect(&with("ours", PATIENCE), "test").await.unwrap();
    let published = bus.publish("throng.x", Bytes::from(vec![0; 1001]));
    assert_eq!(published, Err(BusError::TooLarge { size: 1001, limit: 1000 }));
    bus.publish("throng.x", Bytes::from(vec![0; 1000])).unwrap();
    bus.flush().await.unwrap();
}

/// What was published before a flush has arrived although the bus is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_end_with_their_bus_and_what_was_flushed_arrives() {
    let Some(server) = Server::start().await else { return };
    let (here, there) = (server.bus().await, server.bus().await);
    let mut subscriptions = Vec::new();
    for subject in [subjects::room(AppId(7), "end"), subjects::profiles(AppId(7))] {
        let own = here.subscribe(&subject).await.unwrap();
        subscriptions.push((subject.clone(), own, there.subscribe(&subject).await.unwrap()));
    }
    for (subject, _, _) in &subscriptions {
        for _ in 0..1000 {
            here.publish(subject, Bytes::from_static(b"one more")).unwrap();
        }
    }
    here.flush().await.unwrap();
    drop(here);
    for (_, mut own, mut theirs) in subscriptions {
        for _ in 0..1000 {
            timeout(PATIENCE, theirs.recv()).await.unwrap().unwrap();
        }
        while timeout(PATIENCE, own.recv()).await.expect("it ends").is_some() {}
    }
}
