//! What happened in one second.

use serde::{Deserialize, Serialize};

use super::{Latency, Used};

/// One second at one worker.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tick {
    /// The worker.
    pub worker: u32,
    /// Since the traffic began; before it negative.
    pub second: i64,
    /// Messages sent for the first time.
    pub sent: u64,
    /// Messages acknowledged, dropped ones included.
    pub acknowledged: u64,
    /// Messages that the rate limit dropped.
    pub dropped: u64,
    /// Messages refused or not answered.
    pub failed: u64,
    /// Deliveries to members.
    pub delivered: u64,
    /// Lines that broke, whoever broke them.
    pub broken: u64,
    /// Members in their rooms with an open line, at the end of it.
    pub present: u64,
    /// From the intended moment to the arrival.
    pub delivery: Latency,
    /// From the intended moment to the answer.
    pub ack: Latency,
    /// How long it really was, nanoseconds.
    pub wall: u64,
    /// What the worker used in it.
    pub used: Used,
}

/// One second of all workers, in reports.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Second {
    /// Since the traffic began; before it negative.
    pub second: i64,
    /// Messages sent for the first time.
    pub sent: u64,
    /// Messages acknowledged, dropped ones included.
    pub acknowledged: u64,
    /// Messages that the rate limit dropped.
    pub dropped: u64,
    /// Messages refused or not answered.
    pub failed: u64,
    /// Deliveries to members.
    pub delivered: u64,
    /// Lines that broke.
    pub broken: u64,
    /// Members in their rooms with an open line.
    pub present: u64,
    /// Half of the deliveries were faster, milliseconds.
    pub delivery_p50_ms: f64,
    /// 99 of 100.
    pub delivery_p99_ms: f64,
    /// 99 of 100 answers.
    pub ack_p99_ms: f64,
    /// Part of a core that the busiest worker used.
    pub worker_cpu: f64,
    #[serde(skip)]
    pub(crate) delivery: Latency,
    #[serde(skip)]
    pub(crate) ack: Latency,
}

impl Second {
    /// Adds a worker's part.
    pub fn add(&mut self, tick: &Tick) {
        self.second = tick.second;
        self.sent += tick.sent;
        self.acknowledged += tick.acknowledged;
        self.dropped += tick.dropped;
        self.failed += tick.failed;
        self.delivered += tick.delivered;
        self.broken += tick.broken;
        self.present += tick.present;
        self.delivery.add(&tick.delivery);
        self.ack.add(&tick.ack);
        self.delivery_p50_ms = self.delivery.quantile_ms(0.5);
        self.delivery_p99_ms = self.delivery.quantile_ms(0.99);
        self.ack_p99_ms = self.ack.quantile_ms(0.99);
        if tick.wall > 0 {
            let share = tick.used.running as f64 / tick.wall as f64;
            self.worker_cpu = self.worker_cpu.max(share);
        }
    }
}
