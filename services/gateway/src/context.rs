//! What all connections of one gateway share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use rand::RngExt;
use tokio::sync::Semaphore;

use crate::admission::Admission;
use crate::capture::Capture;
use crate::config::Config;
use crate::connection::Writers;
use crate::forward::Forwarder;
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::rooms::Hub;
use crate::session::{AckSweep, Probation, Registry};

/// `InstId` is a positive number that fits 31 bits.
pub(crate) const INST_IDS: u32 = 1 << 31;

/// The gateway as its connections see it.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    /// Names this gateway to presence and to owners.
    pub(crate) gateway_id: String,
    pub(crate) forwarder: Forwarder,
    pub(crate) hub: Arc<Hub>,
    pub(crate) presence: Presence,
    pub(crate) sessions: Registry,
    pub(crate) acks: AckSweep,
    pub(crate) probation: Probation,
    pub(crate) admission: Arc<Admission>,
    pub(crate) writers: Writers,
    pub(crate) logins: Semaphore,
    pub(crate) metrics: Arc<Metrics>,
    /// Writes down what clients ask for, where that is wanted.
    pub(crate) capture: Option<Arc<Capture>>,
    commands: AtomicUsize,
    guests: AtomicU32,
}

impl Context {
    pub(crate) fn new(
        config: Config,
        gateway_id: String,
        forwarder: Forwarder,
        hub: Arc<Hub>,
        presence: Presence,
        admission: Arc<Admission>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            writers: Writers::start(config.shards(), config.pacing(), &metrics),
            logins: Semaphore::new(config.max_logins),
            config,
            gateway_id,
            forwarder,
            hub,
            presence,
            sessions: Registry::default(),
            acks: AckSweep::default(),
            probation: Probation::default(),
            admission,
            metrics,
            capture: None,
            commands: AtomicUsize::new(0),
            guests: AtomicU32::new(rand::rng().random_range(0..INST_IDS)),
        }
    }

    /// The same with a capture.
    pub(crate) fn captured_by(self, capture: Option<Arc<Capture>>) -> Self {
        Self { capture, ..self }
    }

    /// An `InstId` for a guest, different from those of this gateway's other guests.
    pub(crate) fn guest_inst_id(&self) -> u32 {
        self.guests.fetch_add(1, Ordering::Relaxed) % (INST_IDS - 1) + 1
    }

    /// Takes one of the places for commands, unless all are taken.
    pub(crate) fn start_command(self: &Arc<Self>) -> Option<RunningCommand> {
        let running = self.commands.fetch_add(1, Ordering::Relaxed);
        let place = RunningCommand(Arc::clone(self));
        (running < self.config.max_commands).then_some(place)
    }
}

/// A command that is being worked on.
#[derive(Debug)]
pub(crate) struct RunningCommand(Arc<Context>);

impl Drop for RunningCommand {
    fn drop(&mut self) {
        self.0.commands.fetch_sub(1, Ordering::Relaxed);
    }
}
