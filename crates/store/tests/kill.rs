//! A writer is killed at random moments; what it was told to be durable must be there, and no batch
//! may be there in part.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use throng_store::{
    Batch, ColumnType, Compaction, Durability, EmbeddedOptions, EmbeddedStore, Key, Op, Order,
    Page, Store, Table, key,
};

const DIRECTORY: &str = "THRONG_TEST_KILL_DIRECTORY";
const ROUNDS: u32 = 24;
const TIME: Duration = Duration::from_secs(10);
/// A writer on a busy machine needs less to open the store.
const START: Duration = Duration::from_secs(30);
const WRITERS: u32 = 8;
const ROWS: u32 = 4;

/// Rows of batch `n` have the numbers `n * ROWS ..`.
const LOG: Table = Table {
    name: "kill_log",
    partition: &[("writer", ColumnType::U32)],
    clustering: &[("seq", ColumnType::U32, Order::Ascending)],
    ttl: Some(Duration::from_secs(24 * 3600)),
    compaction: Compaction::TimeWindow { hours: 1 },
};
/// The number of the last batch, overwritten by each.
const HEAD: Table = Table {
    name: "kill_head",
    clustering: &[],
    ttl: None,
    compaction: Compaction::SizeTiered,
    ..LOG
};
/// A counter raised by compare-and-set.
const COUNTER: Table = Table { name: "kill_counter", ..HEAD };

fn open(directory: &Path) -> EmbeddedStore {
    // A small write buffer, so that files are written and merged while the killing goes on.
    let options = EmbeddedOptions { write_buffer_bytes: 1 << 20, ..Default::default() };
    EmbeddedStore::open_with(directory, options).expect("opens after a crash")
}

fn number(value: &[u8]) -> u32 {
    u32::from_be_bytes(*value.first_chunk().expect("a number"))
}

/// Not a test: the process that gets killed. It says on standard output what it was told is durable.
#[test]
fn writer() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runs");
    runtime.block_on(async {
        let store = std::sync::Arc::new(open(Path::new(&directory)));
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let store = store.clone();
            tasks.spawn(async move { write_for_ever(&store, writer).await });
        }
        tasks.join_all().await;
    });
}

async fn write_for_ever(store: &EmbeddedStore, writer: u32) {
    let partition = key![writer];
    let read = async |table| {
        let found = store.get(table, &partition, &Key::new()).await.expect("reads");
        found.map_or(0, |value| number(&value))
    };
    let mut batch_number = read(&HEAD).await;
    let mut count = read(&COUNTER).await;
    loop {
        batch_number += 1;
        // Small ones stay long in any buffer that is not flushed; large ones fill files.
        let filling = if writer.is_multiple_of(2) { 0 } else { 1500 };
        let value = [&batch_number.to_be_bytes()[..], &vec![7; filling]].concat();
        // One way or the other to make sure of it.
        let durability = if writer < 2 { Durability::Behind } else { Durability::Durable };
        let mut batch =
            Batch::new(partition.clone(), durability).put(&HEAD, Key::new(), value.clone());
        for row in 0..ROWS {
            batch.push(Op::put(&LOG, key![batch_number * ROWS + row], value.clone()));
        }
        store.write(batch).await.expect("writes");
        if durability == Durability::Behind {
            store.flush().await.expect("syncs");
        }
        acknowledge("batch", writer, batch_number);
        if batch_number.is_multiple_of(4) {
            let expected = count.to_be_bytes();
            let expected = (count > 0).then_some(&expected[..]);
            let new = (count + 1).to_be_bytes().to_vec().into();
            let set = store.compare_and_set(&COUNTER, &partition, &Key::new(), expected, new).await;
            assert!(set.expect("writes"), "nobody else writes the counter");
            count += 1;
            acknowledge("count", writer, count);
        }
    }
}

