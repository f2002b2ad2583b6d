//! The directory's part of the configuration: apps with their keys, administrators and limits.

mod groups;

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use throng_proto::v1;
use throng_protocol::ids::{self, AppId};
use throng_protocol::limits;

pub use groups::{FieldConfig, FieldLevel, GroupConfig};

/// Most administrators of one app (the vendor's documents say 5 or 10; there is no cost in more).
const MOST_ADMINS: usize = 100;
/// Most members that a live room may list: REST documents, "latest members".
const MOST_LATEST_MEMBERS: u32 = 1000;

/// Configuration of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The apps that this cluster serves, each a `[[app]]` section.
    #[serde(rename = "app")]
    pub apps: Vec<AppConfig>,
}

/// One app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// SDKAppID.
    pub id: u32,
    /// Secret key that signs and verifies UserSigs.
    pub key: AppKey,
    /// A second key that verifies as well: the next one, or the one before, while keys change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_key: Option<AppKey>,
    /// Users that may call the REST API and act in any group.
    #[serde(default = "default_admins")]
    pub admins: Vec<String>,
    /// How many instances of one user may be online together.
    #[serde(default)]
    pub devices: DeviceConfig,
    /// Limits and ways of live rooms.
    #[serde(default)]
    pub rooms: RoomConfig,
    /// Groups with stored members, and custom fields.
    #[serde(default)]
    pub groups: GroupConfig,
}

fn default_admins() -> Vec<String> {
    vec!["administrator".to_owned()]
}

impl AppConfig {
    /// An app with all defaults.
    #[must_use]
    pub fn new(id: AppId, key: impl Into<String>) -> Self {
        Self {
            id: id.0,
            key: AppKey(key.into()),
            next_key: None,
            admins: default_admins(),
            devices: DeviceConfig::default(),
            rooms: RoomConfig::default(),
            groups: GroupConfig::default(),
        }
    }

    /// As the other services see it: no limit is 0.
    pub(crate) fn settings(&self) -> v1::AppSettings {
        let keys = std::iter::once(&self.key).chain(&self.next_key);
        v1::AppSettings {
            app: self.id,
            keys: keys.map(|key| key.0.clone()).collect(),
            admins: self.admins.clone(),
            devices: Some(self.devices.resolved()),
            rooms: Some(self.rooms.resolved()),
            groups: Some(self.groups.resolved()),
        }
    }
}

/// A secret key of an app. Never printed: neither logs nor a dump of the configuration show it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct AppKey(pub String);

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl Serialize for AppKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("<secret>")
    }
}

/// `[app.devices]`: the multi-device policy. A limit of 0 means the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceConfig {
    /// Web instances of one user that may be online together; the oldest is displaced.
    pub web_instances: u32,
    /// Instances on each other platform.
    pub other_instances: u32,
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self { web_instances: limits::WEB_INSTANCES, other_instances: 1 }
    }
}

impl DeviceConfig {
    fn resolved(&self) -> v1::DevicePolicy {
        let default = Self::default();
        v1::DevicePolicy {
            web_instances: or_default(self.web_instances, default.web_instances),
            other_instances: or_default(self.other_instances, default.other_instances),
        }
    }
}

/// `[app.rooms]`: live rooms. A limit of 0 means the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomConfig {
    /// Messages a second that one live room delivers.
    pub messages_per_second: u32,
    /// Keep messages for 24 hours: history by REST, the latest 20 for someone who joins, recall.
    pub keep_history: bool,
    /// How logged-in members are served.
    pub mode: RoomMode,
    /// Latest members that can be listed, up to 1,000.
    pub latest_members: u32,
    /// Live rooms that one session may be in.
    pub rooms_per_session: u32,
    /// Live rooms that the app may have.
    pub max_rooms: u32,
    /// Seconds in which a client may recall its own message.
    pub recall_seconds: u32,
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self {
            messages_per_second: 40,
            keep_history: true,
            mode: RoomMode::Push,
            latest_members: 30,
            rooms_per_session: 10,
            max_rooms: 100_000,
            recall_seconds: 120,
        }
    }
}

impl RoomConfig {
    fn resolved(&self) -> v1::RoomPolicy {
        let default = Self::default();
        let mode = match self.mode {
            RoomMode::Push => v1::RoomMode::Push,
            RoomMode::Poll => v1::RoomMode::Poll,
        };
        v1::RoomPolicy {
            messages_per_second: or_default(self.messages_per_second, default.messages_per_second),
            keep_history: self.keep_history,
            mode: mode.into(),
            latest_members: or_default(self.latest_members, default.latest_members),
            rooms_per_session: or_default(self.rooms_per_session, default.rooms_per_session),
            max_rooms: or_default(self.max_rooms, default.max_rooms),
            recall_seconds: or_default(self.recall_seconds, default.recall_seconds),
        }
    }
}

