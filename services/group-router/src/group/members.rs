//! Stored members come and go. Each change is a row, an entry in the user's index, a tip for all, and
//! a notice for those whom it concerns and who did not do it themselves.

use std::collections::BTreeMap;

use throng_proto::v1::deliver_request::Guarantee;
use throng_protocol::error::{Code, CommandError};

use crate::actor::{Delivery, Now, To, Unit};
use crate::core::roster::Member;
use crate::room::{Extra, Room};
use crate::storage::{MemberRow, RowKind, delete_row, membership_entry, put_row};
use crate::wire::{MemberInfo, Notice, Tip, op, report};

/// How users become members.
pub(crate) enum Arrival {
    /// By themselves.
    Joined,
    /// Taken in by somebody; silently: without a word to anybody.
    Added { operator: MemberInfo, silently: bool },
}

/// How users stop being members.
pub(crate) enum Departure {
    /// By themselves, from this session.
    Quit { inst_id: u32 },
    /// Taken out by somebody; silently: nobody else hears of it.
    Removed { operator: MemberInfo, reason: String, silently: bool },
    /// The same, and kept out for some seconds.
    Banned { operator: MemberInfo, reason: String, seconds: u32 },
}

/// Somebody who is a member from the beginning.
pub(crate) struct Founder {
    pub(crate) info: MemberInfo,
    pub(crate) admin: bool,
    /// Custom fields.
    pub(crate) custom: BTreeMap<String, String>,
}

impl Room {
    /// Refuses more members than the group may have.
    pub(crate) fn refuse_when_full(&self, more: usize) -> Result<(), CommandError> {
        let most = self.profile.max_member_num as usize;
        if most > 0 && self.member_count() as usize + more > most {
            return Err(Code::GROUP_FULL.with(format!("the group has {most} members at most")));
        }
        Ok(())
    }

    /// The first members. All sessions of theirs get a notice but the one that made the group; without
    /// that, none does.
    pub(crate) fn found(
        &mut self,
        mut founders: Vec<Founder>,
        told_but: Option<u32>,
        now: Now,
        unit: &mut Unit,
    ) {
        let owner = self.profile.owner.clone();
        for founder in &mut founders {
            let mut member = Member { admin: founder.admin, ..self.newcomer(now) };
            member.change_card(|card| card.custom = std::mem::take(&mut founder.custom));
            self.put_member(&founder.info.user, member, unit);
        }
        let Some(inst_id) = told_but else { return };
        let (own, others): (Vec<_>, Vec<_>) =
            founders.into_iter().map(|founder| founder.info.user).partition(|user| *user == owner);
        let notice = |report| Notice { report, operator: &owner, ..Notice::default() };
        self.notify_others(own, &notice(report::CREATED), inst_id, now, unit);
        self.notify(others, &notice(report::ADDED), now, unit);
    }

    /// Takes users in who are no members; the caller has looked, and made sure of the space.
    pub(crate) fn admit(
        &mut self,
        users: Vec<MemberInfo>,
        arrival: &Arrival,
        now: Now,
        unit: &mut Unit,
    ) {
        let silently = match arrival {
            Arrival::Joined => false,
            Arrival::Added { silently, .. } => *silently,
        };
        let tells = self.rules.member_tips && !silently && !self.is_hidden();
        let head = self.next_seq() - 1;
        // They see the tip about themselves, and it is no news to them.
        let read = if tells { head + 1 } else { head };
        let since = if self.sees_before_join() { 0 } else { head };
        for user in &users {
            self.put_member(&user.user, Member { since, read, ..self.newcomer(now) }, unit);
        }
        if silently || users.is_empty() {
            return;
        }
        let (operator, invited) = match arrival {
            Arrival::Added { operator, .. } => (operator.clone(), true),
            Arrival::Joined => (users[0].clone(), false),
        };
        if let Arrival::Added { operator, .. } = arrival {
            let names = users.iter().map(|user| user.user.clone()).collect();
            let notice =
                Notice { report: report::ADDED, operator: &operator.user, ..Notice::default() };
            self.notify(names, &notice, now, unit);
        }
        if tells {
            let tip = Tip { op: op::JOINED, operator, members: users, invited, ..Tip::default() };
            self.emit_tip(&tip, Extra::default(), now, unit);
        }
    }

    /// A member that has just come.
    fn newcomer(&self, now: Now) -> Member {
        Member { joined: now.seconds, receive: self.rules.receive, ..Member::default() }
    }

