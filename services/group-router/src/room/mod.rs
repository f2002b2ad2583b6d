//! One hot group: its durable state as the store has it, and the soft state of a live room; what only
//! groups with stored members have is in [`crate::group`]. Owned by the group's actor; every change
//! leaves as effects in a [`Unit`].

mod attach;
mod beacon;
mod listing;
mod load;
mod members;
mod missed;
mod publish;
mod read_back;
mod recent;
mod ring;
mod roles;
mod send;
mod sequence;
mod tips;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use throng_proto::v1;
use throng_protocol::ids::GroupType;

pub(crate) use listing::ListedMember;
pub(crate) use members::GatewayTag;
pub(crate) use publish::{Extra, random};
pub(crate) use read_back::Known;
pub(crate) use recent::{Recent, Told, items_array};
pub(crate) use send::{PendingSend, SendAnswer, Sent};

use crate::actor::{GroupKey, Now, Reply, Unit};
use crate::core::attributes::Attributes;
use crate::core::counters::Counters;
use crate::core::dedupe::{Dedupe, Ticket};
use crate::core::latest_members::LatestMembers;
use crate::core::limiter::Limiter;
use crate::core::marks::Marks;
pub(crate) use crate::core::rules::Role;
use crate::core::rules::Rules;
use crate::core::tip_pacer::TipPacer;
use crate::group::Durable;
use crate::metrics::{RoomClass, RoomMetrics};
use crate::storage::ProfileRow;
use crate::wire::{Counts, GroupInfo, MemberInfo};
use beacon::Beacons;
use members::Members;
use ring::EventRing;
use sequence::Sequence;

/// A group on its actor.
pub(crate) struct Room {
    pub(crate) key: GroupKey,
    pub(crate) kind: GroupType,
    pub(crate) rules: &'static Rules,
    /// Members and log, where the group keeps them.
    pub(crate) durable: Option<Box<Durable>>,
    pub(crate) profile: ProfileRow,
    pub(crate) attributes: Attributes,
    pub(crate) counters: Counters,
    /// Until when members may not speak, seconds since 1970.
    pub(crate) mutes: HashMap<String, i64>,
    /// Until when users may not come in, seconds since 1970.
    pub(crate) bans: BTreeMap<String, i64>,
    pub(crate) admins: Vec<String>,
    pub(crate) robots: Vec<String>,
    pub(crate) members: Members,
    /// The latest of them by name.
    pub(crate) latest: LatestMembers<Arc<str>>,
    pub(crate) marks: Marks<Arc<str>>,
    /// Stored messages at hand: what somebody who joins gets to see.
    pub(crate) recent: Recent,
    /// Messages of whose recall this life of the room was told.
    pub(crate) recalls_told: Told,
    pub(crate) policy: v1::RoomPolicy,
    /// With more stored members it has an audience.
    pub(crate) audience_size: usize,
    ring: EventRing,
    sequence: Sequence,
    limiter: Limiter<Box<PendingSend>>,
    /// Senders by their number.
    dedupe: Dedupe<u64, SendAnswer>,
    /// Callers that wait for the answer to a message they repeat.
    duplicates: HashMap<Ticket, Vec<Reply<Sent>>>,
    /// Messages that are out and not yet kept.
    unkept: usize,
    tips: TipPacer<MemberInfo>,
    beacons: Beacons,
    last_active_ms: u64,
    last_message: i64,
    metrics: Arc<RoomMetrics>,
}

impl Room {
    /// Settings of the app that a running room takes over.
    pub(crate) fn apply_policy(&mut self, policy: &v1::RoomPolicy, now: Now, unit: &mut Unit) {
        self.last_active_ms = now.ms;
        if self.policy == *policy {
            return;
        }
        self.latest.set_limit(policy.latest_members as usize);
        if self.policy.messages_per_second != policy.messages_per_second {
            self.set_budget(policy.messages_per_second, now, unit);
        }
        self.policy = *policy;
    }

