//! Messages of Raft from the other group routers.

use openraft::Snapshot;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest};
use serde::de::DeserializeOwned;
use throng_proto::v1;
use throng_proto::v1::raft_server::{Raft, RaftServer};
use tonic::{Request, Response, Status};

use super::gate::Gate;
use super::network::{Envelope, LARGEST, SnapshotMessage, decode, encode};
use super::{NodeId, PlacementRaft, Types};

/// Serves them.
#[derive(Clone)]
pub(in crate::placement) struct RaftService {
    cluster: u64,
    id: NodeId,
    raft: PlacementRaft,
    gate: Gate,
}

impl std::fmt::Debug for RaftService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RaftService").field("id", &self.id).finish_non_exhaustive()
    }
}

impl RaftService {
    pub(in crate::placement) fn server(
        cluster: u64,
        id: NodeId,
        raft: PlacementRaft,
        gate: Gate,
    ) -> RaftServer<Self> {
        RaftServer::new(Self { cluster, id, raft, gate })
            .max_decoding_message_size(LARGEST)
            .max_encoding_message_size(LARGEST)
    }

    fn unwrap<T: DeserializeOwned>(&self, request: &v1::RaftMessage) -> Result<T, Status> {
        let Envelope { cluster, to, message } = decode(request)?;
        if (cluster, to) == (self.cluster, self.id) {
            Ok(message)
        } else {
            Err(Status::failed_precondition("this is another node, or of another cluster"))
        }
    }

    /// An entry that the leader committed in its own term: all that was ever committed before is in
    /// the log up to it.
    fn opens_gate(&self, request: &AppendEntriesRequest<Types>) -> Option<u64> {
        let commit = request.leader_commit?;
        let own = commit.leader_id.term == request.vote.leader_id.term;
        (own && !self.gate.is_open()).then_some(commit.index)
    }

    fn has_log_up_to(&self, index: u64) -> bool {
        let last = self.raft.metrics().borrow().last_log_index;
        last.is_some_and(|last| last >= index)
    }
}

fn stopped<E: std::fmt::Display>(error: E) -> Status {
    Status::unavailable(error.to_string())
}

#[tonic::async_trait]
impl Raft for RaftService {
    async fn append(
        &self,
        request: Request<v1::RaftMessage>,
    ) -> Result<Response<v1::RaftMessage>, Status> {
        let message: AppendEntriesRequest<Types> = self.unwrap(request.get_ref())?;
        let needed = self.opens_gate(&message);
        let answer = self.raft.append_entries(message).await.map_err(stopped)?;
        let taken = matches!(answer, AppendEntriesResponse::Success);
        if needed.is_some_and(|index| taken && self.has_log_up_to(index)) {
            self.gate.open(&self.raft).await;
        }
        encode(&answer).map(Response::new)
    }

    async fn vote(
        &self,
        request: Request<v1::RaftMessage>,
    ) -> Result<Response<v1::RaftMessage>, Status> {
        let message: VoteRequest<NodeId> = self.unwrap(request.get_ref())?;
        if !self.gate.is_open() {
            return Err(Status::unavailable("not up to date, cannot vote"));
        }
        let answer = self.raft.vote(message).await.map_err(stopped)?;
        encode(&answer).map(Response::new)
    }

    async fn snapshot(
        &self,
        request: Request<v1::RaftMessage>,
    ) -> Result<Response<v1::RaftMessage>, Status> {
        let SnapshotMessage { vote, meta, state } = self.unwrap(request.get_ref())?;
        let snapshot = Snapshot { meta, snapshot: Box::new(state) };
        let answer = self.raft.install_full_snapshot(vote, snapshot).await.map_err(stopped)?;
        encode(&answer).map(Response::new)
    }
}
