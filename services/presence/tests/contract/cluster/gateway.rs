//! A gateway as presence sees it: it beats, tells of its sessions, does what it is ordered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use prost::Message as _;
use throng_bus::subjects::{self, GATEWAY_PARTITIONS};
use throng_bus::{Bus, Delivery, Subscription};
use throng_node::cluster::{Home, HomeList};
use throng_proto::v1::gateway_message::Message;
use throng_proto::v1::presence_client::PresenceClient;
use throng_proto::v1::register_reply::Outcome;
use throng_proto::{Link, Route, v1};
use throng_protocol::ids::{AppId, user_hash};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::{APP, key};

const PERIOD: Duration = Duration::from_millis(100);

/// User and instance.
pub(crate) type Key = (String, u32);

/// It dies when it is dropped.
pub(crate) struct Gateway {
    pub(crate) inner: Arc<Inner>,
    tasks: JoinSet<()>,
}

pub(crate) struct Inner {
    pub(crate) name: String,
    list: watch::Receiver<Arc<HomeList>>,
    presence: PresenceClient<Link>,
    pub(crate) state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) held: BTreeMap<Key, Held>,
    /// Orders to put sessions offline that it carried out: who, and how.
    pub(crate) kicked: Vec<(Key, u32)>,
    /// Items by the session that got them.
    pub(crate) items: Vec<(Key, String)>,
    /// Users of deliveries who have no session here.
    pub(crate) strays: BTreeSet<String>,
    /// It does not tell of sessions now.
    pub(crate) mute: bool,
    numbers: u64,
    nodes: HashMap<Arc<str>, Known>,
    came: HashMap<u64, [BTreeSet<u64>; GATEWAY_PARTITIONS as usize]>,
}

/// A session with a connection.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) issued_at: i64,
    pub(crate) connection: u64,
    pub(crate) rooms: Vec<String>,
    /// The bond of the node that was told of it.
    told: u64,
    logged_in: bool,
}

/// A presence node as it knows it.
#[derive(Debug, Default, Clone)]
struct Known {
    bond: u64,
    stream: u64,
    told: u64,
    sent: Vec<u64>,
}

impl Gateway {
    pub(crate) async fn start(
        name: &str,
        bus: &dyn Bus,
        list: watch::Receiver<Arc<HomeList>>,
        presence: PresenceClient<Link>,
    ) -> Self {
        let mut inbox = Vec::new();
        for partition in 0..GATEWAY_PARTITIONS {
            inbox.push(bus.subscribe(&subjects::gateway(name, partition)).await.unwrap());
        }
        let name = name.to_owned();
        let inner = Arc::new(Inner { name, list, presence, state: Mutex::default() });
        let mut tasks = JoinSet::new();
        let one = Arc::clone(&inner);
        tasks.spawn(async move { one.receive(Subscription::joined(inbox)).await });
        let other = Arc::clone(&inner);
        tasks.spawn(async move { other.keep_in_touch().await });
        Self { inner, tasks }
    }

    /// It is gone, without a word.
    pub(crate) fn kill(mut self) {
        self.tasks.abort_all();
    }

    pub(crate) fn held(&self) -> Vec<Key> {
        self.inner.state.lock().held.keys().cloned().collect()
    }

    pub(crate) fn kicked(&self) -> Vec<(Key, u32)> {
        self.inner.state.lock().kicked.clone()
    }

    /// Items that a user's sessions got here, in order.
    pub(crate) fn items(&self, user: &str) -> Vec<String> {
        let state = self.inner.state.lock();
        let items = state.items.iter().filter(|((name, _), _)| name == user);
        items.map(|(_, item)| item.clone()).collect()
    }

    /// What it holds and knows, for people.
    pub(crate) fn describe(&self) -> String {
        let state = self.inner.state.lock();
        let (name, held, nodes) = (&self.inner.name, &state.held, &state.nodes);
        format!("{name}: {held:?}\n{nodes:?}\n{:?}\n", state.kicked)
    }

    /// Whether every node was told of everything by this list.
    pub(crate) fn has_told(&self, version: u64) -> bool {
        let state = self.inner.state.lock();
        let list = self.inner.list.borrow();
        let told =
            |home: &Home| state.nodes.get(&home.name).is_some_and(|node| node.told >= version);
        list.version >= version && list.nodes.iter().all(told)
    }

    pub(crate) async fn login(&self, user: &str, inst_id: u32) -> v1::RegisterReply {
        self.inner.register(user, inst_id, i64::from(inst_id) + 1_800_000_000, true).await
    }

    pub(crate) async fn come_back(&self, user: &str, inst_id: u32) -> v1::RegisterReply {
        self.inner.register(user, inst_id, i64::from(inst_id) + 1_800_000_000, false).await
    }

