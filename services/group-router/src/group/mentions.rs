//! Members are mentioned: told at once, and noted for those who come later.

use bytes::Bytes;
use throng_proto::v1::deliver_request::Guarantee;

use super::Everybody;
use super::publish::deliver_to;
use crate::actor::Unit;
use crate::core::mentions::{Mention, Mentioned};
use crate::room::Room;
use crate::storage::{MentionRow, MentionsRow, RowKind, delete_row, put_row};
use crate::wire::{AT_ALL, AT_ME, mention_item};

impl From<MentionRow> for Mention {
    fn from(row: MentionRow) -> Self {
        let MentionRow { msg_seq, from, random, time, by_name, all } = row;
        Self { msg_seq, from, random, time, by_name, all }
    }
}

impl From<&Mentioned> for MentionsRow {
    fn from(mentioned: &Mentioned) -> Self {
        let row = |mention: &Mention| {
            let Mention { msg_seq, from, random, time, by_name, all } = mention.clone();
            MentionRow { msg_seq, from, random, time, by_name, all }
        };
        Self { seen: mentioned.seen, latest: mentioned.latest.iter().map(row).collect() }
    }
}

impl From<MentionsRow> for Mentioned {
    fn from(row: MentionsRow) -> Self {
        Self { seen: row.seen, latest: row.latest.into_iter().map(Mention::from).collect() }
    }
}

/// Whom a mention is for.
#[derive(Debug)]
pub(crate) enum Meant {
    /// It is noted for each.
    Users(Vec<String>),
    /// All members but these, who are mentioned by name; noted once.
    AllBut(Vec<String>),
}

impl Room {
    /// A message mentions members.
    pub(crate) fn mention(&mut self, meant: Meant, mention: &Mention, unit: &mut Unit) {
        let items = self.mention_entry(mention);
        let Some(durable) = &mut self.durable else { return };
        let mut note = |user: &str, read: u32| {
            let row = MentionsRow::from(durable.mentions.note(user, mention.clone(), read));
            unit.ops.push(put_row(RowKind::Mentions, user, &row));
        };
        match meant {
            Meant::Users(users) => {
                for user in &users {
                    note(user, durable.roster.get(user).map_or(0, |member| member.read));
                }
                deliver_to(users, items, unit);
            }
            Meant::AllBut(except) => {
                note("", 0);
                let others = Everybody { except, ..Everybody::default() };
                self.deliver_to_all(others, items, Guarantee::Gateway, unit);
            }
        }
    }

    fn mention_entry(&self, mention: &Mention) -> Bytes {
        let Mention { msg_seq, from, random, .. } = mention;
        let flags: &[u8] = match (mention.by_name, mention.all) {
            (true, true) => &[AT_ME, AT_ALL],
            (false, true) => &[AT_ALL],
            (_, false) => &[AT_ME],
        };
        mention_item(self.group_info(), from, *msg_seq, *random, flags).entry()
    }

    /// What mentions a member since a time and is not read, as entries of `EventArray`.
    pub(crate) fn mentions_of(&self, user: &str, since: i64) -> Vec<Bytes> {
        let Some(durable) = &self.durable else { return Vec::new() };
        let Some(member) = durable.roster.get(user) else { return Vec::new() };
        let hidden = member.since.max(self.profile.cleared);
        let unread = durable.mentions.unread(user, member.read.max(hidden)).into_iter();
        // Who may read what was said before it came was not meant there.
        let young = unread.filter(|mention| mention.time >= since.max(member.joined));
        young.map(|mention| self.mention_entry(mention)).collect()
    }

    /// A member has seen what mentions it up to a number.
    pub(crate) fn see_mentions(&mut self, user: &str, msg_seq: u32, unit: &mut Unit) {
        let head = self.next_seq() - 1;
        let Some(durable) = &mut self.durable else { return };
        if durable.roster.get(user).is_none() {
            return;
        }
        if let Some(left) = durable.mentions.see(user, msg_seq.min(head)) {
            unit.ops.push(put_row(RowKind::Mentions, user, &MentionsRow::from(left)));
        }
    }
}

impl super::Durable {
    /// Messages are gone, and whom they mentioned need not know.
    pub(super) fn forget_mentions(&mut self, msg_seqs: &[u32], unit: &mut Unit) {
        for (user, left) in self.mentions.forget(msg_seqs) {
            unit.ops.push(put_row(RowKind::Mentions, user, &MentionsRow::from(left)));
        }
    }

    /// A member has read up to a number.
    pub(super) fn read_mentions(&mut self, user: &str, msg_seq: u32, unit: &mut Unit) {
        if self.mentions.read(user, msg_seq) {
            unit.ops.push(delete_row(RowKind::Mentions, user));
        }
    }

    /// Somebody is no member any more.
    pub(super) fn remove_mentions(&mut self, user: &str, unit: &mut Unit) {
        if self.mentions.remove(user) {
            unit.ops.push(delete_row(RowKind::Mentions, user));
        }
    }
}
