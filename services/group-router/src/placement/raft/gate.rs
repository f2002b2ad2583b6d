//! Whether this node may vote. A voter that lost its disk has forgotten what it promised: with its
//! vote, a leader could be chosen that lacks entries which this very node helped to commit. So a voter
//! that begins with nothing votes for nobody, itself included, until it knows that it is the first
//! time, or a leader has brought it up to date. A restart in between changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::PlacementRaft;
use super::tables::{CATCHING_UP, Disk, DiskError, set};

/// Clones share it.
#[derive(Debug, Clone)]
pub(in crate::placement) struct Gate {
    disk: Disk,
    open: Arc<AtomicBool>,
}

impl Gate {
    /// As it was left. `blank`: this node knows nothing.
    pub(in crate::placement) async fn read(disk: Disk, blank: bool) -> Result<Self, DiskError> {
        if blank {
            disk.write(|transaction| set(transaction, CATCHING_UP, &true)).await?;
        }
        let catching_up = disk.get(CATCHING_UP).await?.unwrap_or(false);
        Ok(Self { disk, open: Arc::new(AtomicBool::new(!catching_up)) })
    }

    pub(in crate::placement) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// This node may vote from now on.
    pub(in crate::placement) async fn open(&self, raft: &PlacementRaft) {
        let written = self.disk.write(|transaction| set(transaction, CATCHING_UP, &false));
        match written.await {
            Ok(()) => {
                self.open.store(true, Ordering::Release);
                raft.runtime_config().elect(true);
                tracing::info!("this node votes about the placement from now on");
            }
            Err(error) => tracing::error!(%error, "placement log"),
        }
    }
}