    pub(crate) async fn join(&self, user: &str, inst_id: u32, group_id: &str) {
        let joined = vec![crate::support::tracked(group_id, 0)];
        let request =
            v1::TrackRoomsRequest { session: key(user, inst_id), joined, left: Vec::new() };
        self.inner.presence.clone().track_rooms(home(user).request(request)).await.unwrap();
        if let Some(held) = self.inner.state.lock().held.get_mut(&(user.to_owned(), inst_id)) {
            held.rooms.push(group_id.to_owned());
        }
    }

    /// The connection ends.
    pub(crate) async fn disconnect(&self, user: &str, inst_id: u32) {
        let held = self.inner.state.lock().held.remove(&(user.to_owned(), inst_id));
        if let Some(held) = held {
            self.inner.tell_end((user.to_owned(), inst_id), held).await;
        }
    }

    pub(crate) async fn log_out(&self, user: &str, inst_id: u32) {
        let held = self.inner.state.lock().held.remove(&(user.to_owned(), inst_id));
        if let Some(held) = held {
            let request = v1::UnregisterRequest {
                session: key(user, inst_id),
                kick_type: 0,
                gateway: self.inner.name.clone(),
                connection: held.connection,
            };
            self.inner.presence.clone().unregister(home(user).request(request)).await.unwrap();
        }
    }

    /// It says that it ends.
    pub(crate) async fn leave(self) {
        let nodes = self.inner.list.borrow().nodes.clone();
        for node in nodes {
            let gateway = self.inner.name.clone();
            let request = v1::GatewayBeatRequest { gateway, leaving: true, ..Default::default() };
            PresenceClient::new(node.link).gateway_beat(request).await.unwrap();
        }
        self.kill();
    }
}

pub(crate) fn home(user: &str) -> Route {
    Route::hash(user_hash(AppId(APP), user))
}

impl Inner {
    async fn register(
        &self,
        user: &str,
        inst_id: u32,
        issued_at: i64,
        fresh: bool,
    ) -> v1::RegisterReply {
        let mut held =
            Held { issued_at, connection: 0, rooms: Vec::new(), told: 0, logged_in: false };
        let id = (user.to_owned(), inst_id);
        {
            let mut state = self.state.lock();
            state.numbers += 1;
            let clock = u64::try_from(throng_node::time::now_micros()).unwrap();
            held.connection = clock + state.numbers;
            state.held.insert(id.clone(), held.clone());
        }
        let request = self.as_told(&id, &held, fresh);
        let mut presence = self.presence.clone();
        let reply = presence.register(home(user).request(request)).await.unwrap().into_inner();
        let mut state = self.state.lock();
        if reply.outcome() == Outcome::Registered {
            // It may have been put offline meanwhile.
            if let Some(held) = state.held.get_mut(&id) {
                held.told = reply.bond;
                held.logged_in = true;
                held.rooms = reply.rooms.iter().map(|room| room.group_id.clone()).collect();
            }
        } else {
            state.held.remove(&id);
        }
        reply
    }

    fn as_told(&self, (user, inst_id): &Key, held: &Held, fresh: bool) -> v1::RegisterRequest {
        v1::RegisterRequest {
            session: key(user, *inst_id),
            gateway: self.name.clone(),
            instance: format!("{user}-{inst_id}"),
            platform: 7,
            issued_at: held.issued_at,
            fresh,
            connection: held.connection,
            rooms: held.rooms.iter().map(|room| crate::support::tracked(room, 0)).collect(),
        }
    }

    async fn tell_end(&self, (user, inst_id): Key, held: Held) {
        let request = v1::DisconnectRequest {
            session: key(&user, inst_id),
            gateway: self.name.clone(),
            r#final: false,
            rooms: held.rooms.iter().map(|room| crate::support::tracked(room, 0)).collect(),
            connection: held.connection,
        };
        self.presence.clone().disconnect(home(&user).request(request)).await.unwrap();
    }

    async fn receive(self: Arc<Self>, mut inbox: Subscription) {
        while let Some(Delivery::Message(payload)) = inbox.recv().await {
            self.take(&payload);
        }
    }

