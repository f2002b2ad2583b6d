//! The order of a connection's messages to one group. They travel to the group's owner side by side,
//! and the owner takes them in by the numbers that they get here as their frames arrive.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rand::RngExt;
use throng_proto::v1;

/// The messages of one connection that are under way.
#[derive(Debug, Default)]
pub(super) struct SendOrder {
    /// Made for the first message: most connections only listen.
    groups: OnceLock<Arc<Groups>>,
}

type Groups = Mutex<HashMap<Box<str>, Line>>;

/// Messages to one group, from one that found nothing under way to the last before nothing is again:
/// what was answered before needs no order.
#[derive(Debug)]
struct Line {
    stream: u64,
    last: u32,
    under_way: BTreeSet<u32>,
}

/// The place of one message, until it is answered.
#[derive(Debug)]
pub(super) struct Place {
    groups: Arc<Groups>,
    group: Box<str>,
    number: u32,
}

impl SendOrder {
    /// Gives the next message to a group its place.
    pub(super) fn enter(&self, group: &str) -> Place {
        let shared = self.groups.get_or_init(Arc::default);
        let mut groups = shared.lock();
        let line = groups.entry(group.into()).or_insert_with(|| Line {
            stream: rand::rng().random(),
            last: 0,
            under_way: BTreeSet::new(),
        });
        line.last += 1;
        line.under_way.insert(line.last);
        Place { groups: Arc::clone(shared), group: group.into(), number: line.last }
    }
}

impl Place {
    pub(super) fn group(&self) -> &str {
        &self.group
    }

    /// What the owner has to know of it.
    pub(super) fn order(&self) -> Option<v1::SendOrder> {
        let groups = self.groups.lock();
        let line = groups.get(&self.group)?;
        let settled = line.under_way.first()?.saturating_sub(1);
        Some(v1::SendOrder { stream: line.stream, number: self.number, settled })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut groups = self.groups.lock();
        if let Some(line) = groups.get_mut(&self.group) {
            line.under_way.remove(&self.number);
            if line.under_way.is_empty() {
                groups.remove(&self.group);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_under_way_has_an_order() {
        let order = SendOrder::default();
        let [first, second, third] = [order.enter("a"), order.enter("a"), order.enter("a")];
        let elsewhere = order.enter("b").order().unwrap();
        assert_eq!((elsewhere.number, elsewhere.settled), (1, 0));
        let of = |place: &Place| place.order().unwrap();
        assert_eq!((of(&third).number, of(&third).settled), (3, 0));
        drop(second);
        assert_eq!(of(&third).settled, 0, "the first may still be on its way");
        let stream = of(&third).stream;
        drop(first);
        assert_eq!(of(&third).settled, 2);
        drop(third);
        assert!(order.groups.get().unwrap().lock().is_empty());
        let next = order.enter("a");
        assert_eq!(of(&next).number, 1);
        assert_ne!(of(&next).stream, stream);
    }
}
