//! Messages that are brought from elsewhere, with the times they had there.

use bytes::Bytes;
use throng_proto::v1;
use throng_protocol::error::Code;

use crate::actor::{Now, Unit};
use crate::core::dedupe::Lookup;
use crate::core::limiter::Priority;
use crate::room::{Room, SendAnswer, random};
use crate::wire::MemberInfo;

/// One message to import.
pub(crate) struct Import {
    pub(crate) sender: MemberInfo,
    pub(crate) tiny_id: u64,
    /// Seconds since 1970.
    pub(crate) time: i64,
    /// Tells repetitions within minutes, if there is one.
    pub(crate) random: Option<u32>,
    /// The checked JSON text of `MsgBody`; `None`: it is too long.
    pub(crate) body: Option<Bytes>,
    pub(crate) cloud_custom_data: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Imported {
    pub(crate) msg_seq: u32,
    pub(crate) msg_time: i64,
    pub(crate) refused: Option<Code>,
}

impl Room {
    /// Takes messages in, in order; `recent`: as the last ones of the conversation.
    pub(crate) fn import(
        &mut self,
        imports: Vec<Import>,
        recent: bool,
        now: Now,
        unit: &mut Unit,
    ) -> Vec<Imported> {
        let imported: Vec<Imported> =
            imports.into_iter().map(|import| self.import_one(import, recent, now, unit)).collect();
        if imported.iter().any(|one| one.refused.is_none()) {
            self.all_have_read(unit);
        }
        imported
    }

    fn import_one(&mut self, import: Import, recent: bool, now: Now, unit: &mut Unit) -> Imported {
        let Import { sender, tiny_id, time, random: repeatable, body, cloud_custom_data } = import;
        let refused = |code| Imported { msg_seq: 0, msg_time: time, refused: Some(code) };
        let Some(msg_body) = body else { return refused(Code::MESSAGE_TOO_LONG) };
        let ticket = match repeatable.map(|random| self.recognise(now, tiny_id, random)) {
            Some(Lookup::Done(SendAnswer { msg_seq, msg_time, .. })) => {
                return Imported { msg_seq, msg_time, refused: None };
            }
            Some(Lookup::InFlight(_)) => return refused(Code::GROUP_BAD_PARAMETER),
            Some(Lookup::New(ticket)) => Some(ticket),
            None => None,
        };
        // Times rise with the numbers.
        let earliest = self.profile.created.max(self.last_message());
        if !(earliest..=now.seconds).contains(&time) {
            self.settle_import(ticket, None);
            return refused(Code::GROUP_BAD_PARAMETER);
        }
        let msg_seq = self.take_seq(unit);
        let message = v1::StoredMessage {
            msg_seq,
            msg_time: time,
            from: sender.user,
            tiny_id,
            random: repeatable.unwrap_or_else(random),
            client_time: time,
            priority: Priority::Normal.wire(),
            msg_body,
            cloud_custom_data,
            nick: sender.nick,
            avatar: sender.avatar,
            client_seq: msg_seq.into(),
            no_last: !recent,
            ..v1::StoredMessage::default()
        };
        self.store(|| message, unit);
        self.note_last_message(time);
        self.settle_import(ticket, Some(SendAnswer { msg_seq, msg_time: time, drop_reason: "" }));
        Imported { msg_seq, msg_time: time, refused: None }
    }
}
