//! What a group has beside the rest where its members are stored and its messages are a log: the
//! types of groups that are no live rooms. What it does with them is in the same `Room` that every
//! group is, and goes the same way: from a job into a unit of effects.

mod annotations;
mod applications;
mod describe;
pub(crate) mod lists;
mod load;
mod members;
mod publish;
mod reads;
mod retell;

use std::collections::BTreeSet;

use throng_proto::v1;

use crate::actor::LogLife;
use crate::core::hot::Hot;
use crate::core::pins::Pins;
use crate::core::receipts::Receipts;
use crate::core::roster::Roster;

pub(crate) use annotations::{Extended, Reacted, ReadUnder};
pub(crate) use applications::Applications;
pub(crate) use members::{Arrival, Departure, Founder};

/// Members, and where the log stands.
pub(crate) struct Durable {
    pub(crate) roster: Roster,
    pub(crate) log: LogLife,
    pub(crate) applications: Applications,
    pub(crate) pins: Pins,
    pub(crate) receipts: Receipts,
    pub(crate) extensions: Hot<Extended>,
    pub(crate) reactions: Hot<Reacted>,
    /// The newest of the log, a tip or a message.
    last: Option<v1::StoredMessage>,
    /// The life before this one did not end in order.
    broke_off: bool,
    /// What an earlier life may have kept and told nobody of, the oldest first.
    untold: Vec<v1::StoredMessage>,
    /// Members who have read on, by sending, since that was saved.
    unsaved: BTreeSet<String>,
    /// When they are saved, milliseconds of the actor's clock.
    save_at: Option<u64>,
}

impl Durable {
    fn new(roster: Roster, log: LogLife) -> Self {
        let (last, untold, unsaved, save_at) = Default::default();
        let (applications, pins, receipts) = Default::default();
        Self {
            roster,
            log,
            applications,
            pins,
            receipts,
            extensions: Hot::new(annotations::MOST_BYTES),
            reactions: Hot::new(annotations::MOST_BYTES),
            last,
            broke_off: false,
            untold,
            unsaved,
            save_at,
        }
    }

    /// Members in the order in which they came.
    pub(crate) fn users(&self) -> impl Iterator<Item = &str> {
        self.roster.iter().map(|(user, _)| &**user)
    }
}
