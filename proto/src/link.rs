//! One type for "where that service is": a server in this process, or a channel to others.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::Service;
use tower::util::BoxCloneSyncService;

/// What goes wrong below a gRPC status: the connection, or nothing there yet.
pub type LinkError = Box<dyn std::error::Error + Send + Sync>;

type Inner = BoxCloneSyncService<Request<Body>, Response<Body>, LinkError>;

/// The transport of a generated client: `GroupRouterClient::new(link)`.
///
/// A link may be made before its service exists, because services call each other in circles; it is
/// connected once, and calls before that fail with `UNAVAILABLE`.
#[derive(Clone)]
pub struct Link {
    inner: Arc<OnceLock<Inner>>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("connected", &self.inner.get().is_some()).finish()
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::unconnected()
    }
}

impl Link {
    /// A link whose service is not there yet.
    #[must_use]
    pub fn unconnected() -> Self {
        Self { inner: Arc::new(OnceLock::new()) }
    }

    /// A link to a server that is there already.
    #[must_use]
    pub fn to_server<S>(server: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let link = Self::unconnected();
        link.connect_server(server);
        link
    }

    /// Connects every clone of this link to a generated server in this process, without sockets.
    /// The first connection stays.
    pub fn connect_server<S>(&self, server: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let service = tower::ServiceExt::map_err(server, |never: Infallible| match never {});
        let _ = self.inner.set(BoxCloneSyncService::new(service));
    }

    /// Connects every clone of this link to whatever carries calls over the network; it finds the
    /// [`Route`](crate::Route) of a call among the request's extensions. The first connection stays.
    pub fn connect_transport<S>(&self, transport: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = LinkError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let _ = self.inner.set(BoxCloneSyncService::new(transport));
    }
}

impl Service<Request<Body>> for Link {
    type Response = Response<Body>;
    type Error = LinkError;
    type Future = <Inner as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        match self.inner.get() {
            Some(_) => Poll::Ready(Ok(())),
            None => Poll::Ready(Err(Box::new(tonic::Status::unavailable("service not started")))),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(inner) = self.inner.get() else {
            let status = tonic::Status::unavailable("service not started");
            return Box::pin(async move { Err(LinkError::from(status)) });
        };
        // A fresh clone has to be driven to readiness before it may be called.
        Box::pin(tower::ServiceExt::oneshot(inner.clone(), request))
    }
}
