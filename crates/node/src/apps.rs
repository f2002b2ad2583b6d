//! The settings of apps as every service sees them: fetched from the directory, kept for seconds.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_client::DirectoryClient;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;

/// How old settings may be. Changes take effect within this time.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// Apps are few; strangers' numbers must not fill the cache.
const MOST: u64 = 10_000;

/// Looks up app settings. Clones share the cache.
#[derive(Clone, Debug)]
pub struct Apps {
    directory: DirectoryClient<Link>,
    settings: Cache<AppId, Arc<v1::AppSettings>>,
}

impl Apps {
    /// Over a link to the directory, which may be connected later.
    #[must_use]
    pub fn new(directory: Link) -> Self {
        Self {
            directory: DirectoryClient::new(directory),
            settings: Cache::builder().max_capacity(MOST).time_to_live(KEPT_FOR).build(),
        }
    }

    /// The settings of an app, limits resolved to their defaults.
    ///
    /// # Errors
    /// [`Code::APP_UNKNOWN`] when there is no such app, [`Code::TIMEOUT`] when the directory does
    /// not answer.
    pub async fn get(&self, app: AppId) -> Result<Arc<v1::AppSettings>, CommandError> {
        if let Some(settings) = self.settings.get(&app).await {
            return Ok(settings);
        }
        let mut directory = self.directory.clone();
        let fetch = async move {
            let request = v1::GetAppRequest { app: app.0 };
            directory.get_app(request).await.map(|reply| Arc::new(reply.into_inner()))
        };
        self.settings.try_get_with(app, fetch).await.map_err(|status| match status.code() {
            tonic::Code::NotFound => Code::APP_UNKNOWN.with(format!("no app with SDKAppID {app}")),
            _ => {
                Code::TIMEOUT.with(format!("app settings are not available: {}", status.message()))
            }
        })
    }
}
