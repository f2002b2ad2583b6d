//! Stretches in both directions over several buckets, and owners that were lost.

use std::sync::Arc;

use proptest::prelude::*;
use throng_proto::v1::{GroupLog, StoredMessage};
use throng_store::{MemoryStore, WriteTime};

use super::tables::BUCKET;
use super::{AppendError, Groups, Stretch};

mod amended;

fn log() -> GroupLog {
    GroupLog { app: 7, group_id: "@TGS#2PUBLIC".to_owned(), incarnation: 3 }
}

fn groups() -> Groups {
    Groups::new(Arc::new(MemoryStore::new()))
}

fn messages(numbers: std::ops::RangeInclusive<u32>, text: &str) -> Vec<StoredMessage> {
    let message = |msg_seq| StoredMessage {
        msg_seq,
        msg_body: format!("{text} {msg_seq}").into(),
        ..StoredMessage::default()
    };
    numbers.map(message).collect()
}

fn seqs(messages: &[StoredMessage]) -> Vec<u32> {
    messages.iter().map(|message| message.msg_seq).collect()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// A group whose messages end in its third bucket.
const LAST: u32 = 2 * BUCKET + 40;

async fn filled() -> Groups {
    let groups = groups();
    for part in messages(1..=LAST, "text").chunks(700) {
        groups.append(&log(), part.to_vec(), 1, None).await.unwrap();
    }
    groups
}

#[test]
fn any_stretch_reads_as_a_plain_list_would() {
    let groups = block_on(filled());
    let number = || {
        prop_oneof![
            0..=LAST + 3,
            BUCKET - 3..=BUCKET + 3,
            2 * BUCKET - 3..=2 * BUCKET + 3,
            LAST - 30..=LAST + 3,
        ]
    };
    let stretches = (number(), number(), 1..1500usize, any::<bool>());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((first, last, limit, ascending) in stretches)| {
        let stretch = Stretch { first, last, limit, ascending, viewer: "" };
        let reading = block_on(groups.read(&log(), stretch)).unwrap();
        let mut wanted: Vec<u32> = (first.max(1)..=last.min(LAST)).collect();
        if !ascending {
            wanted.reverse();
        }
        let most = limit.min(super::MAX_LIMIT);
        prop_assert_eq!(reading.complete, wanted.len() <= most);
        wanted.truncate(most);
        prop_assert_eq!(seqs(&reading.messages), wanted);
    });
}

#[tokio::test]
async fn the_end_is_found_from_anywhere_below_it() {
    let groups = filled().await;
    for noted in [0, 1, BUCKET - 1, BUCKET, LAST - 1, LAST] {
        assert_eq!(groups.recover(&log(), noted, 1).await.unwrap(), LAST, "from {noted}");
        assert_eq!(groups.recover(&log(), noted, 2).await.unwrap(), noted, "of another life");
    }
    let other = GroupLog { incarnation: 4, ..log() };
    assert_eq!(groups.recover(&other, 0, 1).await.unwrap(), 0, "a group made again");
}

#[tokio::test]
async fn numbers_have_to_follow_each_other() {
    let groups = groups();
    for wrong in [[0, 1], [1, 3], [2, 2], [2, 1]] {
        let messages: Vec<_> =
            wrong.into_iter().flat_map(|seq| messages(seq..=seq, "wrong")).collect();
        let error = groups.append(&log(), messages, 1, None).await.unwrap_err();
        assert!(matches!(error, AppendError::Order { .. }), "{wrong:?}");
    }
    assert_eq!(groups.recover(&log(), 0, 1).await.unwrap(), 0, "nothing was written");
}

#[tokio::test]
async fn an_earlier_life_is_refused() {
    let groups = groups();
    groups.append(&log(), messages(1..=2, "new"), 9, None).await.unwrap();
    let error = groups.append(&log(), messages(3..=3, "old"), 8, None).await.unwrap_err();
    assert!(matches!(error, AppendError::Outdated));
}

/// What the fence of the write time is for: another instance of history, which knows nothing of
/// epochs, carries out the late append of an owner that was lost.
#[tokio::test]
async fn a_late_append_neither_wins_nor_becomes_history() {
    let store = Arc::new(MemoryStore::new());
    let (old, new) = (Groups::new(store.clone()), Groups::new(store));
    old.append(&log(), messages(1..=5, "old"), 1, Some(WriteTime(100))).await.unwrap();
    assert_eq!(new.recover(&log(), 0, 1).await.unwrap(), 5);
    new.append(&log(), messages(6..=7, "new"), 2, Some(WriteTime(200))).await.unwrap();
    old.append(&log(), messages(6..=9, "old"), 1, Some(WriteTime(150))).await.unwrap();
    let head = new.recover(&log(), 5, 2).await.unwrap();
    assert_eq!(head, 7, "8 and 9 are ghosts");
    let stretch = Stretch { first: 1, last: head, limit: 100, ascending: true, viewer: "" };
    let reading = new.read(&log(), stretch).await.unwrap();
    let texts: Vec<_> = reading.messages.iter().map(|message| &message.msg_body[..3]).collect();
    assert_eq!(texts, [b"old", b"old", b"old", b"old", b"old", b"new", b"new"]);
    new.append(&log(), messages(8..=8, "new"), 3, Some(WriteTime(300))).await.unwrap();
    assert_eq!(new.recover(&log(), 7, 3).await.unwrap(), 8, "9 still is one");
}

#[tokio::test]
async fn what_is_forgotten_does_not_come_back() {
    let groups = filled().await;
    groups.forget(&log(), LAST, None).await.unwrap();
    assert_eq!(groups.recover(&log(), 0, 1).await.unwrap(), 0);
    let everything =
        Stretch { first: 1, last: u32::MAX / 2, limit: 1000, ascending: false, viewer: "" };
    let bounded = Stretch { last: LAST, ..everything };
    assert!(groups.read(&log(), bounded).await.unwrap().messages.is_empty());
    groups.forget(&log(), LAST, None).await.unwrap();
}

#[tokio::test]
async fn large_messages_end_a_page_early() {
    let groups = groups();
    let large = |message| StoredMessage { msg_body: vec![b'x'; 12_000].into(), ..message };
    let large: Vec<_> = messages(1..=500, "").into_iter().map(large).collect();
    groups.append(&log(), large, 1, None).await.unwrap();
    let (mut next, mut pages) = (1, 0);
    while next <= 500 {
        let stretch = Stretch { first: next, last: 500, limit: 1000, ascending: true, viewer: "" };
        let reading = groups.read(&log(), stretch).await.unwrap();
        assert_eq!(reading.messages[0].msg_seq, next);
        next = reading.messages.last().unwrap().msg_seq + 1;
        assert_eq!(reading.complete, next > 500);
        pages += 1;
    }
    assert_eq!(pages, 2);
}
