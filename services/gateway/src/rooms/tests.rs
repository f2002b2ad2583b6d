//! One room and its members, without tasks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use throng_proto::v1::{MembersRemoved, RoomClosed, RoomEvent, room_event::Membership};
use throng_protocol::ids::AppId;

use super::attendee::{Attendee, PollSeat, Seat};
use super::poll::Looked;
use super::position::Position;
use super::ring::Ring;
use super::room::{Offered, Room};
use super::state::Since;
use crate::connection::Outbox;

const APP: AppId = AppId(1);

fn room() -> Arc<Room> {
    Arc::new(Room::new(APP, "room".to_owned(), Ring::new(100, 1 << 20)))
}

fn attendee(user: &str) -> Arc<Attendee> {
    let outbox = Outbox::unwritten(1 << 20);
    Arc::new(Attendee::new(APP, user.to_owned(), 7, outbox))
}

fn at(epoch: u64, event_no: u64) -> Position {
    Position { epoch, event_no }
}

fn event(epoch: u64, event_no: u64) -> RoomEvent {
    let frame = format!("{epoch}.{event_no}");
    RoomEvent {
        position: Some(at(epoch, event_no).into()),
        msg_seq: u32::try_from(event_no).unwrap(),
        item_len: u32::try_from(frame.len()).unwrap(),
        frame: frame.into(),
        ..RoomEvent::default()
    }
}

fn after(seq: u32) -> Since {
    Since::Back { seq, attached: at(1, 0) }
}

fn delivered(room: &Arc<Room>, event: RoomEvent) -> Vec<Arc<Attendee>> {
    match room.offer(event) {
        Offered::Delivered(out) => out,
        other => panic!("not delivered: {other:?}"),
    }
}

thread_local! {
    /// How much of what each attendee got was looked at.
    static SEEN: RefCell<HashMap<u64, usize>> = RefCell::default();
}

/// What came since the last look.
fn got(attendee: &Attendee) -> Vec<String> {
    let text = |frame: Bytes| String::from_utf8(frame.to_vec()).unwrap();
    let all: Vec<_> = attendee.outbox.replay().into_iter().map(text).collect();
    let seen = SEEN.with_borrow_mut(|seen| seen.insert(attendee.id, all.len()));
    all[seen.unwrap_or(0)..].to_vec()
}

#[tokio::test]
async fn a_member_gets_what_comes_after_it_joined() {
    let room = room();
    room.make_ready(vec![event(1, 1)], at(1, 1));
    let (early, late) = (attendee("ann"), attendee("bob"));
    room.sit(&early, &Seat::Push, Since::Joined(at(1, 1))).unwrap();
    delivered(&room, event(1, 2));
    // The owner took it in at 1, but its seat here comes only now.
    room.sit(&late, &Seat::Push, Since::Joined(at(1, 1))).unwrap();
    delivered(&room, event(1, 3));
    assert_eq!(got(&early), ["1.2", "1.3"]);
    assert_eq!(got(&late), ["1.2", "1.3"]);
}

#[tokio::test]
async fn a_member_that_joined_ahead_of_the_bus_does_not_get_what_was_before() {
    let room = room();
    room.make_ready(vec![], at(1, 0));
    let ann = attendee("ann");
    room.sit(&ann, &Seat::Push, Since::Joined(at(1, 2))).unwrap();
    for number in 1..=3 {
        delivered(&room, event(1, number));
    }
    assert_eq!(got(&ann), ["1.3"]);
}

#[tokio::test]
async fn members_wait_until_the_ring_is_filled() {
    let room = room();
    let (joined, back, unknown) = (attendee("ann"), attendee("bob"), attendee("eve"));
    room.sit(&joined, &Seat::Push, Since::Joined(at(1, 3))).unwrap();
    room.sit(&back, &Seat::Push, after(1)).unwrap();
    room.sit(&unknown, &Seat::Push, after(0)).unwrap();
    assert!(got(&back).is_empty());
    room.make_ready((1..=4).map(|number| event(1, number)).collect(), at(1, 4));
    assert_eq!(got(&joined), ["1.4"]);
    assert_eq!(got(&back), ["1.2", "1.3", "1.4"]);
    assert_eq!(got(&unknown), ["1.1", "1.2", "1.3", "1.4"]);
}

