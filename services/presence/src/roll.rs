//! The roll of gateways: which of them live, and the numbered messages that each is sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use prost::Message as _;
use throng_bus::subjects::GATEWAY_PARTITIONS;
use throng_proto::v1;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::core::{Gateways, Known, Patience, Stream};

/// Bytes of messages that are sent again with one answer.
const AGAIN_BYTES: usize = 512 * 1024;
/// How long gateways may take to make themselves known to a node that just came.
const SETTLE: Duration = Duration::from_secs(3);
/// How long the first of them are waited for with deliveries.
const OPENING: Duration = Duration::from_secs(1);

/// All gateways that are known.
#[derive(Debug)]
pub(crate) struct Roll {
    state: Mutex<State>,
    settled: watch::Sender<bool>,
    opens: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct State {
    gateways: Gateways,
    posts: HashMap<Arc<str>, Arc<Post>>,
}

/// What is on its way to one gateway.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) gateway: Arc<str>,
    stream: u64,
    partitions: [Mutex<Stream>; GATEWAY_PARTITIONS as usize],
}

/// What a beat says, but for the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beat {
    pub(crate) stream: u64,
    pub(crate) told: u64,
}

impl Roll {
    pub(crate) fn new(lease: Duration) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let patience = Patience { lease: millis(lease), settle: millis(SETTLE) };
        let state = State { gateways: Gateways::new(patience), posts: HashMap::new() };
        Self {
            state: Mutex::new(state),
            settled: watch::Sender::new(true),
            opens: Mutex::default(),
        }
    }

    /// A gateway called. Returns what the two call their bond.
    pub(crate) fn heard(&self, now: u64, gateway: &str) -> u64 {
        let mut state = self.state.lock();
        let known = state.gateways.heard(now, gateway, rand::random());
        state.post(gateway, known);
        known.bond
    }

    pub(crate) fn beat(&self, now: u64, gateway: &str, beat: Beat) -> (Known, Arc<Post>) {
        let mut state = self.state.lock();
        let heard = (beat.stream, beat.told);
        let known = state.gateways.beat(now, gateway, heard, rand::random());
        let post = state.post(gateway, known);
        drop(state);
        self.settle(now);
        (known, post)
    }

    /// The store told of a gateway.
    pub(crate) fn mention(&self, now: u64, gateway: &str) {
        self.state.lock().gateways.mention(now, gateway, rand::random());
    }

    /// A gateway that left in order. False: it was not known.
    pub(crate) fn remove(&self, gateway: &str) -> bool {
        let mut state = self.state.lock();
        state.posts.remove(gateway);
        state.gateways.remove(gateway)
    }

    /// Gives up who was silent for too long, and says who.
    pub(crate) fn silent(&self, now: u64) -> Vec<Arc<str>> {
        let mut state = self.state.lock();
        let silent = state.gateways.silent(now);
        for gateway in &silent {
            state.posts.remove(gateway);
        }
        silent
    }

    /// See [`Gateways::forgive`].
    pub(crate) fn forgive(&self, pause: u64) {
        self.state.lock().gateways.forgive(pause);
    }

    /// See [`Gateways::renew_bonds`].
    pub(crate) fn renew_bonds(&self) {
        self.state.lock().gateways.renew_bonds();
    }

    /// The node became the home of more users with this list of nodes; `is_new` where it was on none
    /// before, so that gateways may not have found it yet.
    pub(crate) fn gained(&self, now: u64, version: u64, is_new: bool) {
        self.state.lock().gateways.gained(now, version);
        self.settle(now);
        if is_new {
            *self.opens.lock() = Some(Instant::now() + OPENING);
        }
    }

    /// Returns once the gateways should have found this node.
    pub(crate) async fn opened(&self) {
        let opens = *self.opens.lock();
        if let Some(opens) = opens {
            sleep_until(opens).await;
        }
    }

    /// Looks whether all gateways have said which sessions they have.
    pub(crate) fn settle(&self, now: u64) {
        let settled = self.state.lock().gateways.settle(now);
        self.settled.send_if_modified(|known| std::mem::replace(known, settled) != settled);
    }

    pub(crate) fn is_settled(&self) -> bool {
        *self.settled.borrow()
    }

    /// Returns once all gateways have said which sessions they have.
    pub(crate) async fn settled(&self) {
        // The sender lives as long as this does.
        let _ = self.settled.subscribe().wait_for(|settled| *settled).await;
    }

    /// Gateways that may have sessions which this node does not know.
    pub(crate) fn unsettled(&self) -> Vec<Arc<Post>> {
        if self.is_settled() {
            return Vec::new();
        }
        let state = self.state.lock();
        let unsettled = state.gateways.unsettled();
        unsettled.filter_map(|gateway| state.posts.get(gateway).cloned()).collect()
    }

    /// See [`Gateways::is_awaited`].
    pub(crate) fn is_awaited(&self, gateway: &str) -> bool {
        self.state.lock().gateways.is_awaited(gateway)
    }

    /// See [`Gateways::round`].
    pub(crate) fn round(&self, now: u64, gateway: &str, number: u64) -> u64 {
        self.state.lock().gateways.round(now, gateway, number)
    }

    pub(crate) fn post(&self, gateway: &str) -> Option<Arc<Post>> {
        self.state.lock().posts.get(gateway).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().gateways.len()
    }
}

