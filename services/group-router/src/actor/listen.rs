//! What hot groups hear from the bus: broadcasts of their apps, gateways that are gone, and that
//! events of theirs may be lost.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use prost::Message;
use throng_bus::{Delivery, Losses, Subscription, subjects};
use throng_proto::v1;
use throng_protocol::ids::AppId;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Rooms, Turn};
use crate::commands::watch_broadcasts;
use crate::room::GatewayTag;

/// Groups that are told something at once, and the time that one may take.
const CONCURRENT: usize = 64;
const GROUP_TIME: Duration = Duration::from_secs(10);

/// What this node listens to.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Apps with a group here.
    apps: Mutex<HashSet<AppId>>,
    gateways: AtomicBool,
    losses: AtomicBool,
}

impl Rooms {
    /// Listens to what concerns an app's groups, from the first of them on.
    pub(super) async fn listen(&self, app: AppId) {
        let heard = &self.inner.heard;
        if heard.apps.lock().insert(app) {
            match self.clients().bus.subscribe(&subjects::rooms_broadcast(app)).await {
                Ok(messages) => self.follow_broadcasts(app, messages),
                Err(error) => {
                    tracing::warn!(%error, "cannot listen for broadcasts");
                    heard.apps.lock().remove(&app);
                }
            }
        }
        if !heard.gateways.swap(true, Ordering::Relaxed) {
            match self.clients().bus.subscribe(subjects::gateways_gone()).await {
                Ok(messages) => self.follow_gateways(messages),
                Err(error) => {
                    tracing::warn!(%error, "cannot listen for gateways that are gone");
                    heard.gateways.store(false, Ordering::Relaxed);
                }
            }
        }
        if !heard.losses.swap(true, Ordering::Relaxed) {
            self.follow_losses(self.clients().bus.losses());
        }
    }

    fn follow_broadcasts(&self, app: AppId, messages: Subscription) {
        let rooms = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = watch_broadcasts(app, &rooms, messages) => {}
                () = rooms.ending() => {}
            }
            rooms.inner.heard.apps.lock().remove(&app);
        });
    }

    fn follow_gateways(&self, mut messages: Subscription) {
        let rooms = self.clone();
        tokio::spawn(async move {
            let follow = async {
                while let Some(delivery) = messages.recv().await {
                    match delivery {
                        Delivery::Message(payload) => match v1::GatewayGone::decode(payload) {
                            Ok(gone) => rooms.forget_gateway(&gone.gateway).await,
                            Err(error) => tracing::error!(%error, "a notice does not decode"),
                        },
                        // Guests of a gateway that is gone stay in their rooms' counts.
                        Delivery::Lagged(lost) => tracing::warn!(lost, "gateways may be gone"),
                    }
                }
            };
            tokio::select! {
                () = follow => {}
                () = rooms.ending() => {}
            }
            rooms.inner.heard.gateways.store(false, Ordering::Relaxed);
        });
    }

    async fn forget_gateway(&self, gateway: &str) {
        tracing::info!(gateway, "a gateway is gone, and its guests with it");
        let gateway = GatewayTag::of(gateway);
        let forget = move |turn: &mut Turn<'_>| {
            if let Some(room) = turn.slot.as_deref_mut() {
                room.gateway_gone(gateway);
            }
        };
        self.tell_hot(forget).await;
    }

    fn follow_losses(&self, mut losses: Losses) {
        let rooms = self.clone();
        tokio::spawn(async move {
            let follow = async {
                loop {
                    losses.next().await;
                    rooms.tell_positions().await;
                }
            };
            tokio::select! {
                () = follow => {}
                () = rooms.ending() => {}
            }
        });
    }

    /// Who lost the last event of a room hears of it.
    pub(super) async fn tell_positions(&self) {
        tracing::info!("the bus may have lost events: rooms say where they stand");
        let tell = |turn: &mut Turn<'_>| {
            if let Some(room) = turn.slot.as_deref_mut() {
                room.beacon(turn.out);
            }
        };
        self.tell_hot(tell).await;
    }

    /// Runs a job on all hot groups, many at a time: one that is slow does not hold up the others.
    async fn tell_hot<F>(&self, job: F)
    where
        F: Fn(&mut Turn<'_>) + Clone + Send + 'static,
    {
        let mut telling = JoinSet::new();
        for key in self.all_hot() {
            if telling.len() >= CONCURRENT {
                telling.join_next().await;
            }
            let (rooms, job) = (self.clone(), job.clone());
            telling.spawn(async move {
                let told = rooms.run(key.app, &key.group_id, move |turn| {
                    job(turn);
                    Ok(())
                });
                if !matches!(timeout(GROUP_TIME, told).await, Ok(Ok(()))) {
                    tracing::debug!("a group was not told");
                }
            });
        }
        while telling.join_next().await.is_some() {}
    }
}
