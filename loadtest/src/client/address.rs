//! Where connections go to and where they come from. One address has some 28,000 ports, and gateways limit
//! connections of one address: so clients are spread over many.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

/// Connections from one address.
const CLIENTS_PER_ADDRESS: u32 = 4_000;

/// A gateway of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its name in `Host` headers.
    pub host: String,
}

/// The source addresses of clients.
#[derive(Debug, Clone)]
pub struct Sources {
    addresses: Vec<IpAddr>,
}

impl Sources {
    /// Those that are given; else, towards this machine itself, addresses from 127.0.0.2 on; else
    /// whatever the system chooses.
    #[must_use]
    pub fn new(given: Vec<IpAddr>, gateways: &[Gateway], clients: u32) -> Self {
        let local = |it: &Gateway| matches!(it.address.ip(), IpAddr::V4(ip) if ip.is_loopback());
        let loopback = gateways.iter().all(local);
        if !given.is_empty() || !loopback || !cfg!(target_os = "linux") {
            return Self { addresses: given };
        }
        let base = u32::from(Ipv4Addr::new(127, 0, 0, 2));
        let many = clients.div_ceil(CLIENTS_PER_ADDRESS).max(1);
        Self { addresses: (0..many).map(|n| Ipv4Addr::from(base + n).into()).collect() }
    }

    /// Begins to connect; the socket becomes writable when that is decided.
    ///
    /// # Errors
    /// What the system says, such as too many descriptors or no free port.
    pub fn dial(&self, client: u32, target: SocketAddr) -> std::io::Result<std::net::TcpStream> {
        let socket = Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if !self.addresses.is_empty() {
            let source = self.addresses[client as usize % self.addresses.len()];
            socket.bind(&SocketAddr::new(source, 0).into())?;
        }
        match socket.connect(&target.into()) {
            Err(error) if !is_under_way(&error) => Err(error),
            _ => Ok(socket.into()),
        }
    }
}

fn is_under_way(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::WouldBlock
        || error.raw_os_error() == Some(115)
        || error.raw_os_error() == Some(36)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_clients_are_spread() {
        let at =
            |address: &str| Gateway { address: address.parse().unwrap(), host: address.to_owned() };
        let [here, there] = [at("127.0.0.1:7080"), at("10.0.0.1:7080")];
        let sources = Sources::new(vec![], std::slice::from_ref(&here), 19_000);
        assert_eq!(sources.addresses.len(), 5);
        assert_eq!(sources.addresses[0].to_string(), "127.0.0.2");
        let sources = Sources::new(vec![], &[here.clone(), here.clone()], 95_000);
        assert_eq!(sources.addresses.len(), 24);
        let sources = Sources::new(vec![], &[here, there], 19_000);
        assert!(sources.addresses.is_empty());
    }
}
