//! Compares the candidates for the embedded store's engine with the store's own workload, for the
//! decision record `docs/adr/0001-embedded-store.md`.
//!
//! Each round fills a table with room messages, appends durable batches by group commit from many
//! writers, reads, and lets half of the rows expire. The engines take turns, so that noise from
//! other programs falls on both.
//!
//!     cargo run --release -p throng-store --example engines -- [ROUNDS] [DIRECTORY]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use fjall::compaction::filter::{CompactionFilter, Context, Factory, ItemAccessor, Verdict};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use rand::RngExt;
use redb::{ReadableDatabase, TableDefinition};
use throng_store::{
    Batch, ColumnType, Compaction, EmbeddedStore, Op, Order, Page, Store, StoreError, Table, key,
};

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

/// What the store needs of an engine.
trait Engine: Send + Sync {
    /// Applies the batches, each atomically, and makes them durable together.
    fn commit(&self, group: &[Rows]) -> Result<()>;
    fn get(&self, key: &[u8]) -> Result<usize>;
    /// The last 20 rows of a range.
    fn newest(&self, from: &[u8], to: &[u8]) -> Result<usize>;
    /// Reclaims the rows whose expiry is not later than `now`.
    fn expire(&self, now: i64) -> Result<()>;
}

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

fn expires_at(value: &[u8]) -> i64 {
    value
        .first_chunk()
        .map_or(0, |head| i64::from_be_bytes(*head))
}

struct Fjall {
    database: Database,
    rows: Keyspace,
    now: Arc<AtomicI64>,
}

struct DropExpired(Arc<AtomicI64>);

impl Factory for DropExpired {
    fn name(&self) -> &'static str {
        "expired"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Self(self.0.clone()))
    }
}

impl CompactionFilter for DropExpired {
    fn filter_item(
        &mut self,
        item: ItemAccessor<'_>,
        _: &Context,
    ) -> std::result::Result<Verdict, fjall::LsmError> {
        let expired = expires_at(&item.value()?) <= self.0.load(Ordering::Relaxed);
        Ok(if expired {
            Verdict::Remove
        } else {
            Verdict::Keep
        })
    }
}

impl Fjall {
    fn open(path: &Path) -> Result<Self> {
        let now = Arc::new(AtomicI64::new(0));
        let filter: Arc<dyn Factory> = Arc::new(DropExpired(now.clone()));
        let database = Database::builder(path)
            .cache_size(CACHE as u64)
            .with_compaction_filter_factories(Arc::new(move |_| Some(filter.clone())))
            .open()?;
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default)?;
        Ok(Self {
            database,
            rows,
            now,
        })
    }
}

impl Engine for Fjall {
    fn commit(&self, group: &[Rows]) -> Result<()> {
        for rows in group {
            let mut batch = self.database.batch().durability(None);
            for (key, value) in rows {
                batch.insert(&self.rows, key.as_slice(), value.as_slice());
            }
            batch.commit()?;
        }
        Ok(self.database.persist(PersistMode::SyncData)?)
    }

    fn get(&self, key: &[u8]) -> Result<usize> {
        Ok(self.rows.get(key)?.map_or(0, |value| value.len()))
    }

    fn newest(&self, from: &[u8], to: &[u8]) -> Result<usize> {
        let mut size = 0;
        for row in self
            .database
            .snapshot()
            .range(&self.rows, from..to)
            .rev()
            .take(20)
        {
            size += row.value()?.len();
        }
        Ok(size)
    }

    fn expire(&self, now: i64) -> Result<()> {
        self.now.store(now, Ordering::Relaxed);
        self.rows.rotate_memtable_and_wait()?;
        self.rows.major_compact()?;
        // The replaced files go once no snapshot can need them. The engine looks for that at every
        // ten thousandth snapshot, and deletes at the next flush.
        self.rows.remove([0])?;
        (0..10_000).for_each(|_| drop(self.database.snapshot()));
        Ok(self.rows.rotate_memtable_and_wait()?)
    }
}

struct Redb(redb::Database);

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
/// Which rows expire when: without a filter at compaction something has to find them.
const EXPIRIES: TableDefinition<'_, (i64, &[u8]), ()> = TableDefinition::new("expiries");

impl Redb {
    fn open(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self(
            redb::Builder::new()
                .set_cache_size(CACHE)
                .create(path.join("redb"))?,
        ))
    }
}

impl Engine for Redb {
    fn commit(&self, group: &[Rows]) -> Result<()> {
        let write = self.0.begin_write()?;
        {
            let mut table = write.open_table(ROWS)?;
            let mut expiries = write.open_table(EXPIRIES)?;
            for (key, value) in group.iter().flatten() {
                table.insert(key.as_slice(), value.as_slice())?;
                expiries.insert((expires_at(value), key.as_slice()), ())?;
            }
        }
        Ok(write.commit()?)
    }