    /// Where the room's stream of events stands.
    pub(crate) fn position(&self) -> v1::RoomPosition {
        self.ring.position()
    }

    /// Events that a gateway missed.
    pub(crate) fn events_after(
        &self,
        position: v1::RoomPosition,
        limit: usize,
    ) -> (Vec<v1::RoomEvent>, bool) {
        self.ring.after(position, limit)
    }

    /// The sequence that the next message will have, unless the process restarts before.
    pub(crate) fn next_seq(&self) -> u32 {
        self.sequence.last().saturating_add(1)
    }

    /// Seconds since 1970 of the last message, 0 before the first.
    pub(crate) fn last_message(&self) -> i64 {
        self.last_message
    }

    /// What items say of this group, without a sender.
    pub(crate) fn group_info(&self) -> GroupInfo<'_> {
        GroupInfo {
            group_id: &self.key.group_id,
            group_name: &self.profile.name,
            group_type: self.kind.as_str(),
            nick: None,
            avatar: None,
        }
    }

    /// Whether a user is a member now.
    pub(crate) fn is_member(&self, user: &str) -> bool {
        match &self.durable {
            Some(durable) => durable.roster.get(user).is_some(),
            None => self.members.contains_user(user),
        }
    }

    /// How many members there are; guests of a live room count.
    pub(crate) fn member_count(&self) -> u32 {
        match &self.durable {
            Some(durable) => u32::try_from(durable.roster.len()).unwrap_or(u32::MAX),
            None => self.members.online(),
        }
    }

    /// What tips say of the number of members.
    fn counts(&self) -> Counts {
        let members = self.member_count();
        Counts { members, online: self.durable.is_none().then_some(members) }
    }

    /// Class of the room in metrics.
    fn class(&self) -> RoomClass {
        RoomClass::of(self.member_count())
    }

    /// What is due by now: messages whose turn came, tips whose pause is over, beacons.
    pub(crate) fn tick(&mut self, now: Now, unit: &mut Unit) {
        self.run_limiter(now, unit);
        self.send_due_tips(now, unit);
        self.send_due_beacons(now, unit);
        self.save_due_reads(now, unit);
        self.tell_due_receipts(now, unit);
    }

    /// When [`Room::tick`] has to run again at the latest, milliseconds of the actor's clock.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let due = [
            self.limiter.next_deadline(),
            self.tips.next_deadline(),
            self.next_beacon(),
            self.next_save(),
            self.next_receipts(),
            self.has_untold().then_some(0),
        ];
        due.into_iter().flatten().min()
    }

    /// Nobody is in and nothing is due.
    pub(crate) fn is_idle(&self, now: Now) -> bool {
        const QUIET_MS: u64 = 1_000;
        self.members.is_empty()
            && self.unkept == 0
            && self.next_deadline().is_none()
            && now.ms.saturating_sub(self.last_active_ms) >= QUIET_MS
    }

    /// Takes over from a state that was thrown away what no store has: who is in, and how much of the
    /// message budget is spent (LIM-1).
    pub(crate) fn take_over(&mut self, before: Self, now: Now) {
        let Self { members, latest, marks, mut limiter, .. } = before;
        self.members = members;
        self.latest = latest;
        self.marks.take_over(&marks);
        // Dropping what waited answers its senders: it is neither out nor kept.
        limiter.drain_all(&mut drop);
        self.limiter = limiter;
        self.last_active_ms = now.ms;
    }

    /// The actor ends: whoever still waits is answered, unused sequence numbers go back.
    pub(crate) fn end(&mut self, now: Now, unit: &mut Unit) {
        self.close_limiter(now, unit);
        self.sequence.release(&mut unit.ops);
        self.save_reads(unit);
        self.tell_receipts(unit);
        unit.log = self.durable.as_ref().map(|durable| durable.log);
    }
}
