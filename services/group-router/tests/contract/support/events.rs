//! What a gateway hears of one room. Every event that arrives is held against ORD-1 and REC-1.

use prost::Message as _;
use serde_json::Value;
use throng_bus::{Bus, Delivery, LocalBus, Subscription, subjects};
use throng_proto::v1;

use super::{APP, LONG};

pub struct Events {
    subscription: Subscription,
    position: v1::RoomPosition,
    last_seq: u32,
}

impl Events {
    pub async fn of(bus: &LocalBus, group_id: &str) -> Self {
        let subscription = bus.subscribe(&subjects::room(APP, group_id)).await.unwrap();
        Self { subscription, position: v1::RoomPosition::default(), last_seq: 0 }
    }

    /// The next event that is no beacon.
    pub async fn next(&mut self) -> v1::RoomEvent {
        loop {
            let event = self.next_of_all().await;
            if !event.beacon {
                return event;
            }
        }
    }

    /// Where the next beacon says that the stream stands; there is no event before it.
    pub async fn next_beacon(&mut self) -> v1::RoomPosition {
        let event = self.next_of_all().await;
        assert!(event.beacon && event.frame.is_empty(), "not a beacon: {event:?}");
        event.position.unwrap()
    }

    async fn next_of_all(&mut self) -> v1::RoomEvent {
        let delivery = tokio::time::timeout(LONG, self.subscription.recv()).await;
        let Some(Delivery::Message(payload)) = delivery.expect("an event comes in time") else {
            panic!("the bus lost something");
        };
        let event = v1::RoomEvent::decode(payload).unwrap();
        if !event.beacon {
            self.follow(&event);
        } else if self.position.epoch != 0 {
            assert_eq!(event.position.unwrap(), self.position, "it is where the stream stands");
        }
        event
    }

    fn follow(&mut self, event: &v1::RoomEvent) {
        let position = event.position.unwrap();
        assert!(position.epoch >= self.position.epoch, "streams follow each other");
        let same = position.epoch == self.position.epoch;
        // The first event heard may be any.
        if self.position.epoch != 0 {
            let expected = if same { self.position.event_no + 1 } else { 1 };
            assert_eq!(position.event_no, expected, "REC-1: a hole nobody can see");
        }
        if event.msg_seq != 0 {
            assert!(event.msg_seq > self.last_seq, "ORD-1");
            self.last_seq = event.msg_seq;
        }
        self.position = position;
    }

    /// A group was dismissed: its successor counts anew.
    pub fn forget_seq(&mut self) {
        self.last_seq = 0;
    }

    /// The next entry of `EventArray`.
    pub async fn next_entry(&mut self) -> Value {
        entry(&self.next().await)
    }

    /// The next message, whatever comes before it.
    pub async fn next_message(&mut self) -> Value {
        loop {
            let entry = self.next_entry().await;
            if let Some(message) = entry["GroupMsgArray"].get(0) {
                return message.clone();
            }
        }
    }

    /// The next tip or notice, whatever comes before it.
    pub async fn next_tip(&mut self) -> Value {
        loop {
            let entry = self.next_entry().await;
            if let Some(tip) = entry["GroupTips"].get(0) {
                return tip.clone();
            }
        }
    }

    /// Nothing has arrived.
    pub async fn none(&mut self) {
        let soon =
            tokio::time::timeout(std::time::Duration::from_millis(1), self.subscription.recv());
        assert!(soon.await.is_err(), "nothing should have happened");
    }
}

pub fn entry(event: &v1::RoomEvent) -> Value {
    let frame: Value = serde_json::from_slice(&event.frame).unwrap();
    assert_eq!(frame["head"]["servcmd"], "im_open_push.msg_push");
    let entries = frame["body"]["EventArray"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    let (start, len) = (event.item_start as usize, event.item_len as usize);
    if len > 0 {
        let item: Value = serde_json::from_slice(&event.frame[start..start + len]).unwrap();
        let inside = entries[0].as_object().unwrap().values().find_map(|list| list.get(0));
        assert_eq!(Some(&item), inside, "the item is where the event says");
    }
    entries[0].clone()
}
