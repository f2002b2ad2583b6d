//! The engines, behind what the store needs of one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use fjall::compaction::filter::{CompactionFilter, Context, Factory, ItemAccessor, Verdict};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use redb::{ReadableDatabase, TableDefinition};

use crate::{CACHE, Result, Rows};

/// What the store needs of an engine.
pub(crate) trait Engine: Send + Sync {
    /// Applies the batches, each atomically, and makes them durable together.
    fn commit(&self, group: &[Rows]) -> Result<()>;
    fn get(&self, key: &[u8]) -> Result<usize>;
    /// The last 20 rows of a range.
    fn newest(&self, from: &[u8], to: &[u8]) -> Result<usize>;
    /// Reclaims the rows whose expiry is not later than `now`.
    fn expire(&self, now: i64) -> Result<()>;
}

fn expires_at(value: &[u8]) -> i64 {
    value.first_chunk().map_or(0, |head| i64::from_be_bytes(*head))
}

pub(crate) struct Fjall {
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
        Ok(if expired { Verdict::Remove } else { Verdict::Keep })
    }
}

impl Fjall {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let now = Arc::new(AtomicI64::new(0));
        let filter: Arc<dyn Factory> = Arc::new(DropExpired(now.clone()));
        let database = Database::builder(path)
            .cache_size(CACHE as u64)
            .with_compaction_filter_factories(Arc::new(move |_| Some(filter.clone())))
            .open()?;
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default)?;
        Ok(Self { database, rows, now })
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
        for row in self.database.snapshot().range(&self.rows, from..to).rev().take(20) {
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

pub(crate) struct Redb(redb::Database);

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
/// Which rows expire when: without a filter at compaction something has to find them.
const EXPIRIES: TableDefinition<'_, (i64, &[u8]), ()> = TableDefinition::new("expiries");

impl Redb {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self(redb::Builder::new().set_cache_size(CACHE).create(path.join("redb"))?))
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
        Ok(table.get(key)?.map_or(0, |value| value.value().to_vec().len()))
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
                for row in expiries.extract_from_if(..(now + 1, end), |_, ()| true)?.take(2_000) {
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
