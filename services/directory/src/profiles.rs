//! Profiles: what users and administrators have set, all tags of a user in one row.

use std::sync::Arc;

use throng_protocol::ids::AppId;
use throng_protocol::limits;
use throng_store::Store;

use crate::records::{ProfileRecord, TagRecord, TagValue};
use crate::rows::{RowError, UserRows};
use crate::tables::PROFILES;
use crate::tags;

/// All profiles.
#[derive(Debug)]
pub(crate) struct Profiles {
    rows: UserRows<ProfileRecord>,
}

/// Why a profile was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetError {
    /// It would have more custom fields than an app may have.
    #[error("more than {} custom fields", limits::PROFILE_CUSTOM_FIELDS)]
    TooManyCustomFields,
    /// The row could not be written.
    #[error(transparent)]
    Row(#[from] RowError),
}

impl Profiles {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { rows: UserRows::new(&PROFILES, store) }
    }

    /// A user's profile; empty when nothing was ever set.
    pub(crate) async fn get(&self, app: AppId, user: &str) -> Result<Arc<ProfileRecord>, RowError> {
        self.rows.get(app, user).await
    }

    /// Sets fields, durably. Answers those whose value is another one now.
    pub(crate) async fn set(
        &self,
        app: AppId,
        user: &str,
        fields: &[(String, TagValue)],
    ) -> Result<Vec<(String, TagValue)>, SetError> {
        let mut too_many = false;
        let change = |row: &ProfileRecord| {
            let mut after = row.clone();
            for (tag, value) in fields {
                after.tags.insert(tag.clone(), TagRecord { value: Some(value.clone()) });
            }
            let custom = after.tags.keys().filter(|tag| tags::is_custom(tag)).count();
            too_many = custom > limits::PROFILE_CUSTOM_FIELDS;
            (!too_many && after != *row).then_some(after)
        };
        let (before, after) = self.rows.update(app, user, change).await?;
        if too_many {
            return Err(SetError::TooManyCustomFields);
        }
        let changed =
            after.tags.iter().filter(|(tag, record)| before.tags.get(*tag) != Some(record));
        let changed =
            changed.filter_map(|(tag, record)| Some((tag.clone(), record.value.clone()?)));
        Ok(changed.collect())
    }

    /// Empties a profile, durably.
    pub(crate) async fn clear(&self, app: AppId, user: &str) -> Result<(), RowError> {
        let clear = |row: &ProfileRecord| (!row.tags.is_empty()).then(ProfileRecord::default);
        self.rows.update(app, user, clear).await.map(|_| ())
    }

    /// Another directory changed it.
    pub(crate) async fn forget(&self, app: AppId, user: &str) {
        self.rows.forget(app, user).await;
    }

    /// Changes by others were missed.
    pub(crate) fn forget_all(&self) {
        self.rows.forget_all();
    }
}

#[cfg(test)]
mod tests {
    use throng_store::MemoryStore;

    use super::*;

    const APP: AppId = AppId(7);

    fn field(tag: &str, text: &str) -> (String, TagValue) {
        (tag.to_owned(), TagValue::Text(text.to_owned()))
    }

    #[tokio::test]
    async fn only_what_changed_is_reported() {
        let profiles = Profiles::new(Arc::new(MemoryStore::new()));
        let (ann, bob) = (field(tags::NICK, "Ann"), field(tags::NICK, "Bob"));
        let image = field(tags::IMAGE, "u");
        let both = [ann.clone(), image.clone()];
        let mut changed = profiles.set(APP, "u", &both).await.unwrap();
        changed.sort_by(|a, b| b.0.cmp(&a.0));
        assert_eq!(changed, [ann, image.clone()]);
        assert_eq!(profiles.set(APP, "u", &[bob.clone(), image]).await.unwrap(), [bob]);
        assert_eq!(profiles.get(APP, "u").await.unwrap().text(tags::NICK), "Bob");
        profiles.clear(APP, "u").await.unwrap();
        assert_eq!(profiles.get(APP, "u").await.unwrap().text(tags::NICK), "");
    }

    #[tokio::test]
    async fn custom_fields_are_counted() {
        let profiles = Profiles::new(Arc::new(MemoryStore::new()));
        let name = |index: u8| format!("Tag_Profile_Custom_{}", char::from(b'a' + index));
        let fields: Vec<_> = (0..20).map(|index| field(&name(index), "x")).collect();
        profiles.set(APP, "u", &fields).await.unwrap();
        let one_more = [field(&name(20), "x")];
        let error = profiles.set(APP, "u", &one_more).await.unwrap_err();
        assert!(matches!(error, SetError::TooManyCustomFields));
        assert_eq!(profiles.get(APP, "u").await.unwrap().tags.len(), 20);
        profiles.set(APP, "u", &[field(&name(3), "y")]).await.unwrap();
    }
}
