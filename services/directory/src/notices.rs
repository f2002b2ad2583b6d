//! What others hear of a change: the user's own sessions by a push, caches by the bus.

use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use serde::Serialize;
use serde::ser::SerializeMap;
use throng_bus::{Bus, subjects};
use throng_node::drain::Drain;
use throng_proto::Route;
use throng_proto::v1;
use throng_protocol::ids::{AppId, user_hash};

use crate::directory::{Directory, Inner};
use crate::records::TagValue;

/// A push is help, not promise: it must not hold a written change's answer back for longer.
const PUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Tells caches everywhere that an account or a profile changed.
pub(crate) fn publish_change(bus: &dyn Bus, app: AppId, user: &str) {
    let change = v1::ProfileChanged { app: app.0, user: user.to_owned() };
    let published = bus.publish(&subjects::profiles(app), change.encode_to_vec().into());
    if let Err(error) = published {
        // Caches notice by themselves when their copies run out.
        tracing::warn!(%error, "a changed profile was not announced");
    }
}

/// Tells a user's sessions, except the one that did it, which fields of the profile changed
/// (SDK protocol notes 01, 5.1).
pub(crate) async fn push_profile(
    inner: &Inner,
    app: AppId,
    user: &str,
    changed: &[(String, TagValue)],
    except_inst_id: u32,
) {
    let request = v1::DeliverRequest {
        app: app.0,
        users: vec![user.to_owned()],
        event_items: profile_item(user, changed),
        except_inst_id,
        ..v1::DeliverRequest::default()
    };
    let home = Route::hash(user_hash(app, user));
    let mut presence = inner.presence.clone();
    match tokio::time::timeout(PUSH_TIMEOUT, presence.deliver(home.request(request))).await {
        Ok(Ok(_)) => {}
        Ok(Err(status)) => tracing::warn!(%status, "a changed profile was not pushed"),
        Err(_) => tracing::warn!("a changed profile was not pushed in time"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'a> {
    event: u8,
    profile_data_mod: [Modification<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Modification<'a> {
    push_type: u8,
    #[serde(rename = "Profile_Account")]
    user: &'a str,
    profile_list: Vec<Field<'a>>,
}

/// Text stands in `ValueBytes`, a number in `ValueNum`.
struct Field<'a>(&'a str, &'a TagValue);

impl Serialize for Field<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("Tag", self.0)?;
        let key = match self.1 {
            TagValue::Text(_) => "ValueBytes",
            TagValue::Number(_) => "ValueNum",
        };
        map.serialize_entry(key, self.1)?;
        map.end()
    }
}

fn profile_item(user: &str, changed: &[(String, TagValue)]) -> Bytes {
    let profile_list = changed.iter().map(|(tag, value)| Field(tag, value)).collect();
    let item =
        Item { event: 8, profile_data_mod: [Modification { push_type: 1, user, profile_list }] };
    // Strings and numbers always have a JSON form.
    serde_json::to_vec(&item).unwrap_or_default().into()
}

/// Drops cached rows that other directories change, until the drain begins.
pub(crate) async fn follow_changes(directory: Directory, app: AppId, drain: Drain) {
    let inner = &directory.inner;
    let mut subscription = match inner.bus.subscribe(&subjects::profiles(app)).await {
        Ok(subscription) => subscription,
        Err(error) => {
            tracing::warn!(%error, "changes of profiles by other directories are seen late");
            return;
        }
    };
    loop {
        let delivery = tokio::select! {
            delivery = subscription.recv() => delivery,
            () = drain.draining() => return,
        };
        match delivery {
            Some(throng_bus::Delivery::Message(payload)) => {
                let Ok(change) = v1::ProfileChanged::decode(payload) else {
                    continue;
                };
                inner.accounts.forget(app, &change.user).await;
                inner.profiles.forget(app, &change.user).await;
            }
            Some(throng_bus::Delivery::Lagged(_)) => {
                inner.accounts.forget_all();
                inner.profiles.forget_all();
            }
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_push_is_what_the_client_reads() {
        let changed = [
            ("Tag_Profile_IM_Nick".to_owned(), TagValue::Text("Al".to_owned())),
            ("Tag_Profile_IM_Level".to_owned(), TagValue::Number(3)),
        ];
        assert_eq!(
            profile_item("alice", &changed),
            r#"{"Event":8,"ProfileDataMod":[{"PushType":1,"Profile_Account":"alice","ProfileList":[{"Tag":"Tag_Profile_IM_Nick","ValueBytes":"Al"},{"Tag":"Tag_Profile_IM_Level","ValueNum":3}]}]}"#
        );
    }
}
