//! Whose address a request came from, behind proxies that are known.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;
use serde::Deserialize;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Addresses of one header that are looked at, from its end.
const MOST_HOPS: usize = 16;

/// Proxies whose word on the caller's address counts: addresses or networks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct TrustedProxies(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

/// A trusted proxy that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network")]
pub struct BadProxy(String);

impl TryFrom<Vec<String>> for TrustedProxies {
    type Error = BadProxy;

    fn try_from(proxies: Vec<String>) -> Result<Self, BadProxy> {
        let networks = proxies.into_iter().map(|text| Network::parse(&text).ok_or(BadProxy(text)));
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        let differing_above = |difference: u128, width: u32| {
            let host_bits = width - u32::from(self.bits);
            difference.checked_shr(host_bits).unwrap_or(0) != 0
        };
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                !differing_above(u128::from(own.to_bits() ^ other.to_bits()), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                !differing_above(own.to_bits() ^ other.to_bits(), 128)
            }
            _ => false,
        }
    }
}

impl TrustedProxies {
    /// The caller's address: the connection's own, or where that is a trusted proxy's, the last one
    /// of `X-Forwarded-For` that is not. What stands before it anybody could have written.
    pub(crate) fn client_ip(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
        let hops = headers.get_all(FORWARDED_FOR).into_iter().rev();
        let hops = hops.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
        for hop in hops.take(MOST_HOPS) {
            if !self.trusts(client) {
                break;
            }
            let Ok(address) = hop.trim().parse::<IpAddr>() else {
                break;
            };
            client = address.to_canonical();
        }
        client
    }

    /// Whether this is a proxy's address.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies: Vec<String> = proxies.iter().map(|&text| text.to_owned()).collect();
        let proxies = TrustedProxies::try_from(proxies).unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        proxies.client_ip(Some(peer.parse().unwrap()), &headers).to_string()
    }

    #[test]
    fn the_header_counts_only_from_a_trusted_proxy() {
        assert_eq!(client(&[], "127.0.0.9", &["198.51.100.1"]), "127.0.0.9");
        assert_eq!(client(&["127.0.0.0/8"], "127.0.0.9", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&["127.0.0.0/8"], "198.51.100.7", &["1.1.1.1"]), "198.51.100.7");
        assert_eq!(client(&["127.0.0.9"], "::ffff:127.0.0.9", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(client(&["fd00::/8"], "fd00::1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn what_a_caller_wrote_itself_does_not_count() {
        let proxies = ["127.0.0.1", "10.0.0.0/8"];
        assert_eq!(
            client(&proxies, "127.0.0.1", &["9.9.9.9, 203.0.113.5, 10.1.2.3"]),
            "203.0.113.5"
        );
        assert_eq!(client(&proxies, "127.0.0.1", &["9.9.9.9", "203.0.113.5"]), "203.0.113.5");
        assert_eq!(client(&proxies, "127.0.0.1", &["203.0.113.5, junk"]), "127.0.0.1");
        assert_eq!(client(&proxies, "127.0.0.1", &[""]), "127.0.0.1");
    }

    #[test]
    fn networks_are_checked() {
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "host", "10.0.0/8"] {
            assert!(TrustedProxies::try_from(vec![bad.to_owned()]).is_err(), "{bad}");
        }
        assert_eq!(client(&["0.0.0.0/0"], "8.8.8.8", &["1.1.1.1"]), "1.1.1.1");
        assert_eq!(client(&["::/0"], "8.8.8.8", &["1.1.1.1"]), "8.8.8.8");
    }
}