#[tokio::test]
async fn holes_repetitions_and_new_epochs_are_noticed() {
    let room = room();
    room.make_ready(vec![], at(1, 4));
    assert!(matches!(room.offer(event(1, 4)), Offered::Old));
    assert!(matches!(room.offer(event(1, 6)), Offered::Hole(_)));
    delivered(&room, event(1, 5));
    delivered(&room, event(1, 6));
    assert!(matches!(room.offer(event(3, 2)), Offered::Hole(_)));
    delivered(&room, event(3, 1));
    assert!(matches!(room.offer(event(1, 7)), Offered::Old));
    assert_eq!(room.head(), at(3, 1));
}

#[tokio::test]
async fn directed_events_reach_their_receivers_only() {
    let room = room();
    room.make_ready(vec![], at(1, 0));
    let (ann, bob) = (attendee("ann"), attendee("bob"));
    room.sit(&ann, &Seat::Push, Since::Joined(at(1, 0))).unwrap();
    room.sit(&bob, &Seat::Push, Since::Joined(at(1, 0))).unwrap();
    delivered(&room, RoomEvent { recipients: vec!["bob".to_owned()], ..event(1, 1) });
    assert!(got(&ann).is_empty());
    assert_eq!(got(&bob), ["1.1"]);
}

#[tokio::test]
async fn who_is_removed_gets_the_event_and_nothing_after_it() {
    let room = room();
    room.make_ready(vec![], at(1, 0));
    let (ann, bob) = (attendee("ann"), attendee("bob"));
    let place = PollSeat { user: "bob".to_owned(), inst_id: 7 };
    room.sit(&ann, &Seat::Push, Since::Joined(at(1, 0))).unwrap();
    room.sit(&bob, &Seat::Push, Since::Joined(at(1, 0))).unwrap();
    room.sit(&bob, &Seat::Poll(place), Since::Joined(at(1, 0))).unwrap();
    let removed = Membership::Removed(MembersRemoved { users: vec!["bob".to_owned()] });
    let out = delivered(&room, RoomEvent { membership: Some(removed), ..event(1, 1) });
    assert_eq!(out.len(), 2);
    assert!(!bob.is_in("room"));
    delivered(&room, event(1, 2));
    assert_eq!(got(&bob), ["1.1"]);
    let closed = Membership::Closed(RoomClosed {});
    delivered(&room, RoomEvent { membership: Some(closed), ..event(1, 3) });
    assert_eq!(got(&ann), ["1.1", "1.2", "1.3"]);
    assert!(room.close_if_empty());
    assert_eq!(room.sit(&ann, &Seat::Push, after(0)), None);
}

/// The seat of somebody who was banned between the join and the moment it sat down was kept, and it
/// heard all that was said from then on.
#[tokio::test]
async fn who_was_removed_before_it_sat_down_does_not_sit() {
    let removed = |number| {
        let users = vec!["bob".to_owned()];
        let membership = Some(Membership::Removed(MembersRemoved { users }));
        RoomEvent { membership, ..event(1, number) }
    };
    let poll = Seat::Poll(PollSeat { user: "bob".to_owned(), inst_id: 7 });
    for ready in [true, false] {
        let room = room();
        let (bob, again, ann) = (attendee("bob"), attendee("bob"), attendee("ann"));
        let missed = vec![event(1, 2), removed(3), event(1, 4)];
        let since = Since::Joined(at(1, 1));
        let sits = |room: &Arc<Room>| {
            let sit = |who, seat, since| room.sit(who, seat, since).unwrap();
            let bobs = sit(&bob, &Seat::Push, since) || sit(&bob, &poll, since);
            (bobs, sit(&again, &Seat::Push, Since::Joined(at(1, 3))), sit(&ann, &Seat::Push, since))
        };
        if ready {
            room.make_ready(missed, at(1, 4));
            assert_eq!(sits(&room), (false, true, true));
        } else {
            sits(&room);
            assert!(room.sit(&bob, &poll, since).unwrap());
            assert_eq!(room.make_ready(missed, at(1, 4)).len(), 2);
        }
        assert!(!bob.is_in("room") && again.is_in("room") && ann.is_in("room"));
        delivered(&room, event(1, 5));
        assert_eq!(got(&bob), ["1.2", "1.3"], "why it is out, and nothing after that");
        assert_eq!(got(&again), ["1.4", "1.5"]);
        assert_eq!(got(&ann), ["1.2", "1.3", "1.4", "1.5"]);
    }
}

