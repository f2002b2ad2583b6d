//! The contract with the other services.

use std::sync::Arc;

use throng_node::command::{self, Context};
use throng_proto::v1;
use throng_proto::v1::history_server::History;
use throng_store::{StoreError, WriteTime};
use tonic::{Request, Response, Status};

use crate::commands::{self, Commands};
use crate::groups::{self, Groups, Stretch};
use crate::rooms::{AppendError, MAX_LIMIT, MAX_SEQS, Query, RoomId, Rooms};

type Answer<T> = Result<Response<T>, Status>;

/// Serves the contract.
#[derive(Debug)]
pub struct Rpc {
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) commands: Commands,
}

#[async_trait::async_trait]
impl History for Rpc {
    async fn execute(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandReply> {
        let result = match Context::split(request.into_inner()) {
            Ok((context, body)) => commands::execute(&context, &body, &self.commands).await,
            Err(error) => Err(error),
        };
        Ok(Response::new(command::reply(result)))
    }

    async fn append_room(
        &self,
        request: Request<v1::AppendRoomRequest>,
    ) -> Answer<v1::AppendRoomReply> {
        let v1::AppendRoomRequest { app, group_id, messages, fence } = request.into_inner();
        let room = room(app, &group_id)?;
        if fence.is_some_and(|fence| !self.rooms.admit(room, fence.epoch)) {
            return Err(Status::failed_precondition("a later owner appends to this room"));
        }
        let began = std::time::Instant::now();
        self.rooms.append(room, messages, write_time(fence)).await.map_err(
            |error| match error {
                AppendError::Order { .. } => Status::invalid_argument(error.to_string()),
                AppendError::Store(error) => status(&error),
            },
        )?;
        metrics::histogram!("throng_history_append_seconds").record(began.elapsed());
        Ok(Response::new(v1::AppendRoomReply {}))
    }

    async fn read_room(&self, request: Request<v1::ReadRoomRequest>) -> Answer<v1::ReadRoomReply> {
        let request = request.into_inner();
        let room = room(request.app, &request.group_id)?;
        if request.limit == 0 {
            return Err(Status::invalid_argument("limit is 0"));
        }
        if request.owner_epoch > 0 {
            self.rooms.admit(room, request.owner_epoch);
        }
        let query = Query {
            before_or_at: request.before_or_at,
            limit: usize::try_from(request.limit).unwrap_or(MAX_LIMIT),
            not_before: request.not_before,
            skip_recalled: request.skip_recalled,
        };
        let reading = self.rooms.read(room, query).await.map_err(|error| status(&error))?;
        let (messages, complete) = (reading.messages, reading.complete);
        Ok(Response::new(v1::ReadRoomReply { messages, complete }))
    }

    async fn get_room_messages(
        &self,
        request: Request<v1::GetRoomMessagesRequest>,
    ) -> Answer<v1::GetRoomMessagesReply> {
        let v1::GetRoomMessagesRequest { app, group_id, msg_seqs } = request.into_inner();
        let room = room(app, &group_id)?;
        check_number(&msg_seqs)?;
        let messages = self.rooms.get(room, &msg_seqs).await.map_err(|error| status(&error))?;
        Ok(Response::new(v1::GetRoomMessagesReply { messages }))
    }

    async fn recall_room_messages(
        &self,
        request: Request<v1::RecallRoomMessagesRequest>,
    ) -> Answer<v1::RecallRoomMessagesReply> {
        let v1::RecallRoomMessagesRequest { app, group_id, msg_seqs, revoker, fence } =
            request.into_inner();
        let room = room(app, &group_id)?;
        check_number(&msg_seqs)?;
        let recalled = self.rooms.recall(room, &msg_seqs, &revoker, write_time(fence)).await;
        recalled.map_err(|error| status(&error))?;
        Ok(Response::new(v1::RecallRoomMessagesReply {}))
    }

    async fn append_group(
        &self,
        request: Request<v1::AppendGroupRequest>,
    ) -> Answer<v1::AppendGroupReply> {
        let v1::AppendGroupRequest { log, messages, fence } = request.into_inner();
        let log = log_of(log)?;
        let epoch = fence.map_or(0, |fence| fence.epoch);
        let began = std::time::Instant::now();
        let appended = self.groups.append(&log, messages, epoch, write_time(fence)).await;
        appended.map_err(|error| not_appended(&error))?;
        metrics::histogram!("throng_history_append_seconds").record(began.elapsed());
        Ok(Response::new(v1::AppendGroupReply {}))
    }

    async fn read_group(
        &self,
        request: Request<v1::ReadGroupRequest>,
    ) -> Answer<v1::ReadGroupReply> {
        let v1::ReadGroupRequest { log, first, last, limit, ascending, viewer } =
            request.into_inner();
        if limit == 0 {
            return Err(Status::invalid_argument("limit is 0"));
        }
        let limit = usize::try_from(limit).unwrap_or(groups::MAX_LIMIT);
        let stretch = Stretch { first, last, limit, ascending, viewer: &viewer };
        let reading = self.groups.read(&log_of(log)?, stretch).await;
        let reading = reading.map_err(|error| status(&error))?;
        let (messages, complete) = (reading.messages, reading.complete);
        Ok(Response::new(v1::ReadGroupReply { messages, complete }))
    }

    async fn recover_group(
        &self,
        request: Request<v1::RecoverGroupRequest>,
    ) -> Answer<v1::RecoverGroupReply> {
        let v1::RecoverGroupRequest { log, noted_head, noted_epoch } = request.into_inner();
        let recovered = self.groups.recover(&log_of(log)?, noted_head, noted_epoch).await;
        let head = recovered.map_err(|error| status(&error))?;
        Ok(Response::new(v1::RecoverGroupReply { head }))
    }

    async fn amend_group(
        &self,
        request: Request<v1::AmendGroupRequest>,
    ) -> Answer<v1::AmendGroupReply> {
        let v1::AmendGroupRequest { log, amendments, fence } = request.into_inner();
        let log = log_of(log)?;
        check_named(amendments.len())?;
        let epoch = fence.map_or(0, |fence| fence.epoch);
        let amended = self.groups.amend(&log, amendments, epoch, write_time(fence)).await;
        amended.map_err(|error| not_appended(&error))?;
        Ok(Response::new(v1::AmendGroupReply {}))
    }

    async fn read_recalls(
        &self,
        request: Request<v1::ReadRecallsRequest>,
    ) -> Answer<v1::ReadRecallsReply> {
        let v1::ReadRecallsRequest { log, since, until, limit } = request.into_inner();
        if limit == 0 {
            return Err(Status::invalid_argument("limit is 0"));
        }
        let limit = usize::try_from(limit).unwrap_or(groups::MAX_RECALLS);
        let found = self.groups.recalls(&log_of(log)?, since, until, limit).await;
        let found = found.map_err(|error| status(&error))?;
        Ok(Response::new(v1::ReadRecallsReply { recalls: found.recalls, next: found.next }))
    }

    async fn hide_messages(
        &self,
        request: Request<v1::HideMessagesRequest>,
    ) -> Answer<v1::HideMessagesReply> {
        let v1::HideMessagesRequest { log, user, msg_seqs, fence } = request.into_inner();
        let log = log_of(log)?;
        check_named(msg_seqs.len())?;
        if user.is_empty() {
            return Err(Status::invalid_argument("user is missing"));
        }
        let hidden = self.groups.hide(&log, &user, &msg_seqs, write_time(fence)).await;
        hidden.map_err(|error| status(&error))?;
        Ok(Response::new(v1::HideMessagesReply {}))
    }

    async fn drop_group(
        &self,
        request: Request<v1::DropGroupRequest>,
    ) -> Answer<v1::DropGroupReply> {
        let v1::DropGroupRequest { log, head, fence } = request.into_inner();
        let dropped = self.groups.forget(&log_of(log)?, head, write_time(fence)).await;
        dropped.map_err(|error| status(&error))?;
        Ok(Response::new(v1::DropGroupReply {}))
    }
}

/// The write time of a fence; none where one process has the store to itself.
fn write_time(fence: Option<v1::Fence>) -> Option<WriteTime> {
    fence.filter(|fence| fence.write_time > 0).map(|fence| WriteTime(fence.write_time))
}

fn log_of(log: Option<v1::GroupLog>) -> Result<v1::GroupLog, Status> {
    log.filter(|log| !log.group_id.is_empty())
        .ok_or_else(|| Status::invalid_argument("group_id is missing"))
}

fn room(app: u32, group_id: &str) -> Result<RoomId<'_>, Status> {
    if group_id.is_empty() {
        return Err(Status::invalid_argument("group_id is missing"));
    }
    Ok(RoomId { app, group_id })
}

