//! The client of one connection: who it is, what it asks for, what it is told. Reads in the order a
//! frame travels: [`dispatch`] takes it apart, [`auth`] finds out whose it is, [`probation`] whether
//! that session may act before it has logged in here, then it is answered here ([`login`],
//! [`logout`], [`hello`], [`local`]) or forwarded ([`forwarded`]).

mod ack_sweep;
mod acks;
mod auth;
mod catch_up;
mod dispatch;
mod forwarded;
mod hello;
mod inbox;
mod kick;
mod local;
mod login;
mod logout;
mod membership;
mod polling;
mod probation;
mod push;
mod registry;
mod retold;
mod send_order;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use throng_node::time;
use throng_proto::v1;
use throng_protocol::ids::AppId;

use crate::admission::Admitted;
use crate::capture::Line;
use crate::connection::Outbox;
use crate::context::Context;
use crate::metrics::Metrics;
use crate::rooms::Attendee;
pub(crate) use ack_sweep::AckSweep;
use acks::AckWindow;
pub(crate) use auth::Identity;
use catch_up::CatchUp;
use forwarded::RecentJoin;
use kick::Kicked;
pub(crate) use probation::Probation;
pub(crate) use push::items_frame;
pub(crate) use registry::Registry;
use send_order::SendOrder;

/// What a connection said about itself when it was opened (SDK protocol notes 01, 1.1).
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) app: AppId,
    /// Kind of device; 7 for browsers.
    pub(crate) platform: u32,
    /// One for each SDK object; the same on every reconnect.
    pub(crate) instance: String,
    pub(crate) ip: String,
}

/// The client of one connection.
#[derive(Debug)]
pub(crate) struct Session {
    context: Arc<Context>,
    peer: Peer,
    outbox: Outbox,
    /// Number of the connection, for presence.
    number: u64,
    state: Mutex<State>,
    /// Logins and logouts are carried out one after the other.
    turn: tokio::sync::Mutex<()>,
    acks: Mutex<AckWindow>,
    catch_up: CatchUp,
    /// Messages to groups that are under way.
    send_order: SendOrder,
    /// Where what it asks for is written down.
    capture: Option<Box<Line>>,
    _place: Admitted,
}

#[derive(Debug, Default)]
struct State {
    /// The connection is over.
    ended: bool,
    /// Somebody has yet to log in, and is looked after.
    on_probation: bool,
    /// Logins that were refused.
    refused_logins: u32,
    /// Who proved to be here with a login or a token.
    identity: Option<Arc<Identity>>,
    /// Who was here, and is not welcome any more.
    kicked: Option<Kicked>,
    /// Rooms that were joined without login.
    guest: Option<Arc<Attendee>>,
    recent_join: Option<RecentJoin>,
}

impl Session {
    pub(crate) fn new(context: Arc<Context>, peer: Peer, outbox: Outbox, place: Admitted) -> Self {
        Self {
            capture: context.capture.as_ref().map(|capture| Box::new(capture.line())),
            acks: Mutex::new(AckWindow::new(context.config.ack_timeout)),
            context,
            peer,
            outbox,
            number: connection_number(),
            state: Mutex::default(),
            catch_up: CatchUp::default(),
            send_order: SendOrder::default(),
            turn: tokio::sync::Mutex::default(),
            _place: place,
        }
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.context.metrics
    }

    /// Bytes of the largest message.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.context.config.frame_bytes
    }

    /// Requests that may be unanswered.
    pub(crate) fn in_flight_limit(&self) -> usize {
        self.context.config.in_flight.max(1)
    }

    /// The guest of this connection, made when somebody first acts as one.
    fn guest(&self) -> Arc<Attendee> {
        let mut state = self.state.lock();
        let guest = state.guest.get_or_insert_with(|| {
            let inst_id = self.context.guest_inst_id();
            Arc::new(Attendee::new(self.peer.app, String::new(), inst_id, self.outbox.clone()))
        });
        Arc::clone(guest)
    }

    fn origin(&self, kind: v1::origin::Kind, inst_id: u32) -> v1::Origin {
        v1::Origin {
            kind: kind.into(),
            platform: self.peer.platform,
            ip: self.peer.ip.clone(),
            gateway: self.context.gateway_id.clone(),
            inst_id,
            instance: self.peer.instance.clone(),
        }
    }
}

/// A number that no other connection of this gateway has, not even one before a restart. It follows
/// the clock: of a session's connections at two gateways, presence knows the newer one by it.
fn connection_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = u64::try_from(time::now_millis()).unwrap_or(1) << 20;
    let next = |last: u64| Some(now.max(last + 1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    now.max(last.unwrap_or(0) + 1)
}
