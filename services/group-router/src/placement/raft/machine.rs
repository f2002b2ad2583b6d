//! The state machine: entries go into the pure placement, and everybody on this node sees the result.
//! It lives in memory; snapshots of it are on disk, and the log leads from there to the present.

use std::sync::Arc;

use openraft::storage::RaftStateMachine;
use openraft::{AnyError, EntryPayload, RaftSnapshotBuilder, Snapshot, StorageIOError};
use tokio::sync::{Mutex, watch};

use super::super::core::command::Response;
use super::super::core::state::PlacementState;
use super::tables::{Disk, DiskError, SNAPSHOT, SNAPSHOT_META, set};
use super::{Entry, LogId, SnapshotMeta, StorageError, StoredMembership, Types};

/// The placement as far as this node applied the log.
pub(in crate::placement) type Applied = Arc<PlacementState>;

/// Applies entries.
#[derive(Debug)]
pub(in crate::placement) struct Machine {
    disk: Disk,
    state: Arc<PlacementState>,
    last_applied: Option<LogId>,
    membership: StoredMembership,
    snapshot: Arc<Mutex<Option<Kept>>>,
    applied: watch::Sender<Applied>,
}

/// The latest snapshot.
#[derive(Debug, Clone)]
struct Kept {
    meta: SnapshotMeta,
    state: Arc<PlacementState>,
}

impl Machine {
    /// Begins with the snapshot on disk. What is applied can be seen at `applied`.
    pub(in crate::placement) async fn read(
        disk: Disk,
        applied: watch::Sender<Applied>,
    ) -> Result<Self, StorageError> {
        let read = async {
            let meta = disk.get::<SnapshotMeta>(SNAPSHOT_META).await?;
            let state = disk.get::<PlacementState>(SNAPSHOT).await?;
            Ok::<_, DiskError>(meta.zip(state))
        };
        let kept = read
            .await
            .map_err(|error| StorageIOError::read_snapshot(None, AnyError::new(&error)))?
            .map(|(meta, state)| Kept { meta, state: Arc::new(state) });
        let mut machine = Self {
            disk,
            state: Arc::default(),
            last_applied: None,
            membership: StoredMembership::default(),
            snapshot: Arc::new(Mutex::new(kept.clone())),
            applied,
        };
        if let Some(kept) = kept {
            machine.begin_with(&kept);
        }
        Ok(machine)
    }

    fn begin_with(&mut self, kept: &Kept) {
        self.state = Arc::clone(&kept.state);
        self.last_applied = kept.meta.last_log_id;
        self.membership = kept.meta.last_membership.clone();
        self.publish();
    }

    fn publish(&self) {
        self.applied.send_replace(Arc::clone(&self.state));
    }

    fn apply_one(&mut self, entry: Entry) -> Response {
        self.last_applied = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => Response::default(),
            EntryPayload::Normal(proposal) => {
                let term = entry.log_id.leader_id.term;
                Arc::make_mut(&mut self.state).apply(term, &proposal)
            }
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
                Response::default()
            }
        }
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        Ok((self.last_applied, self.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Response>, StorageError>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let responses = entries.into_iter().map(|entry| self.apply_one(entry)).collect();
        self.publish();
        Ok(responses)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let last_log_id = self.last_applied;
        // Two snapshots up to the same entry are the same, but must not be mixed on their way.
        let snapshot_id = format!(
            "{}-{}",
            last_log_id.map_or(0, |log_id| log_id.index),
            throng_node::time::now_millis()
        );
        let meta =
            SnapshotMeta { last_log_id, last_membership: self.membership.clone(), snapshot_id };
        Builder {
            disk: self.disk.clone(),
            kept: Kept { meta, state: Arc::clone(&self.state) },
            snapshot: Arc::clone(&self.snapshot),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<PlacementState>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<PlacementState>,
    ) -> Result<(), StorageError> {
        let kept = Kept { meta: meta.clone(), state: Arc::from(snapshot) };
        keep(&self.disk, &self.snapshot, kept.clone()).await?;
        self.begin_with(&kept);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        Ok(self.snapshot.lock().await.clone().map(Kept::handed_out))
    }
}

impl Kept {
    fn handed_out(self) -> Snapshot<Types> {
        Snapshot { meta: self.meta, snapshot: Box::new(PlacementState::clone(&self.state)) }
    }
}

/// Writes one snapshot while the machine goes on.
#[derive(Debug)]
pub(in crate::placement) struct Builder {
    disk: Disk,
    kept: Kept,
    snapshot: Arc<Mutex<Option<Kept>>>,
}

impl RaftSnapshotBuilder<Types> for Builder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        keep(&self.disk, &self.snapshot, self.kept.clone()).await?;
        Ok(self.kept.clone().handed_out())
    }
}

/// Makes this the latest snapshot, unless a later one came in between.
async fn keep(disk: &Disk, latest: &Mutex<Option<Kept>>, kept: Kept) -> Result<(), StorageError> {
    let mut latest = latest.lock().await;
    if latest.as_ref().is_some_and(|latest| latest.meta.last_log_id > kept.meta.last_log_id) {
        return Ok(());
    }
    let written = kept.clone();
    disk.write(move |transaction| {
        set(transaction, SNAPSHOT_META, &written.meta)?;
        set(transaction, SNAPSHOT, &*written.state)
    })
    .await
    .map_err(|error| {
        StorageIOError::write_snapshot(Some(kept.meta.signature()), AnyError::new(&error))
    })?;
    *latest = Some(kept);
    Ok(())
}
