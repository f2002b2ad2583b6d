//! Carries effects out: kicks and deliveries go to gateways over the bus, changes of status to all
//! presence nodes, ends of memberships to the owners of rooms, through a bounded queue so that nobody
//! waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use parking_lot::Mutex;
use prost::Message;
use throng_bus::{Bus, subjects};
use throng_node::drain::Drain;
use throng_proto::v1;
use throng_proto::v1::deliver_request::Guarantee;
use throng_proto::v1::gateway_message;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::{Link, Route};
use throng_protocol::ids::{AppId, group_hash};
use tokio::sync::mpsc;

use crate::commands::status_item;
use crate::core::{Effect, Routes, SessionId, Watch, kick};
use crate::roll::Roll;
use crate::shards::Shards;

/// Ends of memberships that wait for their room's owner.
const QUEUE: usize = 65_536;
/// How many owners are told at the same time.
const CONCURRENT: usize = 64;
const TRIES: u32 = 5;
const TRY_TIMEOUT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(500);
/// How long owners are still told of ends once the process ends itself.
const FAREWELL: Duration = Duration::from_secs(2);
/// Users in one message to a gateway.
const MOST_TARGETS: usize = 2000;

/// The end of one membership.
#[derive(Debug)]
struct Detach {
    session: SessionId,
    group_id: Arc<str>,
    gateway: Arc<str>,
}

/// The way out.
#[derive(Debug)]
pub(crate) struct Carrier {
    bus: Arc<dyn Bus>,
    groups: GroupRouterClient<Link>,
    shards: Arc<Shards>,
    roll: Arc<Roll>,
    watch: Mutex<Watch>,
    queue: mpsc::Sender<Detach>,
    /// Taken by the worker.
    waiting: Mutex<Option<mpsc::Receiver<Detach>>>,
    /// Ends of memberships that no owner knows of yet.
    untold: AtomicUsize,
    /// There are no other nodes.
    alone: bool,
    /// Tells this node's words on the bus from those of others.
    number: u64,
}

impl Carrier {
    pub(crate) fn new(
        bus: Arc<dyn Bus>,
        group_router: Link,
        shards: Arc<Shards>,
        roll: Arc<Roll>,
        alone: bool,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        Self {
            bus,
            groups: GroupRouterClient::new(group_router),
            shards,
            roll,
            watch: Mutex::default(),
            queue,
            waiting: Mutex::new(Some(waiting)),
            untold: AtomicUsize::new(0),
            alone,
            number: rand::random(),
        }
    }

    pub(crate) fn bus(&self) -> &dyn Bus {
        &*self.bus
    }

