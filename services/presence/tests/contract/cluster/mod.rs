//! Several presence nodes and gateways in one process. Which nodes there are, who sees which of them,
//! and who dies, a test says.

mod audience;
mod bus;
mod gateway;
mod life;
mod many;
mod random;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use throng_bus::{Bus, Delivery, Subscription, subjects};
use throng_node::apps::Apps;
use throng_node::cluster::lease::LeaseState;
use throng_node::cluster::{self, HomeList, Homes};
use throng_node::drain::Drain;
use throng_presence::{Config, Deps, Home, Presence};
use throng_proto::v1::deliver_request::Guarantee;
use throng_proto::v1::presence_client::PresenceClient;
use throng_proto::{Link, Route, v1};
use throng_protocol::ids::{AppId, user_hash};
use throng_store::{Key, MemoryStore, Page, Store as _};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep};

use crate::support::{APP, PATIENCE, directory, group_router};
use bus::LossyBus;
use gateway::Gateway;
use wire::{Gate, Wire};

/// What the nodes share, and the nodes.
pub(crate) struct Cluster {
    pub(crate) bus: Arc<LossyBus>,
    store: Arc<MemoryStore>,
    config: Config,
    apps: Apps,
    directory: Link,
    group_router: Link,
    pub(crate) detached: mpsc::Receiver<v1::DetachMemberRequest>,
    nodes: Vec<Node>,
    /// What callers and gateways see.
    list: watch::Sender<Arc<HomeList>>,
    gone: Mutex<Subscription>,
}

struct Node {
    home: cluster::Home,
    /// What it sees itself.
    list: watch::Sender<Arc<HomeList>>,
    lease: watch::Sender<LeaseState>,
    cut: Arc<AtomicBool>,
    /// A killed one has none.
    runtime: Option<Runtime>,
}

impl Cluster {
    /// So many nodes, all on the list. Users may have so many sessions.
    pub(crate) async fn start(nodes: usize, web_instances: u32) -> Self {
        let config = Config {
            grace_seconds: 1,
            gateway_lease_ms: 2_500,
            write_behind_ms: 10,
            ..Config::default()
        };
        Self::with(nodes, web_instances, config).await
    }

    pub(crate) async fn with(nodes: usize, web_instances: u32, config: Config) -> Self {
        let bus = Arc::new(LossyBus::default());
        let gone = bus.subscribe(subjects::gateways_gone()).await.unwrap();
        let directory = directory(web_instances);
        let (group_router, detached) = group_router();
        let mut cluster = Self {
            bus,
            store: Arc::default(),
            config,
            apps: Apps::new(directory.clone()),
            directory,
            group_router,
            detached,
            nodes: Vec::new(),
            list: watch::Sender::new(Arc::default()),
            gone: Mutex::new(gone),
        };
        for _ in 0..nodes {
            cluster.add_node();
        }
        cluster.place(&(0..nodes).collect::<Vec<_>>());
        cluster
    }

