//! The port for clients with TLS.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use throng_gateway::{Config, TlsConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::rooms::texts;
use crate::support::{Client, Cluster, LONG, code, signature};

const JOIN: &str = "group_open_http_svc.apply_join_group";
const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gateway/certificates");

/// A gateway whose certificate may be changed.
struct Port {
    cluster: Cluster,
    folder: tempfile::TempDir,
}

impl Port {
    async fn open(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        put_certificate(folder.path(), "first");
        let [cert, key] = ["cert", "key"].map(|name| folder.path().join(name));
        let tls = Some(TlsConfig { cert, key, reload: Duration::from_millis(20) });
        Self { cluster: Cluster::with(Config { tls, ..config }).await, folder }
    }

    async fn login(&self, user: &str) -> Client {
        let tcp = TcpStream::connect(self.cluster.address).await.unwrap();
        self.login_over(tcp, user).await
    }

    async fn login_over(&self, tcp: TcpStream, user: &str) -> Client {
        let socket = handshake(tcp, "first", &[&TLS13]).await.unwrap();
        let mut client = Client::over(Box::new(socket), "/binfo", user).await.unwrap();
        assert_eq!(code(&client.log_in(user, &signature(user)).await), 0);
        client
    }
}

fn put_certificate(folder: &Path, name: &str) {
    for (from, to) in [("pem", "cert"), ("key", "key")] {
        std::fs::copy(format!("{CERTIFICATES}/{name}.{from}"), folder.join(to)).unwrap();
    }
}

/// The handshake of a client that trusts one certificate and asks for its name.
async fn handshake(
    tcp: TcpStream,
    trusted: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let path = format!("{CERTIFICATES}/{trusted}.pem");
    roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(format!("{trusted}.test")).unwrap();
    timeout(LONG, TlsConnector::from(Arc::new(config)).connect(name, tcp)).await.unwrap()
}

#[tokio::test]
async fn a_session_over_tls_with_frames_of_many_records() {
    let port = Port::open(Config { compress_bytes: 0, ..Config::default() }).await;
    let mut client = port.login("ann").await;
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    for size in [1, 16_000, 17_000, 500_000, 2] {
        let text = "x".repeat(size);
        port.cluster.owner.say("r", &text);
        assert_eq!(texts(&mut client, 1).await, [text]);
    }
    // The other way.
    for size in [10, 16_000, 200_000, 10] {
        let answer = client.ask("heartbeat.alive", &json!({"Padding": "x".repeat(size)})).await;
        assert_eq!(code(&answer), 0);
    }
}

/// SDKs of old browsers.
#[tokio::test]
async fn version_1_2_is_spoken_and_http_2_is_not() {
    let port = Port::open(Config::default()).await;
    for versions in [&TLS12, &TLS13] {
        let tcp = TcpStream::connect(port.cluster.address).await.unwrap();
        let socket = handshake(tcp, "first", &[versions]).await.unwrap();
        assert_eq!(socket.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let mut client = Client::over(Box::new(socket), "/info", "ann").await.unwrap();
        assert_eq!(code(&client.log_in("ann", &signature("ann")).await), 0);
    }
}

/// What does not fit into the socket waits in the room's log, and comes when it does.
#[tokio::test]
async fn who_reads_late_gets_all_and_keeps_nobody_waiting() {
    let config = Config { compress_bytes: 0, socket_send_bytes: 8 * 1024, ..Config::default() };
    let port = Port::open(config).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let tcp = socket.connect(port.cluster.address).await.unwrap();
    let mut slow = port.login_over(tcp, "ann").await;
    let mut quick = port.login("bob").await;
    for client in [&mut slow, &mut quick] {
        client.ask(JOIN, &json!({"GroupId": "r"})).await;
    }
    let said: Vec<String> =
        (0..80).map(|number| format!("{number} {}", "x".repeat(9000))).collect();
    for text in &said {
        port.cluster.owner.say("r", text);
    }
    assert_eq!(texts(&mut quick, said.len()).await, said);
    assert_eq!(texts(&mut slow, said.len()).await, said);
    assert_eq!(code(&slow.ask("heartbeat.alive", &json!({})).await), 0);
}

#[tokio::test]
async fn the_end_is_said_in_tls_too() {
    let port = Port::open(Config::default()).await;
    let mut client = port.login("ann").await;
    port.cluster.drain.begin();
    assert_eq!(client.closed().await.0, 1001);
}

#[tokio::test]
async fn a_new_certificate_is_taken_over_and_connections_go_on() {
    let port = Port::open(Config::default()).await;
    let mut client = port.login("ann").await;
    let connect = |trusted| async move {
        let tcp = TcpStream::connect(port.cluster.address).await.unwrap();
        handshake(tcp, trusted, &[&TLS13]).await.is_ok()
    };
    assert!(connect("first").await && !connect("second").await);
    std::fs::write(port.folder.path().join("cert"), "no certificate").unwrap();
    // That it was looked at shows nowhere: some looks later it has been.
    sleep(Duration::from_millis(100)).await;
    assert!(connect("first").await, "what cannot be read changes nothing");
    put_certificate(port.folder.path(), "second");
    let changed = async { while !connect("second").await {} };
    timeout(LONG, changed).await.expect("the new one is used");
    assert_eq!(code(&client.ask("heartbeat.alive", &json!({})).await), 0);
}

#[tokio::test]
async fn who_speaks_no_tls_is_turned_away() {
    let port = Port::open(Config { max_handshakes: 1, ..Config::default() }).await;
    let mut tcp = TcpStream::connect(port.cluster.address).await.unwrap();
    tcp.write_all(b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(LONG, tcp.read_to_end(&mut answer)).await.expect("it is ended");
    assert!(read.is_err() || !answer.starts_with(b"HTTP"), "{answer:?}");
    // One that says nothing at all makes room for the next.
    let _silent = TcpStream::connect(port.cluster.address).await.unwrap();
    port.login("ann").await;
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_named() {
    let missing = |name: &str| Path::new(CERTIFICATES).join(name);
    for (cert, key, part) in [
        ("first.pem", "second.key", "tls"),
        ("first.pem", "third.key", "third.key"),
        ("first.key", "first.key", "tls"),
    ] {
        let reload = Duration::from_secs(1);
        let tls = Some(TlsConfig { cert: missing(cert), key: missing(key), reload });
        let error = Cluster::build(Config { tls, ..Config::default() }).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