    fn get(&self, key: &[u8]) -> Result<usize> {
        let table = self.0.begin_read()?.open_table(ROWS)?;
        Ok(table
            .get(key)?
            .map_or(0, |value| value.value().to_vec().len()))
    }

    fn newest(&self, from: &[u8], to: &[u8]) -> Result<usize> {
        let table = self.0.begin_read()?.open_table(ROWS)?;
        let mut size = 0;
        for row in table.range(from..to)?.rev().take(20) {
            size += row?.1.value().to_vec().len();
        }
        Ok(size)
    }

    fn expire(&self, now: i64) -> Result<()> {
        loop {
            let write = self.0.begin_write()?;
            let mut removed = 0;
            {
                let mut table = write.open_table(ROWS)?;
                let mut expiries = write.open_table(EXPIRIES)?;
                let end: &[u8] = &[];
                for row in expiries
                    .extract_from_if(..(now + 1, end), |_, ()| true)?
                    .take(2_000)
                {
                    table.remove(row?.0.value().1)?;
                    removed += 1;
                }
            }
            write.commit()?;
            if removed == 0 {
                return Ok(());
            }
        }
    }
}

fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
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
                answers
                    .iter()
                    .for_each(|answer| answer.send(()).unwrap_or(()));
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
        let mut latencies: Vec<_> = writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap_or_default())
            .collect();
        let groups = committer.join().map_err(|_| "committer panicked")??;
        let took = start.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let count = latencies.len();
        let quantile = |per_mille: usize| latencies[(count - 1) * per_mille / 1000];
        Ok((
            count as f64 / took,
            quantile(500),
            quantile(990),
            groups as f64 / took,
        ))
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
    let mut picks = || {
        (
            random.random_range(0..ROOMS),
            random.random_range(0..ROWS_PER_ROOM),
        )
    };
    let start = Instant::now();
    for _ in 0..READS {
        let (room, seq) = picks();
        assert_eq!(
            engine.get(&row_key(room, seq))? / 10,
            VALUE / 10,
            "the row is there"
        );
    }
    let gets = start.elapsed() / READS as u32;
    let start = Instant::now();
    for _ in 0..READS / 10 {
        let (room, _) = picks();
        assert!(engine.newest(&row_key(room, 0), &row_key(room, u64::MAX))? >= 20 * VALUE);
    }
    println!(
        "{name:6} get {gets:.1?}, newest 20 {:.1?}",
        start.elapsed() / (READS as u32 / 10)
    );

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

/// Reads through the store, which hands them to the runtime's blocking threads.
async fn through_the_store(path: &Path) -> Result<()> {
    const TABLE: Table = Table {
        name: "rows",
        partition: &[("room", ColumnType::U64)],
        clustering: &[("seq", ColumnType::U64, Order::Ascending)],
        ttl: None,
        compaction: Compaction::SizeTiered,
    };
    let store = Arc::new(EmbeddedStore::open(path)?);
    for room in 0..ROOMS {
        let mut batch = Batch::behind(key![room]);
        (0..50u64).for_each(|seq| batch.push(Op::put(&TABLE, key![seq], value(0))));
        store.write(batch).await?;
    }
    for tasks in [1u64, 64] {
        for page in [false, true] {
            let start = Instant::now();
            let readers = (0..tasks).map(|task| {
                let store = store.clone();
                tokio::spawn(async move {
                    for turn in 0..READS / tasks {
                        let room = key![(task * 37 + turn * 7) % ROOMS];
                        let found = if page {
                            store.page(&TABLE, &room, Page::backward(20)).await?.len()
                        } else {
                            store
                                .get(&TABLE, &room, &key![turn % 50])
                                .await?
                                .map_or(0, |_| 1)
                        };
                        assert_eq!(found, if page { 20 } else { 1 });
                    }
                    Ok::<_, StoreError>(())
                })
            });
            for reader in readers.collect::<Vec<_>>() {
                reader.await??;
            }
            let what = if page { "newest 20" } else { "get" };
            println!(
                "store  {what}, {tasks} tasks: {:.1?} each",
                start.elapsed() / READS as u32
            );
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds: u32 = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let directory = arguments
        .next()
        .unwrap_or_else(|| std::env::temp_dir().display().to_string());
    for _ in 0..rounds {
        let path = tempfile::tempdir_in(&directory)?;
        round("fjall", &Fjall::open(path.path())?, path.path())?;
        let path = tempfile::tempdir_in(&directory)?;
        round("redb", &Redb::open(path.path())?, path.path())?;
    }
    let path = tempfile::tempdir_in(&directory)?;
    tokio::runtime::Runtime::new()?.block_on(through_the_store(path.path()))
}
