//! The gateway's own subjects on the bus: items for users who are here, orders about sessions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use throng_bus::{Bus, Delivery, subjects};
use throng_node::drain::Drain;
use throng_proto::v1::{self, gateway_message};
use throng_protocol::ids::AppId;
use tokio::time::sleep;

use super::push::items_frame;
use crate::context::Context;

const RETRY: Duration = Duration::from_secs(1);

impl Context {
    /// Serves the subject of one partition until the process has ended its connections.
    pub(crate) async fn receive(self: Arc<Self>, bus: Arc<dyn Bus>, partition: u16, drain: Drain) {
        let subject = subjects::gateway(&self.gateway_id, partition);
        loop {
            let mut subscription = match bus.subscribe(&subject).await {
                Ok(subscription) => subscription,
                Err(error) => {
                    tracing::warn!(%error, "cannot subscribe to the gateway's subject");
                    sleep(RETRY).await;
                    continue;
                }
            };
            while let Some(delivery) = subscription.recv().await {
                match delivery {
                    Delivery::Message(payload) => self.handle(payload),
                    Delivery::Lagged(lost) => {
                        tracing::error!(lost, "messages to this gateway were lost");
                    }
                }
            }
            if drain.is_draining() {
                return;
            }
            sleep(RETRY).await;
        }
    }

    fn handle(&self, payload: Bytes) {
        match v1::GatewayMessage::decode(payload).map(|message| message.message) {
            Ok(Some(gateway_message::Message::Delivery(items))) => self.deliver(&items),
            Ok(Some(gateway_message::Message::Kick(kick))) => {
                for session in self.sessions.of(AppId(kick.app), &kick.user, &[kick.inst_id]) {
                    session.kick(&kick);
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a message to this gateway does not decode"),
        }
    }

    fn deliver(&self, delivery: &v1::UserDelivery) {
        let app = AppId(delivery.app);
        let mut frame = None;
        for target in &delivery.targets {
            for session in self.sessions.of(app, &target.user, &target.inst_ids) {
                if delivery.reliable {
                    session.push_reliably(&delivery.event_items);
                } else {
                    let frame = frame.get_or_insert_with(|| items_frame(&delivery.event_items));
                    let _ = session.outbox.control(Bytes::clone(frame));
                }
            }
        }
    }
}
