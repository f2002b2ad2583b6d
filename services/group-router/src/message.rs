//! The body of a `send_group_msg` request (REST notes 01, 3.16; SDK protocol notes 02, 2.3), checked before
//! the message goes anywhere. What can stay a part of the request is not copied.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use throng_node::time::now_seconds;
use throng_protocol::elements::MsgBody;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::user_id;
use throng_protocol::{envelope, limits};

use crate::core::limiter::Priority;
use crate::wire::Wants;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    #[serde(borrow)]
    group_id: Cow<'a, str>,
    random: u32,
    #[serde(borrow)]
    msg_body: &'a RawValue,
    #[serde(borrow, rename = "From_Account")]
    from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    msg_priority: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cloud_custom_data: Option<Cow<'a, str>>,
    #[serde(default)]
    client_seq: u64,
    msg_client_time: Option<i64>,
    #[serde(default)]
    need_read_receipt: u32,
    #[serde(default)]
    support_message_extension: u32,
    #[serde(rename = "To_Account", default)]
    recipients: Vec<String>,
    #[serde(default)]
    online_only_flag: u32,
    #[serde(default)]
    send_msg_control: Vec<String>,
    group_at_info: Option<Vec<AtInfo>>,
}

#[derive(Deserialize)]
struct AtInfo {
    #[serde(rename = "GroupAtAllFlag", default)]
    all: u32,
    #[serde(rename = "GroupAt_Account", default)]
    user: String,
}

/// How a message is to be treated where that is not the usual way; live rooms do not know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    /// Only who is online gets it: it is not kept and has no number.
    pub online_only: bool,
    /// Nobody has to have read it.
    pub no_unread: bool,
    /// It is not the conversation's last message.
    pub no_last: bool,
    /// Whom it mentions, each once.
    pub mentions: Vec<String>,
    /// It mentions all.
    pub mentions_all: bool,
}

/// A message whose fields are all valid.
#[derive(Debug)]
pub struct Checked<'a> {
    /// Where it goes.
    pub group_id: Cow<'a, str>,
    /// Who speaks: the caller, or over REST the account that it named.
    pub from: Cow<'a, str>,
    /// High, Normal, Low or Lowest.
    pub priority: Priority,
    /// Tells repetitions from new messages.
    pub random: u32,
    /// Seconds since 1970, the client's.
    pub client_time: i64,
    /// The client's number of the message.
    pub client_seq: u64,
    /// The elements as JSON text.
    pub body: Bytes,
    /// Opaque to the server.
    pub cloud_custom_data: String,
    /// Only these get it; empty: all.
    pub recipients: Vec<String>,
    /// What the sender asks for beside.
    pub wants: Wants,
    /// What else is to be done with it.
    pub control: Control,
}

/// Checks the body of a request by `caller`; an app server (`rest`) may speak for others.
///
/// # Errors
/// 10004 that names the field, 10005 for too many receivers, 80002 for a message that is too long.
pub fn check<'a>(
    body: &'a Bytes,
    caller: &'a str,
    rest: bool,
) -> Result<Checked<'a>, CommandError> {
    let request: Request<'a> = envelope::parse(body, Code::GROUP_BAD_PARAMETER)?;
    let bad = |info: String| Err(Code::GROUP_BAD_PARAMETER.with(info));
    let priority = match request.msg_priority.as_deref() {
        None | Some("") => Priority::Normal,
        Some(name) => match Priority::from_name(name) {
            Some(priority) => priority,
            None => return bad(format!("MsgPriority: no priority {name:?}")),
        },
    };
    check_recipients(&request.recipients)?;
    let mut control = mentions(request.group_at_info.unwrap_or_default())?;
    control.online_only = request.online_only_flag > 0;
    // Other words are for parts of the vendor's service that are not here.
    let asked = |what: &str| request.send_msg_control.iter().any(|word| word == what);
    control.no_unread = asked("NoUnread");
    control.no_last = asked("NoLastMsg");
    if rest && control.online_only && (control.no_unread || control.no_last) {
        return bad("SendMsgControl: not together with OnlineOnlyFlag".to_owned());
    }
    let custom = request.cloud_custom_data.unwrap_or_default();
    let elements =
        MsgBody::parse(request.msg_body, limits::MESSAGE_BYTES, Code::GROUP_BAD_PARAMETER)?;
    if elements.len() + custom.len() > limits::MESSAGE_BYTES {
        let info = format!("MsgBody and CloudCustomData: over {} bytes", limits::MESSAGE_BYTES);
        return Err(Code::MESSAGE_TOO_LONG.with(info));
    }
    let from = match request.from {
        Some(from) if !from.is_empty() && from != caller => {
            if !rest {
                return bad("From_Account: is not the caller".to_owned());
            }
            from
        }
        _ => Cow::Borrowed(caller),
    };
    Ok(Checked {
        group_id: request.group_id,
        from,
        priority,
        random: request.random,
        client_time: request.msg_client_time.unwrap_or_else(now_seconds),
        client_seq: request.client_seq,
        body: part_of(body, elements.json()),
        cloud_custom_data: custom.into_owned(),
        recipients: request.recipients,
        wants: Wants {
            receipts: request.need_read_receipt != 0,
            extensions: request.support_message_extension != 0,
        },
        control,
    })
}

