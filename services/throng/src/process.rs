//! The frame around every role: the admin port, readiness, signals, and the orderly end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use throng_node::admin::{self, Readiness};
use throng_node::drain::Drain;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, timeout_at};

use crate::config::Config;

/// How often a starting process looks whether it is ready.
const LOOK: Duration = Duration::from_millis(20);

/// A process between its start and its end.
pub(crate) struct Process {
    /// Told to begin when the process has to end.
    pub(crate) drain: Drain,
    readiness: Readiness,
    terminate: Signal,
    interrupt: Signal,
    drain_time: Duration,
    admin_address: SocketAddr,
    admin: JoinHandle<std::io::Result<()>>,
    stop_admin: oneshot::Sender<()>,
}

impl Process {
    /// Answers on the admin port from now on, not ready yet.
    pub(crate) async fn start(config: &Config) -> anyhow::Result<Self> {
        let listener = bind(config.admin_listen, FEW)?;
        let admin_address = listener.local_addr()?;
        let (drain, readiness) = (Drain::new(), Readiness::new());
        let (stop_admin, stopped) = oneshot::channel::<()>();
        let stopped = async move { stopped.await.unwrap_or_default() };
        let admin = admin::serve(listener, readiness.clone(), drain.clone(), stopped);
        Ok(Self {
            drain,
            readiness,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            drain_time: Duration::from_secs(config.drain_seconds),
            admin_address,
            admin: tokio::spawn(admin),
            stop_admin,
        })
    }

    /// Says that the process wants traffic, in the log and on standard output, where scripts wait for
    /// the line. `addresses` are what it listens on, by name.
    pub(crate) fn ready(&self, addresses: &[(&str, SocketAddr)]) {
        self.readiness.set(true);
        let mut line = String::from("ready");
        for (name, address) in addresses {
            line.push_str(&format!(" {name}={address}"));
        }
        line.push_str(&format!(" admin={}", self.admin_address));
        tracing::info!("{line}");
        println!("{line}");
    }

    /// Waits until something is so before the process is ready. An end that is wanted meanwhile comes
    /// at once: nothing was begun.
    ///
    /// # Errors
    /// When the process was told to end.
    pub(crate) async fn wait_for(
        &mut self,
        what: &str,
        mut is_so: impl FnMut() -> bool,
    ) -> anyhow::Result<()> {
        let mut looks = interval(LOOK);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                _ = self.terminate.recv() => bail!("told to end while waiting for {what}"),
                _ = self.interrupt.recv() => bail!("told to end while waiting for {what}"),
            }
            if is_so() {
                return Ok(());
            }
        }
    }

    /// Waits for the signal to end; readiness is off when it returns.
    pub(crate) async fn until_told_to_end(&mut self) -> Deadline {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("draining");
        self.readiness.set(false);
        Deadline(Instant::now() + self.drain_time)
    }

    /// Begins the drain, and waits for `last` and for everything that the drain waits for, until the
    /// deadline.
    pub(crate) async fn drain(&self, deadline: Deadline, last: impl Future<Output = ()>) {
        self.drain.begin();
        let ended = async {
            last.await;
            self.drain.finished().await;
        };
        deadline.bound("work", ended).await;
    }

    /// The end: nobody can ask any more how it goes.
    pub(crate) async fn end(self) {
        let _ = self.stop_admin.send(());
        let _ = self.admin.await;
        tracing::info!("drained");
    }
}

/// By when a process that was told to end has to have ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// Waits for something until then; `None` when it did not come to its end.
    pub(crate) async fn bound<T>(self, what: &str, work: impl Future<Output = T>) -> Option<T> {
        let done = timeout_at(self.0, work).await.ok();
        if done.is_none() {
            tracing::warn!("{what} did not end in time");
        }
        done
    }

    /// A moment on the way there.
    pub(crate) fn part(self, part: f64) -> Self {
        let left = self.0.saturating_duration_since(Instant::now());
        Self(Instant::now() + left.mul_f64(part))
    }
}

/// Connections that the system keeps for ports that only other processes of ours dial.
pub(crate) const FEW: u32 = 1024;

/// Listens on an address; so many connections may wait there to be taken in.
pub(crate) fn bind(address: SocketAddr, backlog: u32) -> anyhow::Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A process that starts again does not wait for what the last one left half closed.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(backlog)
    };
    listen().with_context(|| format!("listen on {address}"))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::time::timeout;

    use super::*;

    /// More connect at once than the system keeps where nobody says how many.
    #[tokio::test]
    async fn a_storm_fits_into_the_backlog() {
        let cap = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
        let cap = cap.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(128);
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into(), 2000).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..cap.min(1500) {
            let connect = tokio::net::TcpStream::connect(address);
            waiting.push(timeout(Duration::from_millis(900), connect).await.unwrap().unwrap());
        }
    }
}
