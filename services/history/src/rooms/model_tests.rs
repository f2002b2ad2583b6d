//! Random appends, recalls and reads against a plain list, on every store that there is.

use std::sync::Arc;

use proptest::prelude::*;
use throng_proto::v1::StoredMessage;
use throng_store::{EmbeddedStore, MemoryStore, Store};

use super::{Query, RoomId, Rooms};
use crate::config::Config;

const ROOM: RoomId<'_> = RoomId { app: 7, group_id: "@TGS#aLIVE" };

#[derive(Debug, Clone)]
enum Step {
    /// Gaps before each message, and the seconds that pass before each.
    Append(Vec<(u32, i64)>),
    /// Positions in the list, and numbers that may not exist.
    Recall {
        at: Vec<prop::sample::Index>,
        stray: u32,
    },
    Read {
        from: Option<prop::sample::Index>,
        limit: usize,
        age: Option<i64>,
        skip: bool,
    },
    Get {
        at: Vec<prop::sample::Index>,
        stray: u32,
    },
    /// What is only remembered is forgotten.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    use prop::sample::Index;
    let indexes = || prop::collection::vec(any::<Index>(), 0..4);
    let seconds = prop_oneof![5 => 0i64..3, 2 => 0i64..2000, 1 => Just(20_000i64)];
    let gap = prop_oneof![5 => Just(1u32), 1 => 2u32..300];
    prop_oneof![
        4 => prop::collection::vec((gap, seconds), 0..30).prop_map(Step::Append),
        2 => (indexes(), 1u32..500).prop_map(|(at, stray)| Step::Recall { at, stray }),
        4 => (
            prop::option::of(any::<Index>()),
            1usize..40,
            prop::option::of(0i64..30_000),
            any::<bool>(),
        )
            .prop_map(|(from, limit, age, skip)| Step::Read { from, limit, age, skip }),
        2 => (indexes(), 1u32..500).prop_map(|(at, stray)| Step::Get { at, stray }),
        1 => Just(Step::Restart),
    ]
}

/// The same thing, done plainly.
#[derive(Default)]
struct Model {
    messages: Vec<StoredMessage>,
}

impl Model {
    fn pick(&self, at: &[prop::sample::Index], stray: u32) -> Vec<u32> {
        let mut seqs = vec![stray];
        if !self.messages.is_empty() {
            seqs.extend(at.iter().map(|at| at.get(&self.messages).msg_seq));
        }
        seqs
    }

    fn read(&self, query: Query) -> (Vec<StoredMessage>, bool) {
        let mut wanted: Vec<_> = self
            .messages
            .iter()
            .rev()
            .filter(|message| query.before_or_at == 0 || message.msg_seq <= query.before_or_at)
            .filter(|message| message.msg_time >= query.not_before)
            .filter(|message| !(query.skip_recalled && message.recalled))
            .cloned()
            .collect();
        let complete = wanted.len() <= query.limit;
        wanted.truncate(query.limit);
        (wanted, complete)
    }

    fn get(&self, seqs: &[u32]) -> Vec<StoredMessage> {
        let named = |message: &&StoredMessage| seqs.contains(&message.msg_seq);
        self.messages.iter().filter(named).cloned().collect()
    }
}

async fn run(store: Arc<dyn Store>, steps: Vec<Step>) {
    let mut rooms = Rooms::new(&Config::default(), Arc::clone(&store));
    let mut model = Model::default();
    let (mut seq, mut time) = (0, 1_800_000_000);
    for step in steps {
        match step {
            Step::Append(spaces) => {
                let batch = spaces.into_iter().map(|(gap, seconds)| {
                    seq += gap;
                    time += seconds;
                    StoredMessage {
                        msg_seq: seq,
                        msg_time: time,
                        from: format!("user{}", seq % 5),
                        random: seq ^ 77,
                        msg_body: format!("[{seq}]").into(),
                        ..StoredMessage::default()
                    }
                });
                let batch: Vec<_> = batch.collect();
                rooms.append(ROOM, batch.clone(), None).await.unwrap();
                model.messages.extend(batch);
            }
            Step::Recall { at, stray } => {
                let seqs = model.pick(&at, stray);
                rooms.recall(ROOM, &seqs, "admin", None).await.unwrap();
                for message in &mut model.messages {
                    if seqs.contains(&message.msg_seq) {
                        message.recalled = true;
                        message.revoker = "admin".to_owned();
                    }
                }
            }
            Step::Read { from, limit, age, skip } => {
                let from = from.filter(|_| !model.messages.is_empty());
                let query = Query {
                    before_or_at: from.map_or(0, |from| from.get(&model.messages).msg_seq),
                    limit,
                    not_before: age.map_or(0, |age| time - age),
                    skip_recalled: skip,
                };
                let reading = rooms.read(ROOM, query).await.unwrap();
                assert_eq!((reading.messages, reading.complete), model.read(query), "{query:?}");
            }
            Step::Get { at, stray } => {
                let seqs = model.pick(&at, stray);
                let mut found = rooms.get(ROOM, &seqs).await.unwrap();
                found.sort_by_key(|message| message.msg_seq);
                assert_eq!(found, model.get(&seqs), "{seqs:?}");
            }
            Step::Restart => rooms = Rooms::new(&Config::default(), Arc::clone(&store)),
        }
    }
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn history_is_a_list_in_memory(steps in prop::collection::vec(step(), 1..40)) {
        block_on(run(Arc::new(MemoryStore::new()), steps));
    }
}

proptest! {
    // Every append waits for the disk.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 24,
        ..ProptestConfig::default()
    })]

    #[test]
    fn history_is_a_list_on_disk(steps in prop::collection::vec(step(), 1..30)) {
        let directory = tempfile::tempdir().unwrap();
        block_on(async {
            let store = Arc::new(EmbeddedStore::open(directory.path()).unwrap());
            run(store.clone(), steps).await;
            store.close().await;
        });
    }
}