fn check_number(msg_seqs: &[u32]) -> Result<(), Status> {
    if msg_seqs.len() > MAX_SEQS {
        return Err(Status::invalid_argument(format!("more than {MAX_SEQS} messages are named")));
    }
    Ok(())
}

fn check_named(number: usize) -> Result<(), Status> {
    if number > groups::MAX_NAMED {
        let text = format!("more than {} messages are named", groups::MAX_NAMED);
        return Err(Status::invalid_argument(text));
    }
    Ok(())
}

/// Why something was not written to a group's log, or beside it.
fn not_appended(error: &groups::AppendError) -> Status {
    match error {
        groups::AppendError::Order { .. } => Status::invalid_argument(error.to_string()),
        groups::AppendError::Outdated => Status::failed_precondition(error.to_string()),
        groups::AppendError::Store(error) => status(error),
    }
}

/// What a failure of the store is to the caller: something to try again, or not.
fn status(error: &StoreError) -> Status {
    if error.is_transient() || matches!(error, StoreError::Closed) {
        return Status::unavailable(error.to_string());
    }
    match error {
        StoreError::BadKey { .. }
        | StoreError::DuplicateRow { .. }
        | StoreError::TooLarge { .. } => Status::invalid_argument(error.to_string()),
        _ => {
            tracing::error!(%error, "the store failed");
            Status::internal(error.to_string())
        }
    }
}