impl State {
    fn post(&mut self, gateway: &str, known: Known) -> Arc<Post> {
        if let Some(post) = self.posts.get(gateway)
            && post.stream == known.stream
        {
            return Arc::clone(post);
        }
        if self.posts.len() > 2 * self.gateways.len() {
            self.posts.retain(|gateway, _| self.gateways.knows(gateway));
        }
        let gateway: Arc<str> = Arc::from(gateway);
        let post = Arc::new(Post {
            gateway: Arc::clone(&gateway),
            stream: known.stream,
            partitions: Default::default(),
        });
        self.posts.insert(gateway, Arc::clone(&post));
        post
    }
}

impl Post {
    /// Numbers a message, keeps it and hands it on to `publish`, so that messages go out in the order
    /// of their numbers.
    pub(crate) fn send(
        &self,
        partition: u16,
        mut message: v1::GatewayMessage,
        publish: impl FnOnce(Bytes),
    ) {
        let Some(stream) = self.partitions.get(usize::from(partition)) else {
            return;
        };
        message.stream = self.stream;
        message.partition = partition.into();
        let mut stream = stream.lock();
        message.number = stream.next();
        let payload = Bytes::from(message.encode_to_vec());
        let forgotten = stream.push(payload.clone());
        publish(payload);
        drop(stream);
        if forgotten > 0 {
            metrics::counter!("throng_presence_messages_forgotten_total").increment(forgotten);
        }
    }

    /// The gateway says what came. Returns how far each partition is, and what did not come, as much
    /// as fits.
    pub(crate) fn receipt(
        &self,
        stream: u64,
        received: &[v1::StreamPosition],
    ) -> (Vec<v1::StreamState>, Vec<Bytes>) {
        let mut again = Vec::new();
        let mut bytes = 0;
        if stream == self.stream {
            for (partition, position) in self.partitions.iter().zip(received) {
                let mut partition = partition.lock();
                partition.acknowledge(position.complete);
                for number in &position.missing {
                    let Some(message) = partition.get(*number) else { continue };
                    if bytes > 0 && bytes + message.len() > AGAIN_BYTES {
                        break;
                    }
                    bytes += message.len();
                    again.push(message.clone());
                }
            }
        }
        let states = self.partitions.iter().map(|partition| {
            let partition = partition.lock();
            v1::StreamState { last: partition.last(), forgotten: partition.forgotten() }
        });
        (states.collect(), again)
    }
}
