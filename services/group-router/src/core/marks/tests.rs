use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_700_000_000;
const JOINED: u32 = 1_699_999_000;

type Room = Marks<&'static str>;

fn users(room: &Room, mark: u32) -> Vec<&'static str> {
    let (page, next) = room.page(mark, 0, 500);
    assert_eq!(next, 0);
    page.iter().map(|marked| *marked.user).collect()
}

#[test]
fn marks_are_set_and_removed() {
    let mut room = Room::default();
    room.set(NOW, By::Client, &"ann", JOINED, &[1_005, 1_001, 1_005]).unwrap();
    room.set(NOW, By::Client, &"bob", JOINED, &[1_005]).unwrap();
    room.set(NOW, By::Client, &"ann", 7, &[1_002]).unwrap();
    assert_eq!(room.of("ann"), [1_001, 1_002, 1_005]);
    assert_eq!(users(&room, 1_005), ["bob", "ann"]);
    assert_eq!(room.page(1_005, 0, 9).0[1].joined, JOINED);
    assert_eq!(room.remove(By::Client, &"ann", &[1_005, 1_009]), Ok(true));
    assert_eq!(room.remove(By::Client, &"ann", &[1_005]), Ok(false));
    assert_eq!((users(&room, 1_005), room.has("ann", 1_002)), (vec!["bob"], true));
    assert_eq!(room.of("eve"), [0_u32; 0]);
}

#[test]
fn numbers_and_rights() {
    for (mark, by_client, by_admin) in [
        (0, Err(Refusal::BadMark), Err(Refusal::BadMark)),
        (499, Err(Refusal::BadMark), Err(Refusal::BadMark)),
        (500, Err(Refusal::AdminOnly), Ok(())),
        (600, Err(Refusal::AdminOnly), Ok(())),
        (999, Err(Refusal::BadMark), Err(Refusal::BadMark)),
        (1_000, Ok(()), Ok(())),
        (u32::MAX, Ok(()), Ok(())),
    ] {
        for (by, outcome) in [(By::Client, by_client), (By::Admin, by_admin)] {
            let mut room = Room::default();
            assert_eq!(room.set(NOW, by, &"ann", JOINED, &[1_000, mark]), outcome, "{mark}");
            assert_eq!(room.remove(by, &"ann", &[mark]), outcome.map(|()| true), "{mark}");
            assert_eq!(room.has("ann", 1_000), outcome.is_ok() && mark != 1_000);
        }
    }
}

#[test]
fn ten_different_marks() {
    let mut room = Room::default();
    let ten: Vec<u32> = (1_000..1_010).collect();
    room.set(NOW, By::Admin, &"ann", JOINED, &ten).unwrap();
    room.set(NOW, By::Admin, &"bob", JOINED, &[500, 600, 1_003]).unwrap();
    let refused = room.set(NOW, By::Admin, &"cem", JOINED, &[1_000, 2_000]);
    assert_eq!((refused, room.of("cem").len()), (Err(Refusal::TooManyMarks), 0));
    room.remove(By::Admin, &"ann", &[1_000]).unwrap();
    room.set(NOW, By::Admin, &"cem", JOINED, &[2_000, 2_000]).unwrap();
}

#[test]
fn a_thousand_users_with_one_mark() {
    let mut room: Marks<u32> = Marks::default();
    for user in 0..1_000 {
        room.set(NOW, By::Client, &user, JOINED, &[1_000]).unwrap();
    }
    let refused = room.set(NOW, By::Client, &1_000, JOINED, &[1_001, 1_000]);
    assert_eq!((refused, room.of(&1_000).len()), (Err(Refusal::TooManyUsers), 0));
    room.set(NOW, By::Client, &999, JOINED, &[1_000, 1_001]).unwrap();
    room.leave(&0);
    room.set(NOW, By::Client, &1_000, JOINED, &[1_000]).unwrap();

    let mut listed = Vec::new();
    let mut cursor = 0;
    loop {
        let (page, next) = room.page(1_000, cursor, 300);
        assert!(page.len() == 300 || next == 0);
        listed.extend(page.iter().map(|marked| *marked.user));
        if next == 0 {
            break;
        }
        cursor = next;
    }
    assert!(listed.into_iter().eq((1..=1_000).rev()));
}

#[test]
fn a_last_page_that_is_full_ends_the_list() {
    let mut room = Room::default();
    for user in ["ann", "bob"] {
        room.set(NOW, By::Client, &user, JOINED, &[1_000]).unwrap();
    }
    let (page, next) = room.page(1_000, 0, 2);
    assert_eq!((page.len(), next), (2, 0));
    assert_eq!(room.page(1_001, 0, 2).0.len(), 0);
}

#[test]
fn leaving_takes_all_marks_but_one() {
    let mut room = Room::default();
    room.set(NOW, By::Admin, &"ann", JOINED, &[500, 600, 1_000]).unwrap();
    room.leave(&"ann");
    room.leave(&"eve");
    assert_eq!(room.of("ann"), [500]);
    assert_eq!((users(&room, 600), users(&room, 500)), (vec![], vec!["ann"]));
}

