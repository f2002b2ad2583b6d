//! The contract with the other services.

use std::sync::Arc;

use throng_node::command::{self, Context};
use throng_proto::v1;
use throng_proto::v1::history_server::History;
use throng_store::StoreError;
use tonic::{Request, Response, Status};

use crate::commands;
use crate::rooms::{AppendError, MAX_LIMIT, MAX_SEQS, Query, RoomId, Rooms};

type Answer<T> = Result<Response<T>, Status>;

/// Serves the contract.
#[derive(Debug)]
pub struct Rpc {
    rooms: Arc<Rooms>,
}

impl Rpc {
    pub(crate) fn new(rooms: Arc<Rooms>) -> Self {
        Self { rooms }
    }
}

#[async_trait::async_trait]
impl History for Rpc {
    async fn execute(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandReply> {
        let result = Context::split(request.into_inner())
            .and_then(|(context, body)| commands::execute(&context, &body));
        Ok(Response::new(command::reply(result)))
    }

    async fn append_room(
        &self,
        request: Request<v1::AppendRoomRequest>,
    ) -> Answer<v1::AppendRoomReply> {
        let v1::AppendRoomRequest { app, group_id, messages, .. } = request.into_inner();
        let room = room(app, &group_id)?;
        let began = std::time::Instant::now();
        self.rooms.append(room, messages).await.map_err(|error| match error {
            AppendError::Order { .. } => Status::invalid_argument(error.to_string()),
            AppendError::Store(error) => status(&error),
        })?;
        metrics::histogram!("throng_history_append_seconds").record(began.elapsed());
        Ok(Response::new(v1::AppendRoomReply {}))
    }

    async fn read_room(&self, request: Request<v1::ReadRoomRequest>) -> Answer<v1::ReadRoomReply> {
        let request = request.into_inner();
        let room = room(request.app, &request.group_id)?;
        if request.limit == 0 {
            return Err(Status::invalid_argument("limit is 0"));
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
        let v1::RecallRoomMessagesRequest { app, group_id, msg_seqs, revoker, .. } =
            request.into_inner();
        let room = room(app, &group_id)?;
        check_number(&msg_seqs)?;
        self.rooms.recall(room, &msg_seqs, &revoker).await.map_err(|error| status(&error))?;
        Ok(Response::new(v1::RecallRoomMessagesReply {}))
    }
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
