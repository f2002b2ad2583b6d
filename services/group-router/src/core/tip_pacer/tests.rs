use proptest::prelude::*;

use super::*;

const SMALL: u32 = 100;
const BIG: u32 = 101;

#[derive(Debug)]
struct Room {
    pacer: TipPacer<u32>,
    tips: Vec<Tip<u32>>,
}

impl Room {
    fn new() -> Self {
        Self { pacer: TipPacer::new(Pace::default()), tips: Vec::new() }
    }

    fn event(&mut self, now: u64, kind: Kind, online: u32, user: u32) {
        let tips = &mut self.tips;
        self.pacer.event(now, kind, online, user, &mut |tip| tips.push(tip));
    }

    fn poll(&mut self, now: u64) {
        let tips = &mut self.tips;
        self.pacer.poll(now, &mut |tip| tips.push(tip));
    }

    fn take(&mut self) -> Vec<(Kind, Vec<u32>, u64)> {
        let tips = mem::take(&mut self.tips).into_iter();
        tips.map(|tip| (tip.kind, tip.users, tip.unnamed)).collect()
    }
}

use Kind::{Join, Quit};

#[test]
fn a_small_room_tells_each() {
    let mut room = Room::new();
    room.event(0, Join, SMALL, 1);
    room.event(0, Join, SMALL, 2);
    room.event(0, Quit, SMALL - 1, 1);
    assert_eq!(room.take(), [(Join, vec![1], 0), (Join, vec![2], 0), (Quit, vec![1], 0)]);
    assert_eq!(room.pacer.next_deadline(), None);
}

#[test]
fn a_big_room_tells_once_a_second() {
    let mut room = Room::new();
    room.event(500, Join, BIG, 0);
    assert_eq!(room.take(), [(Join, vec![0], 0)]);
    for user in 1..=30 {
        room.event(500 + u64::from(user), Join, BIG, user);
    }
    assert_eq!((room.take(), room.pacer.next_deadline()), (vec![], Some(1_500)));
    room.poll(1_499);
    assert_eq!(room.take(), []);
    room.poll(1_500);
    assert_eq!(room.take(), [(Join, (1..=20).collect(), 10)]);
    assert_eq!(room.pacer.next_deadline(), None);
    room.event(2_499, Join, BIG, 40);
    assert_eq!((room.take(), room.pacer.next_deadline()), (vec![], Some(2_500)));
    // The timer is late: the next event brings the tip.
    room.event(2_600, Join, BIG, 41);
    assert_eq!(room.take(), [(Join, vec![40, 41], 0)]);
}

#[test]
fn joins_and_quits_have_a_pace_each() {
    let mut room = Room::new();
    room.event(0, Join, BIG, 1);
    room.event(300, Quit, BIG, 2);
    room.event(300, Join, BIG, 3);
    room.event(300, Quit, BIG, 4);
    assert_eq!(room.take(), [(Join, vec![1], 0), (Quit, vec![2], 0)]);
    assert_eq!(room.pacer.next_deadline(), Some(1_000));
    room.poll(1_000);
    assert_eq!(room.pacer.next_deadline(), Some(1_300));
    room.poll(1_300);
    assert_eq!(room.take(), [(Join, vec![3], 0), (Quit, vec![4], 0)]);
}

#[test]
fn a_room_that_became_small_tells_at_once_again() {
    let mut room = Room::new();
    for user in 0..25 {
        room.event(0, Quit, BIG, user);
    }
    room.take();
    room.event(1, Quit, SMALL, 25);
    let named: Vec<u32> = (1..=20).chain([25]).collect();
    assert_eq!(room.take(), [(Quit, named, 4)]);
    assert_eq!(room.pacer.next_deadline(), None);
}

#[test]
fn a_tip_may_name_nobody() {
    let mut room = Room::new();
    let pace = Pace { names: 0, ..Pace::default() };
    room.pacer.set_pace(pace);
    room.event(0, Join, BIG, 1);
    room.event(1, Join, BIG, 2);
    room.event(1, Join, BIG, 3);
    room.poll(1_000);
    assert_eq!(room.take(), [(Join, vec![], 1), (Join, vec![], 2)]);
}

proptest! {
    /// Nobody is lost or told twice, and a big room gets its tips at the pace.
    #[test]
    fn every_event_is_told_or_counted(
        names in 0..5_usize,
        interval in 0..2_000_u64,
        events in prop::collection::vec(
            (0..700_u64, any::<bool>(), prop_oneof![3 => Just(BIG), 1 => Just(SMALL)], any::<bool>()),
            0..100,
        ),
    ) {
        let mut pacer = TipPacer::new(Pace { threshold: SMALL, interval, names });
        let mut now = 0;
        let mut seen = [Vec::new(), Vec::new()];
        let mut told = [Vec::new(), Vec::new()];
        let mut unnamed = [0, 0];
        let mut last: [Option<u64>; 2] = [None, None];
        for (user, (pause, join, online, punctual)) in events.into_iter().enumerate() {
            now += pause;
            let mut tips = Vec::new();
            if punctual {
                while let Some(due) = pacer.next_deadline().filter(|due| *due <= now) {
                    pacer.poll(due, &mut |tip| tips.push((due, false, tip)));
                }
            }
            let kind = if join { Join } else { Quit };
            seen[usize::from(join)].push(user);
            let small = online <= SMALL;
            pacer.event(now, kind, online, user, &mut |tip| tips.push((now, small, tip)));
            for (time, small, tip) in tips {
                let lane = usize::from(tip.kind == Join);
                prop_assert!(small || last[lane].is_none_or(|last| last + interval <= time));
                prop_assert!(tip.users.len() <= names + usize::from(small));
                last[lane] = Some(time);
                told[lane].extend(tip.users);
                unnamed[lane] += tip.unnamed;
            }
        }
        while let Some(due) = pacer.next_deadline() {
            pacer.poll(due, &mut |tip| {
                let lane = usize::from(tip.kind == Join);
                told[lane].extend(tip.users);
                unnamed[lane] += tip.unnamed;
            });
        }
        for lane in 0..2 {
            prop_assert!(told[lane].is_sorted());
            prop_assert!(told[lane].iter().all(|user| seen[lane].contains(user)));
            prop_assert_eq!(told[lane].len() as u64 + unnamed[lane], seen[lane].len() as u64);
        }
    }
}
