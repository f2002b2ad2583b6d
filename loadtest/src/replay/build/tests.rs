//! What becomes of a capture's records.

use proptest::prelude::*;
use throng_capture::Element;

use super::*;
use crate::plan::SECOND;

fn record(at: u64, line: u64, user: u64, what: What) -> Record {
    Record { at, line, place: 0, user: Some(Pseudonym(user)), what }
}

fn asks(name: &'static str, group: u64) -> Command {
    Command {
        name: name.into(),
        took: Some(5),
        group: Some(Pseudonym(group)),
        live: true,
        ..Command::default()
    }
}

fn says(id: u64, group: u64, seq: u32) -> Command {
    let elements = vec![
        Element { kind: "TIMTextElem".into(), bytes: 20 },
        Element { kind: "TIMCustomElem".into(), bytes: 7 },
    ];
    let priority = Some("High".into());
    let message = Some(Sent { id: Pseudonym(id), priority, elements, seq, dropped: false });
    Command { message, ..asks(command::SEND, group) }
}

fn replay(records: &[Record]) -> Replay {
    Replay::new(records, 1.0, Order::Timed).unwrap()
}

#[test]
fn a_session_of_which_all_is_captured() {
    let records = [
        record(1_000, 1, 70, What::Open),
        record(2_000, 1, 70, What::Command(asks(command::JOIN, 8))),
        record(3_000, 1, 70, What::Command(says(1, 8, 4))),
        record(4_000, 1, 70, What::Command(asks(command::QUIT, 8))),
        record(5_000, 1, 70, What::Close { for_good: true }),
    ];
    let Replay { plan, captured, left_out, .. } = replay(&records);
    assert_eq!((plan.clients, plan.rooms, &*plan.kinds), (1, 1, &[RoomKind::AVChatRoom][..]));
    assert!(!plan.is_there(0));
    assert_eq!(plan.seats_of(0).collect::<Vec<_>>(), [Seat { room: 0, first: false }]);
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.at, step.what)).collect();
    assert_eq!(
        steps,
        [
            (0, Move::Dial),
            (1_000_000, Move::Join(0)),
            (3_000_000, Move::Leave(0)),
            (4_000_000, Move::Hang)
        ]
    );
    let message = plan.messages[0];
    assert_eq!((message.at, message.bytes, message.priority), (2_000_000, 27, Priority::High));
    assert_eq!((captured[0].seq, left_out.len()), (Some(4), 0));
}

#[test]
fn who_was_there_before_is_there_and_in_its_groups() {
    let records = [
        record(0, 1, 70, What::Command(says(1, 8, 4))),
        record(1, 2, 71, What::Command(asks(command::QUIT, 8))),
        record(2, 2, 71, What::Close { for_good: false }),
        // The beginning of this connection was not written.
        record(3, 3, 71, What::Command(asks(command::JOIN, 8))),
        // This one came back into its room without joining.
        record(4, 4, 72, What::Open),
        record(5, 4, 72, What::Command(says(2, 8, 5))),
    ];
    let plan = replay(&records).plan;
    for client in 0..3 {
        assert!(plan.is_there(client));
        assert_eq!(plan.seats_of(client).collect::<Vec<_>>(), [Seat { room: 0, first: true }]);
    }
    let of = |client| plan.steps.iter().filter(move |it| it.client == client).map(|it| it.what);
    let moves: Vec<_> = of(1).collect();
    assert_eq!(moves, [Move::Leave(0), Move::Hang, Move::Dial, Move::Join(0)]);
}

#[test]
fn two_connections_of_a_user_are_one() {
    let records = [
        record(0, 1, 70, What::Open),
        record(1, 2, 70, What::Open),
        record(2, 1, 70, What::Close { for_good: false }),
        record(3, 2, 70, What::Close { for_good: false }),
    ];
    let steps: Vec<_> = replay(&records).plan.steps.iter().map(|it| (it.at, it.what)).collect();
    assert_eq!(steps, [(0, Move::Dial), (3_000, Move::Hang)]);
}

#[test]
fn what_is_not_done_again_is_counted() {
    let mut open = says(1, 8, 0);
    open.took = None;
    let records = [
        record(0, 1, 70, What::Command(open)),
        record(1, 2, 70, What::Command(says(1, 8, 4))),
        record(2, 2, 70, What::Command(Command { code: 10_017, ..says(2, 8, 0) })),
        record(3, 2, 70, What::Command(asks("group_open_http_svc.get_group_info", 8))),
        record(4, 2, 70, What::Command(asks(command::LOGIN, 8))),
        Record { at: 5, line: 0, place: 0, user: None, what: What::Dropped { count: 3 } },
    ];
    let Replay { plan, captured, left_out, .. } = replay(&records);
    assert_eq!((plan.messages.len(), captured[0].seq), (1, Some(4)), "it was sent again");
    assert_eq!(left_out.values().sum::<u64>(), 1 + 1 + 1 + 3, "{left_out:?}");
    assert!(left_out.contains_key("group_open_http_svc.send_group_msg, refused"));
    assert_eq!(Replay::new(&[], 1.0, Order::Timed).unwrap_err(), ReplayError::Nothing);
}

#[test]
fn strict_order_is_that_of_the_numbers() {
    let mut dropped = says(4, 8, 9);
    dropped.message.as_mut().unwrap().dropped = true;
    let records = [
        record(0, 1, 70, What::Command(says(1, 8, 6))),
        record(1, 2, 71, What::Command(says(2, 8, 5))),
        record(2, 2, 71, What::Command(says(3, 9, 1))),
        record(3, 2, 71, What::Command(dropped)),
    ];
    let replay = Replay::new(&records, 1.0, Order::Strict).unwrap();
    let turns = replay.plan.turns.unwrap();
    assert_eq!(turns.order, [vec![1, 0], vec![2]]);
    assert_eq!(turns.place, [1, 0, 0]);
    assert_eq!(replay.left_out["messages without a number"], 1);
    let none = [record(0, 1, 70, What::Command(says(1, 8, 0)))];
    assert_eq!(Replay::new(&none, 1.0, Order::Strict).unwrap_err(), ReplayError::NoOrder);
}

proptest! {
    #[test]
    fn speed_changes_moments_and_not_the_order(
        sends in prop::collection::vec((0_u64..5_000, 0_u64..4, 0_u64..3), 1..50),
        speed in 0.1..20.0,
    ) {
        let mut at = 0;
        let records: Vec<Record> = (1..).zip(&sends).map(|(number, (pause, user, group))| {
            at += pause;
            record(at, 1 + user, *user, What::Command(says(number, *group, number as u32)))
        }).collect();
        let plain = replay(&records);
        let fast = Replay::new(&records, speed, Order::Timed).unwrap();
        prop_assert_eq!(plain.captured.len(), sends.len());
        for (client, room) in (0..4).flat_map(|client| (0..3).map(move |room| (client, room))) {
            let of = |replay: &Replay| -> Vec<_> {
                let all = replay.plan.messages.iter().zip(&replay.captured);
                all.filter(|(it, _)| (it.sender, it.room) == (client, room))
                    .map(|(_, captured)| captured.seq).collect()
            };
            prop_assert_eq!(of(&plain), of(&fast));
            prop_assert!(of(&plain).is_sorted());
        }
        for (slow, fast) in plain.plan.messages.iter().zip(&fast.plan.messages) {
            let expected = slow.at as f64 / speed;
            prop_assert!((fast.at as f64 - expected).abs() <= 1.0 + SECOND as f64 * 1e-9);
        }
    }
}
