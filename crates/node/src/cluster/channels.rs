//! Connections to other nodes: one HTTP/2 channel an address, made when it is first needed and made
//! again by itself when it breaks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tonic::transport::{Channel, Endpoint};

const CONNECT: Duration = Duration::from_secs(1);
/// A peer that stands still is noticed within both together.
const PING_EVERY: Duration = Duration::from_secs(2);
const PING_ANSWERED: Duration = Duration::from_secs(2);
/// Room for a burst of large events on one connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// Addresses come and go with pods; those that nobody uses any more are forgotten at that number.
const MOST: usize = 1024;

/// A channel that connects on first use.
///
/// # Errors
/// When the address is none.
pub fn channel(address: &str) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWERED)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    Ok(endpoint.connect_lazy())
}

/// Channels by address. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Channels {
    known: Arc<Mutex<HashMap<Arc<str>, Channel>>>,
}

impl Channels {
    /// The channel to this address.
    ///
    /// # Errors
    /// When the address is none.
    pub fn get(&self, address: &Arc<str>) -> Result<Channel, tonic::transport::Error> {
        let mut known = self.known.lock();
        if let Some(channel) = known.get(address) {
            return Ok(channel.clone());
        }
        if known.len() >= MOST {
            // Calls under way hold clones; the rest is made again when needed.
            known.clear();
        }
        let channel = channel(address)?;
        known.insert(Arc::clone(address), channel.clone());
        Ok(channel)
    }
}