fn mentions(infos: Vec<AtInfo>) -> Result<Control, CommandError> {
    if infos.len() > limits::MENTIONS {
        let info = format!("GroupAtInfo: at most {} entries", limits::MENTIONS);
        return Err(Code::GROUP_TOO_MANY.with(info));
    }
    let mut control = Control::default();
    for AtInfo { all, user } in infos {
        if all > 0 {
            control.mentions_all = true;
            continue;
        }
        user_id(&user).map_err(|error| {
            Code::GROUP_BAD_PARAMETER.with(format!("GroupAtInfo: {}", error.info))
        })?;
        if !control.mentions.contains(&user) {
            control.mentions.push(user);
        }
    }
    Ok(control)
}

fn check_recipients(recipients: &[String]) -> Result<(), CommandError> {
    if recipients.len() > limits::DIRECTED_RECEIVERS {
        let info = format!("To_Account: at most {} receivers", limits::DIRECTED_RECEIVERS);
        return Err(Code::GROUP_TOO_MANY.with(info));
    }
    for user in recipients {
        user_id(user).map_err(|error| {
            Code::GROUP_BAD_PARAMETER.with(format!("To_Account: {}", error.info))
        })?;
    }
    Ok(())
}

/// A text as a part of the request if it is one, else a copy.
fn part_of(whole: &Bytes, text: &str) -> Bytes {
    let (start, part) = (whole.as_ptr() as usize, text.as_ptr() as usize);
    let inside = part >= start && part + text.len() <= start + whole.len();
    if inside { whole.slice_ref(text.as_bytes()) } else { Bytes::copy_from_slice(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(elements: &str) -> Bytes {
        Bytes::from(format!(r#"{{"GroupId":"live","Random":7,"MsgBody":{elements}}}"#))
    }

    #[test]
    fn elements_stay_where_they_are_unless_they_had_to_be_written_anew() {
        let tight =
            body(r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello and a bit more"}}]"#);
        let checked = check(&tight, "ann", false).unwrap();
        let range = tight.as_ptr_range();
        assert!(range.contains(&checked.body.as_ptr()), "a part of the request");
        assert_eq!(checked.from, "ann");
        let loose = body(r#"[ {"MsgType":"TIMTextElem", "MsgContent":{"Text":"a b"}} ]"#);
        let checked = check(&loose, "ann", false).unwrap();
        assert_eq!(
            &checked.body[..],
            br#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a b"}}]"#
        );
    }

    #[test]
    fn what_else_is_wanted_is_read_from_the_request() {
        let text = r#"{"GroupId":"g","Random":7,"OnlineOnlyFlag":0,
            "SendMsgControl":["NoUnread","NoMsgCheck"],"GroupAtInfo":[{"GroupAtAllFlag":1},
            {"GroupAtAllFlag":0,"GroupAt_Account":"bob"},{"GroupAt_Account":"bob"}],
            "MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}}]}"#;
        let body = Bytes::from(text);
        let wanted = Control {
            no_unread: true,
            mentions: vec!["bob".to_owned()],
            mentions_all: true,
            ..Control::default()
        };
        assert_eq!(check(&body, "ann", false).unwrap().control, wanted);
        let both = Bytes::from(text.replace("\"OnlineOnlyFlag\":0", "\"OnlineOnlyFlag\":1"));
        let error = check(&both, "admin", true).unwrap_err();
        assert_eq!(error.code, Code::GROUP_BAD_PARAMETER);
    }

    #[test]
    fn only_app_servers_speak_for_others() {
        let text = r#"{"GroupId":"live","Random":7,"From_Account":"bob",
            "MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}}]}"#;
        let body = Bytes::from(text);
        let error = check(&body, "ann", false).unwrap_err();
        assert_eq!(
            (error.code, error.info.contains("From_Account")),
            (Code::GROUP_BAD_PARAMETER, true)
        );
        assert_eq!(check(&body, "admin", true).unwrap().from, "bob");
        assert_eq!(check(&body, "bob", false).unwrap().from, "bob");
    }
}
