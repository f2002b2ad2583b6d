//! The gateway's own subjects on the bus: items for users who are here, orders about sessions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use throng_bus::{Bus, Delivery, subjects};
use throng_node::drain::Drain;
use throng_proto::v1;
use throng_proto::v1::gateway_message::Message;
use throng_protocol::ids::AppId;
use tokio::time::sleep;

use super::push::items_frame;
use crate::context::Context;
use crate::presence::{Numbers, Place};

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
                    Delivery::Message(payload) => drop(self.take(payload)),
                    // What may not be lost has a number and comes with one of the next beats.
                    Delivery::Lagged(lost) => {
                        metrics::counter!("throng_gateway_inbox_gaps_total").increment(1);
                        tracing::warn!(lost, "messages to this gateway were lost on the bus");
                    }
                }
            }
            if drain.is_draining() {
                return;
            }
            sleep(RETRY).await;
        }
    }

    /// Does what a message says, once those that were sent before it are done. False: it came before,
    /// or cannot be read.
    pub(crate) fn take(&self, payload: Bytes) -> bool {
        let size = payload.len();
        let message = match v1::GatewayMessage::decode(payload) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(%error, "a message to this gateway does not decode");
                return false;
            }
        };
        let v1::GatewayMessage { message, stream, number, partition } = message;
        if number == 0 {
            self.carry_out(message);
            return true;
        }
        let place = Place { stream, partition, number };
        self.presence.arrived(place, (message, size), |message| self.carry_out(message))
    }

    /// What is missing of a stream will not come, up to these numbers. Returns how many messages that
    /// are, by partition.
    pub(crate) fn give_up(&self, stream: u64, forgotten: &Numbers) -> Numbers {
        self.presence.streams.give_up(stream, forgotten, |message| self.carry_out(message))
    }

    /// Nobody says what is missing of a stream: what waits for it waits no longer.
    pub(crate) fn release(&self, stream: u64) {
        self.presence.streams.release(stream, |message| self.carry_out(message));
    }

    /// A presence node is gone; which streams were its own is not known.
    pub(crate) fn release_all(&self) {
        self.presence.streams.release_all(|message| self.carry_out(message));
    }

    fn carry_out(&self, message: Option<Message>) {
        match message {
            Some(Message::Delivery(items)) => self.deliver(&items),
            Some(Message::Kick(kick)) => self.kick(&kick),
            // A kind of a later version.
            None => {}
        }
    }

    fn kick(&self, kick: &v1::SessionKick) {
        for session in self.sessions.of(AppId(kick.app), &kick.user, &[kick.inst_id], 0) {
            if let Some(identity) = session.kick(kick) {
                session.confirm_kick(identity, kick.kick_type);
            }
        }
    }

    fn deliver(&self, delivery: &v1::UserDelivery) {
        let app = AppId(delivery.app);
        let mut frame = None;
        for target in &delivery.targets {
            let except = delivery.except_inst_id;
            for session in self.sessions.of(app, &target.user, &target.inst_ids, except) {
                if delivery.reliable {
                    session.push_reliably(&delivery.event_items);
                } else {
                    let frame = frame.get_or_insert_with(|| items_frame(&delivery.event_items));
                    session.push(frame);
                }
            }
        }
    }
}
