//! A directory with one app, whose settings a test may change, and every account but some.

use parking_lot::Mutex;
use throng_proto::v1;
use throng_proto::v1::directory_server::Directory;
use tonic::{Request, Response, Status};

use super::APP;

pub struct FakeDirectory {
    pub policy: Mutex<v1::RoomPolicy>,
    pub groups: Mutex<v1::GroupPolicy>,
}

impl Default for FakeDirectory {
    fn default() -> Self {
        let policy = v1::RoomPolicy {
            messages_per_second: 40,
            keep_history: true,
            mode: v1::RoomMode::Push.into(),
            latest_members: 30,
            rooms_per_session: 10,
            max_rooms: 0,
            recall_seconds: 120,
        };
        Self { policy: Mutex::new(policy), groups: Mutex::default() }
    }
}

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Directory for FakeDirectory {
    async fn execute(&self, _: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn get_app(&self, request: Request<v1::GetAppRequest>) -> Reply<v1::AppSettings> {
        if request.get_ref().app != APP.0 {
            return Err(Status::not_found("no such app"));
        }
        Ok(Response::new(v1::AppSettings {
            app: APP.0,
            admins: vec!["admin".to_owned()],
            rooms: Some(*self.policy.lock()),
            groups: Some(self.groups.lock().clone()),
            ..v1::AppSettings::default()
        }))
    }

    async fn ensure_account(
        &self,
        _: Request<v1::EnsureAccountRequest>,
    ) -> Reply<v1::EnsureAccountReply> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn filter_accounts(
        &self,
        _: Request<v1::FilterAccountsRequest>,
    ) -> Reply<v1::FilterAccountsReply> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn get_briefs(
        &self,
        request: Request<v1::GetBriefsRequest>,
    ) -> Reply<v1::GetBriefsReply> {
        let known =
            request.into_inner().users.into_iter().filter(|user| !user.starts_with("nobody"));
        let brief = |user: String| v1::UserBrief {
            nick: format!("Nick of {user}"),
            avatar: "https://127.0.0.1/a.png".to_owned(),
            level: 0,
            user,
        };
        Ok(Response::new(v1::GetBriefsReply { briefs: known.map(brief).collect() }))
    }
}
