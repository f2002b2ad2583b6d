//! The placement as other nodes reach it. Everybody tells what it knows; leases and changes are the
//! leader's business, and who does not lead says who does.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use throng_node::cluster::LEADER;
use throng_proto::v1;
use throng_proto::v1::placement_server::{Placement, PlacementServer};
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use super::super::core::command::{Command, Rejected, Released, Response as Applied};
use super::super::core::lease::Answer;
use super::super::core::state::{Incarnation, Node as Known, Role};
use super::Node;
use super::ask::Refusal;
use super::{observe, watch};

/// Nobody waits longer for an answer of the leader.
const ANSWER_TIME: Duration = Duration::from_secs(4);
/// Length of names and addresses.
const LONGEST: usize = 255;

/// Serves it.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) node: Node,
}

impl Service {
    pub(super) fn server(node: Node) -> PlacementServer<Self> {
        PlacementServer::new(Self { node })
    }

    /// Who does not lead says who does, as far as it knows.
    fn refused(&self, refusal: Refusal) -> Status {
        if refusal == Refusal::Busy {
            return Status::aborted("not now");
        }
        let mut status = Status::unavailable("does not lead the placement");
        let leader = self.node.known_leader().filter(|(id, _)| *id != self.node.id);
        if let Some(address) = leader.and_then(|(_, leader)| leader.address.parse().ok()) {
            status.metadata_mut().insert(LEADER, address);
        }
        status
    }

    async fn propose(&self, command: Command) -> Result<Applied, Status> {
        self.in_time(self.node.asks.propose(command)).await
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Status> {
        let answer = timeout(ANSWER_TIME, answer).await.unwrap_or(Err(Refusal::Busy));
        answer.map_err(|refusal| self.refused(refusal))
    }
}

fn known(node: v1::ClusterNode) -> Result<(Incarnation, Known), Status> {
    let role = match node.role() {
        v1::NodeRole::RoleGroupRouter => Role::GroupRouter,
        v1::NodeRole::RolePresence => Role::Presence,
        v1::NodeRole::Unspecified => return Err(Status::invalid_argument("no role")),
    };
    let v1::ClusterNode { name, address, incarnation, .. } = node;
    let fits = |text: &str| !text.is_empty() && text.len() <= LONGEST;
    if !fits(&name) || !fits(&address) || incarnation == 0 {
        return Err(Status::invalid_argument("a node has a name, an address and an incarnation"));
    }
    let known = Known { role, address, incarnation, leaving: false };
    Ok((Incarnation { name, number: incarnation }, known))
}

#[tonic::async_trait]
impl Placement for Service {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<v1::PlacementUpdate, Status>> + Send>>;

    async fn watch(
        &self,
        _: Request<v1::WatchPlacementRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(watch::updates(&self.node)?)))
    }

    async fn renew(
        &self,
        request: Request<v1::RenewRequest>,
    ) -> Result<Response<v1::RenewReply>, Status> {
        let node = request.into_inner().node.ok_or_else(|| Status::invalid_argument("no node"))?;
        let (who, known) = known(node)?;
        match self.in_time(self.node.asks.renew(who, known)).await? {
            Answer::Granted(grant) => Ok(Response::new(v1::RenewReply {
                granted: true,
                lease_ms: u32::try_from(grant.lease_ms).unwrap_or(u32::MAX),
                placement_version: grant.placement_version,
                write_time_limit: grant.write_time_limit,
            })),
            Answer::GivenUp => Ok(Response::new(v1::RenewReply::default())),
            Answer::Later => Err(self.refused(Refusal::Busy)),
        }
    }

    async fn leave(
        &self,
        request: Request<v1::LeaveRequest>,
    ) -> Result<Response<v1::LeaveReply>, Status> {
        let v1::LeaveRequest { name, incarnation } = request.into_inner();
        let who = Incarnation { name, number: incarnation };
        self.propose(Command::Leave { node: who.clone() }).await?;
        let state = Arc::clone(&self.node.applied.borrow());
        let left = if state.is_member(&who) { state.owned_by(&who.name) } else { 0 };
        let shards_left = u32::try_from(left).unwrap_or(u32::MAX);
        Ok(Response::new(v1::LeaveReply { shards_left }))
    }

    async fn release(
        &self,
        request: Request<v1::ReleaseRequest>,
    ) -> Result<Response<v1::ReleaseReply>, Status> {
        let v1::ReleaseRequest { name, incarnation, shards } = request.into_inner();
        let owner = Incarnation { name, number: incarnation };
        let shards = shards.into_iter().map(|released| Released {
            shard: released.shard,
            epoch: released.epoch,
            last_write_time: released.last_write_time,
        });
        let command = Command::Release { owner, shards: shards.collect() };
        match self.propose(command).await?.rejected {
            Some(Rejected::OtherTerm) => Err(self.refused(Refusal::NotLeading)),
            // Those that were not its own are given up as well.
            _ => Ok(Response::new(v1::ReleaseReply {})),
        }
    }

    async fn describe(
        &self,
        _: Request<v1::DescribePlacementRequest>,
    ) -> Result<Response<v1::DescribePlacementReply>, Status> {
        Ok(Response::new(observe::describe(&self.node)))
    }
}
