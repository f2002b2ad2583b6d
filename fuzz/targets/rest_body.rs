//! The body of a REST request: reading it, finding its group or user, checking its elements. A body
//! of elements that passes has to be valid JSON and to pass unchanged a second time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::value::RawValue;
use throng_protocol::catalogue::{RoutingKey, UserKey, routing_group, routing_user};
use throng_protocol::elements::MsgBody;
use throng_protocol::{Code, envelope, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send<'a> {
    #[serde(borrow)]
    msg_body: &'a RawValue,
}

fuzz_target!(|input: &[u8]| {
    for key in [
        RoutingKey::GroupId,
        RoutingKey::NewGroupId,
        RoutingKey::FirstOfGroupIdList,
    ] {
        let _ = routing_group(key, input);
    }
    let _ = routing_user(UserKey::Field("From_Account"), input, "caller");

    let bad = Code::GROUP_BAD_PARAMETER;
    let Ok(send) = envelope::parse::<Send<'_>>(input, bad) else {
        return;
    };
    match MsgBody::parse(send.msg_body, limits::MESSAGE_BYTES, bad) {
        Ok(body) => {
            let text = body.json();
            assert!(text.len() <= limits::MESSAGE_BYTES);
            let raw: &RawValue = serde_json::from_str(text).expect("a checked body is JSON");
            let again = MsgBody::parse(raw, limits::MESSAGE_BYTES, bad).expect("passes again");
            assert_eq!(again.json(), text);
        }
        Err(error) => {
            let answer = envelope::fail(&error);
            serde_json::from_slice::<&RawValue>(&answer).expect("an answer is JSON");
        }
    }
});
