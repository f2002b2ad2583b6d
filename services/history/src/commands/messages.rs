//! `openim.*`: what a client missed (SDK protocol notes 3, 6).

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};

const BAD: Code = Code::MESSAGE_BAD_PACKET;

/// Where somebody stands who has seen nothing yet.
const START: &str = "0";

/// `SyncFlag` of the last part.
const DONE: u8 = 2;

/// What was missed: nothing. The SDK takes the answer only with a cookie that is not empty, a flag
/// that it knows and a list, and looks for missed calls only after such an answer.
pub(super) fn getmsg(body: &[u8]) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(rename = "Cookie", default, borrow)]
        cookie: Cow<'a, str>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        cookie: &'a str,
        sync_flag: u8,
        msg_list: [(); 0],
    }
    let request: Request<'_> = envelope::parse(body, BAD)?;
    let cookie = if request.cookie.is_empty() { START } else { &request.cookie };
    Ok(envelope::ok(&Answer { cookie, sync_flag: DONE, msg_list: [] }))
}

/// The key for media hosts that the older SDK fetches while it starts: there are none.
pub(super) fn authkey(body: &[u8]) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    struct Request {}
    let Request {} = envelope::parse(body, BAD)?;
    Ok(envelope::ok(&()))
}
