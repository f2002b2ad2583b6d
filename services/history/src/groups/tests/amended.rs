//! Messages with what was changed of them, against a plain map of messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use throng_node::time::now_micros;
use throng_proto::v1::{GroupAmendment, StoredMessage};
use throng_store::{MemoryStore, WriteTime};

use super::super::amend::Recalls;
use super::super::tables::BUCKET;
use super::{Groups, Stretch, block_on, groups, log, messages};

#[derive(Debug, Clone)]
enum Step {
    Recall(u32, u8),
    Edit(u32, u8),
    Hide(u8, u32),
}

/// Around the border of two buckets.
const FIRST: u32 = BUCKET - 8;
const LAST: u32 = BUCKET + 8;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seq = || FIRST..=LAST;
    let step = prop_oneof![
        2 => (seq(), 0..3u8).prop_map(|(seq, user)| Step::Recall(seq, user)),
        3 => (seq(), any::<u8>()).prop_map(|(seq, text)| Step::Edit(seq, text)),
        2 => (0..3u8, seq()).prop_map(|(user, seq)| Step::Hide(user, seq)),
    ];
    prop::collection::vec(step, 0..40)
}

/// Every fifth message is for two users alone.
fn sent() -> Vec<StoredMessage> {
    let directed = |message: StoredMessage| {
        let recipients = if message.msg_seq.is_multiple_of(5) {
            vec!["user0".to_owned(), "user1".to_owned()]
        } else {
            Vec::new()
        };
        StoredMessage { recipients, from: "ann".to_owned(), ..message }
    };
    messages(FIRST..=LAST, "text").into_iter().map(directed).collect()
}

/// The plain way: change the message itself.
#[derive(Default)]
struct Model {
    messages: BTreeMap<u32, StoredMessage>,
    hidden: BTreeSet<(u8, u32)>,
}

impl Model {
    fn carry_out(&mut self, step: &Step) -> Option<GroupAmendment> {
        match *step {
            Step::Recall(msg_seq, user) => {
                let message = self.messages.get_mut(&msg_seq).unwrap();
                message.recalled = true;
                message.msg_body.clear();
                message.cloud_custom_data.clear();
                message.revoker = format!("user{user}");
                message.recall_reason = format!("reason {user}");
                Some(GroupAmendment {
                    msg_seq,
                    recalled: true,
                    revoker: message.revoker.clone(),
                    reason: message.recall_reason.clone(),
                    msg_version: message.msg_version,
                    ..GroupAmendment::default()
                })
            }
            Step::Edit(msg_seq, text) => {
                let message = self.messages.get_mut(&msg_seq).unwrap();
                if message.recalled {
                    return None;
                }
                message.msg_version += 1;
                message.msg_body = format!("edit {text}").into();
                message.cloud_custom_data = format!("custom {text}");
                Some(GroupAmendment {
                    msg_seq,
                    msg_body: message.msg_body.clone(),
                    cloud_custom_data: message.cloud_custom_data.clone(),
                    msg_version: message.msg_version,
                    ..GroupAmendment::default()
                })
            }
            Step::Hide(user, seq) => {
                self.hidden.insert((user, seq));
                None
            }
        }
    }

    fn read(&self, first: u32, last: u32, viewer: Option<u8>) -> Vec<StoredMessage> {
        let name = viewer.map(|user| format!("user{user}"));
        let seen = |message: &StoredMessage| {
            let hidden = viewer.is_some_and(|user| {
                let directed = !message.recipients.is_empty()
                    && !message.recipients.iter().any(|to| Some(to) == name.as_ref());
                directed || self.hidden.contains(&(user, message.msg_seq))
            });
            if hidden {
                StoredMessage { msg_seq: message.msg_seq, hidden: true, ..StoredMessage::default() }
            } else {
                message.clone()
            }
        };
        self.messages.range(first..=last).map(|(_, message)| seen(message)).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_read_is_what_a_plain_map_would_give(
        steps in steps(),
        together in 1..6usize,
        first in FIRST..=LAST,
        length in 0..20u32,
        viewer in prop::option::of(0..3u8),
        ascending in any::<bool>(),
    ) {
        block_on(async {
            let groups = groups();
            let mut model = Model::default();
            groups.append(&log(), sent(), 1, None).await.unwrap();
            model.messages = sent().into_iter().map(|message| (message.msg_seq, message)).collect();
            for steps in steps.chunks(together) {
                let amendments: Vec<_> =
                    steps.iter().filter_map(|step| model.carry_out(step)).collect();
                groups.amend(&log(), amendments, 1, None).await.unwrap();
                for step in steps {
                    if let Step::Hide(user, seq) = step {
                        groups.hide(&log(), &format!("user{user}"), &[*seq], None).await.unwrap();
                    }
                }
            }
            let last = (first + length).min(LAST);
            let name = viewer.map(|user| format!("user{user}")).unwrap_or_default();
            let stretch = Stretch { first, last, limit: 1000, ascending, viewer: &name };
            let reading = groups.read(&log(), stretch).await.unwrap();
            let mut wanted = model.read(first, last, viewer);
            if !ascending {
                wanted.reverse();
            }
            prop_assert_eq!(reading.messages, wanted);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn the_change_of_the_later_owner_stays() {
    let groups = Groups::new(Arc::new(MemoryStore::new()));
    groups.append(&log(), messages(1..=1, "text"), 1, None).await.unwrap();
    let edit = |text: &str| GroupAmendment {
        msg_seq: 1,
        msg_body: text.to_owned().into(),
        msg_version: 1,
        ..GroupAmendment::default()
    };
    groups.amend(&log(), vec![edit("later")], 2, Some(WriteTime(200))).await.unwrap();
    // Another instance of history, which has not heard of the later owner.
    let earlier = groups.amend(&log(), vec![edit("earlier")], 1, Some(WriteTime(100))).await;
    assert!(earlier.is_err());
    let stretch = Stretch { first: 1, last: 1, limit: 1, ascending: true, viewer: "" };
    let reading = groups.read(&log(), stretch).await.unwrap();
    assert_eq!(&reading.messages[0].msg_body[..], b"later");
}

#[tokio::test]
async fn recalls_come_in_the_order_of_their_time_page_by_page() {
    const HOUR: i64 = 3_600_000_000;
    let groups = groups();
    let now = now_micros();
    // Over two days, and one that is forgotten.
    let times: Vec<i64> = (0..30).map(|place| now - (29 - place) * HOUR).collect();
    let recall = |msg_seq: u32, recalled_at| GroupAmendment {
        msg_seq,
        recalled: true,
        recalled_at,
        ..GroupAmendment::default()
    };
    let mut amendments: Vec<_> =
        times.iter().zip(100..).map(|(time, seq)| recall(seq, *time)).collect();
    amendments.push(recall(1, now - 9 * 24 * HOUR));
    amendments.push(recall(2, 0));
    amendments.reverse();
    groups.amend(&log(), amendments, 1, None).await.unwrap();
    let (mut since, mut seen) = (0, Vec::new());
    loop {
        let Recalls { recalls, next } = groups.recalls(&log(), since, i64::MAX, 7).await.unwrap();
        seen.extend(recalls.iter().map(|recall| recall.msg_seq));
        if next == 0 {
            break;
        }
        assert_eq!(recalls.len(), 7);
        since = next;
    }
    assert_eq!(seen, (100..130).collect::<Vec<_>>());
    let window = groups.recalls(&log(), times[3], times[5], 20).await.unwrap();
    let seen: Vec<_> = window.recalls.iter().map(|recall| recall.msg_seq).collect();
    assert_eq!((seen, window.next), (vec![103, 104, 105], 0));
}
