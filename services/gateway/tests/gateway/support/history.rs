//! A history whose lists of conversations are empty.

use serde_json::json;
use throng_proto::v1;
use throng_proto::v1::history_server::History;
use tonic::{Request, Response, Status};

#[derive(Debug)]
pub(crate) struct FakeHistory;

type Reply<T> = Result<Response<T>, Status>;

fn nobody_asks<T>() -> Reply<T> {
    Err(Status::unimplemented("nobody asks"))
}

#[tonic::async_trait]
impl History for FakeHistory {
    async fn execute(&self, _: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        let body = json!({
            "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "",
            "CompleteFlag": 1, "SessionItem": [],
        });
        let body = serde_json::to_vec(&body).unwrap().into();
        Ok(Response::new(v1::CommandReply { body, ..v1::CommandReply::default() }))
    }

    async fn append_room(&self, _: Request<v1::AppendRoomRequest>) -> Reply<v1::AppendRoomReply> {
        nobody_asks()
    }

    async fn read_room(&self, _: Request<v1::ReadRoomRequest>) -> Reply<v1::ReadRoomReply> {
        nobody_asks()
    }

    async fn get_room_messages(
        &self,
        _: Request<v1::GetRoomMessagesRequest>,
    ) -> Reply<v1::GetRoomMessagesReply> {
        nobody_asks()
    }

    async fn recall_room_messages(
        &self,
        _: Request<v1::RecallRoomMessagesRequest>,
    ) -> Reply<v1::RecallRoomMessagesReply> {
        nobody_asks()
    }

    async fn append_group(
        &self,
        _: Request<v1::AppendGroupRequest>,
    ) -> Reply<v1::AppendGroupReply> {
        nobody_asks()
    }

    async fn read_group(&self, _: Request<v1::ReadGroupRequest>) -> Reply<v1::ReadGroupReply> {
        nobody_asks()
    }

    async fn recover_group(
        &self,
        _: Request<v1::RecoverGroupRequest>,
    ) -> Reply<v1::RecoverGroupReply> {
        nobody_asks()
    }

    async fn amend_group(&self, _: Request<v1::AmendGroupRequest>) -> Reply<v1::AmendGroupReply> {
        nobody_asks()
    }

    async fn read_recalls(
        &self,
        _: Request<v1::ReadRecallsRequest>,
    ) -> Reply<v1::ReadRecallsReply> {
        nobody_asks()
    }

    async fn hide_messages(
        &self,
        _: Request<v1::HideMessagesRequest>,
    ) -> Reply<v1::HideMessagesReply> {
        nobody_asks()
    }

    async fn drop_group(&self, _: Request<v1::DropGroupRequest>) -> Reply<v1::DropGroupReply> {
        nobody_asks()
    }
}
