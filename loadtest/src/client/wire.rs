//! Requests as the SDK makes them (SDK protocol notes 01, 1.1 and 1.3).

use std::fmt::Write as _;

use serde::Serialize;

use super::websocket::KEY;

/// Who a client is after its login. The SDK keeps the first answer's values for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The session token, in the head of every request.
    pub a2: Box<str>,
    /// The user's number, in digits.
    pub tiny_id: Box<str>,
    /// The instance.
    pub inst_id: u32,
}

/// Commands that clients send.
pub mod command {
    /// A login, first or again.
    pub const LOGIN: &str = "im_open_status.wslogin";
    /// A quiet line is asked whether it lives.
    pub const ALIVE: &str = "heartbeat.alive";
    /// The session says that it is there.
    pub const HELLO: &str = "im_open_status.wshello";
    /// Joins a group.
    pub const JOIN: &str = "group_open_http_svc.apply_join_group";
    /// Leaves a group.
    pub const QUIT: &str = "group_open_http_svc.quit_group";
    /// Sends a message into a group.
    pub const SEND: &str = "group_open_http_svc.send_group_msg";
    /// Acknowledges a push; is not answered.
    pub const PUSH_ACK: &str = "openim.ws_msg_push_ack";
}

#[derive(Serialize)]
struct Frame<'a, B> {
    head: Head<'a>,
    body: &'a B,
}

#[derive(Serialize)]
struct Head<'a> {
    ver: &'static str,
    platform: u32,
    websdkappid: u32,
    websdkversion: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    a2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tinyid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usersig: Option<&'a str>,
    status_instid: u32,
    sdkappid: u32,
    contenttype: &'static str,
    reqtime: i64,
    sdkability: u32,
    sdkability_ext: &'static str,
    cappid: u32,
    cs: u32,
    servcmd: &'a str,
    seq: u64,
}

/// How a request says who it is from.
#[derive(Debug, Clone, Copy)]
pub enum Credentials<'a> {
    /// A first login: user and signature.
    Signature(&'a str, &'a str),
    /// Everything after it.
    Session(&'a Identity),
}

/// The text of a request. `now_s` is in seconds since 1970.
#[must_use]
pub fn request(
    app: u32,
    who: Credentials<'_>,
    servcmd: &str,
    seq: u64,
    now_s: i64,
    body: &impl Serialize,
) -> Vec<u8> {
    let (session, signature) = match who {
        Credentials::Session(identity) => (Some(identity), None),
        Credentials::Signature(user, signature) => (None, Some((user, signature))),
    };
    let head = Head {
        ver: "v4",
        platform: 7,
        websdkappid: 537_048_168,
        websdkversion: "1.7.3",
        a2: session.map(|identity| &*identity.a2),
        tinyid: session.map(|identity| &*identity.tiny_id),
        identifier: signature.map(|(user, _)| user),
        usersig: signature.map(|(_, signature)| signature),
        status_instid: session.map_or(0, |identity| identity.inst_id),
        sdkappid: app,
        contenttype: "json",
        reqtime: now_s,
        sdkability: 75_689_843,
        sdkability_ext: "",
        cappid: 0,
        cs: 0,
        servcmd,
        seq,
    };
    serde_json::to_vec(&Frame { head, body }).expect("only strings and numbers")
}

/// The body of a login.
#[derive(Debug, Serialize)]
pub struct LoginBody {
    #[serde(rename = "State")]
    state: &'static str,
    is_web_uniapp: u32,
    #[serde(rename = "InstType")]
    inst_type: u32,
    #[serde(rename = "CustomInfo")]
    custom_info: &'static str,
}

/// The body of every login.
pub const LOGIN_BODY: LoginBody =
    LoginBody { state: "Online", is_web_uniapp: 0, inst_type: 0, custom_info: "" };

/// The body of a join or a quit.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupBody<'a> {
    /// The group.
    pub group_id: &'a str,
    /// Constant of joins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_push_flag: Option<u32>,
}

/// The body of a message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendBody<'a> {
    /// The sender.
    #[serde(rename = "From_Account")]
    pub from: &'a str,
    /// The group.
    pub group_id: &'a str,
    /// By this receivers know the message.
    pub random: u32,
    /// The request's number.
    pub client_seq: u64,
    /// The priority's name.
    pub msg_priority: &'static str,
    /// One text.
    pub msg_body: [TextElement<'a>; 1],
    /// Opaque.
    pub cloud_custom_data: &'static str,
    /// Constant.
    pub online_only_flag: u32,
    /// Nobody is meant.
    pub group_at_info: [u32; 0],
    /// Seconds since 1970.
    pub msg_client_time: i64,
}

/// A text element.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TextElement<'a> {
    msg_type: &'static str,
    msg_content: TextContent<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TextContent<'a> {
    text: &'a str,
}

impl<'a> TextElement<'a> {
    /// An element with this text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { msg_type: "TIMTextElem", msg_content: TextContent { text } }
    }
}

/// Returns the server's mark of a push.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AckBody<'a> {
    /// As it came.
    pub session_data: &'a str,
}

/// An empty body.
#[derive(Debug, Serialize)]
pub struct Empty {}

/// The HTTP request that opens a WebSocket. `instance` is the same on every line of a client.
pub fn put_handshake(out: &mut Vec<u8>, host: &str, app: u32, instance: u128, random: u32) {
    let mut text = String::with_capacity(400);
    write!(
        text,
        "GET /binfo?sdkappid={app}&instanceid={instance:032x}&random=0.{random}&platform=7\
         &host=unknown&version=-1&sdkversion=3.6.6&compress=gzip HTTP/1.1\r\nHost: {host}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\n\r\n"
    )
    .expect("writing into a string does not fail");
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_protocol::frame::RequestFrame;

    #[test]
    fn the_server_understands_requests() {
        let identity = Identity { a2: "token".into(), tiny_id: "123".into(), inst_id: 9 };
        let body = GroupBody { group_id: "g", web_push_flag: Some(1) };
        let text = request(7, Credentials::Session(&identity), command::JOIN, 5, 1, &body);
        let frame = RequestFrame::parse(&text).unwrap();
        assert_eq!(frame.head.servcmd, command::JOIN);
        assert_eq!(frame.body.get(), r#"{"GroupId":"g","WebPushFlag":1}"#);
        let text =
            request(7, Credentials::Signature("a", "sig"), command::LOGIN, 5, 1, &LOGIN_BODY);
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["head"]["usersig"], "sig");
        assert!(value["head"].get("a2").is_none());
        assert_eq!(value["body"]["is_web_uniapp"], 0);
    }
}
