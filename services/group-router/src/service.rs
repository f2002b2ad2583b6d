//! The gRPC face of the group router: commands, and what gateways and presence say of members.

use std::time::Duration;

use throng_node::cluster::not_begun;
use throng_node::command::{Context, reply};
use throng_proto::v1;
use throng_proto::v1::attach_member_reply::Outcome;
use throng_proto::v1::group_router_server::GroupRouter;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use crate::actor::{Rooms, Turn};
use crate::clients::Clients;
use crate::commands::{Answered, Call, execute};
use crate::group::lists;
use crate::order::Order;
use crate::room::GatewayTag;
use crate::wire::{MemberInfo, Notice, report};

/// Time for what gateways and presence ask: an owner that cannot answer by then says so. Commands
/// have the deadline of their caller.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Events that one fetch may ask for.
const MOST_EVENTS: u32 = 1000;
/// Members that one part of a gateway's may name.
const MOST_MEMBERS: usize = 5_000;

/// Serves [`GroupRouter`]. Clones share the groups.
#[derive(Clone)]
pub struct Service {
    pub(crate) rooms: Rooms,
    pub(crate) clients: Clients,
    pub(crate) order: Order,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Service {
    /// What a command is answered with; `rooms` are those of the call.
    async fn answer(
        &self,
        rooms: &Rooms,
        mut request: v1::CommandRequest,
    ) -> Result<Answered, CommandError> {
        let place = request.order.take();
        let (context, body) = Context::split(request)?;
        let Self { clients, order, .. } = self;
        execute(&Call { rooms, clients, order, place, context, body }).await
    }
}

async fn attach(
    rooms: &Rooms,
    request: v1::AttachMemberRequest,
) -> Result<v1::AttachMemberReply, CommandError> {
    let v1::AttachMemberRequest { app, group_id, user, inst_id, gateway, last_seq } = request;
    let gateway = GatewayTag::of(&gateway);
    let attach = move |turn: &mut Turn<'_>| {
        let (room, now, unit) = turn.live()?;
        if room.is_banned(&user, now.seconds) {
            return Ok(attach_reply(Outcome::Banned, room.ban_notice(now, unit)));
        }
        room.member_returns(&user, inst_id, gateway, now);
        Ok(v1::AttachMemberReply {
            outcome: Outcome::Attached.into(),
            position: Some(room.position()),
            missed_items: room.missed_items(last_seq, &user),
            ..v1::AttachMemberReply::default()
        })
    };
    rooms.run(AppId(app), &group_id, attach).await
}

fn attach_reply(outcome: Outcome, notice_items: bytes::Bytes) -> v1::AttachMemberReply {
    v1::AttachMemberReply {
        outcome: outcome.into(),
        notice_items,
        ..v1::AttachMemberReply::default()
    }
}

/// The notice that a room is gone, for somebody who was in it. The room itself cannot be asked any
/// more for its name or a sequence; without one the client must not take it for a repetition.
fn gone_notice(group_id: &str) -> bytes::Bytes {
    let info = crate::wire::GroupInfo {
        group_id,
        group_name: "",
        group_type: "AVChatRoom",
        nick: None,
        avatar: None,
    };
    let notice = Notice { report: report::DISMISSED, ..Notice::default() };
    let random = crate::room::random();
    let now = throng_node::time::now_seconds();
    let encoded = crate::wire::notice_item(&notice, info, random, random, now);
    encoded.entry()
}

/// Waits for an answer, but not for ever.
async fn in_time<T>(
    answer: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    let late = || Code::TIMEOUT.with("the group did not answer in time");
    timeout(ANSWER_TIME, answer).await.unwrap_or_else(|_| Err(late()))
}

/// There is no such group, or there cannot be.
fn is_gone(error: &CommandError) -> bool {
    error.code == Code::GROUP_NOT_FOUND || error.code == Code::GROUP_BAD_ID
}

/// What the caller of a job is told that has no result.
fn status(rooms: &Rooms, error: &CommandError) -> Status {
    if let Some(status) = rooms.fate().status() {
        status
    } else if is_gone(error) {
        Status::not_found(error.info.clone())
    } else {
        Status::unavailable(error.info.clone())
    }
}

#[tonic::async_trait]
impl GroupRouter for Service {
    async fn execute(
        &self,
        request: Request<v1::CommandRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        let rooms = self.rooms.for_call();
        let answered = match self.answer(&rooms, request.into_inner()).await {
            Ok(Answered { body, effects }) => v1::CommandReply { code: 0, body, effects },
            Err(error) => reply(Err(error)),
        };
        rooms.fate().status().map_or(Ok(Response::new(answered)), Err)
    }

    async fn attach_member(
        &self,
        request: Request<v1::AttachMemberRequest>,
    ) -> Result<Response<v1::AttachMemberReply>, Status> {
        let request = request.into_inner();
        let group_id = request.group_id.clone();
        let rooms = self.rooms.for_call();
        match in_time(attach(&rooms, request)).await {
            Ok(attached) => Ok(Response::new(attached)),
            Err(error) if is_gone(&error) => {
                Ok(Response::new(attach_reply(Outcome::Gone, gone_notice(&group_id))))
            }
            Err(error) => Err(status(&rooms, &error)),
        }
    }