/// How logged-in members of live rooms are served. Guests always poll.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomMode {
    /// Messages are pushed.
    #[default]
    Push,
    /// The client asks again and again.
    Poll,
}

fn or_default(limit: u32, default: u32) -> u32 {
    if limit == 0 { default } else { limit }
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("app {app}: {reason}")]
pub struct ConfigError {
    app: u32,
    reason: String,
}

impl Config {
    /// Checks what the types can't say.
    ///
    /// # Errors
    /// [`ConfigError`] names the app and the setting.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut seen = HashSet::new();
        for app in &self.apps {
            let fail = |reason: String| Err(ConfigError { app: app.id, reason });
            if app.id == 0 {
                return fail("id must not be 0".to_owned());
            }
            if !seen.insert(app.id) {
                return fail("is configured twice".to_owned());
            }
            if std::iter::once(&app.key).chain(&app.next_key).any(|key| key.0.is_empty()) {
                return fail("key must not be empty".to_owned());
            }
            if app.admins.is_empty() || app.admins.len() > MOST_ADMINS {
                return fail(format!("admins must name 1 to {MOST_ADMINS} users"));
            }
            if let Some(admin) = app.admins.iter().find(|admin| ids::user_id(admin).is_err()) {
                return fail(format!("admins: {admin:?} is no user ID"));
            }
            if app.rooms.latest_members > MOST_LATEST_MEMBERS {
                return fail(format!("rooms.latest_members must be at most {MOST_LATEST_MEMBERS}"));
            }
            if let Some(mistake) = app.groups.mistake() {
                return fail(mistake);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_short_section_gets_every_default() {
        let config = parse("[[app]]\nid = 1400000001\nkey = 'k'\n");
        config.validate().unwrap();
        assert_eq!(config.apps, [AppConfig::new(AppId(1_400_000_001), "k")]);
        let settings = config.apps[0].settings();
        assert_eq!(settings.admins, ["administrator"]);
        assert_eq!(settings.keys, ["k"]);
        assert_eq!(settings.devices.unwrap().web_instances, 10);
        let rooms = settings.rooms.unwrap();
        assert_eq!((rooms.messages_per_second, rooms.latest_members), (40, 30));
        assert_eq!((rooms.rooms_per_session, rooms.max_rooms), (10, 100_000));
        assert_eq!((rooms.recall_seconds, rooms.keep_history), (120, true));
        assert_eq!(rooms.mode(), v1::RoomMode::Push);
    }

    #[test]
    fn zero_means_the_default_and_the_rest_is_taken() {
        let config = parse(
            "[[app]]\nid = 7\nkey = 'a'\nnext_key = 'b'\n\
             [app.devices]\nweb_instances = 0\nother_instances = 3\n\
             [app.rooms]\nmode = 'poll'\nkeep_history = false\nmax_rooms = 0\n",
        );
        let settings = config.apps[0].settings();
        assert_eq!(settings.keys, ["a", "b"]);
        let devices = settings.devices.unwrap();
        assert_eq!((devices.web_instances, devices.other_instances), (10, 3));
        let rooms = settings.rooms.unwrap();
        assert_eq!((rooms.mode(), rooms.keep_history), (v1::RoomMode::Poll, false));
        assert_eq!(rooms.max_rooms, 100_000);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("[[app]]\nid = 0\nkey = 'k'", "id must not be 0"),
            ("[[app]]\nid = 1\nkey = 'k'\n[[app]]\nid = 1\nkey = 'k'", "twice"),
            ("[[app]]\nid = 1\nkey = ''", "key"),
            ("[[app]]\nid = 1\nkey = 'k'\nadmins = []", "admins"),
            ("[[app]]\nid = 1\nkey = 'k'\nadmins = ['']", "no user ID"),
            ("[[app]]\nid = 1\nkey = 'k'\n[app.rooms]\nlatest_members = 1001", "latest_members"),
        ] {
            let error = parse(text).validate().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(toml::from_str::<Config>("[[app]]\nid = 1\nkey = 'k'\nkeys = 'x'").is_err());
    }

    #[test]
    fn a_key_is_never_printed() {
        let config = Config { apps: vec![AppConfig::new(AppId(1), "hush-hush")] };
        assert!(!format!("{config:?}").contains("hush"));
        assert!(!toml::to_string(&config).unwrap().contains("hush"));
    }
}