    fn take(self: &Arc<Self>, payload: &Bytes) {
        let message = v1::GatewayMessage::decode(payload.clone()).unwrap();
        let mut state = self.state.lock();
        if message.number != 0 {
            let came = state.came.entry(message.stream).or_default();
            if !came[message.partition as usize].insert(message.number) {
                return;
            }
        }
        match message.message.unwrap() {
            Message::Delivery(delivery) => {
                let item = String::from_utf8(delivery.event_items.to_vec()).unwrap();
                for target in &delivery.targets {
                    let of_user = state.held.keys().filter(|(user, inst_id)| {
                        *user == target.user
                            && (target.inst_ids.is_empty() || target.inst_ids.contains(inst_id))
                            && *inst_id != delivery.except_inst_id
                    });
                    let got: Vec<_> = of_user.map(|id| (id.clone(), item.clone())).collect();
                    if got.is_empty() {
                        state.strays.insert(target.user.clone());
                    }
                    state.items.extend(got);
                }
            }
            Message::Kick(kick) => {
                let id = (kick.user.clone(), kick.inst_id);
                let held = state.held.get(&id).cloned();
                let is_meant = |held: &Held| [0, held.connection].contains(&kick.connection);
                let Some(held) = held.filter(is_meant) else { return };
                state.held.remove(&id);
                state.kicked.push((id.clone(), kick.kick_type));
                drop(state);
                let this = Arc::clone(self);
                if kick.kick_type == 0 {
                    tokio::spawn(async move { this.tell_end(id, held).await });
                } else {
                    tokio::spawn(async move {
                        let session = key(&kick.user, kick.inst_id);
                        let request = v1::UnregisterRequest {
                            session,
                            kick_type: kick.kick_type,
                            gateway: this.name.clone(),
                            connection: held.connection,
                        };
                        let request = home(&kick.user).request(request);
                        let _ = this.presence.clone().unregister(request).await;
                    });
                }
            }
        }
    }

    async fn keep_in_touch(self: Arc<Self>) {
        loop {
            let list = Arc::clone(&self.list.borrow());
            for node in &list.nodes {
                let _ = timeout(Duration::from_secs(1), self.beat(node, list.version)).await;
                if !self.state.lock().mute {
                    let _ = timeout(Duration::from_secs(5), self.tell_untold(node, &list)).await;
                }
            }
            sleep(PERIOD).await;
        }
    }

    async fn beat(self: &Arc<Self>, node: &Home, version: u64) {
        let known = self.state.lock().nodes.entry(Arc::clone(&node.name)).or_default().clone();
        let received = {
            let mut state = self.state.lock();
            let came = state.came.entry(known.stream).or_default();
            let position = |(came, sent): (&BTreeSet<u64>, &u64)| {
                let missing: Vec<u64> =
                    (1..=*sent).filter(|number| !came.contains(number)).collect();
                let complete = missing.first().map_or(*sent, |first| first - 1);
                v1::StreamPosition { complete, missing }
            };
            came.iter().zip(&known.sent).map(position).collect()
        };
        let request = v1::GatewayBeatRequest {
            gateway: self.name.clone(),
            leaving: false,
            stream: known.stream,
            told: known.told.min(version),
            received,
        };
        let Ok(reply) = PresenceClient::new(node.link.clone()).gateway_beat(request).await else {
            return;
        };
        let reply = reply.into_inner();
        for message in &reply.missed {
            self.take(message);
        }
        let mut state = self.state.lock();
        let known = state.nodes.entry(Arc::clone(&node.name)).or_default();
        if known.bond != reply.bond {
            known.told = 0;
        }
        known.bond = reply.bond;
        let same = std::mem::replace(&mut known.stream, reply.stream) == reply.stream;
        known.sent =
            if same { reply.sent.iter().map(|state| state.last).collect() } else { Vec::new() };
    }

    async fn tell_untold(self: &Arc<Self>, node: &Home, list: &HomeList) {
        let untold: Vec<(Key, Held)> = {
            let state = self.state.lock();
            let bond = state.nodes.get(&node.name).map_or(0, |known| known.bond);
            if bond == 0 {
                return;
            }
            let held = state.held.iter().filter(|((user, _), held)| {
                let home = list.of(user_hash(AppId(APP), user));
                home.is_some_and(|home| home.name == node.name)
                    && held.logged_in
                    && held.told != bond
            });
            held.map(|(id, held)| (id.clone(), held.clone())).collect()
        };
        let mut complete = true;
        if !untold.is_empty() {
            let sessions = untold.iter().map(|(id, held)| self.as_told(id, held, false));
            let request = v1::RestoreRequest {
                gateway: self.name.clone(),
                sessions: sessions.collect(),
                round: 0,
                last: false,
            };
            let Ok(reply) = PresenceClient::new(node.link.clone()).restore(request).await else {
                return;
            };
            let reply = reply.into_inner();
            for (place, (id, told)) in (0..).zip(untold) {
                if reply.elsewhere.contains(&place) {
                    complete = false;
                    continue;
                }
                let mut state = self.state.lock();
                let held = state.held.get_mut(&id);
                let held = held.filter(|held| held.connection == told.connection);
                if reply.kick_types[place as usize] != 0 || reply.moved.contains(&place) {
                    if held.is_some() {
                        state.held.remove(&id);
                        state.kicked.push((id, reply.kick_types[place as usize]));
                    }
                } else if let Some(held) = held {
                    held.told = reply.bond;
                } else {
                    drop(state);
                    let this = Arc::clone(self);
                    tokio::spawn(async move { this.tell_end(id, told).await });
                }
            }
        }
        if complete && let Some(known) = self.state.lock().nodes.get_mut(&node.name) {
            known.told = list.version;
        }
    }
}
