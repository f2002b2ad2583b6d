//! What the model does not reach: limits, failures, clocks.

use std::sync::Arc;
use std::time::Duration;

use throng_proto::v1::StoredMessage;
use throng_store::{ManualClock, MemoryStore};

use super::{AppendError, Query, RoomId, Rooms};
use crate::config::Config;

const ROOM: RoomId<'_> = RoomId { app: 1, group_id: "room" };
const EVERYTHING: Query =
    Query { before_or_at: 0, limit: 1000, not_before: 0, skip_recalled: false };
const START: i64 = 1_800_000_000;

fn message(msg_seq: u32, msg_time: i64) -> StoredMessage {
    StoredMessage { msg_seq, msg_time, from: "ann".to_owned(), ..StoredMessage::default() }
}

fn rooms() -> (Rooms, ManualClock) {
    let clock = ManualClock::at(START * 1000);
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    (Rooms::new(&Config::default(), Arc::new(store)), clock)
}

fn seqs(messages: &[StoredMessage]) -> Vec<u32> {
    messages.iter().map(|message| message.msg_seq).collect()
}

#[tokio::test]
async fn rooms_do_not_see_each_other() {
    let (rooms, _) = rooms();
    rooms.append(ROOM, vec![message(1, START)], None).await.unwrap();
    let others = [RoomId { app: 2, ..ROOM }, RoomId { group_id: "ROOM", ..ROOM }];
    for other in others {
        let reading = rooms.read(other, EVERYTHING).await.unwrap();
        assert!(reading.messages.is_empty() && reading.complete);
        assert!(rooms.get(other, &[1]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn messages_are_gone_after_a_day_even_if_the_room_goes_on() {
    let (rooms, clock) = rooms();
    rooms.append(ROOM, vec![message(1, START)], None).await.unwrap();
    for hour in 1..24u32 {
        clock.advance(Duration::from_secs(3600));
        let later = START + i64::from(hour) * 3600;
        rooms.append(ROOM, vec![message(1 + hour, later)], None).await.unwrap();
    }
    assert_eq!(rooms.read(ROOM, EVERYTHING).await.unwrap().messages.len(), 24);
    clock.advance(Duration::from_secs(3601));
    let reading = rooms.read(ROOM, EVERYTHING).await.unwrap();
    assert_eq!(seqs(&reading.messages), (2..=24).rev().collect::<Vec<_>>());
    assert!(rooms.get(ROOM, &[1]).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_index_outlives_every_message_of_its_bucket() {
    let (rooms, clock) = rooms();
    // The first second of a bucket, and one just before its end.
    let first = START - START % 900;
    rooms.append(ROOM, vec![message(1, first)], None).await.unwrap();
    clock.advance(Duration::from_secs(899));
    rooms.append(ROOM, vec![message(2, first + 899)], None).await.unwrap();
    clock.advance(Duration::from_secs(24 * 3600 - 10));
    assert_eq!(seqs(&rooms.read(ROOM, EVERYTHING).await.unwrap().messages), [2]);
}

#[tokio::test]
async fn a_recall_is_not_inherited_by_a_room_that_was_made_anew() {
    let (rooms, _) = rooms();
    rooms.append(ROOM, vec![message(1, START)], None).await.unwrap();
    rooms.recall(ROOM, &[1, 99], "bob", None).await.unwrap();
    let recalled = rooms.get(ROOM, &[1]).await.unwrap();
    assert!(recalled[0].recalled);
    assert_eq!(recalled[0].revoker, "bob");
    rooms.append(ROOM, vec![message(1, START + 5)], None).await.unwrap();
    assert!(!rooms.get(ROOM, &[1]).await.unwrap()[0].recalled);
    assert!(!rooms.read(ROOM, EVERYTHING).await.unwrap().messages[0].recalled);
}

#[tokio::test]
async fn a_mark_that_the_caller_sends_is_not_kept() {
    let (rooms, _) = rooms();
    let sent = StoredMessage { recalled: true, revoker: "bob".to_owned(), ..message(1, START) };
    rooms.append(ROOM, vec![sent], None).await.unwrap();
    assert_eq!(rooms.get(ROOM, &[1]).await.unwrap(), vec![message(1, START)]);
}

#[tokio::test]
async fn numbers_that_do_not_rise_are_refused_before_anything_is_written() {
    let (rooms, _) = rooms();
    for wrong in [[1, 1], [2, 1], [0, 1]] {
        let messages = wrong.map(|seq| message(seq, START)).to_vec();
        let error = rooms.append(ROOM, messages, None).await.unwrap_err();
        assert!(matches!(error, AppendError::Order { .. }), "{wrong:?}");
    }
    assert!(rooms.read(ROOM, EVERYTHING).await.unwrap().messages.is_empty());
    rooms.append(ROOM, Vec::new(), None).await.unwrap();
}

#[tokio::test]
async fn large_messages_end_a_page_early_but_never_leave_one_out() {
    let (rooms, _) = rooms();
    let large = |seq| StoredMessage { msg_body: vec![b'x'; 12_000].into(), ..message(seq, START) };
    rooms.append(ROOM, (1..=600).map(large).collect(), None).await.unwrap();
    let mut query = EVERYTHING;
    let mut seen = Vec::new();
    loop {
        let reading = rooms.read(ROOM, query).await.unwrap();
        let bytes: usize = reading.messages.iter().map(|message| message.msg_body.len()).sum();
        assert!(bytes <= 3 * 1024 * 1024, "{bytes}");
        seen.extend(seqs(&reading.messages));
        if reading.complete {
            break;
        }
        query.before_or_at = seen.last().unwrap() - 1;
    }
    assert_eq!(seen, (1..=600).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_ends_at_the_oldest_time_that_is_wanted() {
    let (rooms, _) = rooms();
    for (seq, age) in [(1, 5000), (2, 4000), (3, 100), (4, 0)] {
        rooms.append(ROOM, vec![message(seq, START - age)], None).await.unwrap();
    }
    let query = Query { not_before: START - 4000, ..EVERYTHING };
    let reading = rooms.read(ROOM, query).await.unwrap();
    assert_eq!(seqs(&reading.messages), [4, 3, 2]);
    assert!(reading.complete);
    let reading = rooms.read(ROOM, Query { limit: 3, ..query }).await.unwrap();
    assert!(reading.complete, "what is too old does not count as more");
    let reading = rooms.read(ROOM, Query { limit: 2, ..query }).await.unwrap();
    assert!(!reading.complete);
}

#[tokio::test]
async fn batches_of_many_rooms_go_side_by_side() {
    let (rooms, _) = rooms();
    let names: Vec<String> = (0..50).map(|number| format!("room{number}")).collect();
    let appends = names.iter().map(|group_id| {
        let room = RoomId { app: 1, group_id };
        rooms.append(room, (1..=20).map(|seq| message(seq, START)).collect(), None)
    });
    futures_util::future::try_join_all(appends).await.unwrap();
    for group_id in &names {
        let reading = rooms.read(RoomId { app: 1, group_id }, EVERYTHING).await.unwrap();
        assert_eq!(reading.messages.len(), 20);
    }
}
