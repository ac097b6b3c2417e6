//! TLS of the clients' listener: the certificate, and its renewal without closing a connection.

use std::{
    path::PathBuf,
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

use crate::watched_files::{Contents, WatchedFiles};

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
    files: WatchedFiles,
    /// What the files contained at the start.
    contents: Contents,
    current: RwLock<TlsAcceptor>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// The setting of the file that cannot be read or used, and why. No message quotes a file.
    pub async fn new(files: TlsFiles) -> Result<Arc<Self>, String> {
        let client_ca = files.client_ca.map(|path| ("TLS_CLIENT_CA_FILE", path));
        let pair = [("TLS_CERTIFICATE_FILE", files.certificate), ("TLS_KEY_FILE", files.key)];
        let files = WatchedFiles::new(pair.into_iter().chain(client_ca));
        let contents = files.read().await?;
        let current = RwLock::new(acceptor(&contents)?);
        Ok(Arc::new(Self { files, contents, current }))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again when they change and at SIGHUP. Connections that are open keep their certificate.
    pub(crate) fn spawn_upkeep(self: &Arc<Self>) {
        let tls = self.clone();
        self.files.clone().watch(REREAD, self.contents.clone(), move |contents| {
            let acceptor = acceptor(&contents)?;
            *tls.current.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
            tracing::info!("read the certificate again");
            Ok(())
        });
    }
}

/// TLS 1.2 and later, with HTTP/2 and HTTP/1.1 (ALPN). `contents` are those of the certificate, of its key, and of the
/// authorities of clients, if clients need a certificate: whether they do never depends on what a file contains.
fn acceptor(contents: &[Vec<u8>]) -> Result<TlsAcceptor, String> {
    let (certificate, key, client_ca) = match contents {
        [certificate, key] => (certificate, key, None),
        [certificate, key, client_ca] => (certificate, key, Some(client_ca)),
        _ => return Err("expected a certificate and a key".to_owned()),
    };
    let certificates = certificates("TLS_CERTIFICATE_FILE", certificate)?;
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|_| "TLS_KEY_FILE: expected a private key in PEM".to_owned())?;
    let builder = ServerConfig::builder();
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(client_ca) => {
            let invalid = |error: &dyn std::error::Error| format!("TLS_CLIENT_CA_FILE: {error}");
            let mut roots = RootCertStore::empty();
            for certificate in self::certificates("TLS_CLIENT_CA_FILE", client_ca)? {
                roots.add(certificate).map_err(|error| invalid(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder(roots.into()).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| invalid(&error))?)
        }
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
