//! Which live rooms a session is in.

use std::sync::Arc;

use super::Now;
use super::index::{Desk, Index};
use super::session::{Effect, Link, Room};

/// Rooms that a session joined and left.
#[derive(Debug)]
pub(crate) struct Moves {
    pub(crate) inst_id: u32,
    pub(crate) joined: Vec<Room>,
    pub(crate) left: Vec<String>,
}

impl Index {
    /// The session joined and left rooms.
    pub(crate) fn track_rooms(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        moves: Moves,
        out: &mut Vec<Effect>,
    ) {
        self.decide(now, app, user, out, |desk| {
            desk.track_rooms(moves);
        });
    }

    /// Whether the user has a session in the room, or one that may still come back to it. A decision
    /// like others: a user whom it brought in and who has no session is dropped again.
    pub(crate) fn user_in_room(
        &mut self,
        now: Now,
        app: u32,
        name: &str,
        group_id: &str,
        out: &mut Vec<Effect>,
    ) -> bool {
        self.decide(now, app, name, out, |desk| {
            let mut rooms = desk.user.sessions.iter().flat_map(|session| &session.rooms);
            rooms.any(|room| &*room.group_id == group_id)
        })
    }

    /// Whether this very session is in the room.
    pub(crate) fn has_room(&self, app: u32, name: &str, inst_id: u32, group_id: &str) -> bool {
        let user = self.user(app, name);
        let session =
            user.and_then(|user| user.sessions.iter().find(|session| session.inst_id == inst_id));
        session.is_some_and(|session| session.rooms.iter().any(|room| &*room.group_id == group_id))
    }
}

impl Desk<'_> {
    fn track_rooms(&mut self, moves: Moves) {
        let Moves { inst_id, joined, left } = moves;
        if self.kicked(inst_id).is_some() {
            return;
        }
        let known = self.user.position(inst_id).is_some() || self.user.parked(inst_id).is_some();
        if !known && joined.is_empty() {
            return;
        }
        let position = self.find_or_adopt(inst_id, &Arc::from(""));
        let now = self.now.mono;
        let session = &mut self.user.sessions[position];
        if let Link::Up { seen } = &mut session.link {
            *seen = now;
        }
        let before = session.rooms.len();
        session.rooms.retain(|room| !left.iter().any(|left| **left == *room.group_id));
        let changed = session.rooms.len() != before || !joined.is_empty();
        self.merge_rooms(position, joined);
        if changed {
            self.save(position);
        }
    }

    /// Adds rooms, and where the session stands in rooms that it is in.
    pub(super) fn merge_rooms(&mut self, position: usize, rooms: Vec<Room>) {
        let max_rooms = self.settings.max_rooms;
        let session = &mut self.user.sessions[position];
        for room in rooms {
            if let Some(known) = session.room(&room.group_id) {
                *known = room;
            } else if session.rooms.len() < max_rooms {
                session.rooms.reserve_exact(1);
                session.rooms.push(room);
            }
        }
    }
}
