//! The gateway's settings. Every field has a default that serves a small machine well.

use std::time::Duration;

use serde::Deserialize;

use crate::capture::CaptureConfig;
use crate::connection::Pacing;
use crate::demo::DemoConfig;
use crate::http::TlsConfig;
use crate::rest::RestConfig;

/// Settings of one gateway. Times are in seconds and may have fractions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Bytes of the largest frame a client may send; a larger one closes its connection (1009).
    pub frame_bytes: usize,
    /// Tasks that write to connections; 0 for one a core.
    pub shards: usize,
    /// Of the time, how much one room may be written at most: above 0, up to 1. A lower share makes
    /// busy rooms cheaper and later.
    pub room_duty: f64,
    /// The longest pause of a room because of that.
    #[serde(with = "seconds")]
    pub room_rest: Duration,
    /// Messages a second above which a room is busy, and goes out in steps.
    pub busy_room_events: u32,
    /// The length of such a step.
    #[serde(with = "seconds")]
    pub busy_room_step: Duration,
    /// Bytes that the system may keep for one socket that takes nothing.
    pub socket_send_bytes: usize,
    /// Bytes of what goes to a room from which on it is compressed, once for all members, for clients
    /// that say that they can inflate; 0 for never.
    pub compress_bytes: usize,
    /// The same for what goes to one connection alone, such as answers: for each again.
    pub compress_answer_bytes: usize,
    /// Requests of one connection that may be unanswered; reading pauses at that number.
    pub in_flight: usize,
    /// Bytes that may wait to be written to one connection. Over it the connection first loses room
    /// messages, and is closed when it cannot take what may not be lost.
    pub outbox_bytes: usize,
    /// Connections that the system may keep until they are taken in; it has a limit of its own
    /// (`net.core.somaxconn`). Beyond it clients knock again by themselves, later and later.
    pub backlog: u32,
    /// Connections that are taken in a second; 0 for no limit. Those above it wait with the system,
    /// connected: a client that is refused is away for seconds or a minute.
    pub accepts_per_second: u32,
    /// Connections that were taken in and have not asked for anything yet. At this number the next
    /// ones wait with the system; who is silent for 2 s may have to make room for them.
    pub max_handshakes: usize,
    /// Time for a client to send the head of an HTTP request.
    #[serde(with = "seconds")]
    pub handshake_timeout: Duration,
    /// Time that a client may leave what was written to its connection untaken; then the connection
    /// is broken off. Where the system cannot tell (outside Linux), nothing is.
    #[serde(with = "seconds")]
    pub stall_timeout: Duration,
    /// Time after which a connection without a frame in either direction is closed: in whole seconds,
    /// and up to 2 later. Longer than the hello interval, because a client that receives sends no
    /// heartbeats.
    #[serde(with = "seconds")]
    pub idle_timeout: Duration,
    /// Time that a command of a socket has to be answered in; the client gives up after 15 seconds.
    #[serde(with = "seconds")]
    pub command_timeout: Duration,
    /// How often a client says hello (`HelloInterval`).
    #[serde(with = "seconds")]
    pub hello_interval: Duration,
    /// How long an empty poll of a live room is held. The client gives up after 15 seconds.
    #[serde(with = "seconds")]
    pub poll_hold: Duration,
    /// Time without a poll after which a guest is gone: guests do not say so when they leave. In whole
    /// seconds, and up to 2 later.
    #[serde(with = "seconds")]
    pub guest_idle: Duration,
    /// Pause before a push that was not acknowledged goes out again.
    #[serde(with = "seconds")]
    pub ack_timeout: Duration,
    /// Connections in all; more are refused with 503.
    pub max_connections: usize,
    /// Connections of one address; more are refused with 503. Many people share an address. The
    /// addresses of an IPv6 network of 64 bits count as one. HTTP connections that are no WebSockets
    /// have the same limit for themselves, except those of trusted proxies.
    pub max_connections_per_address: usize,
    /// Logins that are worked on at the same time; more wait.
    pub max_logins: usize,
    /// How long a login waits for its turn before it is refused with 60022.
    #[serde(with = "seconds")]
    pub login_wait: Duration,
    /// How long a connection may act for a session that does not log in on it. Clients repeat what
    /// was pending before they log in again, which follows at once.
    #[serde(with = "seconds")]
    pub login_timeout: Duration,
    /// Commands of sockets that are worked on at the same time; more are refused with 60022 and
    /// their clients told to hold back.
    pub max_commands: usize,
    /// How often presence is told of all sessions again, so that both agree whatever got lost.
    #[serde(with = "seconds")]
    pub presence_round: Duration,
    /// Events of a live room that are kept for those who poll and those who come back.
    pub ring_events: usize,
    /// Bytes of such events.
    pub ring_bytes: usize,
    /// Time in which all connections are closed, in random order, when the process ends.
    #[serde(with = "seconds")]
    pub drain_window: Duration,
    /// TLS on the port for clients; without it, it is for a network that is safe or a proxy in front.
    pub tls: Option<TlsConfig>,
    /// The REST front door.
    pub rest: RestConfig,
    /// The demo page.
    pub demo: DemoConfig,
    /// The capture of traffic, off unless it has a directory.
    pub capture: CaptureConfig,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gateway: {option} {reason}")]