    async fn detach_member(
        &self,
        request: Request<v1::DetachMemberRequest>,
    ) -> Result<Response<v1::DetachMemberReply>, Status> {
        let v1::DetachMemberRequest { app, group_id, user, inst_id, .. } = request.into_inner();
        let rooms = self.rooms.for_call();
        if !rooms.owns(AppId(app), &group_id) {
            return Err(not_begun("the group is not served here now"));
        }
        // After a restart there may be thousands that never came back, of rooms that nobody uses.
        if !rooms.is_hot(AppId(app), &group_id) {
            return Ok(Response::new(v1::DetachMemberReply {}));
        }
        let detached = in_time(async {
            let known = match user.as_str() {
                "" => None,
                user => self.clients.brief(AppId(app), user).await.ok(),
            };
            let member = known.map_or_else(
                || MemberInfo { user, ..MemberInfo::default() },
                |brief| (*brief).clone(),
            );
            let leave = move |turn: &mut Turn<'_>| {
                let (room, now, unit) = turn.live()?;
                room.member_leaves(&member, inst_id, now, unit);
                Ok(())
            };
            rooms.run(AppId(app), &group_id, leave).await
        });
        match detached.await {
            Err(error) if !is_gone(&error) => Err(status(&rooms, &error)),
            _ => Ok(Response::new(v1::DetachMemberReply {})),
        }
    }

    async fn attach_gateway(
        &self,
        request: Request<v1::AttachGatewayRequest>,
    ) -> Result<Response<v1::AttachGatewayReply>, Status> {
        let request = request.into_inner();
        if request.members.len() > MOST_MEMBERS {
            return Err(Status::invalid_argument(format!("over {MOST_MEMBERS} members")));
        }
        let (app, group_id) = (AppId(request.app), request.group_id.clone());
        let rooms = self.rooms.for_call();
        let attached = rooms.run(app, &group_id, move |turn| {
            let (room, now, unit) = turn.live()?;
            Ok(room.attach_gateway(request, now, unit))
        });
        match in_time(attached).await {
            Ok(attached) => Ok(Response::new(attached)),
            Err(error) if is_gone(&error) => Ok(Response::new(v1::AttachGatewayReply {
                outcome: Outcome::Gone.into(),
                notice_items: gone_notice(&group_id),
                ..v1::AttachGatewayReply::default()
            })),
            Err(error) => Err(status(&rooms, &error)),
        }
    }

    async fn describe_group(
        &self,
        request: Request<v1::DescribeGroupRequest>,
    ) -> Result<Response<v1::DescribeGroupReply>, Status> {
        let rooms = self.rooms.for_call();
        let described =
            in_time(lists::describe_own(&rooms, &self.clients, request.into_inner())).await;
        described.map(Response::new).map_err(|error| status(&rooms, &error))
    }

    async fn joined_groups(
        &self,
        request: Request<v1::JoinedGroupsRequest>,
    ) -> Result<Response<v1::JoinedGroupsReply>, Status> {
        let rooms = self.rooms.for_call();
        let joined = in_time(lists::joined(&rooms, &self.clients, request.into_inner())).await;
        joined.map(Response::new).map_err(|error| status(&rooms, &error))
    }

    async fn list_members(
        &self,
        request: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersReply>, Status> {
        let rooms = self.rooms.for_call();
        let listed = in_time(lists::members_own(&rooms, request.into_inner())).await;
        listed.map(Response::new).map_err(|error| status(&rooms, &error))
    }

    async fn forget_mentions(
        &self,
        request: Request<v1::ForgetMentionsRequest>,
    ) -> Result<Response<v1::ForgetMentionsReply>, Status> {
        let v1::ForgetMentionsRequest { app, group_id, user, msg_seq } = request.into_inner();
        let rooms = self.rooms.for_call();
        let forgotten = rooms.run(AppId(app), &group_id, move |turn| {
            let (room, _, unit) = turn.room()?;
            room.see_mentions(&user, msg_seq, unit);
            Ok(v1::ForgetMentionsReply {})
        });
        in_time(forgotten).await.map(Response::new).map_err(|error| status(&rooms, &error))
    }

    async fn fetch_events(
        &self,
        request: Request<v1::FetchEventsRequest>,
    ) -> Result<Response<v1::FetchEventsReply>, Status> {
        let v1::FetchEventsRequest { app, group_id, after, limit } = request.into_inner();
        let limit = limit.min(MOST_EVENTS) as usize;
        let rooms = self.rooms.for_call();
        let fetched = rooms.run(AppId(app), &group_id, move |turn| {
            let (room, _, _) = turn.room()?;
            let (events, complete) = room.events_after(after.unwrap_or_default(), limit);
            Ok(v1::FetchEventsReply { events, head: Some(room.position()), complete })
        });
        in_time(fetched).await.map(Response::new).map_err(|error| status(&rooms, &error))
    }
}
