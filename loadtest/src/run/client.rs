//! One client of a worker: its session, its seats in rooms, its line, and what it has yet to do.

use std::collections::VecDeque;

use super::connection::Connection;
use super::gateways::Choice;
use crate::check::Member;
use crate::client::session::Session;
use crate::plan::{Move, Nanos, Plan};

/// Something that a client is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Sends a message of the plan, which was meant for this moment.
    Send(u32, Nanos),
    /// Anything else.
    Step(Move),
}

/// A place in a room.
#[derive(Debug)]
pub(super) struct Seated {
    pub(super) room: u32,
    pub(super) member: Member,
    /// In from the beginning.
    pub(super) first: bool,
    /// It closed its connection here, and is back when it has another.
    pub(super) resumes: bool,
}

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) session: Session,
    pub(super) seats: Box<[Seated]>,
    pub(super) line: Option<Connection>,
    /// When it was first to be dialled.
    pub(super) meant: Nanos,
    /// The gateway that it dials.
    pub(super) gateway: Choice,
    /// When its last line broke.
    pub(super) broken_at: Nanos,
    /// Attempts that failed in a row.
    pub(super) tries: u32,
    /// It was in all its first rooms once.
    pub(super) arrived: bool,
    /// Given up.
    pub(super) gone: bool,
    /// The plan wants it to have no connection.
    pub(super) away: bool,
    /// Messages that wait for their turn in their rooms.
    pub(super) held: u32,
    /// What it does when it is done with what it does: only where the plan has an order.
    pub(super) waiting: VecDeque<Deed>,
}

impl Client {
    /// The client of this number before the run.
    pub(super) fn new(
        number: u32,
        plan: &Plan,
        messages_of_rooms: &[u32],
        gateways: usize,
    ) -> Self {
        let seats = plan.seats_of(number).map(|seat| Seated {
            room: seat.room,
            member: Member::new(messages_of_rooms[seat.room as usize]),
            first: seat.first,
            resumes: false,
        });
        let there = plan.is_there(number);
        Self {
            session: Session::new(number),
            seats: seats.collect(),
            line: None,
            meant: 0,
            gateway: Choice::new(number, gateways),
            broken_at: 0,
            tries: 0,
            arrived: !there,
            gone: false,
            away: !there,
            held: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Itself as a member of a room, if it ever is one.
    pub(super) fn member(&mut self, room: u32) -> Option<&mut Member> {
        self.seats.iter_mut().find(|seat| seat.room == room).map(|seat| &mut seat.member)
    }

    pub(super) fn is_in_a_room(&self) -> bool {
        self.seats.iter().any(|seat| seat.member.is_in())
    }

    pub(super) fn is_in_first_rooms(&self) -> bool {
        self.seats.iter().all(|seat| !seat.first || seat.member.is_in())
    }

    /// Logged in, and in a room where it has any.
    pub(super) fn is_present(&self) -> bool {
        self.session.is_logged_in() && (self.seats.is_empty() || self.is_in_a_room())
    }

    /// It is out of all its rooms.
    pub(super) fn left_all(&mut self, now: Nanos) {
        self.seats.iter_mut().for_each(|seat| seat.member.left(now));
    }

    /// Whether something has to wait until what was asked for before is answered.
    pub(super) fn has_to_wait(&self, deed: Deed, plan: &Plan) -> bool {
        let sends_to = |room: Option<u32>| {
            let to = |number: u32| plan.messages[number as usize].room;
            self.held > 0 || self.session.sending().any(|it| room.is_none_or(|room| to(it) == room))
        };
        let moving = self.session.is_moving();
        match deed {
            Deed::Step(Move::Dial | Move::Break) => false,
            Deed::Step(Move::Hang) => !self.away && (moving || sends_to(None)),
            Deed::Step(Move::Leave(room)) => {
                !self.session.is_logged_in() || moving || sends_to(Some(room))
            }
            Deed::Send(..) | Deed::Step(Move::Join(_)) => !self.session.is_logged_in() || moving,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn what_was_asked_for_before_comes_first() {
        let profile = "version = 1\nname = 'x'\n[rooms]\ncount = 2\nmembers = 2\n";
        let plan = Plan::new(&Profile::parse(profile).unwrap());
        let mut client = Client::new(3, &plan, &plan.messages_of_rooms(), 1);
        assert_eq!(client.member(1).map(|member| member.is_in()), Some(false));
        assert!(client.member(0).is_none());
        let waits = |client: &Client, what| client.has_to_wait(what, &plan);
        let (leave, hang) = (Deed::Step(Move::Leave(1)), Deed::Step(Move::Hang));
        for deed in [Deed::Send(0, 0), Deed::Step(Move::Join(1)), leave] {
            assert!(waits(&client, deed), "nobody has logged in: {deed:?}");
        }
        for deed in [Deed::Step(Move::Dial), Deed::Step(Move::Break), hang] {
            assert!(!waits(&client, deed), "{deed:?}");
        }
        client.held = 1;
        assert!(waits(&client, hang), "a message has yet to go");
        client.away = true;
        assert!(!waits(&client, hang), "it is gone already");
    }
}
