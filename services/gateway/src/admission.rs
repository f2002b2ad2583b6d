//! Who may connect: limits on connections in all and for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::addresses::{AddressPlace, Addresses};
use crate::connection::{Close, Outbox};

/// Counts connections and knows the outbox of each, for those who close many.
#[derive(Debug)]
pub(crate) struct Admission {
    max: usize,
    addresses: Arc<Addresses>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    connections: HashMap<u64, Outbox>,
}

/// The place of one connection; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    _address: AddressPlace,
    number: u64,
}

/// Why a connection is turned away; the label of the metric.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl Admission {
    pub(crate) fn new(max: usize, max_per_address: usize) -> Self {
        let addresses = Arc::new(Addresses::new(max_per_address));
        Self { max, addresses, state: Mutex::default() }
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
        let state = &mut *self.state.lock();
        if state.connections.len() >= self.max {
            return Err(Refused("connections"));
        }
        let address = self.addresses.take(address).ok_or(Refused("address"))?;
        let number = state.next;
        state.next += 1;
        state.connections.insert(number, outbox);
        Ok(Admitted { admission: Arc::clone(self), _address: address, number })
    }

    /// Closes connections that were idle for so long.
    pub(crate) fn close_idle(&self, seconds: u32) {
        let idle: Vec<Outbox> = {
            let state = self.state.lock();
            state
                .connections
                .values()
                .filter(|one| one.idle_seconds() >= seconds)
                .cloned()
                .collect()
        };
        for outbox in idle {
            outbox.close(Close::IDLE);
        }
    }

    /// Nobody is connected.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().connections.is_empty()
    }

    /// The outboxes of all connections.
    pub(crate) fn outboxes(&self) -> Vec<Outbox> {
        self.state.lock().connections.values().cloned().collect()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.state.lock().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let outbox = || Outbox::unwritten(1);
        let admission = Arc::new(Admission::new(3, 2));
        let (one, two): (IpAddr, IpAddr) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let first = admission.admit(one, outbox()).unwrap();
        let _second = admission.admit(one, outbox()).unwrap();
        assert_eq!(admission.admit(one, outbox()).unwrap_err(), Refused("address"));
        let _third = admission.admit(two, outbox()).unwrap();
        assert_eq!(admission.admit(two, outbox()).unwrap_err(), Refused("connections"));
        drop(first);
        assert!(admission.admit(one, outbox()).is_ok());
    }
}
