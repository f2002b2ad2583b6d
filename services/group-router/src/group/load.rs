//! Reading a group with a log: where its messages end, what was sent in the last minutes (DUP-1), and
//! who has read how far.

use std::collections::HashMap;

use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_store::{Batch, Op};

use super::Durable;
use crate::actor::{GroupKey, Log, LogLife, Now, Unit};
use crate::clients::{CALL_TIME, Clients, unavailable, within};
use crate::core::dedupe::KEEP_MS;
use crate::core::roster::{Card, Member, Roster};
use crate::core::rules::Receive;
use crate::core::uncounted::Uncounted;
use crate::placement::Tenure;
use crate::room::{Known, Room};
use crate::storage::{LogNote, MemberRow, RowKind, TipsRow, put_row, state_partition};

/// Messages of the first page and of each later one.
const FIRST_PAGE: u32 = 100;
const PAGE: u32 = 1000;
/// Rows of members that go with the note and its tips at most.
const MOST_ROWS: usize = Batch::MAX_OPS - 2;
/// Messages read at most: five minutes at the default limit.
const MOST: usize = 12_000;

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        let MemberRow { admin, joined, since, read, spoke, receive, name_card, custom } = row;
        let receive = Receive::parse(&receive).unwrap_or_default();
        let mut member = Self { admin, joined, since, read, spoke, receive, card: None };
        member.change_card(|card| *card = Card { name: name_card, custom });
        member
    }
}

impl From<&Member> for MemberRow {
    fn from(member: &Member) -> Self {
        let card = member.card.as_deref().cloned().unwrap_or_default();
        Self {
            admin: member.admin,
            joined: member.joined,
            since: member.since,
            read: member.read,
            spoke: member.spoke,
            receive: member.receive.wire().to_owned(),
            name_card: card.name,
            custom: card.custom,
        }
    }
}

impl Durable {
    /// Finds the end of the log, and leaves the note that this life needs before it may answer.
    pub(crate) async fn read(
        clients: &Clients,
        key: &GroupKey,
        tenure: &Tenure,
        life: (u64, u64),
        (mut members, note, tips): (Vec<(String, MemberRow)>, Option<LogNote>, TipsRow),
    ) -> Result<Self, CommandError> {
        let (incarnation, epoch) = life;
        let note = note.unwrap_or_default();
        let mut log = LogLife { incarnation, epoch, head: note.head, noted: false };
        let request = v1::RecoverGroupRequest {
            log: Some(log.log(key)),
            noted_head: note.head,
            noted_epoch: note.epoch,
        };
        let recovered = clients.history.clone().recover_group(within(CALL_TIME, request)).await;
        log.head = recovered.map_err(unavailable)?.into_inner().head;
        if !note.closed {
            let untold =
                if tips.epoch == note.epoch { behind(log.head, tips.tips) } else { vec![] };
            let mut ops = bounded(&mut members, log.head, untold.len());
            // The note last, and its tips with it: until then the next life finds what this one did.
            while ops.len() > MOST_ROWS {
                write(clients, key, tenure, ops.drain(..MOST_ROWS)).await?;
            }
            let row = LogNote { head: log.head, epoch, closed: false };
            ops.push(put_row(RowKind::Log, "", &row));
            if !untold.is_empty() {
                let row = TipsRow { epoch, tips: untold.clone() };
                ops.push(put_row(RowKind::Tips, "", &row));
            }
            write(clients, key, tenure, ops.drain(..)).await?;
            log.noted = true;
            if !untold.is_empty() {
                let mut tail = Log::open(key, clients, log);
                let told = tail.append(tenure, untold).await;
                told.map_err(|error| Code::GROUP_INTERNAL.with(format!("tips: {error}")))?;
                log.head = tail.head();
            }
        }
        let roster = Roster::restore(members.into_iter().map(|(user, row)| (user, row.into())));
        Ok(Self { broke_off: !note.closed, ..Self::new(roster, log) })
    }

