//! Live rooms as this gateway serves them. A [`Room`] exists while somebody here sits in it; a task of
//! its own ([`feed`]) receives its events and hands each to all members at once.
//!
//! Locks are taken in this order: shard, room, seats of an attendee.

mod attendee;
mod feed;
mod poll;
mod position;
mod ring;
mod room;
mod state;
mod takeover;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use throng_bus::Bus;
use throng_node::drain::Drain;
use throng_protocol::ids::AppId;

pub(crate) use attendee::{Attendee, PollSeat, Seat, Standing};
pub(crate) use poll::{PollRequest, Polled};
pub(crate) use position::Position;
use ring::Ring;
pub(crate) use room::{Left, Room};
pub(crate) use state::Since;
use upkeep::Guest;

use crate::config::Config;
use crate::connection::Coarse;
use crate::forward::Forwarder;
use crate::metrics::Metrics;
use crate::wheel::Idle;

const SHARDS: usize = 64;

type Shard = Mutex<HashMap<AppId, HashMap<String, Arc<Room>>>>;

/// All rooms of this gateway.
#[derive(Debug)]
pub(crate) struct Hub {
    shards: Vec<Shard>,
    hasher: RandomState,
    bus: Arc<dyn Bus>,
    forwarder: Forwarder,
    gateway_id: String,
    metrics: Arc<Metrics>,
    drain: Drain,
    /// Those who do not say when they leave.
    guests: Mutex<Idle<Guest>>,
    ring_events: usize,
    ring_bytes: usize,
}

impl Hub {
    pub(crate) fn new(
        config: &Config,
        gateway_id: String,
        bus: Arc<dyn Bus>,
        forwarder: Forwarder,
        metrics: Arc<Metrics>,
        drain: Drain,
    ) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            hasher: RandomState::new(),
            bus,
            forwarder,
            gateway_id,
            metrics,
            drain,
            guests: Mutex::new(Idle::new(config.guest_idle_seconds(), Coarse::now())),
            ring_events: config.ring_events,
            ring_bytes: config.ring_bytes,
        }
    }

    /// Gives an attendee a seat; what it missed since then is sent at once, or as soon as the room
    /// has been fetched. False when it does not sit: its connection is gone, or an event after
    /// `since` took it out of the room.
    pub(crate) fn sit(
        self: &Arc<Self>,
        attendee: &Arc<Attendee>,
        group: &str,
        seat: &Seat,
        since: Since,
    ) -> bool {
        loop {
            let room = self.room(attendee.app, group);
            if let Some(sits) = room.sit(attendee, seat, since) {
                if sits {
                    self.note_owner(&room, since.member_at());
                    if let Seat::Poll(place) = seat {
                        self.watch_guest(&room, place);
                    }
                }
                self.drop_if_empty(&room);
                return sits;
            }
        }
    }

    /// Takes all seats of an attendee in a room away.
    pub(crate) fn leave(&self, attendee: &Attendee, group: &str) -> Vec<Left> {
        let seats: Vec<_> = {
            let seats = attendee.seats.lock();
            seats.list.iter().filter(|(room, _)| room.group() == group).cloned().collect()
        };
        self.give_up(attendee, &seats)
    }

    /// Takes all seats of an attendee away, for good: its connection or session is over.
    pub(crate) fn leave_all(&self, attendee: &Attendee) -> Vec<Left> {
        let seats = {
            let mut seats = attendee.seats.lock();
            seats.closed = true;
            std::mem::take(&mut seats.list)
        };
        self.give_up(attendee, &seats)
    }

    fn give_up(&self, attendee: &Attendee, seats: &[(Arc<Room>, Seat)]) -> Vec<Left> {
        let mut left = Vec::with_capacity(seats.len());
        for (room, seat) in seats {
            left.extend(room.leave(attendee, seat));
            self.drop_if_empty(room);
        }
        left
    }

    /// Whether a member that was sent this `MsgSeq` of a room last can be sent the rest from here,
    /// without its owner. Many come back at the same time.
    pub(crate) fn can_replay(&self, app: AppId, group: &str, last_seq: u32) -> bool {
        self.find(app, group).is_some_and(|room| room.can_replay(last_seq))
    }

    /// The room, if somebody here sits in it.
    pub(crate) fn find(&self, app: AppId, group: &str) -> Option<Arc<Room>> {
        self.shard(app, group).lock().get(&app)?.get(group).cloned()
    }

    /// The room, made and subscribed if it was not there.
    fn room(self: &Arc<Self>, app: AppId, group: &str) -> Arc<Room> {
        let mut shard = self.shard(app, group).lock();
        let rooms = shard.entry(app).or_default();
        if let Some(room) = rooms.get(group) {
            return Arc::clone(room);
        }
        let ring = Ring::new(self.ring_events, self.ring_bytes);
        let room = Arc::new(Room::new(app, group.to_owned(), ring));
        rooms.insert(group.to_owned(), Arc::clone(&room));
        drop(shard);
        tokio::spawn(feed::run(Arc::clone(self), Arc::clone(&room)));
        room
    }

    fn drop_if_empty(&self, room: &Arc<Room>) {
        if room.size() > 0 {
            return;
        }
        let mut shard = self.shard(room.app(), room.group()).lock();
        let Some(rooms) = shard.get_mut(&room.app()) else {
            return;
        };
        let same = rooms.get(room.group()).is_some_and(|present| Arc::ptr_eq(present, room));
        if same && room.close_if_empty() {
            rooms.remove(room.group());
            if rooms.is_empty() {
                shard.remove(&room.app());
            }
        }
    }

    fn rooms(&self) -> Vec<Arc<Room>> {
        let shards = self.shards.iter();
        shards
            .flat_map(|shard| {
                let shard = shard.lock();
                shard.values().flat_map(HashMap::values).cloned().collect::<Vec<_>>()
            })
            .collect()
    }

    fn shard(&self, app: AppId, group: &str) -> &Shard {
        let hash = self.hasher.hash_one((app, group));
        &self.shards[hash as usize % SHARDS]
    }
}