fn acknowledge(what: &str, writer: u32, number: u32) {
    // One write call, so that lines of several threads do not mix.
    let line = format!("ack {what} {writer} {number}\n");
    std::io::stdout().write_all(line.as_bytes()).expect("someone listens");
}

type Acknowledged = BTreeMap<(String, u32), u32>;

/// Runs the writer for some time, from its start or from the first thing it says; kills it, and adds
/// to what it said before.
fn run_and_kill(
    directory: &Path,
    after_first: bool,
    life: Duration,
    acknowledged: &mut Acknowledged,
) {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "writer", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let mut note = |line: String| {
        // The last line may be cut off; a number without its last digits claims less than was said.
        let words: Vec<_> = line.split(' ').skip_while(|word| !word.ends_with("ack")).collect();
        let [_, what, writer, number] = words[..] else {
            return false;
        };
        let (Ok(writer), Ok(number)) = (writer.parse(), number.parse::<u32>()) else {
            return false;
        };
        let last = acknowledged.entry((what.to_owned(), writer)).or_insert(0);
        *last = number.max(*last);
        true
    };
    let mut writing = !after_first;
    let mut end = Instant::now() + if writing { life } else { START };
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if note(line) && !writing {
                    (writing, end) = (true, Instant::now() + life);
                }
            }
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => panic!("the writer ended by itself"),
        }
    }
    child.kill().expect("is killed");
    child.wait().expect("has ended");
    for line in lines {
        note(line);
    }
    reader.join().expect("no panic");
    assert!(writing, "the writer did not begin in time");
}

async fn check(store: &EmbeddedStore, acknowledged: &Acknowledged) {
    for writer in 0..WRITERS {
        let partition = key![writer];
        let last = |what: &str| acknowledged.get(&(what.to_owned(), writer)).copied().unwrap_or(0);
        let stored = async |table| {
            let found = store.get(table, &partition, &Key::new()).await.expect("reads");
            found.map_or(0, |value| number(&value))
        };
        let head = stored(&HEAD).await;
        assert!(
            head >= last("batch"),
            "writer {writer}: acknowledged {}, found {head}",
            last("batch")
        );
        let count = stored(&COUNTER).await;
        assert!(
            count >= last("count"),
            "writer {writer}: acknowledged {}, found {count}",
            last("count")
        );
        // Each batch up to the head is there with all its rows, and nothing beyond it.
        let (mut next, mut page) = (ROWS, Page::forward(1000));
        loop {
            let rows = store.page(&LOG, &partition, page).await.expect("reads");
            for row in &rows {
                assert_eq!(row.clustering, key![next], "writer {writer} misses a row");
                assert_eq!(number(&row.value), next / ROWS);
                next += 1;
            }
            match rows.last() {
                Some(row) => page = Page::forward(1000).after(row.clustering.clone()),
                None => break,
            }
        }
        assert_eq!(next, (head + 1) * ROWS, "writer {writer}: the last batch is there in part");
    }
}

#[tokio::test]
async fn acknowledged_writes_survive_kill_9() {
    if std::env::var_os(DIRECTORY).is_some() {
        return;
    }
    let seed = std::env::var("THRONG_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| rand::rng().random());
    println!("THRONG_TEST_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let directory = tempfile::tempdir().expect("a directory");
    let (start, mut acknowledged) = (Instant::now(), Acknowledged::new());
    for round in 0..ROUNDS {
        // The first rounds hit the making of the directory and the recovery.
        let after_first = round >= 4;
        let life =
            Duration::from_millis(random.random_range(1..if after_first { 250 } else { 60 }));
        run_and_kill(directory.path(), after_first, life, &mut acknowledged);
        let store = open(directory.path());
        check(&store, &acknowledged).await;
        store.close().await;
        let left = TIME.saturating_sub(start.elapsed());
        println!("round {round}, {life:?}: {acknowledged:?}, {left:?} left");
        if left.is_zero() && round >= 6 {
            break;
        }
    }
    assert!(!acknowledged.is_empty(), "nothing was written");
}
