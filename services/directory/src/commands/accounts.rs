//! `im_open_login_svc`: accounts made, looked up, deleted and logged out by the app's server
//! (REST notes 02, 5.1).

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use throng_node::time::now_seconds;
use throng_proto::Route;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::{envelope, ids, limits};

use super::{Call, internal};
use crate::notices;
use crate::profiles::SetError;
use crate::records::TagValue;
use crate::tags;

const BAD: Code = Code::ACCOUNT_BAD_PARAMETER;
const INTERNAL: Code = Code::ACCOUNT_INTERNAL;

/// An account to import, with what its profile should say.
#[derive(Deserialize)]
struct Import {
    #[serde(rename = "UserID")]
    user: String,
    #[serde(rename = "Nick")]
    nick: Option<String>,
    #[serde(rename = "FaceUrl")]
    face_url: Option<String>,
}

pub(super) async fn account_import(call: &Call<'_>) -> Result<Bytes, CommandError> {
    let import: Import = envelope::parse(&call.body, BAD)?;
    call.import(&import).await?;
    Ok(envelope::ok(&()))
}

/// Older callers send names only, newer ones nickname and avatar too.
#[derive(Deserialize)]
struct MultiImport {
    #[serde(rename = "Accounts")]
    accounts: Option<Vec<String>>,
    #[serde(rename = "AccountList")]
    account_list: Option<Vec<Import>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MultiImported {
    fail_accounts: Vec<String>,
}

pub(super) async fn multiaccount_import(call: &Call<'_>) -> Result<Bytes, CommandError> {
    let request: MultiImport = envelope::parse(&call.body, BAD)?;
    let bare = |user| Import { user, nick: None, face_url: None };
    let (name, imports) = match (request.account_list, request.accounts) {
        (Some(list), _) => ("AccountList", list),
        (None, Some(names)) => ("Accounts", names.into_iter().map(bare).collect()),
        (None, None) => return Err(BAD.with("AccountList: missing field")),
    };
    check_batch(name, imports.len())?;
    let mut fail_accounts = Vec::new();
    for import in imports {
        match call.import(&import).await {
            Ok(()) => {}
            // The store is the caller's problem as a whole, a wrong name is one account's.
            Err(error) if error.code == INTERNAL => return Err(error),
            Err(_) => fail_accounts.push(import.user),
        }
    }
    Ok(envelope::ok(&MultiImported { fail_accounts }))
}

#[derive(Deserialize)]
struct UserItem {
    #[serde(rename = "UserID")]
    user: String,
}

#[derive(Deserialize)]
struct Check {
    #[serde(rename = "CheckItem")]
    items: Vec<UserItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Results {
    result_item: Vec<ResultItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResultItem {
    #[serde(rename = "UserID")]
    user: String,
    result_code: u32,
    result_info: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_status: Option<&'static str>,
}

pub(super) async fn account_check(call: &Call<'_>) -> Result<Bytes, CommandError> {
    let check: Check = envelope::parse(&call.body, BAD)?;
    check_batch("CheckItem", check.items.len())?;
    let mut result_item = Vec::with_capacity(check.items.len());
    for UserItem { user } in check.items {
        let exists = call.inner.account_exists(call.context.app, &user).await;
        let status = if exists.map_err(internal(INTERNAL))? { "Imported" } else { "NotImported" };
        let account_status = Some(status);
        result_item.push(ResultItem { user, result_code: 0, result_info: "", account_status });
    }
    Ok(envelope::ok(&Results { result_item }))
}

#[derive(Deserialize)]
struct Delete {
    #[serde(rename = "DeleteItem")]
    items: Vec<UserItem>,
}

pub(super) async fn account_delete(call: &Call<'_>) -> Result<Bytes, CommandError> {
    let delete: Delete = envelope::parse(&call.body, BAD)?;
    check_batch("DeleteItem", delete.items.len())?;
    let mut result_item = Vec::with_capacity(delete.items.len());
    for UserItem { user } in delete.items {
        let code = call.delete(&user).await?;
        let result_info = if code == Code::OK { "" } else { code.meaning() };
        let result_code = code.number();
        result_item.push(ResultItem { user, result_code, result_info, account_status: None });
    }
    Ok(envelope::ok(&Results { result_item }))
}

/// The documents called the field `Identifier` until about 2022.
#[derive(Deserialize)]
struct Kick {
    #[serde(rename = "UserID", alias = "Identifier")]
    user: String,
}

/// All signatures issued earlier stop working, and the user's sessions end. A signature made in the
/// same second counts as later: apps kick and sign anew at once.
pub(super) async fn kick(call: &Call<'_>) -> Result<Bytes, CommandError> {
    let Kick { user } = envelope::parse(&call.body, BAD)?;
    check_user(&user)?;
    let (inner, app) = (call.inner, call.context.app);
    if !inner.account_exists(app, &user).await.map_err(internal(INTERNAL))? {
        return Err(Code::ACCOUNT_UNKNOWN.with(format!("UserID: no account {user}")));
    }
    inner.accounts.revoke(app, &user, now_seconds()).await.map_err(internal(INTERNAL))?;
    notices::publish_change(&*inner.bus, app, &user);
    call.end_sessions(&user).await?;
    Ok(envelope::ok(&()))
}

impl Call<'_> {
    /// Makes the account unless it exists, and sets what was given of its profile.
    async fn import(&self, import: &Import) -> Result<(), CommandError> {
        check_user(&import.user)?;
        let given =
            [("Nick", tags::NICK, &import.nick), ("FaceUrl", tags::IMAGE, &import.face_url)];
        let mut fields: Vec<(String, TagValue)> = Vec::new();
        for (name, tag, value) in given {
            let Some(value) = value else { continue };
            let value = tags::check_value(tag, &Value::String(value.clone()))
                .map_err(|error| error.code.with(format!("{name}: {}", error.info)))?;
            fields.push((tag.to_owned(), value));
        }
        let (inner, app) = (self.inner, self.context.app);
        let made = inner.accounts.ensure(app, &import.user, now_seconds(), 0).await;
        made.map_err(internal(INTERNAL))?;
        if fields.is_empty() {
            return Ok(());
        }
        let changed = inner.profiles.set(app, &import.user, &fields).await.map_err(|error| {
            let SetError::Row(error) = error else {
                return BAD.with(error.to_string());
            };
            internal(INTERNAL)(error)
        })?;
        if !changed.is_empty() {
            notices::publish_change(&*inner.bus, app, &import.user);
            notices::push_profile(inner, app, &import.user, &changed, 0).await;
        }
        Ok(())
    }

    /// Deletes one account; the code is that of its item.
    async fn delete(&self, user: &str) -> Result<Code, CommandError> {
        let (inner, app) = (self.inner, self.context.app);
        if ids::user_id(user).is_err() {
            return Ok(Code::ACCOUNT_UNKNOWN);
        }
        if inner.apps.is_admin(app, user).await.map_err(internal(INTERNAL))? {
            return Ok(BAD);
        }
        let existed = inner.accounts.delete(app, user, now_seconds()).await;
        if !existed.map_err(internal(INTERNAL))? {
            return Ok(Code::ACCOUNT_UNKNOWN);
        }
        inner.profiles.clear(app, user).await.map_err(internal(INTERNAL))?;
        notices::publish_change(&*inner.bus, app, user);
        self.end_sessions(user).await?;
        Ok(Code::OK)
    }

    async fn end_sessions(&self, user: &str) -> Result<(), CommandError> {
        let request = v1::KickUserRequest { app: self.context.app.0, user: user.to_owned() };
        let home = Route::hash(ids::user_hash(self.context.app, user));
        let mut presence = self.inner.presence.clone();
        presence.kick_user(home.request(request)).await.map(|_| ()).map_err(|status| {
            tracing::warn!(%status, "sessions could not be ended");
            INTERNAL.with("the user's sessions could not be ended: try again")
        })
    }
}

fn check_user(user: &str) -> Result<(), CommandError> {
    ids::user_id(user).map_err(|error| BAD.with(format!("UserID: {}", error.info)))
}

fn check_batch(field: &str, count: usize) -> Result<(), CommandError> {
    if (1..=limits::ACCOUNTS_PER_REQUEST).contains(&count) {
        return Ok(());
    }
    let most = limits::ACCOUNTS_PER_REQUEST;
    Err(Code::ACCOUNT_BAD_BATCH.with(format!("{field}: must hold 1 to {most} accounts")))
}
