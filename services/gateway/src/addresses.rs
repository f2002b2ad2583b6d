//! How many places each network address takes, so that nobody takes them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Bits of an IPv6 address that one customer of a provider has to choose from.
const HOST_BITS: u32 = 64;

/// Counts places by address.
#[derive(Debug)]
pub(crate) struct Addresses {
    most: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One place; dropping it frees it.
#[derive(Debug)]
pub(crate) struct AddressPlace {
    addresses: Arc<Addresses>,
    network: IpAddr,
}

impl Addresses {
    /// So many places for each address. The addresses of an IPv6 network of 64 bits count as one.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Mutex::default() }
    }

    /// Takes a place, if the address has one left.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<AddressPlace> {
        let network = network(address);
        let mut taken = self.taken.lock();
        let here = taken.entry(network).or_default();
        if *here >= self.most {
            return None;
        }
        *here += 1;
        Some(AddressPlace { addresses: Arc::clone(self), network })
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut taken = self.addresses.taken.lock();
        if let Some(here) = taken.get_mut(&self.network) {
            *here -= 1;
            if *here == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() >> HOST_BITS << HOST_BITS).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let addresses = Arc::new(Addresses::new(2));
        let take = |text: &str| addresses.take(text.parse().unwrap());
        let first = take("127.0.0.1").unwrap();
        let _second = take("::ffff:127.0.0.1").unwrap();
        assert!(take("127.0.0.1").is_none());
        assert!(take("127.0.0.2").is_some());
        drop(first);
        assert!(take("127.0.0.1").is_some());
        assert_eq!(addresses.taken.lock().len(), 1, "nothing is kept of who is gone");
    }

    /// A limit for each address is none for somebody who has 2^64 of them.
    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let addresses = Arc::new(Addresses::new(1));
        let take = |text: &str| addresses.take(text.parse().unwrap());
        let _first = take("2001:db8:0:1::1").unwrap();
        assert!(take("2001:db8:0:1:ffff::9").is_none());
        assert!(take("2001:db8:0:2::1").is_some());
    }
}
