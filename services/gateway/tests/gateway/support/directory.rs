//! A directory with one app and every account.

use throng_proto::v1;
use throng_proto::v1::directory_server::Directory;
use tonic::{Request, Response, Status};

use super::{APP, KEY};

#[derive(Debug)]
pub(crate) struct FakeDirectory;

#[tonic::async_trait]
impl Directory for FakeDirectory {
    async fn execute(
        &self,
        _: Request<v1::CommandRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        Err(Status::unavailable("the directory is down"))
    }

    async fn get_app(
        &self,
        request: Request<v1::GetAppRequest>,
    ) -> Result<Response<v1::AppSettings>, Status> {
        if request.get_ref().app != APP.0 {
            return Err(Status::not_found("no such app"));
        }
        Ok(Response::new(v1::AppSettings {
            app: APP.0,
            keys: vec![KEY.to_owned()],
            admins: vec!["admin".to_owned()],
            rooms: Some(v1::RoomPolicy { rooms_per_session: 10, ..v1::RoomPolicy::default() }),
            ..v1::AppSettings::default()
        }))
    }

    async fn ensure_account(
        &self,
        request: Request<v1::EnsureAccountRequest>,
    ) -> Result<Response<v1::EnsureAccountReply>, Status> {
        let revoked = request.get_ref().user == "revoked";
        let not_before = if revoked { i64::MAX } else { 0 };
        Ok(Response::new(v1::EnsureAccountReply { created: true, not_before }))
    }

    async fn filter_accounts(
        &self,
        request: Request<v1::FilterAccountsRequest>,
    ) -> Result<Response<v1::FilterAccountsReply>, Status> {
        Ok(Response::new(v1::FilterAccountsReply { users: request.into_inner().users }))
    }

    async fn get_briefs(
        &self,
        _: Request<v1::GetBriefsRequest>,
    ) -> Result<Response<v1::GetBriefsReply>, Status> {
        Ok(Response::new(v1::GetBriefsReply::default()))
    }
}