#[test]
fn always_online_means_three_days() {
    let mut room = Room::default();
    room.set(NOW, By::Admin, &"ann", JOINED, &[500]).unwrap();
    room.add_robots(NOW, &["r2", "r2", "c3"]).unwrap();
    room.set(NOW, By::Admin, &"c3", JOINED, &[500]).unwrap();
    room.set(NOW + 60, By::Admin, &"bob", JOINED, &[500, 1_000]).unwrap();
    let front = |room: &Room| room.in_front().map(|marked| *marked.user).collect::<Vec<_>>();
    room.expire(NOW + ALWAYS_ONLINE_S - 1);
    assert_eq!(front(&room), ["ann", "r2", "c3", "bob"]);
    room.expire(NOW + ALWAYS_ONLINE_S);
    assert_eq!(front(&room), ["r2", "c3", "bob"]);
    room.expire(u64::MAX - 1);
    assert_eq!(front(&room), ["r2", "c3"]);
    assert_eq!((room.of("bob"), room.of("ann")), ([1_000].as_slice(), [].as_slice()));
    assert!(room.remove_robot(&"r2"));
    assert!(!room.remove_robot(&"r2"));
    assert_eq!(front(&room), ["c3"]);
}

#[test]
fn robots_are_bounded() {
    let mut room: Marks<u32> = Marks::default();
    let robots: Vec<u32> = (0..=1_000).collect();
    assert_eq!(room.add_robots(NOW, &robots), Err(Refusal::TooManyUsers));
    assert_eq!(room.in_front().count(), 0);
    room.add_robots(NOW, &robots[1..]).unwrap();
    room.add_robots(NOW, &robots[5..]).unwrap();
}

#[derive(Debug, Clone)]
enum Op {
    Set(usize, Vec<u32>),
    Remove(usize, Vec<u32>),
    Leave(usize),
}

fn ops() -> impl Strategy<Value = Op> {
    let marks = || {
        let mark = prop_oneof![1 => Just(500_u32), 1 => Just(600), 6 => 1_000..1_013_u32];
        prop::collection::vec(mark, 0..5)
    };
    prop_oneof![
        4 => (0..6_usize, marks()).prop_map(|(user, marks)| Op::Set(user, marks)),
        2 => (0..6_usize, marks()).prop_map(|(user, marks)| Op::Remove(user, marks)),
        1 => (0..6_usize).prop_map(Op::Leave),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_plain_set(history in prop::collection::vec(ops(), 0..100)) {
        let mut room: Marks<usize> = Marks::default();
        let mut held: BTreeSet<(usize, u32)> = BTreeSet::new();
        for op in history {
            match op {
                Op::Set(user, marks) => {
                    let mut after = held.clone();
                    after.extend(marks.iter().map(|mark| (user, *mark)));
                    let custom: BTreeSet<u32> =
                        after.iter().map(|(_, mark)| *mark).filter(|mark| *mark >= 1_000).collect();
                    let outcome = room.set(NOW, By::Admin, &user, JOINED, &marks);
                    prop_assert_eq!(outcome.is_ok(), custom.len() <= MAX_MARKS);
                    if outcome.is_ok() {
                        held = after;
                    }
                }
                Op::Remove(user, marks) => {
                    let before = held.len();
                    held.retain(|(holder, mark)| *holder != user || !marks.contains(mark));
                    let outcome = room.remove(By::Admin, &user, &marks);
                    prop_assert_eq!(outcome, Ok(held.len() < before));
                }
                Op::Leave(user) => {
                    held.retain(|(holder, mark)| *holder != user || *mark == ALWAYS_ONLINE);
                    room.leave(&user);
                }
            }
            let mut by_mark: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
            for (user, mark) in &held {
                by_mark.entry(*mark).or_default().insert(*user);
                prop_assert!(room.has(user, *mark));
            }
            prop_assert_eq!(room.by_mark.len(), by_mark.len());
            for (mark, users) in by_mark {
                let (page, _) = room.page(mark, 0, 500);
                let listed: BTreeSet<usize> = page.iter().map(|marked| *marked.user).collect();
                prop_assert_eq!((page.len(), listed), (users.len(), users));
            }
            let holders: BTreeSet<usize> = held.iter().map(|(user, _)| *user).collect();
            prop_assert_eq!(room.holders.len(), holders.len());
        }
    }
}

#[test]
fn a_set_that_takes_over_has_all_but_the_robots() {
    let mut before = Room::default();
    before.add_robots(NOW, &["robo"]).unwrap();
    before.set(NOW, By::Admin, &"ann", JOINED, &[500, 1_001]).unwrap();
    before.set(NOW, By::Client, &"bob", JOINED, &[1_001]).unwrap();
    let mut room = Room::default();
    room.add_robots(NOW, &["other"]).unwrap();
    room.take_over(&before);
    assert_eq!(
        (users(&room, 1_001), users(&room, 500)),
        (vec!["bob", "ann"], vec!["ann", "other"])
    );
    room.expire(NOW + ALWAYS_ONLINE_S);
    assert_eq!(users(&room, 500), ["other"], "the time of the others goes on");
}