    /// Takes over what lies beside members and log.
    pub(crate) fn restore(
        &mut self,
        read_floor: u32,
        unread: &HashMap<String, u32>,
        uncounted: Vec<u32>,
    ) {
        self.uncounted = Uncounted::restore(uncounted, self.log.head);
        let mut below = Vec::new();
        for (user, floor) in unread {
            if let Some(member) = self.roster.get(user).filter(|_| *floor >= read_floor) {
                below.push((user, member.read));
            }
        }
        self.roster.read_by_all(read_floor);
        for (user, read) in below {
            self.roster.set_read(user, read);
        }
    }

    /// Of a group that is being made.
    pub(crate) fn create(epoch: u64, unit: &mut Unit) -> Self {
        let note = LogNote { head: 0, epoch, closed: false };
        unit.ops.push(put_row(RowKind::Log, "", &note));
        let log = LogLife { incarnation: epoch, epoch, head: 0, noted: true };
        Self::new(Roster::default(), log)
    }
}

/// One batch of rows of a group that begins to be served.
async fn write(
    clients: &Clients,
    key: &GroupKey,
    tenure: &Tenure,
    rows: impl Iterator<Item = Op>,
) -> Result<(), CommandError> {
    let lost = || Code::GROUP_INTERNAL.with("the group is not served here now");
    let at = tenure.stamp().ok_or_else(lost)?;
    let batch = Batch::durable(state_partition(key.app, &key.group_id));
    let written = clients.store.write(rows.fold(batch, Batch::with).at(at)).await;
    written.map_err(|error| Code::GROUP_INTERNAL.with(format!("note of the log: {error}")))
}

/// Of the tips that a life was to append those that are not in the log, with the numbers that they get now.
fn behind(head: u32, tips: Vec<v1::StoredMessage>) -> Vec<v1::StoredMessage> {
    let missing = tips.into_iter().filter(|tip| tip.msg_seq > head);
    (head + 1..).zip(missing).map(|(msg_seq, tip)| v1::StoredMessage { msg_seq, ..tip }).collect()
}

/// Members came behind messages that are not in the log: those that now get their numbers are for them, too,
/// and unread but for the tips.
fn bounded(members: &mut [(String, MemberRow)], head: u32, tips: usize) -> Vec<Op> {
    let read = head.saturating_add(u32::try_from(tips).unwrap_or(u32::MAX));
    let mut changed = Vec::new();
    for (user, member) in members {
        if member.since > head || member.read > read {
            member.since = member.since.min(head);
            member.read = member.read.min(read);
            changed.push(put_row(RowKind::Member, user, member));
        }
    }
    changed
}

impl Room {
    /// Reads the log back until five minutes ago.
    pub(crate) async fn read_log_back(
        &mut self,
        clients: &Clients,
        now: Now,
    ) -> Result<(), CommandError> {
        let Some(durable) = &mut self.durable else { return Ok(()) };
        let log = durable.log.log(&self.key);
        let horizon = now_seconds().saturating_sub_unsigned(KEEP_MS / 1000);
        let mut known: Vec<Known> = Vec::new();
        let mut last = durable.log.head;
        while last > 0 {
            let request = v1::ReadGroupRequest {
                log: Some(log.clone()),
                first: 1,
                last,
                limit: if last == durable.log.head { FIRST_PAGE } else { PAGE },
                ..v1::ReadGroupRequest::default()
            };
            let reply = clients.history.clone().read_group(within(CALL_TIME, request)).await;
            let v1::ReadGroupReply { messages, complete } =
                reply.map_err(unavailable)?.into_inner();
            let oldest = messages.last().map(|message| (message.msg_seq, message.msg_time));
            if durable.broke_off {
                durable.keep_untold(&messages);
                durable.read_untold_recalls(clients, log.clone(), &messages).await?;
            }
            for message in messages {
                // That may not have been saved.
                durable.note_read(&message.from, message.msg_seq, message.msg_time, now);
                known.push(Known::of(&message));
                durable.last.note_earlier(&message);
            }
            durable.broke_off = false;
            match oldest {
                // Each page lies below the last one, whatever history answers.
                Some((seq, time)) if !complete && time >= horizon && known.len() < MOST => {
                    last = seq.saturating_sub(1).min(last - 1);
                }
                _ => break,
            }
        }
        self.remember(known, now);
        Ok(())
    }
}
