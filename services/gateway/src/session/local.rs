//! Commands that need nobody else: heartbeat, configuration, feature bits, telemetry,
//! acknowledgements (SDK protocol notes 01, 3 to 5).

use std::sync::LazyLock;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_protocol::catalogue::Command;
use throng_protocol::envelope;

use super::Session;
use super::dispatch::Answer;

/// Every feature granted: 64 times `1` (SDK protocol notes 01, 3.7).
pub(super) const ALL_FEATURES: &str =
    "1111111111111111111111111111111111111111111111111111111111111111";
/// Seconds until a client asks again; 0 would mean every second.
const ASK_AGAIN: u32 = 86_400;

static EMPTY: LazyLock<Bytes> = LazyLock::new(|| envelope::ok(&()));

static CLOUD_CONFIG: LazyLock<Bytes> = LazyLock::new(|| {
    #[derive(Serialize)]
    struct Body {
        int32_error_code: i32,
        str_error_message: &'static str,
        /// A client that knows version 0 takes over any other.
        uint64_version: u64,
        uint32_expired_time: u32,
        str_json_config: String,
    }
    let config = serde_json::json!({
        // A client that could not reconnect tries again when it has telemetry to send: every 5 s
        // instead of every 60 (SDK protocol notes 01, 3.3).
        "evt_rpt_waiting": "5000",
        // So that this does not mean more reports.
        "evt_rpt_threshold": "100",
    });
    envelope::ok(&Body {
        int32_error_code: 0,
        str_error_message: "",
        uint64_version: 1,
        uint32_expired_time: ASK_AGAIN,
        str_json_config: config.to_string(),
    })
});

static FEATURE_BITS: LazyLock<Bytes> = LazyLock::new(|| {
    #[derive(Serialize)]
    struct Body {
        int32_error_code: i32,
        str_error_message: &'static str,
        str_purchase_bits: &'static str,
        uint32_expired_time: u32,
    }
    envelope::ok(&Body {
        int32_error_code: 0,
        str_error_message: "",
        str_purchase_bits: ALL_FEATURES,
        uint32_expired_time: ASK_AGAIN,
    })
});

impl Session {
    /// The answer to a command that is the same for everybody; `Some(None)` where there is none.
    /// They are open to whoever is connected: a client that they refused would ask every second.
    pub(super) fn answer_locally(
        &self,
        command: &'static Command,
        body: &Bytes,
    ) -> Option<Option<Answer>> {
        let body = match command.name {
            "heartbeat.alive" | "imopenstat.tim_web_report_v2" => EMPTY.clone(),
            "im_sdk_config_mgr.fetch_config" => CLOUD_CONFIG.clone(),
            "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2" => FEATURE_BITS.clone(),
            "openim.ws_msg_push_ack" => {
                self.context.metrics.command(command.name, 0);
                self.acknowledge(body);
                return Some(None);
            }
            _ => return None,
        };
        Some(Some(Answer { code: 0, body }))
    }

    fn acknowledge(&self, body: &Bytes) {
        #[derive(Deserialize)]
        struct Ack<'a> {
            #[serde(rename = "SessionData", borrow)]
            session_data: std::borrow::Cow<'a, str>,
        }
        if let Ok(ack) = serde_json::from_slice::<Ack<'_>>(body)
            && let Ok(number) = ack.session_data.parse()
        {
            self.acks.lock().acknowledge(number);
        }
    }
}
