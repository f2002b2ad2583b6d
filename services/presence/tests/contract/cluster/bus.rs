//! A bus that loses what gateways are sent, when a test says so.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use throng_bus::{Bus, BusError, LocalBus, Subscription};

#[derive(Debug, Default)]
pub(crate) struct LossyBus {
    bus: LocalBus,
    /// Of so many messages to gateways one arrives; 0 or 1: all.
    pub(crate) of: AtomicUsize,
    count: AtomicUsize,
}

#[async_trait::async_trait]
impl Bus for LossyBus {
    fn publish(&self, subject: &str, payload: Bytes) -> Result<(), BusError> {
        let of = self.of.load(Ordering::Relaxed).max(1);
        let arrives = self.count.fetch_add(1, Ordering::Relaxed).is_multiple_of(of);
        if subject.starts_with("throng.gateway.") && !arrives {
            return Ok(());
        }
        self.bus.publish(subject, payload)
    }

    async fn subscribe(&self, subject: &str) -> Result<Subscription, BusError> {
        self.bus.subscribe(subject).await
    }
}
