//! Calls to the leader of the placement, whichever group router that is: whoever does not lead says
//! who does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use throng_proto::v1;
use throng_proto::v1::placement_client::PlacementClient;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::channels::Channels;
use super::discovery::Discovery;

/// Metadata of the answer of a group router that does not lead: the address of the one that does.
pub const LEADER: &str = "throng-leader";
/// How often one call is sent on to somebody else.
const MOST_HOPS: usize = 3;

/// The way to the leader. Clones share what is known of it.
#[derive(Debug, Clone)]
pub struct PlacementLeader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    routers: Discovery,
    channels: Channels,
    known: ArcSwapOption<Arc<str>>,
    next: AtomicUsize,
}

impl PlacementLeader {
    /// Asks these group routers who leads.
    #[must_use]
    pub fn new(routers: Discovery, channels: Channels) -> Self {
        let inner =
            Inner { routers, channels, known: ArcSwapOption::empty(), next: AtomicUsize::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// Somebody else says that this one leads.
    pub fn suppose(&self, address: &str) {
        self.inner.known.store(Some(Arc::new(Arc::from(address))));
    }

    /// Asks for a lease. It counts from before this call.
    ///
    /// # Errors
    /// `ABORTED` when the leader cannot say now; what the transport says; `DEADLINE_EXCEEDED` after
    /// `time`.
    pub async fn renew(
        &self,
        node: v1::ClusterNode,
        time: Duration,
    ) -> Result<v1::RenewReply, Status> {
        let request = v1::RenewRequest { node: Some(node) };
        self.call(time, request, async |mut leader, request| leader.renew(request).await).await
    }

    /// Says that a node leaves. See [`renew`](Self::renew).
    ///
    /// # Errors
    /// As there.
    pub async fn leave(
        &self,
        request: v1::LeaveRequest,
        time: Duration,
    ) -> Result<v1::LeaveReply, Status> {
        self.call(time, request, async |mut leader, request| leader.leave(request).await).await
    }

    /// Says that shards are free. See [`renew`](Self::renew).
    ///
    /// # Errors
    /// As there.
    pub async fn release(
        &self,
        request: v1::ReleaseRequest,
        time: Duration,
    ) -> Result<v1::ReleaseReply, Status> {
        self.call(time, request, async |mut leader, request| leader.release(request).await).await
    }

    async fn call<Q, A, F>(&self, time: Duration, request: Q, call: F) -> Result<A, Status>
    where
        Q: Clone,
        F: AsyncFn(PlacementClient<Channel>, Q) -> Result<Response<A>, Status>,
    {
        let attempts = async {
            let mut hops = 0;
            loop {
                let address = self.address()?;
                let channel = self.inner.channels.get(&address);
                let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
                let failed = match call(PlacementClient::new(channel), request.clone()).await {
                    Ok(response) => return Ok(response.into_inner()),
                    Err(status) => status,
                };
                if failed.code() == Code::Aborted {
                    return Err(failed);
                }
                hops += 1;
                if !self.learn(&address, &failed) || hops > MOST_HOPS {
                    return Err(failed);
                }
            }
        };
        match timeout(time, attempts).await {
            Ok(answer) => answer,
            Err(_) => {
                self.inner.known.store(None);
                Err(Status::deadline_exceeded("the placement's leader did not answer in time"))
            }
        }
    }

    /// The leader as far as it is known, else one of the group routers in turn.
    fn address(&self) -> Result<Arc<str>, Status> {
        if let Some(known) = &*self.inner.known.load() {
            return Ok(Arc::clone(known));
        }
        let addresses = self.inner.routers.addresses();
        let turn = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let address = addresses.get(turn % addresses.len().max(1));
        address.cloned().ok_or_else(|| Status::unavailable("no group router is known"))
    }

    /// Takes from a failure who else to ask; false if that is unknown.
    fn learn(&self, asked: &str, failed: &Status) -> bool {
        let named = failed.metadata().get(LEADER).and_then(|leader| leader.to_str().ok());
        match named.filter(|leader| *leader != asked) {
            Some(leader) => {
                self.suppose(leader);
                true
            }
            None => {
                self.inner.known.store(None);
                self.inner.routers.doubt();
                false
            }
        }
    }
}
