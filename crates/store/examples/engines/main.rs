//! Compares the candidates for the embedded store's engine with the store's own workload, for the
//! decision record `docs/adr/0001-embedded-store.md`.
//!
//! Each round fills a table with room messages, appends durable batches by group commit from many
//! writers, reads, and lets half of the rows expire. The engines take turns, so that noise from
//! other programs falls on both.
//!
//!     cargo run --release -p throng-store --example engines -- [ROUNDS] [DIRECTORY]

mod candidates;
mod through_the_store;

use std::error::Error;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::candidates::{Engine, Fjall, Redb};
use crate::through_the_store::through_the_store;

const WRITERS: u64 = 64;
const ROOMS: u64 = 2_000;
const ROWS_PER_ROOM: u64 = 200;
const ROWS_PER_BATCH: u64 = 4;
const VALUE: usize = 300;
const APPENDING: Duration = Duration::from_secs(4);
const READS: u64 = 50_000;
const CACHE: usize = 64 << 20;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn row_key(room: u64, seq: u64) -> Vec<u8> {
    let mut key = 1_400_000_001u32.to_be_bytes().to_vec();
    key.extend_from_slice(format!("@TGS#a{room:012}\0\0").as_bytes());
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// Its expiry in front, and then text that compresses about as well as chat does.
fn value(expires_at: i64) -> Vec<u8> {
    let mut value = expires_at.to_be_bytes().to_vec();
    let mut random = rand::rng();
    while value.len() < VALUE {
        let word: u16 = random.random();
        value.extend_from_slice(format!("{:x} ", word % 2_000).as_bytes());
    }
    value
}

fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

/// Bytes on the disk, not the length of files: some are made longer in advance.
fn space(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => space(&entry.path()),
        Ok(meta) => meta.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

/// Durable appends by group commit: batches a second, and the latency's quantiles.
fn append(engine: &dyn Engine) -> Result<(f64, Duration, Duration, f64)> {
    let (queue, waiting) = mpsc::sync_channel::<(Rows, mpsc::SyncSender<()>)>(WRITERS as usize);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let committer = scope.spawn(move || -> Result<u64> {
            let mut groups = 0;
            while let Ok(first) = waiting.recv() {
                let (rows, answers): (Vec<_>, Vec<_>) =
                    std::iter::once(first).chain(waiting.try_iter()).unzip();
                engine.commit(&rows)?;
                groups += 1;
                answers.iter().for_each(|answer| answer.send(()).unwrap_or(()));
            }
            Ok(groups)
        });
        let writer = |writer: u64, queue: mpsc::SyncSender<_>| {
            let mut latencies = Vec::new();
            let mut seq = ROWS_PER_ROOM;
            while start.elapsed() < APPENDING {
                let row = |seq| (row_key(writer, seq), value(2));
                let rows: Rows = (seq..seq + ROWS_PER_BATCH).map(row).collect();
                seq += ROWS_PER_BATCH;
                let (answer, answered) = mpsc::sync_channel(1);
                let sent = Instant::now();
                if queue.send((rows, answer)).is_err() || answered.recv().is_err() {
                    break;
                }
                latencies.push(sent.elapsed());
            }
            latencies
        };
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let queue = queue.clone();
                scope.spawn(move || writer(number, queue))
            })
            .collect();
        drop(queue);
        let mut latencies: Vec<_> =
            writers.into_iter().flat_map(|writer| writer.join().unwrap_or_default()).collect();
        let groups = committer.join().map_err(|_| "committer panicked")??;
        let took = start.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let count = latencies.len();
        let quantile = |per_mille: usize| latencies[(count - 1) * per_mille / 1000];
        Ok((count as f64 / took, quantile(500), quantile(990), groups as f64 / took))
    })
}

fn round(name: &str, engine: &dyn Engine, path: &Path) -> Result<()> {
    let before = written();
    let start = Instant::now();
    // Half of each room expires at 1, half at 2. Rooms are written in turns, as in life.
    for seq in (0..ROWS_PER_ROOM).step_by(ROWS_PER_BATCH as usize) {
        let expires_at = if seq < ROWS_PER_ROOM / 2 { 1 } else { 2 };
        for rooms in (0..ROOMS).step_by(64) {
            let row = |room| move |seq| (row_key(room, seq), value(expires_at));
            let batch = |room| (seq..seq + ROWS_PER_BATCH).map(row(room)).collect();
            let group: Vec<Rows> = (rooms..(rooms + 64).min(ROOMS)).map(batch).collect();
            engine.commit(&group)?;
        }
    }
    let rows = ROOMS * ROWS_PER_ROOM;
    let fill = start.elapsed();
    println!(
        "{name:6} fill {rows} rows, groups of 64 batches: {:.0} rows/s, {} MiB written, {} MiB on disk",
        rows as f64 / fill.as_secs_f64(),
        mib(written() - before),
        mib(space(path)),
    );

    let before = written();
    let (batches, median, slow, groups) = append(engine)?;
    println!(
        "{name:6} append, {WRITERS} writers: {batches:.0} durable batches/s, {groups:.0} commits/s, \
         p50 {median:.1?}, p99 {slow:.1?}, {} bytes written a batch",
        ((written() - before) as f64 / (batches * APPENDING.as_secs_f64())) as u64,
    );

    let mut random = rand::rng();
    let mut picks = || (random.random_range(0..ROOMS), random.random_range(0..ROWS_PER_ROOM));
    let start = Instant::now();
    for _ in 0..READS {
        let (room, seq) = picks();
        assert_eq!(engine.get(&row_key(room, seq))? / 10, VALUE / 10, "the row is there");
    }
    let gets = start.elapsed() / READS as u32;
    let start = Instant::now();
    for _ in 0..READS / 10 {
        let (room, _) = picks();
        assert!(engine.newest(&row_key(room, 0), &row_key(room, u64::MAX))? >= 20 * VALUE);
    }
    println!("{name:6} get {gets:.1?}, newest 20 {:.1?}", start.elapsed() / (READS as u32 / 10));

    let (start, before) = (Instant::now(), written());
    engine.expire(1)?;
    println!(
        "{name:6} expire half: {:.2?}, {} MiB written, {} MiB on disk\n",
        start.elapsed(),
        mib(written() - before),
        mib(space(path)),
    );
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds: u32 = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let directory = arguments.next().unwrap_or_else(|| std::env::temp_dir().display().to_string());
    for _ in 0..rounds {
        let path = tempfile::tempdir_in(&directory)?;
        round("fjall", &Fjall::open(path.path())?, path.path())?;
        let path = tempfile::tempdir_in(&directory)?;
        round("redb", &Redb::open(path.path())?, path.path())?;
    }
    let path = tempfile::tempdir_in(&directory)?;
    tokio::runtime::Runtime::new()?.block_on(through_the_store(path.path()))
}
