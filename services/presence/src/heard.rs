//! Which gateways were heard of lately. A gateway that is alive tells when a session's connection
//! ends, so its silent sessions are not doubted.

use std::collections::HashMap;

use parking_lot::Mutex;

/// Last signs of life of gateways, on the monotonic clock in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    gateways: Mutex<HashMap<String, u64>>,
}

impl Heard {
    pub(crate) fn note(&self, gateway: &str, now: u64) {
        let mut gateways = self.gateways.lock();
        match gateways.get_mut(gateway) {
            Some(at) => *at = now,
            None => {
                gateways.insert(gateway.to_owned(), now);
            }
        }
    }

    pub(crate) fn since(&self, gateway: &str, earliest: u64) -> bool {
        self.gateways.lock().get(gateway).is_some_and(|at| *at > earliest)
    }

    pub(crate) fn forget_before(&self, earliest: u64) {
        self.gateways.lock().retain(|_, at| *at > earliest);
    }
}
