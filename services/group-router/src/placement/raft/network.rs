//! Messages of Raft to the other group routers, each over a channel of its own: what they carry for
//! others must not hold up a heartbeat.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::error::{RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{AnyError, Snapshot};
use parking_lot::Mutex;
use rand::RngExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use throng_proto::v1;
use throng_proto::v1::raft_client::RaftClient;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};

use super::super::core::state::PlacementState;
use super::{Member, NodeId, SnapshotMeta, Types, Vote};

/// A snapshot is one message.
pub(super) const LARGEST: usize = 64 << 20;
const CONNECT: Duration = Duration::from_millis(500);
/// A peer that stands still, or a path that is gone, is noticed within both together; then names are
/// resolved again.
const PING_EVERY: Duration = Duration::from_millis(700);
const PING_ANSWERED: Duration = Duration::from_millis(800);
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// A message, with whom it is for: an address may belong to another node by now, or to one of the same
/// name in another cluster.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope<T> {
    pub(super) cluster: u64,
    pub(super) to: NodeId,
    pub(super) message: T,
}

/// A whole snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SnapshotMessage {
    pub(super) vote: Vote,
    pub(super) meta: SnapshotMeta,
    pub(super) state: PlacementState,
}

pub(super) fn encode<T: Serialize>(message: &T) -> Result<v1::RaftMessage, Status> {
    let payload = serde_json::to_vec(message)
        .map_err(|error| Status::internal(format!("raft message: {error}")))?;
    Ok(v1::RaftMessage { payload: Bytes::from(payload) })
}

pub(super) fn decode<T: DeserializeOwned>(message: &v1::RaftMessage) -> Result<T, Status> {
    serde_json::from_slice(&message.payload)
        .map_err(|error| Status::invalid_argument(format!("raft message: {error}")))
}

/// Makes connections to members.
#[derive(Debug, Clone)]
pub(in crate::placement) struct Network {
    cluster: u64,
    /// Addresses from the configuration count more than those in the log.
    voters: Arc<BTreeMap<NodeId, Member>>,
    channels: Arc<Mutex<HashMap<String, Channel>>>,
    silent: Silent,
}

/// Members that did not answer the last time: each change is worth one line.
type Silent = Arc<Mutex<BTreeSet<NodeId>>>;

impl Network {
    pub(in crate::placement) fn new(cluster: u64, voters: Arc<BTreeMap<NodeId, Member>>) -> Self {
        Self { cluster, voters, channels: Arc::default(), silent: Arc::default() }
    }

    fn address<'a>(&'a self, id: NodeId, member: &'a Member) -> &'a str {
        &self.voters.get(&id).unwrap_or(member).address
    }

    fn channel(&self, address: &str) -> Result<Channel, tonic::transport::Error> {
        let mut channels = self.channels.lock();
        if let Some(channel) = channels.get(address) {
            return Ok(channel.clone());
        }
        let channel = Endpoint::from_shared(format!("http://{address}"))?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_ANSWERED)
            .keep_alive_while_idle(true)
            .connect_lazy();
        channels.insert(address.to_owned(), channel.clone());
        Ok(channel)
    }
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: NodeId, node: &Member) -> Peer {
        let address = self.address(target, node).to_owned();
        let client = self.channel(&address).map(|channel| {
            RaftClient::new(channel)
                .max_decoding_message_size(LARGEST)
                .max_encoding_message_size(LARGEST)
        });
        let client = client.map_err(|error| format!("{address}: {error}"));
        let name = node.name.clone();
        Peer {
            cluster: self.cluster,
            target,
            name,
            address,
            client,
            silent: Arc::clone(&self.silent),
        }
    }
}

/// One member to send to.
#[derive(Debug)]
pub(in crate::placement) struct Peer {
    cluster: u64,
    target: NodeId,
    name: String,
    address: String,
    /// Or why there is none.
    client: Result<RaftClient<Channel>, String>,
    silent: Silent,
}

impl Peer {
    fn client(&self) -> Result<RaftClient<Channel>, Status> {
        self.client.clone().map_err(Status::unavailable)
    }

    /// Whatever failed, the next attempt waits a little: an immediate one would go round and round.
    fn heard<T>(&self, answer: Result<T, Status>) -> Result<T, Unreachable> {
        let Self { target, name, address, .. } = self;
        match &answer {
            Ok(_) => {
                if self.silent.lock().remove(target) {
                    tracing::info!(name, address, "group router answers again");
                }
            }
            Err(status) => {
                if self.silent.lock().insert(*target) {
                    tracing::warn!(name, address, %status, "group router does not answer");
                }
            }
        }
        answer.map_err(|status| Unreachable::from(AnyError::new(&status)))
    }

    fn wrap<T: Serialize>(&self, message: T) -> Result<v1::RaftMessage, Status> {
        encode(&Envelope { cluster: self.cluster, to: self.target, message })
    }
}

fn opened<T: DeserializeOwned>(
    answer: Result<Response<v1::RaftMessage>, Status>,
) -> Result<T, Status> {
    answer.and_then(|response| decode(&response.into_inner()))
}

type AppendError = RPCError<NodeId, Member, RaftError<NodeId>>;

impl RaftNetwork<Types> for Peer {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<NodeId>, AppendError> {
        let send = async { opened(self.client()?.append(self.wrap(rpc)?).await) };
        Ok(self.heard(send.await)?)
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<NodeId>,
        _: RPCOption,
    ) -> Result<VoteResponse<NodeId>, AppendError> {
        let send = async { opened(self.client()?.vote(self.wrap(rpc)?).await) };
        Ok(self.heard(send.await)?)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot<Types>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<Types, openraft::error::Fatal<NodeId>>>
    {
        let message = SnapshotMessage { vote, meta: snapshot.meta, state: *snapshot.snapshot };
        let send = async { opened(self.client()?.snapshot(self.wrap(message)?).await) };
        let late = || Status::new(Code::DeadlineExceeded, "the snapshot was not taken in time");
        tokio::select! {
            sent = timeout(option.hard_ttl(), send) => {
                Ok(self.heard(sent.unwrap_or_else(|_| Err(late())))?)
            }
            closed = cancel => Err(closed.into()),
        }
    }

    fn backoff(&self) -> Backoff {
        let pauses =
            std::iter::successors(Some(FIRST_PAUSE), |pause| Some((*pause * 2).min(LONGEST_PAUSE)));
        Backoff::new(pauses.map(|pause| pause.mul_f64(rand::rng().random_range(0.7..1.3))))
    }
}
