//! What a room that is read again learns from history: the messages at hand for those who join or
//! come back, and the answers of the last minutes, so that a message that is repeated over a restart
//! is still the same one (DUP-1).

use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::error::CommandError;

use super::Room;
use super::load::KEPT_AT_HAND;
use super::send::SendAnswer;
use crate::actor::Now;
use crate::clients::{CALL_TIME, Clients, unavailable, within};
use crate::core::dedupe::KEEP_MS;
use crate::wire;

/// Messages of the first page and of each later one.
const FIRST_PAGE: u32 = 200;
const PAGE: u32 = 1000;
/// Messages read at most: five minutes at the default limit.
const MOST: usize = 12_000;

/// As much of a message as tells its repetition.
pub(crate) struct Known {
    tiny_id: u64,
    random: u32,
    answer: SendAnswer,
}

impl Known {
    pub(crate) fn of(message: &v1::StoredMessage) -> Self {
        let answer =
            SendAnswer { msg_seq: message.msg_seq, msg_time: message.msg_time, drop_reason: "" };
        Self { tiny_id: message.tiny_id, random: message.random, answer }
    }
}

impl Room {
    /// Reads back until five minutes ago, and as many messages as are kept at hand.
    pub(super) async fn read_back(
        &mut self,
        clients: &Clients,
        now: Now,
    ) -> Result<(), CommandError> {
        let horizon = now_seconds().saturating_sub_unsigned(KEEP_MS / 1000);
        let mut known: Vec<Known> = Vec::new();
        let mut at_hand: Vec<v1::StoredMessage> = Vec::new();
        let mut before_or_at = 0;
        loop {
            let request = v1::ReadRoomRequest {
                app: self.key.app.0,
                group_id: self.key.group_id.to_string(),
                before_or_at,
                limit: if before_or_at == 0 { FIRST_PAGE } else { PAGE },
                // Not those of a dismissed room that had the same ID.
                not_before: self.profile.created,
                skip_recalled: false,
                owner_epoch: self.position().ownership(),
            };
            let reply = clients
                .history
                .clone()
                .read_room(within(CALL_TIME, request))
                .await
                .map_err(unavailable)?;
            let v1::ReadRoomReply { messages, complete } = reply.into_inner();
            let oldest = messages.last().map(|message| (message.msg_seq, message.msg_time));
            for message in messages {
                known.push(Known::of(&message));
                if !message.recalled && at_hand.len() < KEPT_AT_HAND {
                    at_hand.push(message);
                }
            }
            let enough = known.len() >= MOST
                || oldest.is_none_or(|(_, time)| time < horizon && at_hand.len() == KEPT_AT_HAND);
            match oldest {
                Some((seq, _)) if !complete && !enough && seq > 1 => {
                    // Each page lies below the last one, whatever history answers.
                    if before_or_at != 0 && seq > before_or_at {
                        break;
                    }
                    before_or_at = seq - 1;
                }
                _ => break,
            }
        }
        self.remember(known, now);
        for message in at_hand.into_iter().rev() {
            let (id, name) = (&self.key.group_id, &self.profile.name);
            let encoded = wire::stored_item(&message, id, name, self.kind.as_str());
            self.recent.push(message.msg_seq, message.msg_time, encoded.item());
        }
        Ok(())
    }

    /// Takes over answers, the newest first.
    pub(crate) fn remember(&mut self, known: Vec<Known>, now: Now) {
        self.last_message = known.iter().map(|known| known.answer.msg_time).max().unwrap_or(0);
        for Known { tiny_id, random, answer } in known.into_iter().rev() {
            let age = now_seconds().saturating_sub(answer.msg_time).saturating_mul(1000);
            self.dedupe.preload(now.ms, age.try_into().unwrap_or(0), tiny_id, random, answer);
        }
    }
}
