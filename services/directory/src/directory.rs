//! The service as a whole: made from its configuration and its neighbours, served over a link.

use std::sync::Arc;

use throng_bus::Bus;
use throng_node::drain::Drain;
use throng_proto::Link;
use throng_proto::v1::directory_server::DirectoryServer;
use throng_proto::v1::presence_client::PresenceClient;
use throng_protocol::ids::AppId;
use throng_store::Store;

use crate::accounts::Accounts;
use crate::apps::AppBook;
use crate::config::{Config, ConfigError};
use crate::notices;
use crate::profiles::Profiles;
use crate::rows::RowError;

/// What the directory needs from its process.
#[derive(Debug)]
pub struct Deps {
    /// Where apps, accounts and profiles are kept.
    pub store: Arc<dyn Store>,
    /// Where changes of profiles are announced.
    pub bus: Arc<dyn Bus>,
    /// Pushes to sessions and kicks them; may be connected later.
    pub presence: Link,
}

/// What keeps the directory from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The demo app could not be read or made.
    #[error("demo app: {0}")]
    DemoApp(String),
}

/// The service. Clones share everything.
#[derive(Debug, Clone)]
pub struct Directory {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) apps: AppBook,
    pub(crate) accounts: Accounts,
    pub(crate) profiles: Profiles,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) presence: PresenceClient<Link>,
}

impl Directory {
    /// Checks the configuration and puts the parts together; reads and binds nothing yet.
    ///
    /// # Errors
    /// [`DirectoryError::Config`] names the app and the setting that is wrong.
    pub fn build(config: &Config, deps: Deps) -> Result<Self, DirectoryError> {
        config.validate()?;
        let Deps { store, bus, presence } = deps;
        let inner = Inner {
            apps: AppBook::new(config, Arc::clone(&store)),
            accounts: Accounts::new(Arc::clone(&store)),
            profiles: Profiles::new(store),
            bus,
            presence: PresenceClient::new(presence),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The generated server, for a link or a listener.
    #[must_use]
    pub fn server(&self) -> DirectoryServer<Self> {
        DirectoryServer::new(self.clone())
    }

    /// Starts to follow what other directories change; ends with the drain. Call it after
    /// [`ensure_demo_app`](Self::ensure_demo_app), if at all.
    pub fn run(&self, drain: &Drain) {
        for app in self.inner.apps.followed() {
            drain.spawn(notices::follow_changes(self.clone(), app, drain.clone()));
        }
    }

    /// The demo app and its secret key. Made by the first call and kept in the store; the same app
    /// and key ever after. Durable when this returns.
    ///
    /// # Errors
    /// [`DirectoryError::DemoApp`] when the store fails.
    pub async fn ensure_demo_app(&self) -> Result<(AppId, String), DirectoryError> {
        let made = self.inner.apps.ensure_demo().await;
        made.map_err(|error: RowError| DirectoryError::DemoApp(error.to_string()))
    }
}
