//! Makes the connections of a starting process.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, ServerAddr, Subject};
use rand::RngExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::config::{NatsConfig, NatsConfigError};
use super::line::{Line, hear, write};
use super::metrics::Metrics;
use super::pause::pause;
use super::watch::{News, watch};

/// Messages that the client itself takes from us ahead of the connection. Few: our queue before it
/// also counts bytes.
const CLIENT_QUEUE: usize = 256;

/// Messages of one subscription that the client keeps for us. They are taken away at once; this is
/// for moments when the process is very busy.
const CLIENT_SUBSCRIPTION: usize = 65_536;

/// Why there is no bus.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] NatsConfigError),
    /// An address is none.
    #[error("nats: servers: {0}")]
    Address(std::io::Error),
    /// The file of credentials cannot be used.
    #[error("nats: credentials_file: {0}")]
    Credentials(std::io::Error),
    /// The servers do not want us.
    #[error("nats: refused by the server: {0}")]
    Refused(async_nats::ConnectError),
    /// No server could be reached in time; the last try ended like this.
    #[error("nats: no connection in time: {0}")]
    Deadline(async_nats::ConnectError),
    /// The server takes our connections but does not hand our messages on.
    #[error(
        "nats: connected, but a message to ourselves did not come back: may this user publish \
             and subscribe throng.> ?"
    )]
    Deaf,
}

/// A connection with its tasks, which end with it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) line: Arc<Line>,
    _tasks: JoinSet<()>,
}

impl Connection {
    /// Connects, tries again until the deadline, and has the connection tried out.
    pub(super) async fn open(
        config: &NatsConfig,
        name: String,
        metrics: Arc<Metrics>,
        losses: watch::Sender<u64>,
        deadline: Instant,
    ) -> Result<Self, NatsError> {
        let news = Arc::new(News::default());
        let client = connect(config, &name, &news, deadline).await?;
        let (line, queue) = Line::new(name, client, metrics, config);
        let echo: u128 = rand::rng().random();
        let echo = Subject::from(format!("throng.echo.{echo:032x}"));
        let mut tasks = JoinSet::new();
        // Fails only when the client is gone.
        let echoes = line.client.subscribe(echo.clone()).await.map_err(|_| NatsError::Deaf)?;
        tasks.spawn(hear(Arc::clone(&line), echoes));
        tasks.spawn(write(Arc::clone(&line), queue, echo));
        tasks.spawn(watch(Arc::clone(&line), news, losses));
        line.round_trip().await.map_err(|_| NatsError::Deaf)?;
        Ok(Self { line, _tasks: tasks })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.line.mailboxes.end();
    }
}

async fn connect(
    config: &NatsConfig,
    name: &str,
    news: &Arc<News>,
    deadline: Instant,
) -> Result<Client, NatsError> {
    let addresses: Vec<ServerAddr> = config
        .servers
        .iter()
        .map(|server| server.parse())
        .collect::<Result<_, _>>()
        .map_err(NatsError::Address)?;
    let options = options(config, name, news).await?;
    let mut attempt = 1;
    loop {
        let error = match options.clone().connect(addresses.clone()).await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        match error.kind() {
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Authentication
            | ConnectErrorKind::AuthorizationViolation
            | ConnectErrorKind::Tls => return Err(NatsError::Refused(error)),
            ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => {}
        }
        tracing::debug!(line = name, %error, "no connection to the bus yet");
        attempt += 1;
        let pause = random_pause(attempt, config.reconnect_min, config.reconnect_max);
        if timeout_at(deadline, sleep(pause)).await.is_err() {
            return Err(NatsError::Deadline(error));
        }
    }
}

async fn options(
    config: &NatsConfig,
    name: &str,
    news: &Arc<News>,
) -> Result<ConnectOptions, NatsError> {
    let (min, max) = (config.reconnect_min, config.reconnect_max);
    let (news, line) = (Arc::clone(news), name.to_owned());
    // What is left out is the client's default: it tries for ever to come back, and our own
    // messages come to our own subscriptions.
    let mut options = ConnectOptions::new()
        .name(name)
        .connection_timeout(config.connect_timeout)
        .ping_interval(config.ping_interval)
        .reconnect_delay_callback(move |attempt| random_pause(attempt, min, max))
        .client_capacity(CLIENT_QUEUE)
        .subscription_capacity(CLIENT_SUBSCRIPTION)
        .skip_subject_validation(true)
        .require_tls(config.tls)
        .event_callback(move |event| {
            news.take(&line, &event);
            std::future::ready(())
        });
    if !config.user.is_empty() {
        options =
            options.user_and_password(config.user.clone(), config.password.reveal().to_owned());
    }
    if config.token.is_set() {
        options = options.token(config.token.reveal().to_owned());
    }
    if config.has_credentials() {
        options = options
            .credentials_file(&config.credentials_file)
            .await
            .map_err(NatsError::Credentials)?;
    }
    if !config.ca_file.as_os_str().is_empty() {
        options = options.add_root_certificates(config.ca_file.clone());
    }
    if !config.cert_file.as_os_str().is_empty() {
        options = options.add_client_certificate(config.cert_file.clone(), config.key_file.clone());
    }
    Ok(options)
}

fn random_pause(attempt: usize, min: Duration, max: Duration) -> Duration {
    pause(attempt, min, max, rand::rng().random_range(0.0..=1.0))
}
