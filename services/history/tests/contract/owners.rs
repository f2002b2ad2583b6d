//! The owners of groups, as far as history asks them: what a user is a member of.

use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::group_router_server::{GroupRouter, GroupRouterServer};
use tonic::{Request, Response, Status};

/// Knows the groups of one user, who is called "ann".
pub struct Owners(pub Vec<v1::DescribeGroupReply>);

impl Owners {
    pub fn link(self) -> Link {
        Link::to_server(GroupRouterServer::new(self))
    }
}

type Reply<T> = Result<Response<T>, Status>;

fn never<T>() -> Reply<T> {
    Err(Status::unimplemented("nobody asks"))
}

#[tonic::async_trait]
impl GroupRouter for Owners {
    async fn execute(&self, _: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        never()
    }
    async fn attach_member(
        &self,
        _: Request<v1::AttachMemberRequest>,
    ) -> Reply<v1::AttachMemberReply> {
        never()
    }
    async fn detach_member(
        &self,
        _: Request<v1::DetachMemberRequest>,
    ) -> Reply<v1::DetachMemberReply> {
        never()
    }
    async fn attach_gateway(
        &self,
        _: Request<v1::AttachGatewayRequest>,
    ) -> Reply<v1::AttachGatewayReply> {
        never()
    }
    async fn fetch_events(
        &self,
        _: Request<v1::FetchEventsRequest>,
    ) -> Reply<v1::FetchEventsReply> {
        never()
    }
    async fn describe_group(
        &self,
        _: Request<v1::DescribeGroupRequest>,
    ) -> Reply<v1::DescribeGroupReply> {
        never()
    }

    async fn list_members(
        &self,
        _: Request<v1::ListMembersRequest>,
    ) -> Reply<v1::ListMembersReply> {
        never()
    }

    async fn joined_groups(
        &self,
        request: Request<v1::JoinedGroupsRequest>,
    ) -> Reply<v1::JoinedGroupsReply> {
        let v1::JoinedGroupsRequest { user, offset, limit, .. } = request.into_inner();
        let groups = if user == "ann" { &self.0[..] } else { &[] };
        let (start, total) = (offset as usize, groups.len());
        let page: Vec<_> = groups.iter().skip(start).take(limit as usize).cloned().collect();
        let end = start + page.len();
        let next_offset = if end < total { u32::try_from(end).unwrap() } else { 0 };
        let total = u32::try_from(total).unwrap();
        Ok(Response::new(v1::JoinedGroupsReply { groups: page, total, next_offset }))
    }
}
