use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

type Members = LatestMembers<&'static str>;

fn all(page: &Page<'_, &'static str>) -> Vec<(&'static str, u32)> {
    page.members.iter().map(|member| (*member.user, member.joined)).collect()
}

fn list(members: &Members) -> Vec<&'static str> {
    let page = members.page(0, PAGE, [], |_| true);
    assert_eq!(page.next, 0);
    page.members.iter().map(|member| *member.user).collect()
}

#[test]
fn the_latest_come_first() {
    let mut members = Members::new(3);
    for (now, user) in [(10, "ann"), (20, "bob"), (20, "cem"), (30, "dan")] {
        assert!(members.join(now, &user, 1));
    }
    assert_eq!(list(&members), ["dan", "cem", "bob"]);
    assert_eq!(all(&members.page(0, PAGE, [], |_| true))[1], ("cem", 20));
    assert_eq!((members.joined("ann"), members.joined("eve")), (Some(10), None));
}

#[test]
fn the_list_stays_full_while_some_leave() {
    let mut members = Members::new(2);
    for (now, user) in [(1, "ann"), (2, "bob"), (3, "cem"), (4, "dan"), (5, "eve")] {
        members.join(now, &user, 1);
    }
    assert!(members.remove("eve"));
    assert!(members.leave("dan", 1));
    assert_eq!(list(&members), ["cem", "bob"]);
    assert!(!members.leave("ann", 1), "pushed out long ago");
}

#[test]
fn a_user_leaves_with_the_last_instance() {
    let mut members = Members::new(10);
    assert!(members.join(1, &"ann", 1));
    assert!(members.join(2, &"bob", 1));
    assert!(!members.join(3, &"ann", 2));
    assert!(!members.join(4, &"ann", 1), "joined again after a reconnect");
    assert_eq!(list(&members), ["bob", "ann"]);
    assert!(!members.leave("ann", 1));
    assert!(!members.leave("ann", 7));
    assert_eq!(list(&members), ["bob", "ann"]);
    assert!(members.leave("ann", 2));
    assert_eq!(list(&members), ["bob"]);
}

#[test]
fn instances_of_one_user_are_bounded() {
    let mut members = Members::new(10);
    for instance in 0..10_000 {
        members.join(1, &"ann", instance);
    }
    assert_eq!(members.known["ann"].instances.len(), MAX_INSTANCES);
    assert!(!members.leave("ann", 9_998));
    assert!(!members.leave("ann", 1));
}

#[test]
fn pages_split_a_crowded_second() {
    let names: Vec<String> = (0..1_200).map(|place| format!("u{place:04}")).collect();
    let mut members: LatestMembers<String> = LatestMembers::new(1_000);
    for name in &names {
        members.join(1_700_000_000, name, 1);
    }
    let first = members.page(0, PAGE, [], |_| true);
    let second = members.page(first.next, PAGE, [], |_| true);
    assert_eq!((first.members.len(), second.members.len()), (500, 500));
    assert!(first.next > 1_700_000_000 && second.next == 0);
    let listed = first.members.iter().chain(&second.members).map(|member| member.user);
    assert!(listed.eq(names.iter().rev().take(1_000)));
    assert!(second.members.iter().all(|member| member.joined == 1_700_000_000));
}

#[test]
fn a_page_that_ends_the_list_says_so() {
    let mut members = Members::new(10);
    for (now, user) in [(1, "ann"), (2, "bob"), (3, "cem"), (4, "dan")] {
        members.join(now, &user, 1);
    }
    let first = members.page(0, 2, [], |_| true);
    assert_eq!(all(&first), [("dan", 4), ("cem", 3)]);
    let second = members.page(first.next, 2, [], |_| true);
    assert_eq!((all(&second), second.next), (vec![("bob", 2), ("ann", 1)], 0));
    let past = members.page(1, 2, [], |_| true);
    assert_eq!((past.members.len(), past.next), (0, 0));
}

#[test]
fn only_listed_members_show_and_count() {
    let mut members = Members::new(2);
    for (now, user) in [(1, "ann"), (2, "bob"), (3, "cem"), (4, "dan")] {
        members.join(now, &user, 1);
    }
    let page = members.page(0, PAGE, [], |user| *user != "cem");
    assert_eq!(all(&page), [("dan", 4), ("bob", 2)]);
}

