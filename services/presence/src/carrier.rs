//! Carries effects out: kicks and status pushes go to gateways over the bus, ends of memberships to
//! the owners of rooms, through a bounded queue so that nobody waits for them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use parking_lot::Mutex;
use prost::Message;
use throng_bus::{Bus, subjects};
use throng_node::drain::Drain;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::gateway_message;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_protocol::ids::AppId;
use tokio::sync::mpsc;

use crate::commands::status_item;
use crate::core::watch::Watch;
use crate::core::{Effect, Routes, SessionId};
use crate::shards::Shards;

/// Ends of memberships that wait for their room's owner.
const QUEUE: usize = 65_536;
/// How many owners are told at the same time.
const CONCURRENT: usize = 64;
const TRIES: u32 = 5;
const TRY_TIMEOUT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(500);

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
    pub(crate) watch: Mutex<Watch>,
    queue: mpsc::Sender<Detach>,
    /// Taken by the worker.
    waiting: Mutex<Option<mpsc::Receiver<Detach>>>,
}

impl Carrier {
    pub(crate) fn new(
        bus: Arc<dyn Bus>,
        group_router: Link,
        shards: Arc<Shards>,
        watches: usize,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        Self {
            bus,
            groups: GroupRouterClient::new(group_router),
            shards,
            watch: Mutex::new(Watch::new(watches)),
            queue,
            waiting: Mutex::new(Some(waiting)),
        }
    }

    /// Carries out what a decision made happen. Never waits.
    pub(crate) fn carry(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Kick { gateway, session, kick_type } => {
                    self.kick(&gateway, &session, kick_type);
                }
                Effect::Detach { gateway, session, group_id } => {
                    self.detach(Detach { session, group_id, gateway });
                }
                Effect::Ended { session } => self.watch.lock().drop_session(&session),
                Effect::Status { app, user, online, custom_status } => {
                    self.tell_watchers(app, &user, online, &custom_status, None);
                }
                // These went into the journal.
                Effect::Save { .. } | Effect::Erase { .. } | Effect::SaveUser { .. } => {}
            }
        }
    }

    /// Tells who watches a user about the user's status, and the user's own other sessions where
    /// the change came from one of them.
    pub(crate) fn tell_watchers(
        &self,
        app: u32,
        user: &Arc<str>,
        online: bool,
        custom_status: &str,
        origin: Option<u32>,
    ) {
        let watchers = self.watch.lock().watchers(app, user);
        let mut routes = Routes::default();
        for session in &watchers {
            self.shards.look(app, &session.user, |index| {
                index.route_session(session, &mut routes);
            });
        }
        if let Some(inst_id) = origin {
            self.shards.look(app, user, |index| {
                index.route_user(app, user, inst_id, &mut routes);
            });
        }
        if !routes.gateways.is_empty() {
            let item = status_item(user, online, custom_status);
            self.deliver(app, routes, &item, false);
        }
    }

    /// Hands items to the gateways, one message for the users of each of their partitions.
    pub(crate) fn deliver(&self, app: u32, routes: Routes, event_items: &Bytes, reliable: bool) {
        for (gateway, targets) in routes.gateways {
            let mut parts = [const { Vec::new() }; subjects::GATEWAY_PARTITIONS as usize];
            for target in targets {
                let partition = subjects::gateway_partition(AppId(app), &target.user);
                parts[usize::from(partition)].push(target);
            }
            for (partition, targets) in (0..).zip(parts) {
                if targets.is_empty() {
                    continue;
                }
                let event_items = event_items.clone();
                let delivery =
                    v1::UserDelivery { app, targets, event_items, reliable, except_inst_id: 0 };
                self.publish(&gateway, partition, gateway_message::Message::Delivery(delivery));
            }
        }
    }

    fn kick(&self, gateway: &str, session: &SessionId, kick_type: u32) {
        let way = match kick_type {
            crate::core::kick::OTHER_LOGIN => "other_login",
            crate::core::kick::SAME_INSTANCE => "same_instance",
            crate::core::kick::MOVED => "moved",
            _ => "rest",
        };
        metrics::counter!("throng_presence_kicks_total", "way" => way).increment(1);
        let kick = v1::SessionKick {
            app: session.app,
            user: session.user.to_string(),
            inst_id: session.inst_id,
            kick_type,
        };
        let partition = subjects::gateway_partition(AppId(session.app), &session.user);
        self.publish(gateway, partition, gateway_message::Message::Kick(kick));
    }

    fn publish(&self, gateway: &str, partition: u16, message: gateway_message::Message) {
        let message = v1::GatewayMessage { message: Some(message), ..Default::default() };
        let payload = message.encode_to_vec();
        let subject = subjects::gateway(gateway, partition);
        if let Err(error) = self.bus.publish(&subject, payload.into()) {
            metrics::counter!("throng_presence_publish_failures_total").increment(1);
            tracing::warn!(%error, "a gateway could not be told");
        }
    }

    /// Whether more sessions may end by themselves: a gateway that dies with all its sessions must
    /// not crowd out the ends of memberships, for nobody else tells the owners.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.capacity() > QUEUE / 2
    }

    fn detach(&self, detach: Detach) {
        if self.queue.try_send(detach).is_err() {
            metrics::counter!("throng_presence_detaches_dropped_total").increment(1);
        }
    }

    /// Works the queue off until the drain begins.
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
            () = drain.draining() => {}
        }
    }

    async fn tell_owner(&self, detach: Detach) {
        for attempt in 1..=TRIES {
            // It may have come back while this waited; then it is a member again.
            if self.is_back(&detach) {
                return;
            }
            let request = v1::DetachMemberRequest {
                app: detach.session.app,
                group_id: detach.group_id.to_string(),
                user: detach.session.user.to_string(),
                inst_id: detach.session.inst_id,
                gateway: detach.gateway.to_string(),
            };
            let mut groups = self.groups.clone();
            let answer = tokio::time::timeout(TRY_TIMEOUT, groups.detach_member(request)).await;
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
