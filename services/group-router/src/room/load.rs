//! Making a room: from the store, or new.

use std::sync::Arc;

use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;

use super::beacon::Beacons;
use super::members::Members;
use super::ring::EventRing;
use super::sequence::Sequence;
use super::{Recent, Room, Told};
use crate::actor::{GroupKey, Now, Rooms, Unit};
use crate::core::attributes::{Attribute, Attributes};
use crate::core::counters::{Counter, Counters};
use crate::core::dedupe::{DEFAULT_CAPACITY, Dedupe};
use crate::core::latest_members::LatestMembers;
use crate::core::limiter::Limiter;
use crate::core::marks::Marks;
use crate::core::mentions::Mentions;
use crate::core::pins::{Pin, Pins};
use crate::core::rules::{Messages, Rules};
use crate::core::tip_pacer::{Pace, TipPacer};
use crate::group::{Applications, Durable};
use crate::placement::Tenure;
use crate::storage::{
    AttributesRow, CountersRow, Loaded, ProfileRow, RowKind, SequenceRow, load, put_row,
};

/// Messages kept at hand for those who come back.
pub(super) const KEPT_AT_HAND: usize = 100;
/// So long gateways take to tell a new owner who is in, milliseconds. Before that it knows too few to
/// say in a tip how many they are.
const SETTLING_MS: u64 = 2_000;

impl Room {
    /// Reads a group and, where the app keeps room history, its latest messages. `None` when there
    /// is no such group.
    pub(crate) async fn load(
        rooms: &Rooms,
        key: &GroupKey,
        tenure: &Tenure,
        now: Now,
    ) -> Result<Option<Box<Self>>, CommandError> {
        let clients = rooms.clients();
        let loaded = load(&*clients.store, key.app, &key.group_id, tenure)
            .await
            .map_err(|error| Code::GROUP_INTERNAL.with(format!("group: {error}")))?;
        let Some(mut loaded) = loaded else {
            return Ok(None);
        };
        let policy = clients.apps.get(key.app).await?.rooms.unwrap_or_default();
        let (members, note) = (std::mem::take(&mut loaded.members), loaded.log);
        let applications = Applications::restore(
            std::mem::take(&mut loaded.applications),
            std::mem::take(&mut loaded.invitations),
        );
        let pins = std::mem::take(&mut loaded.pins).pins;
        let tips = std::mem::take(&mut loaded.tips);
        let (uncounted, unread) =
            (std::mem::take(&mut loaded.uncounted), std::mem::take(&mut loaded.unread));
        let deleted = std::mem::take(&mut loaded.deleted);
        let mentions = std::mem::take(&mut loaded.mentions).into_iter();
        let mut room = Self::from_rows(rooms, key, tenure.epoch(), policy, loaded)?;
        if rooms.has_successor() {
            room.tips.hold(now.ms + SETTLING_MS.saturating_sub(tenure.age_ms()));
        }
        match room.rules.messages {
            Messages::Log => {
                let life = (room.profile.incarnation, room.position().epoch);
                let mut durable =
                    Durable::read(clients, key, tenure, life, (members, note, tips)).await?;
                durable.applications = applications;
                durable.pins = Pins::restore(pins.into_iter().map(Pin::from).collect());
                durable.restore(room.profile.read_floor, &unread, uncounted);
                durable.deleted = deleted;
                let mentions = mentions.map(|(user, row)| (user, row.into())).collect();
                durable.mentions = Mentions::restore(mentions, durable.log.head);
                room.sequence = Sequence::behind(durable.log.head);
                room.durable = Some(Box::new(durable));
                room.find_deciders();
                room.read_log_back(clients, now).await?;
            }
            Messages::Window if policy.keep_history => room.read_back(clients, now).await?,
            Messages::Window => {}
        }
        Ok(Some(Box::new(room)))
    }

    /// A group that did not exist before.
    pub(crate) fn create(
        rooms: &Rooms,
        key: &GroupKey,
        ownership: u64,
        policy: v1::RoomPolicy,
        profile: ProfileRow,
        unit: &mut Unit,
    ) -> Result<Box<Self>, CommandError> {
        let loaded = Loaded { profile, ..Loaded::default() };
        let mut room = Self::from_rows(rooms, key, ownership, policy, loaded)?;
        if room.rules.messages == Messages::Log {
            let durable = Durable::create(room.position().epoch, unit);
            room.profile.incarnation = durable.log.incarnation;
            room.sequence = Sequence::behind(0);
            room.durable = Some(Box::new(durable));
        }
        unit.ops.push(put_row(RowKind::Profile, "", &room.profile));
        unit.created = Some(room.kind);
        Ok(Box::new(room))
    }

    fn from_rows(
        rooms: &Rooms,
        key: &GroupKey,
        ownership: u64,
        policy: v1::RoomPolicy,
        loaded: Loaded,
    ) -> Result<Self, CommandError> {
        let config = rooms.config();
        let now = now_seconds();
        let named = &loaded.profile.group_type;
        let rules = GroupType::parse(named).map(Rules::of).ok_or_else(|| {
            Code::GROUP_INTERNAL.with(format!("this server knows no groups of type {named}"))
        })?;
        let budget = policy.messages_per_second;
        let stream = rooms.new_stream(ownership);
        Ok(Self {
            key: key.clone(),
            kind: rules.kind,
            rules,
            durable: None,
            profile: loaded.profile,
            attributes: attributes_of(loaded.attributes),
            counters: counters_of(loaded.counters),
            mutes: loaded.mutes.into_iter().filter(|(_, until)| *until > now).collect(),
            bans: loaded.bans.into_iter().filter(|(_, until)| *until > now).collect(),
            admins: loaded.admins,
            marks: robots_of(&loaded.robots, now),
            robots: loaded.robots,
            members: Members::default(),
            latest: LatestMembers::new(policy.latest_members as usize),
            recent: Recent::new(KEPT_AT_HAND),
            recalls_told: Told::default(),
            policy,
            audience_size: config.audience_size,
            ring: EventRing::new(stream, config.ring_events, config.ring_bytes),
            sequence: Sequence::resume(SequenceRow { reserved: loaded.sequence.reserved }),
            limiter: Limiter::new(budget, budget),
            dedupe: Dedupe::new(DEFAULT_CAPACITY),
            duplicates: std::collections::HashMap::new(),
            unkept: 0,
            tips: TipPacer::new(Pace {
                threshold: config.tip_size,
                interval: config.tip_interval_ms,
                ..Pace::default()
            }),
            beacons: Beacons::default(),
            last_active_ms: 0,
            last_message: 0,
            metrics: Arc::clone(rooms.metrics()),
        })
    }
}

fn attributes_of(row: AttributesRow) -> Attributes {
    let entry = |row: crate::storage::AttributeRow| Attribute {
        key: row.key.into(),
        value: row.value.into(),
        seq: row.seq,
    };
    Attributes::restore(row.main_seq, row.attributes.into_iter().map(entry).collect())
}

fn counters_of(row: CountersRow) -> Counters {
    let counter =
        |row: crate::storage::CounterRow| Counter { key: row.key.into(), value: row.value };
    Counters::restore(row.seq, row.counters.into_iter().map(counter).collect())
}

fn robots_of(robots: &[String], now: i64) -> Marks<Arc<str>> {
    let mut marks = Marks::default();
    let robots: Vec<Arc<str>> = robots.iter().map(|robot| Arc::from(robot.as_str())).collect();
    if marks.add_robots(now.unsigned_abs(), &robots).is_err() {
        tracing::error!("more robots stored than a room may have");
    }
    marks
}
