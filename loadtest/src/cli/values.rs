//! What stands behind flags, taken apart.

use std::net::{SocketAddr, ToSocketAddrs};

pub(super) fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.001..=1_000.0).contains(&speed) => Ok(speed),
        _ => Err("expected a number from 0.001 to 1,000".to_owned()),
    }
}

/// Where to connect to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// As it stood in the URL.
    pub(crate) host: String,
    pub(crate) path: String,
}

pub(super) fn parse_target(url: &str) -> Result<Target, String> {
    if url.starts_with("wss://") {
        return Err("TLS is not supported: name a port that takes ws://".to_owned());
    }
    let target = parse_url(url, "ws://")?;
    if target.path == "/" { Ok(target) } else { Err("paths are not supported".to_owned()) }
}

/// Where metrics are, and whose they are.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) name: String,
    pub(crate) target: Target,
}

pub(super) fn parse_metrics(text: &str) -> Result<Metrics, String> {
    let (name, url) = match text.split_once("=http://") {
        Some((name, _)) => (Some(name), &text[name.len() + 1..]),
        None => (None, text),
    };
    let target = parse_url(url, "http://")?;
    let name = name.filter(|name| !name.is_empty()).unwrap_or(&target.host).to_owned();
    Ok(Metrics { name, target })
}

fn parse_url(url: &str, scheme: &str) -> Result<Target, String> {
    let rest = url.strip_prefix(scheme).ok_or_else(|| format!("expected {scheme}HOST:PORT"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let addresses = host.to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
    // The first address of IPv4, if there is one: servers on this machine often have no other.
    let all: Vec<SocketAddr> = addresses.collect();
    let address = all.iter().find(|address| address.is_ipv4()).or(all.first());
    let address = *address.ok_or_else(|| format!("{host}: no address"))?;
    Ok(Target { address, host: host.to_owned(), path: format!("/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let target = parse_target("ws://127.0.0.1:7080").unwrap();
        assert_eq!((target.address.port(), &*target.host), (7080, "127.0.0.1:7080"));
        let metrics = parse_metrics("http://127.0.0.1:7081/metrics").unwrap();
        assert_eq!((&*metrics.name, &*metrics.target.path), ("127.0.0.1:7081", "/metrics"));
        let metrics = parse_metrics("gateway-0=http://127.0.0.1:7081/metrics").unwrap();
        assert_eq!((&*metrics.name, metrics.target.address.port()), ("gateway-0", 7081));
        assert!(parse_metrics("gateway-0=127.0.0.1:7081").is_err());
        for bad in ["wss://127.0.0.1:1", "127.0.0.1:1", "ws://127.0.0.1", "ws://127.0.0.1:1/im"] {
            assert!(parse_target(bad).is_err(), "{bad}");
        }
    }
}
