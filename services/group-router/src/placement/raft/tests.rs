//! The log and the state machine against what openraft asks of them, and over restarts.

use openraft::storage::RaftStateMachine as _;
use openraft::storage::{RaftLogStorage as _, RaftLogStorageExt as _};
use openraft::testing::{StoreBuilder, Suite};
use openraft::{CommittedLeaderId, EntryPayload, RaftLogReader as _, RaftSnapshotBuilder as _};
use tempfile::TempDir;
use tokio::sync::watch;

use super::super::core::command::{Command, Proposal};
use super::*;

struct Builder;

impl StoreBuilder<Types, LogStore, Machine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, Machine), StorageError> {
        let folder = tempfile::tempdir().unwrap();
        let (log, machine) = open(&folder).await;
        Ok((folder, log, machine))
    }
}

async fn open(folder: &TempDir) -> (LogStore, Machine) {
    let disk = Disk::open(&folder.path().join("placement.redb")).await.unwrap();
    let log = LogStore::read(disk.clone()).await.unwrap();
    (log, Machine::read(disk, watch::Sender::default()).await.unwrap())
}

fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(term, 1), index)
}

fn found(term: u64, index: u64, shards: u32) -> Entry {
    let proposal = Proposal { term, command: Command::Found { shards } };
    Entry { log_id: log_id(term, index), payload: EntryPayload::Normal(proposal) }
}

#[test]
fn the_store_passes_the_suite_of_openraft() {
    Suite::test_all(Builder).unwrap();
}

#[test]
fn the_number_of_a_name_never_changes() {
    assert_eq!(node_id("router-0"), 5_868_151_581_714_572_230);
    assert_eq!(node_id("router-1"), 14_416_916_784_123_007_427);
}

#[tokio::test]
async fn what_was_appended_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, machine) = open(&folder).await;
    assert!(log.is_blank());
    log.save_vote(&Vote::new(3, 7)).await.unwrap();
    log.blocking_append((0..10).map(|index| found(3, index, 4))).await.unwrap();
    log.save_committed(Some(log_id(3, 5))).await.unwrap();
    log.truncate(log_id(3, 8)).await.unwrap();
    log.purge(log_id(3, 2)).await.unwrap();
    drop((log, machine));

    let (mut log, _machine) = open(&folder).await;
    assert!(!log.is_blank());
    assert_eq!(log.read_vote().await.unwrap(), Some(Vote::new(3, 7)));
    assert_eq!(log.read_committed().await.unwrap(), Some(log_id(3, 5)));
    let state = log.get_log_state().await.unwrap();
    assert_eq!(state.last_purged_log_id, Some(log_id(3, 2)));
    assert_eq!(state.last_log_id, Some(log_id(3, 7)));
    let entries = log.try_get_log_entries(..).await.unwrap();
    assert_eq!(entries, (3..8).map(|index| found(3, index, 4)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_snapshot_is_there_after_a_restart_and_an_older_one_does_not_replace_it() {
    let folder = tempfile::tempdir().unwrap();
    let (log, mut machine) = open(&folder).await;
    let mut early = machine.get_snapshot_builder().await;
    machine.apply([found(2, 1, 4)]).await.unwrap();
    let built = machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    assert_eq!(built.snapshot.shards.len(), 4);
    early.build_snapshot().await.unwrap();
    drop((log, machine, early));

    let (_log, mut machine) = open(&folder).await;
    assert_eq!(machine.applied_state().await.unwrap().0, Some(log_id(2, 1)));
    let kept = machine.get_current_snapshot().await.unwrap().unwrap();
    assert_eq!(kept.meta, built.meta);
    assert_eq!(kept.snapshot, built.snapshot);
}

#[tokio::test]
async fn an_entry_decided_in_another_term_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_log, mut machine) = open(&folder).await;
    let mut entry = found(2, 1, 4);
    entry.log_id = log_id(3, 1);
    let responses = machine.apply([entry]).await.unwrap();
    assert!(responses[0].rejected.is_some());
    assert_eq!(machine.applied_state().await.unwrap().0, Some(log_id(3, 1)));
}
