//! The apps: those of the configuration, and those that were made here and lie in the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use parking_lot::Mutex;
use prost::Message as _;
use rand::RngExt as _;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::ids::AppId;
use throng_store::{Key, Store, key};

use crate::config::{AppConfig, Config};
use crate::records::AppRecord;
use crate::rows::RowError;
use crate::tables::APPS;

/// The number of the demo app, unless a configured app has it.
const FIRST_DEMO_APP: u32 = 1_400_000_001;
/// Numbers of apps that were looked up; strangers may ask for any.
const MOST_CACHED: u64 = 10_000;
/// An unknown app may be made by another directory; a stored one never changes.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// All apps.
#[derive(Debug)]
pub(crate) struct AppBook {
    configured: HashMap<AppId, Arc<v1::AppSettings>>,
    store: Arc<dyn Store>,
    stored: Cache<AppId, Option<Arc<v1::AppSettings>>>,
    /// The demo app, once it was asked for.
    demo: Mutex<Option<AppId>>,
}

impl AppBook {
    pub(crate) fn new(config: &Config, store: Arc<dyn Store>) -> Self {
        let configured =
            config.apps.iter().map(|app| (AppId(app.id), Arc::new(app.settings()))).collect();
        let stored = Cache::builder().max_capacity(MOST_CACHED).time_to_live(KEPT_FOR).build();
        Self { configured, store, stored, demo: Mutex::new(None) }
    }

    /// An app's settings; None when there is no such app.
    pub(crate) async fn get(&self, app: AppId) -> Result<Option<Arc<v1::AppSettings>>, RowError> {
        if let Some(settings) = self.configured.get(&app) {
            return Ok(Some(Arc::clone(settings)));
        }
        if let Some(known) = self.stored.get(&app).await {
            return Ok(known);
        }
        let settings = self.read(app).await?.map(|record| Arc::new(settings(app, &record)));
        self.stored.insert(app, settings.clone()).await;
        Ok(settings)
    }

    /// Whether a user is an administrator of the app.
    pub(crate) async fn is_admin(&self, app: AppId, user: &str) -> Result<bool, RowError> {
        let settings = self.get(app).await?;
        Ok(settings.is_some_and(|settings| settings.admins.iter().any(|admin| admin == user)))
    }

    /// The apps whose changes this directory follows.
    pub(crate) fn followed(&self) -> Vec<AppId> {
        self.configured.keys().copied().chain(*self.demo.lock()).collect()
    }

    /// The demo app and its key, made on the first call and the same for ever after.
    pub(crate) async fn ensure_demo(&self) -> Result<(AppId, String), RowError> {
        let free = (FIRST_DEMO_APP..).map(AppId).filter(|app| !self.configured.contains_key(app));
        for app in free {
            let record = self.read_or_make_demo(app).await?;
            if record.demo {
                *self.demo.lock() = Some(app);
                self.stored.invalidate(&app).await;
                return Ok((app, record.key));
            }
        }
        Err(RowError::Contended)
    }

    async fn read_or_make_demo(&self, app: AppId) -> Result<AppRecord, RowError> {
        if let Some(record) = self.read(app).await? {
            return Ok(record);
        }
        let record = AppRecord { key: random_key(), created_at: now_seconds(), demo: true };
        let bytes = record.encode_to_vec().into();
        if self.store.put_if_absent(&APPS, &key![app.0], &Key::new(), bytes).await? {
            return Ok(record);
        }
        self.read(app).await?.ok_or(RowError::Contended)
    }

    async fn read(&self, app: AppId) -> Result<Option<AppRecord>, RowError> {
        let row = self.store.get(&APPS, &key![app.0], &Key::new()).await?;
        Ok(row.map(AppRecord::decode).transpose()?)
    }
}

fn settings(app: AppId, record: &AppRecord) -> v1::AppSettings {
    AppConfig::new(app, record.key.clone()).settings()
}

/// 64 hexadecimal digits, as long as the vendor's keys.
fn random_key() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use throng_store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn the_demo_app_stays_the_same_and_avoids_configured_ones() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let taken = AppConfig::new(AppId(FIRST_DEMO_APP), "configured");
        let config = Config { apps: vec![taken] };
        let (app, key) = AppBook::new(&config, Arc::clone(&store)).ensure_demo().await.unwrap();
        assert_eq!(app, AppId(FIRST_DEMO_APP + 1));
        assert_eq!(key.len(), 64);

        let again = AppBook::new(&config, store);
        assert_eq!(again.ensure_demo().await.unwrap(), (app, key.clone()));
        assert_eq!(again.get(app).await.unwrap().unwrap().keys, [key]);
        let configured = again.get(AppId(FIRST_DEMO_APP)).await.unwrap().unwrap();
        assert_eq!(configured.keys, ["configured"]);
    }

    #[tokio::test]
    async fn an_unknown_app_becomes_known_when_it_is_made() {
        let book = AppBook::new(&Config::default(), Arc::new(MemoryStore::new()));
        assert!(book.get(AppId(FIRST_DEMO_APP)).await.unwrap().is_none());
        let (app, _) = book.ensure_demo().await.unwrap();
        assert!(book.get(app).await.unwrap().is_some());
        assert_eq!(book.followed(), [app]);
    }
}
