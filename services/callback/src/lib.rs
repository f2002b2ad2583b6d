//! Webhooks of apps. The contract stands and every service may call it; no app can name a webhook
//! yet, so everything is allowed and nothing is queued.

use throng_proto::v1;
use throng_proto::v1::callback_server::{Callback as Contract, CallbackServer};
use tonic::{Request, Response, Status};

/// The callback service.
#[derive(Debug, Clone, Default)]
pub struct Callback {}

impl Callback {
    /// Builds it.
    #[must_use]
    pub fn build() -> Self {
        Self::default()
    }

    /// The server to reach it by.
    #[must_use]
    pub fn server(&self) -> CallbackServer<Self> {
        CallbackServer::new(self.clone())
    }
}

#[tonic::async_trait]
impl Contract for Callback {
    async fn before(
        &self,
        _: Request<v1::BeforeRequest>,
    ) -> Result<Response<v1::BeforeReply>, Status> {
        Ok(Response::new(v1::BeforeReply::default()))
    }

    async fn after(
        &self,
        _: Request<v1::AfterRequest>,
    ) -> Result<Response<v1::AfterReply>, Status> {
        Ok(Response::new(v1::AfterReply {}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_webhook_everything_is_allowed() {
        let request = Request::new(v1::BeforeRequest::default());
        let reply = Callback::build().before(request).await.unwrap().into_inner();
        assert_eq!(reply.code, 0);
    }
}
