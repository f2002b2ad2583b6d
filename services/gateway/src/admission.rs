//! Who may connect: limits on connections in all and for each address. Who is connected: for those
//! who close many, and so that connections on which nothing happens end.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::addresses::{AddressPlace, Addresses};
use crate::connection::{Close, Coarse, Outbox};
use crate::wheel::Idle;

/// Connections that are looked at under one lock.
const SOME: usize = 256;

/// Counts connections and knows the outbox of each.
#[derive(Debug)]
pub(crate) struct Admission {
    max: usize,
    addresses: Arc<Addresses>,
    connected: Mutex<Connected>,
    /// Never locked together with the others.
    idle: Mutex<Idle<Key>>,
}

#[derive(Debug, Default)]
struct Connected {
    places: Vec<Place>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place {
    /// Who had it before; tells its holders apart.
    holders: u32,
    outbox: Option<Outbox>,
}

/// A connection that may be gone.
#[derive(Debug, Clone, Copy)]
struct Key {
    place: u32,
    holder: u32,
}

/// The place of one connection; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    _address: AddressPlace,
    place: u32,
}

/// Why a connection is turned away; the label of the metric.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl Admission {
    /// Limits in all, for each address, and for the seconds that a connection may be idle.
    pub(crate) fn new(max: usize, max_per_address: usize, idle: u32) -> Self {
        Self {
            max,
            addresses: Arc::new(Addresses::new(max_per_address)),
            connected: Mutex::default(),
            idle: Mutex::new(Idle::new(idle, Coarse::now())),
        }
    }

    /// Takes a connection in.
    ///
    /// # Errors
    /// [`Refused`] when a limit is reached.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        outbox: Outbox,
    ) -> Result<Admitted, Refused> {
        let active = outbox.active();
        let (key, address) = {
            let mut connected = self.connected.lock();
            if connected.len() >= self.max {
                return Err(Refused("connections"));
            }
            let address = self.addresses.take(address).ok_or(Refused("address"))?;
            (connected.add(outbox), address)
        };
        self.idle.lock().watch(active, key);
        Ok(Admitted { admission: Arc::clone(self), _address: address, place: key.place })
    }

    /// Closes connections that have been idle for too long. Each is looked at once in that time,
    /// whatever happens on it.
    pub(crate) fn close_idle(&self, now: u32) {
        loop {
            let due = self.idle.lock().due(now);
            let Some(due) = due else { return };
            for some in due.chunks(SOME) {
                let active = self.active(some);
                let mut over = Vec::new();
                let mut idle = self.idle.lock();
                for (key, active, outbox) in active {
                    if idle.limit().is_over(active, now) {
                        over.push(outbox);
                    } else {
                        idle.watch(active, key);
                    }
                }
                drop(idle);
                for outbox in over {
                    outbox.close(Close::IDLE);
                }
            }
        }
    }

    /// Those of them that are still here, and when something last happened to each.
    fn active(&self, keys: &[Key]) -> Vec<(Key, u32, Outbox)> {
        let connected = self.connected.lock();
        let find = |key: &Key| {
            let outbox = connected.get(*key)?;
            Some((*key, outbox.active(), outbox.clone()))
        };
        keys.iter().filter_map(find).collect()
    }

    /// Nobody is connected.
    pub(crate) fn is_empty(&self) -> bool {
        self.connected.lock().len() == 0
    }

    /// The outboxes of all connections. Who comes meanwhile may be missing.
    pub(crate) fn outboxes(&self) -> Vec<Outbox> {
        let mut outboxes = Vec::new();
        let mut from = 0;
        loop {
            let connected = self.connected.lock();
            let places = connected.places.get(from..).unwrap_or_default();
            if places.is_empty() {
                return outboxes;
            }
            let some = &places[..places.len().min(SOME)];
            outboxes.extend(some.iter().filter_map(|place| place.outbox.clone()));
            from += some.len();
        }
    }
}

impl Connected {
    fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    fn add(&mut self, outbox: Outbox) -> Key {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { holders: 0, outbox: None });
            u32::try_from(self.places.len() - 1).expect("fewer than 2^32 sockets are open")
        });
        let taken = &mut self.places[place as usize];
        taken.outbox = Some(outbox);
        Key { place, holder: taken.holders }
    }

    fn get(&self, key: Key) -> Option<&Outbox> {
        let place = self.places.get(key.place as usize)?;
        place.outbox.as_ref().filter(|_| place.holders == key.holder)
    }

    fn remove(&mut self, place: u32) -> Option<Outbox> {
        let left = &mut self.places[place as usize];
        left.holders = left.holders.wrapping_add(1);
        self.free.push(place);
        left.outbox.take()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let outbox = self.admission.connected.lock().remove(self.place);
        drop(outbox);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox() -> Outbox {
        Outbox::unwritten(1)
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let admission = Arc::new(Admission::new(3, 2, 10));
        let (one, two): (IpAddr, IpAddr) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let first = admission.admit(one, outbox()).unwrap();
        let _second = admission.admit(one, outbox()).unwrap();
        assert_eq!(admission.admit(one, outbox()).unwrap_err(), Refused("address"));
        let _third = admission.admit(two, outbox()).unwrap();
        assert_eq!(admission.admit(two, outbox()).unwrap_err(), Refused("connections"));
        drop(first);
        assert_eq!(admission.outboxes().len(), 2);
        assert!(admission.admit(one, outbox()).is_ok());
    }

    #[test]
    fn who_is_idle_is_closed_and_whoever_has_its_place_later_is_not() {
        let admission = Arc::new(Admission::new(1000, 1000, 100));
        let now = Coarse::now();
        let admit = || {
            let outbox = outbox();
            let place = admission.admit([127, 0, 0, 1].into(), outbox.clone()).unwrap();
            (outbox, place)
        };
        let mut all: Vec<_> = (0..600).map(|_| admit()).collect();
        admission.close_idle(now + 50);
        let (_, left) = all.swap_remove(7);
        drop(left);
        let (late, _place) = admit();
        late.touch_at(now + 50);
        admission.close_idle(now + 120);
        assert!(all.iter().all(|(outbox, _)| outbox.close_reason() == Some(Close::IDLE)));
        assert_eq!(late.close_reason(), None);
        admission.close_idle(now + 160);
        assert_eq!(late.close_reason(), Some(Close::IDLE));
    }
}