#[test]
fn robots_stand_in_front() {
    let mut members = Members::new(10);
    for (now, user) in [(5, "ann"), (6, "bob"), (7, "cem")] {
        members.join(now, &user, 1);
    }
    let robots = ["r2", "c3"];
    let front = || robots.iter().map(|user| Member { user, joined: 1 });
    let first = members.page(0, 3, front(), |_| true);
    assert_eq!(all(&first), [("r2", 1), ("c3", 1), ("cem", 7)]);
    let second = members.page(first.next, 3, front(), |_| true);
    assert_eq!((all(&second), second.next), (vec![("bob", 6), ("ann", 5)], 0));
    // Nothing but robots fits on the first page: the second begins with the latest member.
    let first = members.page(0, 2, front(), |_| true);
    let second = members.page(first.next, 2, front(), |_| true);
    assert_eq!(all(&second), [("cem", 7), ("bob", 6)]);
}

#[test]
fn a_smaller_limit_forgets() {
    let mut members = Members::new(10);
    for (now, user) in [(1, "ann"), (2, "bob"), (3, "cem")] {
        members.join(now, &user, 1);
    }
    members.set_limit(1);
    assert_eq!(list(&members), ["cem"]);
    assert_eq!(members.joined("ann"), None);
    members.set_limit(usize::MAX);
    assert_eq!((list(&members), members.limit), (vec!["cem", "bob"], MAX_LIMIT));
}

#[derive(Debug, Clone)]
enum Op {
    Join(usize, u32),
    Leave(usize, u32),
    Remove(usize),
    Wait(u32),
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..12_usize, 0..3_u32).prop_map(|(user, instance)| Op::Join(user, instance)),
        3 => (0..12_usize, 0..3_u32).prop_map(|(user, instance)| Op::Leave(user, instance)),
        1 => (0..12_usize).prop_map(Op::Remove),
        2 => (0..3_u32).prop_map(Op::Wait),
    ]
}

proptest! {
    /// Against plain lists; all pages together are the list, whatever their size.
    #[test]
    fn agrees_with_a_plain_list(
        limit in 1..8_usize,
        size in 1..5_usize,
        history in prop::collection::vec(ops(), 0..150),
    ) {
        let mut members: LatestMembers<usize> = LatestMembers::new(limit);
        let mut known: Vec<(usize, u32, HashSet<u32>)> = Vec::new();
        let mut now = 1_000;
        for op in history {
            match op {
                Op::Wait(time) => now += time,
                Op::Join(user, instance) => {
                    let place = known.iter().position(|(known, ..)| *known == user);
                    prop_assert_eq!(members.join(now, &user, instance), place.is_none());
                    match place {
                        Some(place) => { known[place].2.insert(instance); }
                        None => known.push((user, now, HashSet::from([instance]))),
                    }
                    if known.len() > 2 * limit {
                        known.remove(0);
                    }
                }
                Op::Leave(user, instance) => {
                    let place = known.iter().position(|(known, ..)| *known == user);
                    let last = place.is_some_and(|place| {
                        known[place].2.remove(&instance);
                        known[place].2.is_empty()
                    });
                    if let Some(place) = place.filter(|_| last) {
                        known.remove(place);
                    }
                    prop_assert_eq!(members.leave(&user, instance), last);
                }
                Op::Remove(user) => {
                    let before = known.len();
                    known.retain(|(known, ..)| *known != user);
                    prop_assert_eq!(members.remove(&user), known.len() < before);
                }
            }
            prop_assert_eq!(members.known.len(), members.order.len());
        }
        let odd_only = |user: &usize| user % 2 == 1;
        let expected: Vec<(usize, u32)> = known
            .iter()
            .rev()
            .filter(|(user, ..)| odd_only(user))
            .take(limit)
            .map(|(user, joined, _)| (*user, *joined))
            .collect();
        let mut pages = Vec::new();
        let mut cursor = 0;
        loop {
            let page = members.page(cursor, size, [], odd_only);
            prop_assert!(page.members.len() == size || page.next == 0);
            pages.extend(page.members.iter().map(|member| (*member.user, member.joined)));
            cursor = page.next;
            if cursor == 0 {
                break;
            }
        }
        prop_assert_eq!(pages, expected);
    }
}