    /// Takes members out.
    pub(crate) fn dismiss(
        &mut self,
        users: Vec<MemberInfo>,
        departure: Departure,
        now: Now,
        unit: &mut Unit,
    ) {
        for user in &users {
            self.remove_member(&user.user, unit);
        }
        let names: Vec<String> = users.iter().map(|user| user.user.clone()).collect();
        if names.is_empty() {
            return;
        }
        let tells = self.rules.member_tips;
        match departure {
            Departure::Quit { inst_id } => {
                let notice =
                    Notice { report: report::QUIT, operator: &names[0], ..Notice::default() };
                self.notify_others(names.clone(), &notice, inst_id, now, unit);
                let operator = users[0].clone();
                let tip = Tip { op: op::QUIT, operator, members: users, ..Tip::default() };
                if tells {
                    self.emit_tip(&tip, Extra::default(), now, unit);
                }
            }
            Departure::Removed { operator, reason, silently } => {
                let notice = Notice {
                    report: report::REMOVED,
                    operator: &operator.user,
                    remark: &reason,
                    ..Notice::default()
                };
                self.notify(names, &notice, now, unit);
                if tells && !silently {
                    self.tell_removed(operator, users, reason, now, unit);
                }
            }
            Departure::Banned { operator, reason, seconds } => {
                let notice = Notice {
                    report: report::BANNED,
                    operator: &operator.user,
                    ban: Some((seconds, &reason)),
                    ..Notice::default()
                };
                self.notify(names, &notice, now, unit);
                if tells {
                    self.tell_removed(operator, users, reason, now, unit);
                }
            }
        }
    }

    fn tell_removed(
        &mut self,
        operator: MemberInfo,
        members: Vec<MemberInfo>,
        reason: String,
        now: Now,
        unit: &mut Unit,
    ) {
        let reason = Some(reason);
        let tip = Tip { op: op::REMOVED, operator, members, reason, ..Tip::default() };
        self.emit_tip(&tip, Extra::default(), now, unit);
    }

    /// Changes a member; who is none stays none.
    pub(crate) fn change_member(
        &mut self,
        user: &str,
        change: impl FnOnce(&mut Member),
        unit: &mut Unit,
    ) {
        let known = self.durable.as_ref().and_then(|durable| durable.roster.get(user));
        if let Some(mut member) = known.cloned() {
            change(&mut member);
            self.put_member(user, member, unit);
        }
    }

    /// Writes a member's row, new or changed.
    pub(crate) fn put_member(&mut self, user: &str, member: Member, unit: &mut Unit) {
        let kind = self.kind;
        let Some(durable) = &mut self.durable else { return };
        if durable.roster.get(user).is_none() {
            unit.index.push(membership_entry(user, &self.key.group_id, Some(kind)));
        }
        unit.ops.push(put_row(RowKind::Member, user, &MemberRow::from(&member)));
        let new = durable.roster.get(user).is_none();
        durable.change_audience(user, Some(member.discards()), unit);
        durable.roster.put(user, member);
        if new {
            self.take_application(user, unit);
            self.take_invitation(user, unit);
        }
        self.review_decider(user, unit);
    }

    fn remove_member(&mut self, user: &str, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        if durable.roster.remove(user).is_some() {
            durable.unsaved.remove(user);
            durable.change_audience(user, None, unit);
            unit.index.push(membership_entry(user, &self.key.group_id, None));
            unit.ops.push(delete_row(RowKind::Member, user));
            durable.remove_mentions(user, unit);
            if durable.deleted.remove(user).is_some() {
                unit.ops.push(delete_row(RowKind::Deleted, user));
            }
            self.review_decider(user, unit);
        }
    }

    /// The group ends: nobody is in it any more, as far as the users' lists go.
    pub(crate) fn forget_members(&mut self, unit: &mut Unit) {
        let gone = |user: &str| membership_entry(user, &self.key.group_id, None);
        unit.index.extend(self.durable.iter().flat_map(|durable| durable.users()).map(gone));
        self.drop_applications(unit);
        self.drop_invitations(unit);
    }

    /// A notice for the sessions of users, but one (0: for all).
    pub(crate) fn notify_others(
        &mut self,
        users: Vec<String>,
        notice: &Notice<'_>,
        except_inst_id: u32,
        now: Now,
        unit: &mut Unit,
    ) {
        if users.is_empty() {
            return;
        }
        let items = self.notice_items(notice, now, unit);
        unit.deliver(Delivery {
            to: To::Users(users.into()),
            items,
            guarantee: Guarantee::Client,
            except_inst_id,
        });
    }
}
