use proptest::prelude::*;

use super::*;

type Requests = Dedupe<&'static str, u32>;

fn new_ticket(lookup: Lookup<u32>) -> Ticket {
    match lookup {
        Lookup::New(ticket) => ticket,
        other => panic!("not new: {other:?}"),
    }
}

#[test]
fn the_first_answer_comes_again_for_five_minutes() {
    let mut requests = Requests::new(10);
    let ticket = new_ticket(requests.begin(1_000, "ann", 7));
    assert!(requests.settle(ticket, 42));
    assert_eq!(requests.begin(1_001, "ann", 7), Lookup::Done(42));
    assert_eq!(requests.begin(1_000 + KEEP_MS - 1, "ann", 7), Lookup::Done(42));
    let again = new_ticket(requests.begin(1_000 + KEEP_MS, "ann", 7));
    assert_ne!(again, ticket);
}

#[test]
fn other_senders_and_other_randoms_are_others() {
    let mut requests = Requests::new(10);
    let ticket = new_ticket(requests.begin(0, "ann", 7));
    assert!(requests.settle(ticket, 42));
    new_ticket(requests.begin(0, "bob", 7));
    new_ticket(requests.begin(0, "ann", 8));
}

#[test]
fn a_second_request_shares_the_fate_of_one_in_flight() {
    let mut requests = Requests::new(10);
    let ticket = new_ticket(requests.begin(0, "ann", 7));
    assert_eq!(requests.begin(5, "ann", 7), Lookup::InFlight(ticket));
    assert!(requests.settle(ticket, 1));
    assert!(!requests.settle(ticket, 2), "the first answer stays");
    assert_eq!(requests.begin(6, "ann", 7), Lookup::Done(1));
}

#[test]
fn a_failed_request_may_be_tried_again() {
    let mut requests = Requests::new(10);
    let failed = new_ticket(requests.begin(0, "ann", 7));
    requests.abandon(failed);
    let second = new_ticket(requests.begin(1, "ann", 7));
    assert!(!requests.settle(failed, 1));
    requests.abandon(failed);
    assert!(requests.settle(second, 2));
    // The end of the abandoned one's time must not take its successor along.
    assert_eq!(requests.begin(KEEP_MS, "ann", 7), Lookup::Done(2));
}

#[test]
fn the_oldest_give_way() {
    let mut requests = Requests::new(2);
    let first = new_ticket(requests.begin(0, "ann", 1));
    requests.begin(0, "ann", 2);
    requests.begin(0, "ann", 3);
    assert_eq!(requests.len(), 2);
    assert!(!requests.settle(first, 1));
    new_ticket(requests.begin(0, "ann", 1));
}

#[test]
fn answers_of_a_former_owner_live_for_the_rest_of_their_time() {
    let mut requests = Requests::new(10);
    requests.preload(1_000, KEEP_MS, "ann", 1, 10);
    requests.preload(1_000, KEEP_MS - 50, "ann", 2, 20);
    requests.preload(1_000, 0, "ann", 3, 30);
    requests.preload(1_000, 0, "ann", 3, 31);
    assert_eq!(requests.len(), 2);
    assert_eq!(requests.begin(1_049, "ann", 2), Lookup::Done(20));
    assert_eq!(requests.begin(1_049, "ann", 3), Lookup::Done(31), "the later one");
    new_ticket(requests.begin(1_050, "ann", 2));
}

#[derive(Debug, Clone)]
enum Op {
    Begin(usize, u32),
    Settle(usize, u32),
    Abandon(usize),
    Wait(u64),
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..3_usize, 0..4_u32).prop_map(|(sender, random)| Op::Begin(sender, random)),
        3 => (0..8_usize, any::<u32>()).prop_map(|(which, answer)| Op::Settle(which, answer)),
        1 => (0..8_usize).prop_map(Op::Abandon),
        2 => (0..KEEP_MS).prop_map(Op::Wait),
    ]
}

/// One request in the plain list that the index is compared with.
#[derive(Debug)]
struct Known {
    key: (&'static str, u32),
    at: u64,
    ticket: Ticket,
    answer: Option<u32>,
    failed: bool,
}

proptest! {
    #[test]
    fn agrees_with_a_plain_list(
        capacity in 1..6_usize,
        history in prop::collection::vec(ops(), 0..120),
    ) {
        let senders = ["ann", "bob", "cem"];
        let mut requests = Requests::new(capacity);
        let mut known: VecDeque<Known> = VecDeque::new();
        let mut now = 0;
        for op in history {
            match op {
                Op::Wait(time) => now += time,
                Op::Begin(sender, random) => {
                    known.retain(|entry| entry.at + KEEP_MS > now);
                    let key = (senders[sender], random);
                    let seen = requests.begin(now, key.0, key.1);
                    let found = known.iter().find(|entry| entry.key == key && !entry.failed);
                    match (seen, found) {
                        (Lookup::New(ticket), None) => {
                            prop_assert!(known.iter().all(|entry| entry.ticket < ticket));
                            if known.len() == capacity {
                                known.pop_front();
                            }
                            known.push_back(Known {
                                key,
                                at: now,
                                ticket,
                                answer: None,
                                failed: false,
                            });
                        }
                        (Lookup::InFlight(ticket), Some(entry)) => {
                            prop_assert_eq!((ticket, None), (entry.ticket, entry.answer));
                        }
                        (Lookup::Done(answer), Some(entry)) => {
                            prop_assert_eq!(Some(answer), entry.answer);
                        }
                        (seen, found) => prop_assert!(false, "{seen:?}, but {found:?}"),
                    }
                }
                Op::Settle(which, answer) => if let Some(entry) = known.get_mut(which) {
                    let in_flight = entry.answer.is_none() && !entry.failed;
                    prop_assert_eq!(requests.settle(entry.ticket, answer), in_flight);
                    if in_flight {
                        entry.answer = Some(answer);
                    }
                },
                Op::Abandon(which) => if let Some(entry) = known.get_mut(which) {
                    requests.abandon(entry.ticket);
                    entry.failed |= entry.answer.is_none();
                },
            }
            prop_assert!(requests.len() <= capacity);
            prop_assert!(requests.tickets.len() <= requests.len());
        }
    }
}
