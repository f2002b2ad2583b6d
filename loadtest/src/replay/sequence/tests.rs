//! Each difference is found, and nothing else.

use proptest::prelude::*;

use super::*;
use crate::plan::{Message, Plan, Priority, Seats};
use crate::replay::Captured;

/// A replay of one group in which everything went as captured: the sender of each message, and its fate.
fn faithful(senders: &[u32], kind: RoomKind, order: Order) -> (Replay, Vec<Fate>) {
    let messages = (0..).zip(senders).map(|(place, sender)| Message {
        at: u64::from(place) * 10,
        room: 0,
        place,
        sender: *sender,
        priority: Priority::Normal,
        bytes: 1,
    });
    let plan = Plan {
        rooms: 1,
        kinds: vec![kind],
        clients: 4,
        seats: Seats::Lists(vec![(Vec::new(), true); 4]),
        messages: messages.collect(),
        steps: Vec::new(),
        measured_from: 0,
        ends: 1,
        in_order: true,
        turns: None,
    };
    let captured = (1..).take(senders.len()).map(|seq| Captured { seq: Some(seq * 2) }).collect();
    let fates = (0..).take(senders.len()).map(|place: u32| Fate {
        sent: u64::from(place) * 10,
        settled: u64::from(place) * 10 + 5,
        outcome: Outcome::Kept(100 + place),
    });
    let fates = fates.collect();
    (Replay { plan, captured, left_out: std::collections::BTreeMap::new(), order }, fates)
}

fn pairs(values: &[u32]) -> u64 {
    let after = |at: usize| values[at + 1..].iter().filter(|it| **it < values[at]).count() as u64;
    (0..values.len()).map(after).sum()
}

proptest! {
    #[test]
    fn inversions_are_counted(values in prop::collection::vec(0_u32..50, 0..40)) {
        prop_assert_eq!(inversions(&mut values.clone()), pairs(&values));
    }

    #[test]
    fn the_same_sequence_is_the_same(senders in prop::collection::vec(0_u32..4, 1..40)) {
        let (replay, fates) = faithful(&senders, RoomKind::Public, Order::Strict);
        let found = Sequence::compare(&replay, &fates);
        prop_assert_eq!((found.groups, found.same_groups), (1, 1));
        prop_assert_eq!(found.compared, senders.len() as u64);
        prop_assert!(found.violations().is_empty(), "{:?}", found);
    }

    /// Two that changed places are found whoever sent them; after an answer that is the server's fault.
    #[test]
    fn a_swap_is_found(
        senders in prop::collection::vec(0_u32..4, 2..40), at: prop::sample::Index, overlap: bool,
    ) {
        let at = at.index(senders.len() - 1);
        let (replay, mut fates) = faithful(&senders, RoomKind::Public, Order::Strict);
        let one = fates[at].outcome;
        fates[at].outcome = fates[at + 1].outcome;
        fates[at + 1].outcome = one;
        if overlap {
            fates[at].settled = fates[at + 1].sent + 1;
        }
        let found = Sequence::compare(&replay, &fates);
        prop_assert_eq!((found.same_groups, found.inverted_pairs), (0, 1));
        prop_assert_eq!(found.overtaken, u64::from(!overlap));
        prop_assert_eq!(found.out_of_order, u64::from(senders[at] == senders[at + 1]));
        prop_assert!(!found.violations().is_empty());
    }
}

#[test]
fn what_is_missing_or_new() {
    let (mut replay, mut fates) = faithful(&[0, 1, 2], RoomKind::AVChatRoom, Order::Strict);
    fates[1].outcome = Outcome::Dropped;
    replay.captured[2].seq = None;
    let found = Sequence::compare(&replay, &fates);
    assert_eq!((found.compared, found.missing, found.extra, found.same_groups), (1, 1, 1, 0));
    assert!(found.violations()[0].contains("1 of 1 groups"));
    replay.order = Order::Timed;
    assert!(
        Sequence::compare(&replay, &fates).violations().is_empty(),
        "chance decides who is dropped"
    );
}

#[test]
fn in_a_live_room_a_sender_may_be_overtaken_by_itself() {
    let swap = |kind| {
        let (replay, mut fates) = faithful(&[0, 0], kind, Order::Timed);
        fates[0] = Fate { settled: 12, outcome: Outcome::Kept(9), ..fates[0] };
        fates[1].outcome = Outcome::Kept(8);
        Sequence::compare(&replay, &fates).violations().len()
    };
    assert_eq!((swap(RoomKind::AVChatRoom), swap(RoomKind::Public)), (0, 1));
}
