//! Where the nodes of a service are: a list of `host:port`, whose names are resolved again and again,
//! because a headless service has an address for each of its nodes, and they come and go.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::lookup_host;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// How often names are resolved.
const REFRESH: Duration = Duration::from_secs(10);
/// Not more often than this, whoever asks for it.
const SHORTEST: Duration = Duration::from_millis(500);
/// Time for one look-up.
const LOOKUP: Duration = Duration::from_secs(3);

/// The addresses of a service's nodes. Clones share them.
#[derive(Debug, Clone)]
pub struct Discovery {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    service: &'static str,
    names: Vec<String>,
    addresses: ArcSwap<Vec<Arc<str>>>,
    refresh: Notify,
}

impl Discovery {
    /// Of the service with this name, which is for logs. Literal addresses are there at once, names
    /// once they are resolved. Needs a runtime.
    #[must_use]
    pub fn start(service: &'static str, names: &[String]) -> Self {
        let (literal, to_resolve): (Vec<_>, Vec<_>) =
            names.iter().cloned().partition(|name| name.parse::<std::net::SocketAddr>().is_ok());
        let literal: Vec<Arc<str>> = literal.iter().map(|name| Arc::from(name.as_str())).collect();
        let inner = Arc::new(Inner {
            service,
            names: names.to_vec(),
            addresses: ArcSwap::from_pointee(literal),
            refresh: Notify::new(),
        });
        if !to_resolve.is_empty() {
            let weak = Arc::downgrade(&inner);
            tokio::spawn(async move {
                loop {
                    let Some(inner) = weak.upgrade() else { return };
                    inner.resolve().await;
                    let _ = timeout(REFRESH, inner.refresh.notified()).await;
                    drop(inner);
                    sleep(SHORTEST).await;
                }
            });
        }
        Self { inner }
    }

    /// The addresses known now, in order.
    #[must_use]
    pub fn addresses(&self) -> Arc<Vec<Arc<str>>> {
        self.inner.addresses.load_full()
    }

    /// Something is wrong with an address: names are resolved again soon.
    pub fn doubt(&self) {
        self.inner.refresh.notify_one();
    }
}

impl Inner {
    /// Names that cannot be resolved now keep nobody: an address that is gone refuses connections,
    /// but a resolver that fails must not empty the list.
    async fn resolve(&self) {
        let mut found: BTreeSet<String> = BTreeSet::new();
        for name in &self.names {
            match timeout(LOOKUP, lookup_host(name.as_str())).await {
                Ok(Ok(addresses)) => found.extend(addresses.map(|address| address.to_string())),
                Ok(Err(error)) => {
                    tracing::debug!(service = self.service, name, %error, "name not resolved");
                }
                Err(_) => tracing::debug!(service = self.service, name, "resolver is silent"),
            }
        }
        let known = self.addresses.load();
        if !found.is_empty() && !found.iter().map(String::as_str).eq(known.iter().map(|one| &**one))
        {
            tracing::info!(service = self.service, nodes = found.len(), "nodes of a service");
            let found = found.iter().map(|address| Arc::from(address.as_str())).collect();
            self.addresses.store(Arc::new(found));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn literal_addresses_are_there_at_once() {
        let names = ["127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned()];
        let addresses = Discovery::start("test", &names).addresses();
        assert_eq!(addresses.iter().map(|one| &**one).collect::<Vec<_>>(), names);
    }

    #[tokio::test]
    async fn a_name_stands_for_its_addresses() {
        let discovery = Discovery::start("test", &["localhost:7".to_owned()]);
        while discovery.addresses().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
        assert!(discovery.addresses().iter().all(|address| address.ends_with(":7")));
    }
}
