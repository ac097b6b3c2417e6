//! TLS of the clients' listener: the certificate, and its renewal without closing a connection.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

/// The interval at which the files are read: a renewed certificate is used after at most this long.
const REREAD: Duration = Duration::from_secs(5);

/// The files of a certificate, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those of its issuers.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The certificates of which a client must have one, or one that they issued. `None`: clients need no certificate.
    pub client_ca: Option<PathBuf>,
}

/// Accepts TLS connections with the current certificate.
pub struct Tls {
    files: TlsFiles,
    current: RwLock<(Contents, TlsAcceptor)>,
}

/// What the files contain.
type Contents = [Vec<u8>; 3];

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// The setting of the file that cannot be read or used, and why. No message quotes a file.
    pub fn new(files: TlsFiles) -> Result<Arc<Self>, String> {
        let contents = files.read()?;
        let acceptor = acceptor(&contents)?;
        Ok(Arc::new(Self { files, current: RwLock::new((contents, acceptor)) }))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Reads the files again when they change. Connections that are open keep their certificate.
    pub(crate) fn spawn_upkeep(self: &Arc<Self>) {
        let tls = self.clone();
        tokio::spawn(async move {
            let mut failed = None;
            loop {
                tokio::time::sleep(REREAD).await;
                match tls.renew() {
                    Ok(true) => tracing::info!("read the renewed certificate"),
                    Ok(false) => failed = None,
                    // Once, not at each attempt.
                    Err(error) if failed.as_ref() != Some(&error) => {
                        tracing::error!(error, "cannot read the certificate again; the one that was read before stays");
                        failed = Some(error);
                    }
                    Err(_) => {}
                }
            }
        });
    }

    /// Returns whether the files have changed.
    fn renew(&self) -> Result<bool, String> {
        let contents = self.files.read()?;
        if self.current.read().is_ok_and(|current| current.0 == contents) {
            return Ok(false);
        }
        let acceptor = acceptor(&contents)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = (contents, acceptor);
        Ok(true)
    }
}

impl TlsFiles {
    fn read(&self) -> Result<Contents, String> {
        let read = |setting: &str, path: &Path| {
            std::fs::read(path).map_err(|error| format!("{setting}: the file {path:?} cannot be read: {error}"))
        };
        let client_ca = self.client_ca.as_ref().map(|path| read("TLS_CLIENT_CA_FILE", path)).transpose()?;
        Ok([
            read("TLS_CERTIFICATE_FILE", &self.certificate)?,
            read("TLS_KEY_FILE", &self.key)?,
            client_ca.unwrap_or_default(),
        ])
    }
}

/// TLS 1.2 and later, with HTTP/2 and HTTP/1.1 (ALPN).
fn acceptor([certificate, key, client_ca]: &Contents) -> Result<TlsAcceptor, String> {
    let certificates = certificates("TLS_CERTIFICATE_FILE", certificate)?;
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|_| "TLS_KEY_FILE: expected a private key in PEM".to_owned())?;
    let builder = ServerConfig::builder();
    let builder = if client_ca.is_empty() {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self::certificates("TLS_CLIENT_CA_FILE", client_ca)?);
        let verifier = WebPkiClientVerifier::builder(roots.into()).build();
        builder.with_client_cert_verifier(verifier.map_err(|error| format!("TLS_CLIENT_CA_FILE: {error}"))?)
    };
    let config = builder.with_single_cert(certificates, key);
    let mut config = config.map_err(|error| format!("TLS_CERTIFICATE_FILE and TLS_KEY_FILE: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

fn certificates(setting: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{setting}: expected certificates in PEM")),
    }
}
