//! The thread that keeps expired rows from taking more space than live ones.
//!
//! Merges drop expired rows by themselves while a table is written to. What a table keeps that went
//! quiet, or whose files lie deep, is found here: each round looks at a bounded stretch of every table,
//! goes on where the last one ended, and rewrites a table when most of that stretch is expired. So a
//! rewrite always gets rid of about as much as it writes.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use fjall::{Keyspace, Readable};
use parking_lot::Mutex;

use super::tables::Tables;
use super::{EmbeddedOptions, backend, reclaim, row};
use crate::{StoreError, plan};

/// How long closing waits for a table that is being rewritten. After that the process may exit under
/// it: the engine then starts the rewrite afresh some day.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The running thread.
#[derive(Debug)]
pub(crate) struct Sweeper {
    stop: Mutex<Option<SyncSender<()>>>,
    /// Disconnected when the thread holds nothing of the store any more.
    ended: Mutex<Receiver<()>>,
}

impl Sweeper {
    pub(crate) fn start(
        tables: Arc<Tables>,
        options: &EmbeddedOptions,
    ) -> Result<Self, StoreError> {
        let (stop, stopped) = sync_channel::<()>(1);
        let (running, ended) = sync_channel::<()>(1);
        let options = options.clone();
        std::thread::Builder::new()
            .name("store-sweep".to_owned())
            .spawn(move || {
                let mut cursors = HashMap::new();
                while stopped.recv_timeout(options.sweep_interval) == Err(RecvTimeoutError::Timeout)
                {
                    let found = tables.keyspaces.read().clone();
                    for (name, keyspace) in found {
                        let cursor = cursors.entry(name).or_default();
                        if let Err(error) = sweep(&tables, &keyspace, cursor, &options) {
                            tracing::warn!(table = name, %error, "sweep failed");
                        }
                    }
                }
                drop(tables);
                drop(running);
            })
            .map_err(|error| StoreError::Backend { source: Arc::new(error) })?;
        Ok(Self { stop: Mutex::new(Some(stop)), ended: Mutex::new(ended) })
    }

    /// Ends it after the table it is at.
    pub(crate) fn stop(&self) {
        self.stop.lock().take();
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop();
        let _ = self.ended.lock().recv_timeout(STOP_TIMEOUT);
    }
}

/// Where the next look at a table begins.
type Cursor = Option<Vec<u8>>;

fn sweep(
    tables: &Tables,
    keyspace: &Keyspace,
    cursor: &mut Cursor,
    options: &EmbeddedOptions,
) -> Result<(), StoreError> {
    let now = options.clock.now_millis();
    let (mut seen, mut expired) = (0, 0);
    let from = cursor.take().map_or(Bound::Unbounded, Bound::Excluded);
    let walk = tables.database.snapshot().range::<Vec<u8>, _>(keyspace, (from, Bound::Unbounded));
    for entry in walk.take(options.sweep_rows) {
        let (key, stored) = entry.into_inner().map_err(backend)?;
        seen += 1;
        expired +=
            usize::from(row::expires_at(&stored).is_some_and(|at| plan::is_expired(at, now)));
        if seen == options.sweep_rows {
            *cursor = Some(key.to_vec());
        }
    }
    if expired < options.sweep_threshold || expired * 2 < seen {
        return Ok(());
    }
    let before = keyspace.disk_space();
    reclaim::compact(&tables.database, keyspace)?;
    *cursor = None;
    tracing::info!(
        table = %&**keyspace.name(),
        bytes_before = before,
        bytes_after = keyspace.disk_space(),
        "reclaimed the space of expired rows"
    );
    Ok(())
}
