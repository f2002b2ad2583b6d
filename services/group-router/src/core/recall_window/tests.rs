use super::*;

const NOW: u64 = 1_700_000_000;

fn sent(own: bool, age: u64) -> Option<Message> {
    Some(Message { own, sent: NOW - age, recalled: false })
}

#[test]
fn who_may_recall_what_and_when() {
    use Refusal::{NotAllowed, NotFound, TooLate};
    use Standing::{AppAdmin, Member, Moderator};

    let live = Windows::LIVE_ROOM;
    let kept = Windows { own: 120, any: None };
    let generous = Windows { own: 7_200, ..live };
    let never = Windows { own: 0, ..live };
    let year = 365 * 24 * 60 * 60;
    for (windows, standing, message, outcome) in [
        (live, Member, None, Err(NotFound)),
        (live, AppAdmin, None, Err(NotFound)),
        (live, Member, sent(true, 0), Ok(())),
        (live, Member, sent(true, 120), Ok(())),
        (live, Member, sent(true, 121), Err(TooLate)),
        (live, Member, sent(false, 0), Err(NotAllowed)),
        (live, Member, sent(false, year), Err(NotAllowed)),
        (live, Moderator, sent(false, 3_600), Ok(())),
        (live, Moderator, sent(false, 3_601), Err(TooLate)),
        (live, Moderator, sent(true, 121), Ok(())),
        (live, AppAdmin, sent(false, 3_600), Ok(())),
        (live, AppAdmin, sent(false, 3_601), Err(TooLate)),
        (generous, Member, sent(true, 3_600), Ok(())),
        (generous, Member, sent(true, 3_601), Err(TooLate)),
        (never, Member, sent(true, 1), Err(TooLate)),
        (kept, Member, sent(true, 121), Err(TooLate)),
        (kept, Moderator, sent(false, year), Ok(())),
        (kept, AppAdmin, sent(false, year), Ok(())),
    ] {
        let found = check(windows, standing, message, NOW);
        assert_eq!(found, outcome, "{windows:?} {standing:?} {message:?}");
    }
}

#[test]
fn a_message_is_recalled_once() {
    for (standing, own, outcome) in [
        (Standing::Member, true, Refusal::AlreadyRecalled),
        (Standing::Member, false, Refusal::NotAllowed),
        (Standing::Moderator, false, Refusal::AlreadyRecalled),
        (Standing::AppAdmin, false, Refusal::AlreadyRecalled),
    ] {
        for age in [0, 100_000] {
            let message = Message { recalled: true, ..sent(own, age).unwrap() };
            let found = check(Windows::LIVE_ROOM, standing, Some(message), NOW);
            assert_eq!(found, Err(outcome), "{standing:?}");
        }
    }
}

#[test]
fn a_clock_that_is_ahead_makes_no_message_old() {
    let message = Message { own: true, sent: NOW + 50, recalled: false };
    let found = check(Windows::LIVE_ROOM, Standing::Member, Some(message), NOW);
    assert_eq!(found, Ok(()));
}
