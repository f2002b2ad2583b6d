//! What a group has beside the rest where its members are stored and its messages are a log: the
//! types of groups that are no live rooms. What it does with them is in the same `Room` that every
//! group is, and goes the same way: from a job into a unit of effects.

mod amend;
mod annotations;
mod applications;
mod describe;
mod import;
mod invitations;
mod last;
pub(crate) mod lists;
mod load;
mod members;
mod mentions;
mod publish;
mod reads;
mod retell;

use std::collections::{BTreeSet, HashMap};

use crate::actor::LogLife;
use crate::core::amended::Amended;
use crate::core::extensions::Extensions;
use crate::core::hot::Hot;
use crate::core::mentions::Mentions;
use crate::core::pins::Pins;
use crate::core::reactions::Reactions;
use crate::core::receipts::Receipts;
use crate::core::roster::Roster;
use crate::core::uncounted::Uncounted;

pub(crate) use amend::{Moment, Recall};
pub(crate) use annotations::{Annotated, ReadUnder};
pub(crate) use applications::Applications;
pub(crate) use import::{Import, Imported};
use last::Last;
pub(crate) use members::{Arrival, Departure, Founder};
pub(crate) use mentions::Meant;
pub(crate) use publish::Everybody;
use retell::Untold;

/// Members, and where the log stands.
pub(crate) struct Durable {
    pub(crate) roster: Roster,
    /// What goes to all members goes to the group's audience, which hears of every change of them.
    has_audience: bool,
    pub(crate) log: LogLife,
    pub(crate) applications: Applications,
    pub(crate) pins: Pins,
    pub(crate) receipts: Receipts,
    pub(crate) extensions: Hot<Annotated<Extensions>>,
    pub(crate) reactions: Hot<Annotated<Reactions>>,
    /// The newest of the log, as conversations show it.
    last: Last,
    /// The newest messages that members deleted for themselves, where conversations would show them.
    pub(crate) deleted: HashMap<String, u32>,
    /// Who was mentioned and has not read it.
    pub(crate) mentions: Mentions,
    /// What does not count as unread.
    uncounted: Uncounted,
    /// Which messages were changed of late.
    amended: Amended,
    /// Time of the last recall, microseconds since 1970: the next one's is greater.
    recalled_at: i64,
    /// The life before this one did not end in order.
    broke_off: bool,
    /// What an earlier life may have kept and told nobody of.
    untold: Untold,
    /// Members who have read on, by sending, since that was saved.
    unsaved: BTreeSet<String>,
    /// When they are saved, milliseconds of the actor's clock.
    save_at: Option<u64>,
}

impl Durable {
    fn new(roster: Roster, log: LogLife) -> Self {
        let (last, deleted, uncounted, amended, recalled_at) = Default::default();
        let (untold, unsaved, save_at) = Default::default();
        let (applications, pins, receipts, mentions) = Default::default();
        Self {
            roster,
            has_audience: false,
            log,
            applications,
            pins,
            receipts,
            extensions: Hot::new(annotations::MOST_BYTES),
            reactions: Hot::new(annotations::MOST_BYTES),
            last,
            deleted,
            mentions,
            uncounted,
            amended,
            recalled_at,
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