    /// A node that is on nobody's list yet.
    pub(crate) fn add_node(&mut self) -> usize {
        let place = self.nodes.len();
        let incarnation = 1000 + place as u64;
        let list = watch::Sender::new(Arc::default());
        let lease = watch::Sender::new(lease(incarnation));
        let name: Arc<str> = format!("presence-{place}").into();
        let home =
            Home::among(Homes::following(list.subscribe()), Arc::clone(&name), lease.subscribe());
        let deps = Deps {
            store: self.store.clone(),
            bus: self.bus.clone(),
            group_router: self.group_router.clone(),
            directory: self.directory.clone(),
            apps: self.apps.clone(),
            home,
        };
        let presence = Presence::build(self.config.clone(), deps).unwrap();
        // A runtime of its own, so that it can die.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        {
            let _inside = runtime.enter();
            presence.run(&Drain::new());
        }
        let cut = Arc::new(AtomicBool::new(false));
        let link = Link::to_server(Gate { server: presence.server(), cut: Arc::clone(&cut) });
        let home = cluster::Home { name, incarnation, link };
        self.nodes.push(Node { home, list, lease, cut, runtime: Some(runtime) });
        place
    }

    /// These nodes are on everybody's list from now on. Returns its version.
    pub(crate) fn place(&self, places: &[usize]) -> u64 {
        let list = self.list_of(places);
        for node in &self.nodes {
            node.list.send_replace(Arc::clone(&list));
        }
        self.show(&list);
        list.version
    }

    /// A list of these nodes, newer than all before.
    pub(crate) fn list_of(&self, places: &[usize]) -> Arc<HomeList> {
        let nodes = places.iter().map(|place| self.nodes[*place].home.clone()).collect();
        Arc::new(HomeList { version: self.list.borrow().version + 1, nodes })
    }

    /// Callers and gateways see this list.
    pub(crate) fn show(&self, list: &Arc<HomeList>) {
        self.list.send_replace(Arc::clone(list));
    }

    /// One node sees this list.
    pub(crate) fn show_to(&self, place: usize, list: &Arc<HomeList>) {
        self.nodes[place].list.send_replace(Arc::clone(list));
    }

    /// The process of a node dies. It stays on the list.
    pub(crate) fn kill(&mut self, place: usize) {
        self.nodes[place].cut.store(true, Ordering::Relaxed);
        if let Some(runtime) = self.nodes[place].runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// The node loses its lease, or has it again.
    pub(crate) fn lend(&self, place: usize, fresh: bool) {
        let node = &self.nodes[place];
        let until = if fresh { lease(0).until } else { None };
        node.lease.send_modify(|lease| lease.until = until);
    }

    /// Where a user is at home, by the list that callers see.
    pub(crate) fn home_of(&self, user: &str) -> usize {
        let list = self.list.borrow();
        let name = &list.of(user_hash(AppId(APP), user)).unwrap().name;
        self.nodes.iter().position(|node| node.home.name == *name).unwrap()
    }

    /// The way of callers.
    pub(crate) fn presence(&self) -> PresenceClient<Link> {
        let link = Link::unconnected();
        link.connect_transport(Wire { list: self.list.subscribe(), turn: Arc::default() });
        PresenceClient::new(link)
    }

    /// One node, directly.
    pub(crate) fn node(&self, place: usize) -> PresenceClient<Link> {
        PresenceClient::new(self.nodes[place].home.link.clone())
    }

    pub(crate) async fn gateway(&self, name: &str) -> Gateway {
        Gateway::start(name, &*self.bus, self.list.subscribe(), self.presence()).await
    }

    pub(crate) async fn kick(&self, user: &str) {
        let request = v1::KickUserRequest { app: APP, user: user.to_owned() };
        let request = gateway::home(user).request(request);
        self.presence().kick_user(request).await.unwrap();
    }

    pub(crate) async fn deliver(&self, users: &[&str], item: &str) -> u32 {
        let request = v1::DeliverRequest {
            app: APP,
            users: users.iter().map(|user| (*user).to_owned()).collect(),
            event_items: Bytes::copy_from_slice(item.as_bytes()),
            guarantee: Guarantee::Client.into(),
            ..v1::DeliverRequest::default()
        };
        self.presence().deliver(Route::ANY.request(request)).await.unwrap().into_inner().reached
    }

    /// Waits until the store has something of a user.
    pub(crate) async fn stored(&self, user: &str) {
        let table = throng_presence::tables()[0];
        let partition = Key::new().u32(APP).text(user);
        let began = Instant::now();
        while self.store.page(table, &partition, Page::forward(1)).await.unwrap().is_empty() {
            assert!(began.elapsed() < PATIENCE, "nothing is written");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the home of a user, who has a session at a gateway, knows all sessions: then it
    /// sends gateways nothing for users who are not there.
    pub(crate) async fn settled(&self, gateway: &Gateway, user: &str) {
        let began = Instant::now();
        let alike = |name: &String| {
            self.home_of(name) == self.home_of(user)
                && subjects::gateway_partition(AppId(APP), name)
                    == subjects::gateway_partition(AppId(APP), user)
        };
        loop {
            let mut names = (0..).map(|_| format!("stray-{}", next_number()));
            let stray = names.find(alike).unwrap();
            let mark = format!("mark-{}", next_number());
            self.deliver(&[&stray], &mark).await;
            // What goes the same way keeps its order.
            self.deliver(&[user], &mark).await;
            eventually("the mark came", || gateway.items(user).contains(&mark)).await;
            if !gateway.inner.state.lock().strays.contains(&stray) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "it never settles");
        }
    }

    pub(crate) async fn online(&self, users: &[&str]) -> Vec<String> {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        let request = v1::FilterOnlineRequest { app: APP, users, ..Default::default() };
        self.presence().filter_online(request).await.unwrap().into_inner().users
    }

    pub(crate) async fn inside(&self, group_id: &str, users: &[&str]) -> Vec<String> {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        let group_id = group_id.to_owned();
        let request =
            v1::FilterRoomMembersRequest { app: APP, group_id, users, ..Default::default() };
        self.presence().filter_room_members(request).await.unwrap().into_inner().users
    }

    pub(crate) async fn execute(
        &self,
        route: Route,
        (user, inst_id): (&str, u32),
        command: &str,
        body: &Value,
    ) -> Value {
        let request = v1::CommandRequest {
            app: APP,
            caller: Some(v1::Caller { user: user.to_owned(), ..v1::Caller::default() }),
            origin: Some(v1::Origin { inst_id, ..v1::Origin::default() }),
            command: command.to_owned(),
            body: body.to_string().into(),
            ..v1::CommandRequest::default()
        };
        let reply = self.presence().execute(route.request(request)).await.unwrap().into_inner();
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The next gateway that is said to be gone.
    pub(crate) async fn next_gone(&mut self) -> String {
        let gone = tokio::time::timeout(PATIENCE, self.gone.get_mut().recv()).await;
        let Delivery::Message(payload) = gone.expect("none is gone").unwrap() else {
            panic!("lost");
        };
        let gone: v1::GatewayGone = prost::Message::decode(payload).unwrap();
        gone.gateway
    }

    pub(crate) async fn next_detached(&mut self) -> v1::DetachMemberRequest {
        tokio::time::timeout(PATIENCE, self.detached.recv()).await.expect("nothing ended").unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(runtime) = node.runtime.take() {
                runtime.shutdown_background();
            }
        }
    }
}

fn lease(incarnation: u64) -> LeaseState {
    let until = Some(Instant::now() + Duration::from_secs(3600));
    LeaseState { incarnation, until, placement_version: 0 }
}

/// So many users who are all at home on one node, by the list that callers see.
pub(crate) fn users_of(cluster: &Cluster, place: usize, count: usize) -> Vec<String> {
    let names = (0..).map(|number| format!("user-{number}"));
    names.filter(|user| cluster.home_of(user) == place).take(count).collect()
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never so: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Numbers for what must not repeat in a test.
pub(crate) fn next_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