/// One that came back after it was banned and let in again is a member by its owner's word.
#[tokio::test]
async fn what_took_a_member_out_before_its_owner_vouched_for_it_does_not_count() {
    let room = room();
    let closed = Some(Membership::Removed(MembersRemoved { users: vec!["ann".to_owned()] }));
    room.make_ready(vec![event(1, 1), RoomEvent { membership: closed, ..event(1, 2) }], at(1, 2));
    let [ann, late] = [attendee("ann"), attendee("ann")];
    let since = |event_no| Since::Back { seq: 1, attached: at(1, event_no) };
    assert_eq!(room.sit(&ann, &Seat::Push, since(2)), Some(true));
    assert_eq!(room.sit(&late, &Seat::Push, since(1)), Some(false));
}

#[tokio::test]
async fn leaving_tells_what_the_member_has_for_certain() {
    let room = room();
    let ann = attendee("ann");
    room.sit(&ann, &Seat::Push, after(9)).unwrap();
    assert_eq!(room.leave(&ann, &Seat::Push).unwrap().last_seq, 9, "nothing was sent yet");
    room.make_ready(vec![event(1, 5)], at(1, 5));
    room.sit(&ann, &Seat::Push, Since::Joined(at(1, 5))).unwrap();
    delivered(&room, event(1, 6));
    assert_eq!(room.leave(&ann, &Seat::Push).unwrap().last_seq, 5, "6 may be on the wire");
    assert_eq!(room.leave(&ann, &Seat::Push), None);
    assert_eq!(room.size(), 0);
}

#[tokio::test]
async fn many_members_come_and_go() {
    let room = room();
    room.make_ready(vec![], at(1, 0));
    let all: Vec<_> = (0..50).map(|number| attendee(&format!("user{number}"))).collect();
    for one in &all {
        room.sit(one, &Seat::Push, Since::Joined(at(1, 0))).unwrap();
        // A repeated join changes nothing.
        room.sit(one, &Seat::Push, Since::Joined(at(1, 0))).unwrap();
    }
    for one in all.iter().step_by(3) {
        room.leave(one, &Seat::Push).unwrap();
    }
    delivered(&room, event(1, 1));
    for (number, one) in all.iter().enumerate() {
        assert_eq!(got(one).len(), usize::from(number % 3 != 0), "user{number}");
    }
}

#[tokio::test]
async fn a_poll_place_moves_to_the_connection_that_polls() {
    let room = room();
    room.make_ready(vec![], at(1, 0));
    let (old, new) = (attendee(""), attendee(""));
    let place = PollSeat { user: String::new(), inst_id: 7 };
    let seat = Seat::Poll(place.clone());
    room.sit(&old, &seat, Since::Joined(at(1, 0))).unwrap();
    assert!(room.begin_poll(&place, &new));
    assert!(!old.is_in("room") && new.is_in("room"));
    assert_eq!(room.leave(&old, &seat), None, "the old connection's end changes nothing");
    room.end_poll(&place);
    delivered(&room, event(1, 1));
    let page = room.page(&place, 0).unwrap();
    assert_eq!((&page.items[..], page.next), (&b"1.1"[..], at(1, 1)));
    assert_eq!(room.page(&place, page.next.cursor()).unwrap().items, "");
}

#[tokio::test]
async fn guests_that_stopped_polling_are_taken_out() {
    let room = room();
    room.make_ready(vec![], at(1, 0));
    let guest = attendee("");
    let place = PollSeat { user: String::new(), inst_id: 7 };
    room.sit(&guest, &Seat::Poll(place.clone()), Since::Joined(at(1, 0))).unwrap();
    assert!(room.begin_poll(&place, &guest));
    let number = room.watch_guest(&place).unwrap();
    assert_eq!(room.watch_guest(&place), None, "one look at a time is enough");
    let polls = |looked| matches!(looked, Looked::Polls(_));
    assert!(polls(room.look_at_guest(&place, number, |_| true)), "its poll is being held");
    room.end_poll(&place);
    assert!(polls(room.look_at_guest(&place, number, |_| false)));
    assert_eq!(room.look_at_guest(&place, number + 1, |_| true), Looked::Gone);
    assert!(guest.is_in("room"), "another one that had its place is gone");
    assert_eq!(room.look_at_guest(&place, number, |_| true), Looked::TakenOut);
    assert!(!guest.is_in("room"));
    assert_eq!(room.look_at_guest(&place, number, |_| true), Looked::Gone);
}
