//! Calls between processes over real connections: to nodes that are not there, are not the right ones,
//! or stand still while they are asked.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use throng_node::cluster::{
    Channels, Discovery, PlacementView, Placements, Transport, not_begun, serve,
};
use throng_proto::v1::callback_client::CallbackClient;
use throng_proto::v1::callback_server::{Callback, CallbackServer};
use throng_proto::{Link, Route, v1};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::service::RoutesBuilder;
use tonic::{Code, Request, Response, Status};

type Reply<T> = Result<Response<T>, Status>;

/// How a node answers its calls, by their number.
type Behaviour = Arc<dyn Fn(u32) -> Result<(), Status> + Send + Sync>;

#[derive(Clone)]
struct Node {
    calls: Arc<AtomicU32>,
    asleep: Arc<AtomicBool>,
    behaviour: Behaviour,
}

#[tonic::async_trait]
impl Callback for Node {
    async fn before(&self, _: Request<v1::BeforeRequest>) -> Reply<v1::BeforeReply> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        (self.behaviour)(number)?;
        Ok(Response::new(v1::BeforeReply::default()))
    }

    /// Never answers.
    async fn after(&self, _: Request<v1::AfterRequest>) -> Reply<v1::AfterReply> {
        std::future::pending().await
    }
}

struct Running {
    address: SocketAddr,
    calls: Arc<AtomicU32>,
    asleep: Arc<AtomicBool>,
    _stop: oneshot::Sender<()>,
}

impl Running {
    fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn node(
    requests: usize,
    behaviour: impl Fn(u32) -> Result<(), Status> + Send + Sync + 'static,
) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (calls, asleep) = (Arc::<AtomicU32>::default(), Arc::<AtomicBool>::default());
    let node = Node {
        calls: Arc::clone(&calls),
        asleep: Arc::clone(&asleep),
        behaviour: Arc::new(behaviour),
    };
    let mut services = RoutesBuilder::default();
    services.add_service(CallbackServer::new(node));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move { stopped.await.unwrap_or_default() };
    tokio::spawn(serve(listener, services, requests, stopped));
    Running { address, calls, asleep, _stop: stop }
}

fn client(transport: Transport) -> CallbackClient<Link> {
    let link = Link::unconnected();
    link.connect_transport(transport);
    CallbackClient::new(link)
}

fn alike(addresses: &[SocketAddr]) -> CallbackClient<Link> {
    let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    client(Transport::alike("test", Discovery::start("test", &names), Channels::default()))
}

/// An address that refuses connections.
async fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

fn before(route: Route) -> Request<v1::BeforeRequest> {
    let mut request = route.request(v1::BeforeRequest::default());
    request.set_timeout(Duration::from_secs(5));
    request
}

fn short<T>(mut request: Request<T>) -> Request<T> {
    request.set_timeout(Duration::from_millis(60));
    request
}

#[tokio::test]
async fn a_node_that_is_not_there_is_passed_over() {
    let well = node(10, |_| Ok(())).await;
    let mut client = alike(&[nowhere().await, well.address]);
    for _ in 0..10 {
        client.before(before(Route::ANY)).await.unwrap();
        client.before(before(Route::ANY.once())).await.unwrap();
    }
    assert_eq!(well.calls(), 20);
}

#[tokio::test]
async fn what_was_not_begun_is_repeated_whatever_it_does() {
    let not_owner = |number| if number < 3 { Err(not_begun("not the owner")) } else { Ok(()) };
    let node = node(10, not_owner).await;
    alike(&[node.address]).before(before(Route::ANY.once())).await.unwrap();
    assert_eq!(node.calls(), 4);
}

#[tokio::test]
async fn what_may_have_been_done_is_repeated_only_if_that_does_no_harm() {
    let failing = |number| match number {
        0 => Err(Status::unavailable("history is away")),
        _ => Ok(()),
    };
    let one = node(10, failing).await;
    alike(&[one.address]).before(before(Route::ANY)).await.unwrap();
    assert_eq!(one.calls(), 2);
    let other = node(10, failing).await;
    let error = alike(&[other.address]).before(before(Route::ANY.once())).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "history is away"));
    assert_eq!(other.calls(), 1);
}

#[tokio::test]
async fn other_errors_are_for_the_caller() {
    let node = node(10, |_| Err(Status::not_found("no such thing"))).await;
    let error = alike(&[node.address]).before(before(Route::ANY)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "no such thing"));
    assert_eq!(node.calls(), 1);
}

#[tokio::test]
async fn a_call_ends_with_its_deadline() {
    let node = node(10, |_| Ok(())).await;
    let call = || short(Route::ANY.request(v1::AfterRequest::default()));
    let error = alike(&[node.address]).after(call()).await.unwrap_err();
    assert!(matches!(error.code(), Code::DeadlineExceeded | Code::Cancelled), "{error}");
    let error = alike(&[nowhere().await]).after(call()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn what_a_node_has_no_room_for_is_not_begun() {
    let node = node(1, |_| Ok(())).await;
    let mut first = alike(&[node.address]);
    let call = short(Route::ANY.request(v1::AfterRequest::default()));
    let held = tokio::spawn(async move { first.after(call).await });
    // Whichever comes first: the one has its answer once the other has met its deadline.
    alike(&[node.address]).before(before(Route::ANY.once())).await.unwrap();
    held.await.unwrap().unwrap_err();
}

fn update(version: u64, epoch: u64, owner: SocketAddr) -> v1::PlacementUpdate {
    let node = v1::ClusterNode {
        name: owner.to_string(),
        role: v1::NodeRole::RoleGroupRouter.into(),
        address: owner.to_string(),
        incarnation: 1,
        leaving: false,
    };
    let shard = v1::ShardPlacement { shard: 0, owner: owner.to_string(), epoch };
    v1::PlacementUpdate { version, shards: 1, nodes: vec![node], changed: vec![shard] }
}

#[tokio::test]
async fn a_call_follows_its_group_to_the_new_owner() {
    let old = node(10, |_| Ok(())).await;
    old.asleep.store(true, Ordering::SeqCst);
    let new = node(10, |_| Ok(())).await;
    let view = PlacementView::still(Placements::default());
    let mut client = client(Transport::owners(view.clone(), Channels::default()));
    let call = tokio::spawn(async move { client.before(before(Route::hash(7))).await });
    // It waits while there is no owner, and gives one up that stands still when there is another.
    tokio::task::yield_now().await;
    view.update(update(1, 1, old.address));
    while old.calls() == 0 {
        tokio::task::yield_now().await;
    }
    view.update(update(2, 2, new.address));
    call.await.unwrap().unwrap();
    assert_eq!(new.calls(), 1);
}
