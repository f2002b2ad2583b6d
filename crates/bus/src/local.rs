//! The backend for one process: a broadcast ring per subject.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::{
    Bus, BusError, Delivery, MAX_PAYLOAD_BYTES, SUBSCRIPTION_CAPACITY, Source, Subscription,
    check_size, subjects,
};

type Subjects = Arc<RwLock<HashMap<String, broadcast::Sender<Bytes>>>>;

/// A bus inside this process. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct LocalBus {
    subjects: Subjects,
}

impl LocalBus {
    /// An empty bus.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[cfg(test)]
    fn subject_count(&self) -> usize {
        self.subjects.read().len()
    }
}

#[async_trait]
impl Bus for LocalBus {
    fn publish(&self, subject: &str, payload: Bytes) -> Result<(), BusError> {
        // What would fail on a network fails here too.
        subjects::check(subject)?;
        check_size(payload.len(), MAX_PAYLOAD_BYTES)?;
        if let Some(sender) = self.subjects.read().get(subject) {
            // Fails only without subscribers, which is nobody's loss.
            let _ = sender.send(payload);
        }
        Ok(())
    }

    async fn subscribe(&self, subject: &str) -> Result<Subscription, BusError> {
        subjects::check(subject)?;
        let receiver = self
            .subjects
            .write()
            .entry(subject.to_owned())
            .or_insert_with(|| broadcast::channel(SUBSCRIPTION_CAPACITY).0)
            .subscribe();
        Ok(Subscription::new(LocalSource {
            receiver: Some(receiver),
            subject: subject.to_owned(),
            subjects: Arc::clone(&self.subjects),
        }))
    }
}

struct LocalSource {
    receiver: Option<broadcast::Receiver<Bytes>>,
    subject: String,
    subjects: Subjects,
}

#[async_trait]
impl Source for LocalSource {
    async fn recv(&mut self) -> Option<Delivery> {
        match self.receiver.as_mut()?.recv().await {
            Ok(payload) => Some(Delivery::Message(payload)),
            Err(RecvError::Lagged(lost)) => Some(Delivery::Lagged(lost)),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Drop for LocalSource {
    fn drop(&mut self) {
        self.receiver = None;
        let mut subjects = self.subjects.write();
        if subjects.get(&self.subject).is_some_and(|sender| sender.receiver_count() == 0) {
            subjects.remove(&self.subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_subscriber_gets_every_message_in_order() {
        let bus = LocalBus::new();
        let mut first = bus.subscribe("a").await.unwrap();
        let mut second = bus.subscribe("a").await.unwrap();
        let mut other = bus.subscribe("b").await.unwrap();
        for n in 0..3u8 {
            bus.publish("a", Bytes::from(vec![n])).unwrap();
        }
        bus.publish("b", Bytes::from_static(b"b")).unwrap();
        for n in 0..3u8 {
            let expected = Some(Delivery::Message(Bytes::from(vec![n])));
            assert_eq!(first.recv().await, expected);
            assert_eq!(second.recv().await, expected);
        }
        assert_eq!(other.recv().await, Some(Delivery::Message(Bytes::from_static(b"b"))));
    }

    #[tokio::test]
    async fn a_slow_subscriber_learns_how_much_it_lost() {
        let bus = LocalBus::new();
        let mut slow = bus.subscribe("a").await.unwrap();
        for _ in 0..SUBSCRIPTION_CAPACITY + 5 {
            bus.publish("a", Bytes::new()).unwrap();
        }
        assert_eq!(slow.recv().await, Some(Delivery::Lagged(5)));
        assert_eq!(slow.recv().await, Some(Delivery::Message(Bytes::new())));
    }

    #[tokio::test]
    async fn a_subject_without_subscribers_is_forgotten() {
        let bus = LocalBus::new();
        drop(bus.subscribe("a").await.unwrap());
        assert_eq!(bus.subject_count(), 0);
    }
}
