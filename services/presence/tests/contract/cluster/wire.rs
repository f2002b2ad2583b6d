//! Calls as a cluster carries them: to the user's home, again where that cannot answer. And nodes that
//! can be cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use throng_node::cluster::HomeList;
use throng_proto::{Link, LinkError, Route, Target};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tonic::Status;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};

const PATIENCE: Duration = Duration::from_secs(15);

/// The transport of callers.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) list: watch::Receiver<Arc<HomeList>>,
    pub(crate) turn: Arc<AtomicUsize>,
}

impl Wire {
    fn pick(&self, target: Target) -> Option<Link> {
        let list = self.list.borrow();
        match target {
            Target::Hash(hash) => list.of(hash).map(|home| home.link.clone()),
            Target::Any => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                list.nodes.get(turn % list.nodes.len().max(1)).map(|home| home.link.clone())
            }
        }
    }

    async fn carry(self, request: Request<Body>) -> Result<Response<Body>, LinkError> {
        let (parts, body) = request.into_parts();
        let route = parts.extensions.get::<Route>().copied().unwrap_or(Route::ANY);
        let body = body.collect().await?.to_bytes();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut request = Request::new(Body::new(Full::new(body.clone())));
            *request.method_mut() = parts.method.clone();
            *request.uri_mut() = parts.uri.clone();
            *request.headers_mut() = parts.headers.clone();
            let response = match self.pick(route.target) {
                Some(link) => link.oneshot(request).await?,
                None => Status::unavailable("no node").into_http(),
            };
            let status = response.headers().get("grpc-status");
            if status.is_none_or(|status| status != "14") || Instant::now() > deadline {
                return Ok(response);
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Service<Request<Body>> for Wire {
    type Response = Response<Body>;
    type Error = LinkError;
    type Future = BoxFuture<'static, Result<Response<Body>, LinkError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().carry(request))
    }
}

/// A server that may be cut off.
#[derive(Clone)]
pub(crate) struct Gate<S> {
    pub(crate) server: S,
    pub(crate) cut: Arc<AtomicBool>,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Send,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.server.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if self.cut.load(Ordering::Relaxed) {
            return Box::pin(async { Ok(Status::unavailable("cut off").into_http()) });
        }
        Box::pin(self.server.call(request))
    }
}
