//! Getting back the space of expired rows: merging files drops them.

use std::sync::Arc;

use fjall::compaction::filter::{
    CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict,
};
use fjall::{Database, Keyspace};

use super::{backend, row};
use crate::{Clock, StoreError, plan};

/// After so many snapshots the engine looks which old versions nobody can see any more.
const SNAPSHOTS_UNTIL_COLLECTION: usize = 10_000;

/// A key that no row has: all of them are longer.
const NO_ROW: [u8; 1] = [0];

type Filters = Arc<dyn Fn(&str) -> Option<Arc<dyn Factory>> + Send + Sync>;

/// The filter that lets merges drop expired rows, for all tables.
pub(crate) fn filters(clock: &Arc<dyn Clock>) -> Filters {
    let factory: Arc<dyn Factory> = Arc::new(Expired(clock.clone()));
    Arc::new(move |_table| Some(factory.clone()))
}

struct Expired(Arc<dyn Clock>);

// A clock holds nothing that a panic could leave half done.
impl std::panic::RefUnwindSafe for Expired {}

impl Factory for Expired {
    fn name(&self) -> &'static str {
        "expired rows"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(ExpiredAt(self.0.now_millis()))
    }
}

struct ExpiredAt(i64);

impl CompactionFilter for ExpiredAt {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> CompactionFilterResult {
        let expires_at = row::expires_at(&item.value()?).unwrap_or(0);
        // Not `Destroy`: an older version of the row, in files that are not merged now, must stay
        // hidden.
        Ok(if plan::is_expired(expires_at, self.0) { Verdict::Remove } else { Verdict::Keep })
    }
}

/// Rewrites a table without what is expired or overwritten, and deletes its old files. Takes as long
/// as reading and writing it does; reads and writes go on meanwhile.
pub(crate) fn compact(database: &Database, keyspace: &Keyspace) -> Result<(), StoreError> {
    keyspace.rotate_memtable_and_wait().map_err(backend)?;
    collect(database);
    keyspace.major_compact().map_err(backend)?;
    // The old files are deleted with the next version of the table's list of files, if by then no
    // reader can need them. A quiet table would not get there by itself.
    keyspace.remove(NO_ROW).map_err(backend)?;
    collect(database);
    keyspace.rotate_memtable_and_wait().map_err(backend)
}

fn collect(database: &Database) {
    for _ in 0..SNAPSHOTS_UNTIL_COLLECTION {
        drop(database.snapshot());
    }
}
