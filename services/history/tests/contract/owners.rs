//! The owners of groups, as far as history asks them: what a user is a member of.

use std::sync::{Arc, Mutex};

use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::group_router_server::{GroupRouter, GroupRouterServer};
use tonic::{Request, Response, Status};

/// Knows the groups of one user, who is called "ann".
#[derive(Default)]
pub struct Owners {
    pub groups: Vec<v1::DescribeGroupReply>,
    /// What was to be forgotten of mentions: group, user and number.
    pub forgotten: Forgotten,
}

pub type Forgotten = Arc<Mutex<Vec<(String, String, u32)>>>;

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

    async fn forget_mentions(
        &self,
        request: Request<v1::ForgetMentionsRequest>,
    ) -> Reply<v1::ForgetMentionsReply> {
        let v1::ForgetMentionsRequest { group_id, user, msg_seq, .. } = request.into_inner();
        self.forgotten.lock().unwrap().push((group_id, user, msg_seq));
        Ok(Response::new(v1::ForgetMentionsReply {}))
    }

    async fn joined_groups(
        &self,
        request: Request<v1::JoinedGroupsRequest>,
    ) -> Reply<v1::JoinedGroupsReply> {
        let v1::JoinedGroupsRequest { user, offset, limit, .. } = request.into_inner();
        let groups = if user == "ann" { &self.groups[..] } else { &[] };
        let (start, total) = (offset as usize, groups.len());
        let page: Vec<_> = groups.iter().skip(start).take(limit as usize).cloned().collect();
        let end = start + page.len();
        let next_offset = if end < total { u32::try_from(end).unwrap() } else { 0 };
        let total = u32::try_from(total).unwrap();
        Ok(Response::new(v1::JoinedGroupsReply { groups: page, total, next_offset }))
    }
}
