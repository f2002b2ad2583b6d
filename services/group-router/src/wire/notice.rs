//! System notices: what clients show in the conversation of the system, and what makes them leave a
//! room cleanly (SDK protocol notes 02, 3.4).

use serde::Serialize;

use super::Encoded;
use super::item::GroupInfo;
use super::system::{Stamp, system_item};

/// `ReportType` of a notice.
pub(crate) mod report {
    pub(crate) const APPLIED: u32 = 1;
    pub(crate) const ACCEPTED: u32 = 2;
    pub(crate) const REFUSED: u32 = 3;
    pub(crate) const REMOVED: u32 = 4;
    pub(crate) const DISMISSED: u32 = 5;
    pub(crate) const CREATED: u32 = 6;
    pub(crate) const ADDED: u32 = 7;
    pub(crate) const QUIT: u32 = 8;
    pub(crate) const BECAME_ADMIN: u32 = 9;
    pub(crate) const NO_LONGER_ADMIN: u32 = 10;
    pub(crate) const INVITED: u32 = 12;
    pub(crate) const INVITATION_ACCEPTED: u32 = 13;
    pub(crate) const INVITATION_REFUSED: u32 = 14;
    pub(crate) const BANNED: u32 = 21;
    pub(crate) const CUSTOM: u32 = 255;
}

/// One notice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notice<'a> {
    /// [`report`].
    pub(crate) report: u32,
    pub(crate) operator: &'a str,
    /// Why, in somebody's words.
    pub(crate) remark: &'a str,
    /// For [`report::CUSTOM`].
    pub(crate) text: &'a str,
    /// For [`report::BANNED`]: seconds and reason.
    pub(crate) ban: Option<(u32, &'a str)>,
    /// For [`report::APPLIED`] and [`report::INVITED`]: what the decision names.
    pub(crate) msg_key: Option<u64>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "ReportType")]
    report: u32,
    #[serde(rename = "Operator_Account")]
    operator: &'a str,
    #[serde(rename = "UserDefinedField")]
    text: &'a str,
    #[serde(rename = "RemarkInfo")]
    remark: &'a str,
    #[serde(rename = "MsgKey", skip_serializing_if = "Option::is_none")]
    msg_key: Option<u64>,
    #[serde(rename = "Authentication", skip_serializing_if = "Option::is_none")]
    authentication: Option<&'a str>,
    #[serde(rename = "BanDuration", skip_serializing_if = "Option::is_none")]
    duration: Option<u32>,
    #[serde(rename = "BanDescription", skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

/// Encodes a notice and its frame. `random` must differ between notices; clients drop repetitions.
pub(crate) fn notice_item(
    notice: &Notice<'_>,
    group_info: GroupInfo<'_>,
    msg_seq: u32,
    random: u32,
    time: i64,
) -> Encoded {
    let body = Body {
        report: notice.report,
        operator: notice.operator,
        text: notice.text,
        remark: notice.remark,
        msg_key: notice.msg_key,
        authentication: notice.msg_key.map(|_| ""),
        duration: notice.ban.map(|(seconds, _)| seconds),
        description: notice.ban.map(|(_, reason)| reason),
    };
    system_item(5, group_info, Stamp { msg_seq, random, time }, body)
}
