//! The generated server's methods: each checks its envelope and hands on.

use futures_util::StreamExt as _;
use futures_util::stream;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::ids::{self, AppId};
use tonic::{Request, Response, Status};

use crate::commands;
use crate::directory::{Directory, Inner};
use crate::rows::RowError;
use crate::tags;

/// Users in one request of another service.
const MOST_USERS: usize = 1000;
/// Rows read at the same time for one request.
const PARALLEL: usize = 16;

impl From<RowError> for Status {
    fn from(error: RowError) -> Self {
        tracing::warn!(%error, "the directory's store failed");
        Status::unavailable("the directory's store failed")
    }
}

#[tonic::async_trait]
impl v1::directory_server::Directory for Directory {
    async fn execute(
        &self,
        request: Request<v1::CommandRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        let reply = commands::execute(&self.inner, request.into_inner()).await;
        Ok(Response::new(reply))
    }

    async fn get_app(
        &self,
        request: Request<v1::GetAppRequest>,
    ) -> Result<Response<v1::AppSettings>, Status> {
        let app = AppId(request.into_inner().app);
        match self.inner.apps.get(app).await? {
            Some(settings) => Ok(Response::new((*settings).clone())),
            None => Err(Status::not_found("no such app")),
        }
    }

    async fn ensure_account(
        &self,
        request: Request<v1::EnsureAccountRequest>,
    ) -> Result<Response<v1::EnsureAccountReply>, Status> {
        let v1::EnsureAccountRequest { app, user, issued_at } = request.into_inner();
        ids::user_id(&user).map_err(|error| Status::invalid_argument(error.info))?;
        let ensured =
            self.inner.accounts.ensure(AppId(app), &user, now_seconds(), issued_at).await?;
        let (created, not_before) = (ensured.created, ensured.not_before);
        Ok(Response::new(v1::EnsureAccountReply { created, not_before }))
    }

    async fn filter_accounts(
        &self,
        request: Request<v1::FilterAccountsRequest>,
    ) -> Result<Response<v1::FilterAccountsReply>, Status> {
        let v1::FilterAccountsRequest { app, users } = request.into_inner();
        check_count(&users)?;
        let inner = &self.inner;
        let mut checks = stream::iter(users)
            .map(|user| async move { (inner.account_exists(AppId(app), &user).await, user) })
            .buffered(PARALLEL);
        let mut existing = Vec::new();
        while let Some((exists, user)) = checks.next().await {
            if exists? {
                existing.push(user);
            }
        }
        Ok(Response::new(v1::FilterAccountsReply { users: existing }))
    }

    async fn get_briefs(
        &self,
        request: Request<v1::GetBriefsRequest>,
    ) -> Result<Response<v1::GetBriefsReply>, Status> {
        let v1::GetBriefsRequest { app, users } = request.into_inner();
        check_count(&users)?;
        let inner = &self.inner;
        let mut reads =
            stream::iter(users).map(|user| inner.brief(AppId(app), user)).buffered(PARALLEL);
        let mut briefs = Vec::new();
        while let Some(brief) = reads.next().await {
            briefs.extend(brief?);
        }
        Ok(Response::new(v1::GetBriefsReply { briefs }))
    }
}

fn check_count(users: &[String]) -> Result<(), Status> {
    if users.len() > MOST_USERS {
        return Err(Status::invalid_argument(format!("more than {MOST_USERS} users")));
    }
    Ok(())
}

impl Inner {
    /// Whether a user exists. Administrators do, whether or not they ever logged in.
    pub(crate) async fn account_exists(&self, app: AppId, user: &str) -> Result<bool, RowError> {
        // No row can have such a key; the store would refuse some of them as too long.
        if ids::user_id(user).is_err() {
            return Ok(false);
        }
        Ok(self.accounts.exists(app, user).await? || self.apps.is_admin(app, user).await?)
    }

    async fn brief(&self, app: AppId, user: String) -> Result<Option<v1::UserBrief>, RowError> {
        if !self.account_exists(app, &user).await? {
            return Ok(None);
        }
        let profile = self.profiles.get(app, &user).await?;
        let (nick, avatar) = (profile.text(tags::NICK), profile.text(tags::IMAGE));
        let level = profile.number(tags::LEVEL);
        Ok(Some(v1::UserBrief { user, nick, avatar, level }))
    }
}
