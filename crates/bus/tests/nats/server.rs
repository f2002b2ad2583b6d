//! A NATS server of a test's own, on a free port of loopback, that dies with the test.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use throng_bus::{NatsBus, NatsConfig};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const VARIABLE: &str = "THRONG_TEST_NATS_SERVER";

pub(crate) struct Server {
    binary: PathBuf,
    arguments: Vec<String>,
    /// 0 until the first start found one.
    port: u16,
    process: Option<Child>,
}

impl Server {
    /// Starts one, unless there is no binary.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    /// As [`start`](Self::start), with more arguments.
    pub(crate) async fn start_with(arguments: &[&str]) -> Option<Self> {
        let mut server = Self::stopped(arguments)?;
        server.run().await;
        Some(server)
    }

    /// One that does not run yet, on a port that was free a moment ago.
    pub(crate) fn not_yet_started() -> Option<Self> {
        let mut server = Self::stopped(&[])?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        server.port = listener.local_addr().unwrap().port();
        Some(server)
    }

    fn stopped(arguments: &[&str]) -> Option<Self> {
        let Some(binary) = std::env::var_os(VARIABLE) else {
            println!("skipped: {VARIABLE} does not name a NATS server");
            return None;
        };
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Some(Self { binary: binary.into(), arguments, port: 0, process: None })
    }

    /// Starts the process; returns when it serves.
    pub(crate) async fn run(&mut self) {
        let port = if self.port == 0 { "-1".to_owned() } else { self.port.to_string() };
        let mut process = Command::new(&self.binary)
            .args(["-a", "127.0.0.1", "-p", &port])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the NATS server starts");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let ready = async {
            while let Some(line) = log.next_line().await.unwrap() {
                if let Some((_, address)) = line.split_once("Listening for client connections on ")
                {
                    self.port = address.rsplit_once(':').unwrap().1.trim().parse().unwrap();
                }
                if line.contains("Server is ready") {
                    return;
                }
                assert!(!line.contains("[FTL]"), "{line}");
            }
            panic!("the NATS server ended");
        };
        timeout(PATIENCE, ready).await.expect("the NATS server is ready in time");
        // Read on, or it would block one day.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        self.process = Some(process);
    }

    /// `kill -9`.
    pub(crate) async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await.unwrap();
    }

    /// `kill -STOP`: its connections stay, but nothing moves.
    pub(crate) async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    pub(crate) async fn thaw(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let id = self.process.as_ref().and_then(Child::id).expect("it runs").to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    }

    /// Settings for this server, with short times.
    pub(crate) fn config(&self) -> NatsConfig {
        NatsConfig {
            servers: vec![format!("127.0.0.1:{}", self.port)],
            connect_timeout: Duration::from_millis(500),
            startup_timeout: PATIENCE,
            ping_interval: Duration::from_millis(300),
            confirm_timeout: PATIENCE,
            reconnect_min: Duration::from_millis(10),
            reconnect_max: Duration::from_millis(100),
            ..NatsConfig::default()
        }
    }

    pub(crate) async fn bus(&self) -> NatsBus {
        NatsBus::connect(&self.config(), "test").await.expect("connects")
    }
}
