//! TLS on the port for clients: the certificate, and the next one while the process serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use serde::Deserialize;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// Where the certificate of the port for clients is. With it the port speaks TLS and nothing else.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file of the certificate, and of those that lead from it to one that clients know.
    pub cert: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
    /// How often to look whether the files are new ones. Connections that are open go on.
    #[serde(default = "a_while", with = "crate::config::seconds")]
    pub reload: Duration,
}

fn a_while() -> Duration {
    Duration::from_secs(10)
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: pem::Error },
    #[error("{}: {error}", path.display())]
    Stat { path: PathBuf, error: std::io::Error },
    #[error("{0}")]
    Tls(#[from] rustls::Error),
}

/// The port's TLS.
#[derive(Debug)]
pub(crate) struct Tls {
    files: TlsConfig,
    certificate: Arc<Certificate>,
    server: Arc<ServerConfig>,
}

/// The certificate that new connections get, whatever name they ask for.
#[derive(Debug)]
struct Certificate(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads the certificate.
    ///
    /// # Errors
    /// [`TlsError`] when it cannot be read or does not belong to the key.
    pub(crate) fn load(files: &TlsConfig) -> Result<Self, TlsError> {
        let certificate = Arc::new(Certificate(ArcSwap::from_pointee(read(files)?)));
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as _);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Who comes back brings a ticket: nothing is kept for it here, and no signature is made.
        server.ticketer = ring::Ticketer::new()?;
        server.send_tls13_tickets = 1;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { files: files.clone(), certificate, server: Arc::new(server) })
    }

    /// Takes TLS connections in.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.server).into()
    }

    /// Takes new certificates over, never to return. One that cannot be read changes nothing.
    pub(crate) async fn follow(&self) {
        let mut known = stamps(&self.files).ok();
        loop {
            sleep(self.files.reload).await;
            let now = stamps(&self.files).ok();
            if now == known {
                continue;
            }
            // Files that are half replaced are looked at again when the other half has come.
            known = now;
            match read(&self.files) {
                Ok(certificate) => {
                    self.certificate.0.store(Arc::new(certificate));
                    tracing::info!("a new certificate");
                }
                Err(error) => tracing::warn!(%error, "the certificate stays the old one"),
            }
        }
    }
}

fn read(files: &TlsConfig) -> Result<CertifiedKey, TlsError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| TlsError::File { path, error }
    };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect);
    let chain = chain.map_err(at(&files.cert))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(at(&files.key))?;
    Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
}

/// Changes when a file is replaced.
fn stamps(files: &TlsConfig) -> Result<[(SystemTime, u64); 2], TlsError> {
    let stamp = |path: &Path| {
        let stat = || {
            let file = std::fs::metadata(path)?;
            Ok((file.modified()?, file.len()))
        };
        stat().map_err(|error| TlsError::Stat { path: path.to_owned(), error })
    };
    Ok([stamp(&files.cert)?, stamp(&files.key)?])
}
