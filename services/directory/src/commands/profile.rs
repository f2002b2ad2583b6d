//! `profile`: what users show of themselves (REST notes 02, 5.4; SDK protocol notes 01, 5.1).

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids;
use throng_protocol::{envelope, limits};

use super::{Call, Display, internal};
use crate::notices;
use crate::profiles::SetError;
use crate::records::{ProfileRecord, TagValue};
use crate::tags;

const BAD: Code = Code::PROFILE_BAD_PARAMETER;
const INTERNAL: Code = Code::PROFILE_INTERNAL;
/// Fields in one request to set: more than there are.
const MOST_FIELDS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    #[serde(rename = "From_Account")]
    from: String,
    profile_item: Vec<SetItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetItem {
    tag: String,
    value: Value,
}

/// A client sets its own profile, an administrator anybody's. Answered when it is durable.
pub(super) async fn portrait_set(call: &Call<'_>) -> Result<Bytes, CommandError> {
    let set: Set = envelope::parse(&call.body, BAD)?;
    if !(1..=MOST_FIELDS).contains(&set.profile_item.len()) {
        return Err(BAD.with(format!("ProfileItem: must hold 1 to {MOST_FIELDS} fields")));
    }
    ids::user_id(&set.from).map_err(|error| BAD.with(format!("From_Account: {}", error.info)))?;
    let (inner, context) = (call.inner, &call.context);
    let own = context.caller.user == set.from;
    if !own && !context.caller.admin {
        return Err(Code::PROFILE_NEEDS_ADMIN.with("From_Account: is not the caller"));
    }
    let mut fields = Vec::with_capacity(set.profile_item.len());
    for SetItem { tag, value } in set.profile_item {
        let value = tags::check_value(&tag, &value)?;
        fields.push((tag, value));
    }
    if !inner.account_exists(context.app, &set.from).await.map_err(internal(INTERNAL))? {
        return Err(Code::PROFILE_UNKNOWN_USER.with("From_Account: no such account"));
    }
    let changed = inner.profiles.set(context.app, &set.from, &fields).await;
    let changed = changed.map_err(|error| match error {
        SetError::TooManyCustomFields => BAD.with(format!("ProfileItem: {error}")),
        SetError::Row(error) => internal(INTERNAL)(error),
    })?;
    if !changed.is_empty() {
        notices::publish_change(&*inner.bus, context.app, &set.from);
        let except = if own { context.origin.inst_id } else { 0 };
        notices::push_profile(inner, context.app, &set.from, &changed, except).await;
    }
    Ok(envelope::ok(&Display::default()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetAll {
    user_item: Vec<GetAllItem>,
}

#[derive(Deserialize)]
struct GetAllItem {
    /// Absent or empty in some requests of the SDK (SDK protocol notes 03, 22): skipped.
    #[serde(rename = "To_Account")]
    user: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Profiles {
    user_profile_item: Vec<ProfileAnswer>,
    #[serde(skip_serializing_if = "Vec::is_empty", rename = "Fail_Account")]
    fail_account: Vec<String>,
    error_display: &'static str,
}

#[derive(Serialize)]
struct ProfileAnswer {
    #[serde(rename = "To_Account")]
    user: String,
    #[serde(rename = "ProfileItem")]
    fields: Vec<Field>,
    #[serde(rename = "ResultCode")]
    result_code: u32,
    #[serde(rename = "ResultInfo")]
    result_info: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Field {
    tag: String,
    value: TagValue,
}

/// What the SDK asks: whole profiles. Unknown users are left out; a user that never set anything has
/// an empty list.
pub(super) async fn portrait_get_all(call: &Call<'_>) -> Result<Bytes, CommandError> {
    let request: GetAll = envelope::parse(&call.body, BAD)?;
    check_users("UserItem", request.user_item.len())?;
    let mut user_profile_item = Vec::with_capacity(request.user_item.len());
    for user in request.user_item.into_iter().filter_map(|item| item.user) {
        if let Some(profile) = call.profile(&user).await? {
            let fields = fields(&profile, |_| true);
            user_profile_item.push(ProfileAnswer { user, fields, result_code: 0, result_info: "" });
        }
    }
    let fail_account = Vec::new();
    Ok(envelope::ok(&Profiles { user_profile_item, fail_account, error_display: "" }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    #[serde(rename = "To_Account")]
    users: Vec<String>,
    tag_list: Vec<String>,
}

/// What app servers ask: some fields of some users. Fields that were never set are absent.
pub(super) async fn portrait_get(call: &Call<'_>) -> Result<Bytes, CommandError> {
    let request: Get = envelope::parse(&call.body, BAD)?;
    if request.users.is_empty() {
        return Err(Code::PROFILE_NO_USER.with("To_Account: is empty"));
    }
    check_users("To_Account", request.users.len())?;
    if !(1..=MOST_FIELDS).contains(&request.tag_list.len()) {
        return Err(BAD.with(format!("TagList: must hold 1 to {MOST_FIELDS} tags")));
    }
    request.tag_list.iter().try_for_each(|tag| tags::check_known(tag))?;
    let mut user_profile_item = Vec::with_capacity(request.users.len());
    let mut fail_account = Vec::new();
    for user in request.users {
        let (fields, code) = match call.profile(&user).await? {
            Some(profile) => (fields(&profile, |tag| request.tag_list.contains(tag)), Code::OK),
            None => (Vec::new(), Code::PROFILE_UNKNOWN_USER),
        };
        let (result_code, result_info) = match code {
            Code::OK => (0, ""),
            code => {
                fail_account.push(user.clone());
                (code.number(), code.meaning())
            }
        };
        user_profile_item.push(ProfileAnswer { user, fields, result_code, result_info });
    }
    Ok(envelope::ok(&Profiles { user_profile_item, fail_account, error_display: "" }))
}

impl Call<'_> {
    /// The profile of a user that exists.
    async fn profile(&self, user: &str) -> Result<Option<Arc<ProfileRecord>>, CommandError> {
        let (inner, app) = (self.inner, self.context.app);
        if !inner.account_exists(app, user).await.map_err(internal(INTERNAL))? {
            return Ok(None);
        }
        inner.profiles.get(app, user).await.map(Some).map_err(internal(INTERNAL))
    }
}

fn fields(profile: &ProfileRecord, wanted: impl Fn(&String) -> bool) -> Vec<Field> {
    let fields = profile.tags.iter().filter(|(tag, _)| wanted(tag));
    let field = |(tag, record): (&String, &crate::records::TagRecord)| {
        Some(Field { tag: tag.clone(), value: record.value.clone()? })
    };
    fields.filter_map(field).collect()
}

fn check_users(field: &str, count: usize) -> Result<(), CommandError> {
    if count > limits::PROFILES_PER_REQUEST {
        let most = limits::PROFILES_PER_REQUEST;
        return Err(BAD.with(format!("{field}: must hold at most {most} users")));
    }
    Ok(())
}
