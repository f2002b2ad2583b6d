//! `sns`: friends, friend lists, requests and blocklists; and what one user set for single chats.
//!
//! Nothing can be added yet, so all of it is empty. The answers have every field that clients read
//! at login: a blocklist without `StartIndex`, for one, makes them ask for ever (SDK protocol notes
//! 03, 13 and 14).

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};

use super::{Call, internal};

const BAD: Code = Code::SNS_BAD_PARAMETER;

#[derive(Deserialize)]
struct Of {
    #[serde(rename = "From_Account")]
    user: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BlackList {
    black_list_item: [(); 0],
    /// 0: there is no next page.
    start_index: u32,
    /// Spelt so in the interface.
    curruent_sequence: u32,
    error_display: &'static str,
}

pub(super) async fn black_list_get(call: &Call<'_>) -> Result<Bytes, CommandError> {
    call.relations_of().await?;
    Ok(envelope::ok(&BlackList {
        black_list_item: [],
        start_index: 0,
        curruent_sequence: 0,
        error_display: "",
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Friends {
    user_data_item: [(); 0],
    standard_sequence: u32,
    custom_sequence: u32,
    friend_num: u32,
    /// Not 0: there is no next page.
    complete_flag: u32,
    next_start_index: u32,
    error_display: &'static str,
}

pub(super) async fn friend_get(call: &Call<'_>) -> Result<Bytes, CommandError> {
    call.relations_of().await?;
    Ok(envelope::ok(&Friends {
        user_data_item: [],
        standard_sequence: 0,
        custom_sequence: 0,
        friend_num: 0,
        complete_flag: 1,
        next_start_index: 0,
        error_display: "",
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FriendLists {
    result_item: [(); 0],
    current_sequence: u32,
    error_display: &'static str,
}

pub(super) async fn group_get(call: &Call<'_>) -> Result<Bytes, CommandError> {
    call.relations_of().await?;
    Ok(envelope::ok(&FriendLists { result_item: [], current_sequence: 0, error_display: "" }))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pendency {
    pendency_item: [(); 0],
    unread_pendency_count: u32,
    start_time: u32,
    current_sequence: u32,
    error_display: &'static str,
}

pub(super) async fn pendency_get(call: &Call<'_>) -> Result<Bytes, CommandError> {
    call.relations_of().await?;
    Ok(envelope::ok(&Pendency {
        pendency_item: [],
        unread_pendency_count: 0,
        start_time: 0,
        current_sequence: 0,
        error_display: "",
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MuteNotifications {
    mute_notifications_list: [(); 0],
}

/// Peers that are not listed notify.
pub(super) fn get_c2c_peer_mute_notifications(_: &Call<'_>) -> Result<Bytes, CommandError> {
    Ok(envelope::ok(&MuteNotifications { mute_notifications_list: [] }))
}

impl Call<'_> {
    /// Checks whose relations are asked for: a client's own, or any existing user's for an
    /// administrator.
    async fn relations_of(&self) -> Result<(), CommandError> {
        let Of { user } = envelope::parse(&self.body, BAD)?;
        let caller = &self.context.caller;
        if caller.user == user {
            return Ok(());
        }
        if !caller.admin {
            return Err(Code::SNS_NEEDS_ADMIN.with("From_Account: is not the caller"));
        }
        let exists = self.inner.account_exists(self.context.app, &user).await;
        if !exists.map_err(internal(Code::SNS_INTERNAL))? {
            return Err(Code::SNS_UNKNOWN_USER.with("From_Account: no such account"));
        }
        Ok(())
    }
}