    /// Carries out what a decision made happen. Never waits.
    pub(crate) fn carry(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Kick { gateway, session, kick_type, connection } => {
                    self.kick(&gateway, &session, kick_type, connection);
                }
                Effect::Detach { gateway, session, group_id } => {
                    self.detach(Detach { session, group_id, gateway });
                }
                Effect::Watch { session, users } => self.watch.lock().add(&session, users),
                Effect::Unwatch { session, users } => self.watch.lock().remove(&session, users),
                Effect::Status { app, user, online, custom_status } => {
                    self.publish_status(app, &user, online, &custom_status);
                }
                Effect::Mention { gateway } => self.roll.mention(self.shards.now().mono, &gateway),
                // These went into the journal.
                Effect::Save { .. } | Effect::Erase { .. } | Effect::SaveUser { .. } => {}
            }
        }
    }

    /// Tells of a user's status: those who watch it among this node's sessions, and the other nodes,
    /// which know about theirs.
    pub(crate) fn publish_status(&self, app: u32, user: &str, online: bool, custom_status: &str) {
        let (user, custom_status) = (user.to_owned(), custom_status.to_owned());
        let node = self.number;
        let status = v1::StatusChanged { app, user, online, custom_status, node };
        self.tell_watchers(&status);
        if !self.alone {
            self.publish(subjects::user_statuses(), status.encode_to_vec().into());
        }
    }

    /// A node says what a user's status is.
    pub(crate) fn hear_status(&self, payload: &[u8]) {
        match v1::StatusChanged::decode(payload) {
            Ok(status) if status.node != self.number => self.tell_watchers(&status),
            _ => {}
        }
    }

    fn tell_watchers(&self, status: &v1::StatusChanged) {
        let routes = self.route_watchers(status.app, &status.user);
        if !routes.gateways.is_empty() {
            let event_items = status_item(&status.user, status.online, &status.custom_status);
            let app = status.app;
            let request = v1::DeliverRequest { app, event_items, ..Default::default() };
            self.deliver(&request, routes);
        }
    }

    /// The way to the sessions of this node that watch a user.
    fn route_watchers(&self, app: u32, user: &str) -> Routes {
        let watchers = self.watch.lock().watchers(app, user);
        let mut routes = Routes::default();
        for session in &watchers {
            self.shards.look(app, &session.user, |index| {
                index.route_session(session, &mut routes);
            });
        }
        routes
    }

    /// Hands items to the gateways: one message for the users of each of their partitions, or few.
    pub(crate) fn deliver(&self, request: &v1::DeliverRequest, routes: Routes) {
        for (gateway, targets) in routes.gateways {
            let mut parts = [const { Vec::new() }; subjects::GATEWAY_PARTITIONS as usize];
            for target in targets {
                let partition = subjects::gateway_partition(AppId(request.app), &target.user);
                parts[usize::from(partition)].push(target);
            }
            let reliable = request.guarantee() == Guarantee::Client;
            let numbered = request.guarantee() != Guarantee::None;
            for (partition, targets) in (0..).zip(parts) {
                for targets in targets.chunks(MOST_TARGETS) {
                    let delivery = v1::UserDelivery {
                        app: request.app,
                        targets: targets.to_vec(),
                        event_items: request.event_items.clone(),
                        reliable,
                        except_inst_id: request.except_inst_id,
                    };
                    let message = gateway_message::Message::Delivery(delivery);
                    self.send(&gateway, partition, message, numbered);
                }
            }
        }
    }

    fn kick(&self, gateway: &str, session: &SessionId, kick_type: u32, connection: u64) {
        let reason = match kick_type {
            kick::OTHER_LOGIN => "other_login",
            kick::SAME_INSTANCE => "same_instance",
            kick::MOVED => "moved",
            _ => "rest",
        };
        metrics::counter!("throng_presence_kicks_total", "reason" => reason).increment(1);
        let kick = v1::SessionKick {
            app: session.app,
            user: session.user.to_string(),
            inst_id: session.inst_id,
            kick_type,
            connection,
        };
        let partition = subjects::gateway_partition(AppId(session.app), &session.user);
        self.send(gateway, partition, gateway_message::Message::Kick(kick), true);
    }

    /// Sends a gateway something that may get lost, or, numbered, something that may not.
    fn send(
        &self,
        gateway: &str,
        partition: u16,
        message: gateway_message::Message,
        numbered: bool,
    ) {
        let subject = subjects::gateway(gateway, partition);
        let message = v1::GatewayMessage { message: Some(message), ..Default::default() };
        let post = if numbered { self.roll.post(gateway) } else { None };
        match post {
            Some(post) => post.send(partition, message, |payload| self.publish(&subject, payload)),
            None => self.publish(&subject, message.encode_to_vec().into()),
        }
    }

    /// A gateway is gone: the owners of rooms may forget its guests.
    pub(crate) fn publish_gone(&self, gateway: &str) {
        let gone = v1::GatewayGone { gateway: gateway.to_owned() };
        self.publish(subjects::gateways_gone(), gone.encode_to_vec().into());
    }

    fn publish(&self, subject: &str, payload: Bytes) {
        if let Err(error) = self.bus.publish(subject, payload) {
            metrics::counter!("throng_presence_publish_failures_total").increment(1);
            tracing::warn!(%error, "the bus did not take a message");
        }
    }

    /// Whether more sessions may end by themselves: a gateway that dies with all its sessions must
    /// not crowd out the ends of memberships, for nobody else tells the owners.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.capacity() > QUEUE / 2
    }

    fn detach(&self, detach: Detach) {
        self.untold.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(detach).is_err() {
            self.untold.fetch_sub(1, Ordering::Relaxed);
            metrics::counter!("throng_presence_detaches_dropped_total").increment(1);
        }
    }

    /// Works the queue off until the drain begins, and then what is left for a moment.
    pub(crate) async fn run(&self, drain: &Drain) {
        let Some(waiting) = self.waiting.lock().take() else {
            return;
        };
        let work = stream::unfold(waiting, |mut waiting| async move {
            waiting.recv().await.map(|detach| (detach, waiting))
        })
        .for_each_concurrent(CONCURRENT, |detach| self.tell_owner(detach));
        tokio::select! {
            () = work => {}
            () = self.wait_for_end(drain) => {}
        }
    }

    async fn wait_for_end(&self, drain: &Drain) {
        drain.draining().await;
        let deadline = Instant::now() + FAREWELL;
        while self.untold.load(Ordering::Relaxed) > 0 && Instant::now() < deadline {
            tokio::time::sleep(FAREWELL / 50).await;
        }
    }

    async fn tell_owner(&self, detach: Detach) {
        self.try_to_tell(&detach).await;
        self.untold.fetch_sub(1, Ordering::Relaxed);
    }

    async fn try_to_tell(&self, detach: &Detach) {
        for attempt in 1..=TRIES {
            // It may have come back while this waited; then it is a member again.
            if self.is_back(detach) {
                return;
            }
            let request = v1::DetachMemberRequest {
                app: detach.session.app,
                group_id: detach.group_id.to_string(),
                user: detach.session.user.to_string(),
                inst_id: detach.session.inst_id,
                gateway: detach.gateway.to_string(),
            };
            let owner = Route::hash(group_hash(AppId(detach.session.app), &detach.group_id));
            let mut groups = self.groups.clone();
            let telling = groups.detach_member(owner.request(request));
            let answer = tokio::time::timeout(TRY_TIMEOUT, telling).await;
            match answer {
                Ok(Ok(_)) => return,
                Ok(Err(status)) if attempt == TRIES => {
                    tracing::warn!(error = status.message(), "a membership could not be ended");
                }
                Err(_) if attempt == TRIES => {
                    tracing::warn!("a membership could not be ended in time");
                }
                Ok(Err(_)) | Err(_) => tokio::time::sleep(PAUSE * attempt).await,
            }
        }
        metrics::counter!("throng_presence_detach_failures_total").increment(1);
    }

    fn is_back(&self, detach: &Detach) -> bool {
        let SessionId { app, user, inst_id } = &detach.session;
        self.shards.look(*app, user, |index| index.has_room(*app, user, *inst_id, &detach.group_id))
    }
}
