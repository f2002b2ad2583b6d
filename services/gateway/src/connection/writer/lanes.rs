//! The rooms of one shard, by number.

use std::collections::HashMap;

use tokio::time::Instant;

use super::lane::Lane;

/// Rooms that somebody at this shard sits in.
#[derive(Debug)]
pub(super) struct Lanes {
    compress: usize,
    by_room: HashMap<u64, u32>,
    lanes: Vec<Option<(u64, Lane)>>,
    free: Vec<u32>,
}

impl Lanes {
    /// Frames of so many bytes are compressed; 0: none.
    pub(super) fn new(compress: usize) -> Self {
        Self { compress, by_room: HashMap::new(), lanes: Vec::new(), free: Vec::new() }
    }

    pub(super) fn find(&self, room: u64) -> Option<u32> {
        self.by_room.get(&room).copied()
    }

    pub(super) fn find_or_add(&mut self, room: u64, now: Instant) -> u32 {
        if let Some(lane) = self.find(room) {
            return lane;
        }
        let lane = self.free.pop().unwrap_or_else(|| {
            self.lanes.push(None);
            u32::try_from(self.lanes.len() - 1).expect("fewer than 2^32 rooms fit into memory")
        });
        self.lanes[lane as usize] = Some((room, Lane::new(now, self.compress)));
        self.by_room.insert(room, lane);
        lane
    }

    pub(super) fn remove(&mut self, lane: u32) {
        if let Some((room, _)) = self.lanes[lane as usize].take() {
            self.by_room.remove(&room);
            self.free.push(lane);
        }
    }

    /// A lane that somebody may have left for good.
    pub(super) fn present(&mut self, lane: u32) -> Option<&mut Lane> {
        self.lanes.get_mut(lane as usize)?.as_mut().map(|(_, lane)| lane)
    }

    pub(super) fn get(&self, lane: u32) -> &Lane {
        let (_, lane) = self.lanes[lane as usize].as_ref().expect("a seat holds its lane");
        lane
    }

    pub(super) fn get_mut(&mut self, lane: u32) -> &mut Lane {
        self.present(lane).expect("a seat holds its lane")
    }
}