pub struct ConfigError {
    option: &'static str,
    reason: String,
}

impl ConfigError {
    pub(crate) fn new(option: &'static str, reason: String) -> Self {
        Self { option, reason }
    }
}

impl Config {
    pub(crate) fn shards(&self) -> usize {
        match self.shards {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            shards => shards,
        }
    }

    pub(crate) fn pacing(&self) -> Pacing {
        Pacing {
            duty: self.room_duty,
            longest_rest: self.room_rest,
            busy_events: self.busy_room_events,
            busy_step: self.busy_room_step,
            ring_events: self.ring_events,
            ring_bytes: self.ring_bytes,
            compress_rooms: self.compress_bytes,
            compress_answers: self.compress_answer_bytes,
        }
    }

    /// Whole seconds after which a connection is idle.
    pub(crate) fn idle_seconds(&self) -> u32 {
        whole_seconds(self.idle_timeout)
    }

    /// Whole seconds after which a guest is gone.
    pub(crate) fn guest_idle_seconds(&self) -> u32 {
        whole_seconds(self.guest_idle)
    }

    /// # Errors
    /// [`ConfigError`] that names the setting.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let error = |option, reason: &str| Err(ConfigError::new(option, reason.to_owned()));
        let not_zero = [
            ("frame_bytes", self.frame_bytes),
            ("in_flight", self.in_flight),
            ("max_handshakes", self.max_handshakes),
            ("max_connections", self.max_connections),
            ("max_connections_per_address", self.max_connections_per_address),
            ("max_logins", self.max_logins),
            ("max_commands", self.max_commands),
            ("ring_events", self.ring_events),
        ];
        for (option, value) in not_zero {
            if value == 0 {
                return error(option, "must not be 0");
            }
        }
        if self.backlog == 0 {
            return error("backlog", "must not be 0");
        }
        if !(self.room_duty > 0.0 && self.room_duty <= 1.0) {
            return error("room_duty", "must be above 0 and at most 1");
        }
        // An answer has up to 1 MB; with less it could never be sent.
        if self.outbox_bytes < throng_protocol::limits::REPLY_BYTES {
            return error("outbox_bytes", "must hold the largest answer, 1 MiB");
        }
        if self.idle_timeout <= self.hello_interval {
            return error("idle_timeout", "must be longer than hello_interval");
        }
        if self.tls.as_ref().is_some_and(|tls| tls.reload.is_zero()) {
            return error("tls.reload", "must not be 0");
        }
        if self.poll_hold >= Duration::from_secs(15) {
            return error("poll_hold", "must be below 15 s: clients do not wait longer");
        }
        match self.capture.check() {
            Some((option, reason)) => error(option, reason),
            None => Ok(()),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            frame_bytes: 256 * 1024,
            shards: 0,
            room_duty: 0.5,
            room_rest: Duration::from_millis(250),
            busy_room_events: 20,
            busy_room_step: Duration::from_millis(50),
            socket_send_bytes: 64 * 1024,
            compress_bytes: 1024,
            compress_answer_bytes: 0,
            in_flight: 64,
            outbox_bytes: 2 * 1024 * 1024,
            backlog: 4096,
            accepts_per_second: 2000,
            max_handshakes: 2048,
            handshake_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(150),
            command_timeout: Duration::from_secs(12),
            hello_interval: Duration::from_secs(120),
            poll_hold: Duration::from_secs(throng_protocol::limits::POLL_HOLD_SECONDS),
            guest_idle: Duration::from_secs(60),
            ack_timeout: Duration::from_secs(5),
            max_connections: 200_000,
            max_connections_per_address: 20_000,
            max_logins: 256,
            login_wait: Duration::from_secs(30),
            login_timeout: Duration::from_secs(30),
            max_commands: 20_000,
            presence_round: Duration::from_secs(300),
            ring_events: 512,
            ring_bytes: 1024 * 1024,
            drain_window: Duration::from_secs(5),
            tls: None,
            rest: RestConfig::default(),
            demo: DemoConfig::default(),
            capture: CaptureConfig::default(),
        }
    }
}

fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

/// Durations as numbers of seconds.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, de};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(source)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_and_the_rest_is_default() {
        let config: Config =
            serde_json::from_str(r#"{"poll_hold": 0.5, "idle_timeout": 20, "in_flight": 2}"#)
                .unwrap();
        assert_eq!(config.poll_hold, Duration::from_millis(500));
        assert_eq!(config.idle_timeout, Duration::from_secs(20));
        assert_eq!(config.frame_bytes, Config::default().frame_bytes);
        assert!(serde_json::from_str::<Config>(r#"{"poll_hold": -1}"#).is_err());
        assert!(serde_json::from_str::<Config>(r#"{"pollhold": 1}"#).is_err());
    }
}
