//! TLS with real certificates: protocols, renewal, and certificates of clients.

use std::{fs, path::Path, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Client, Identity, Version};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::{
    harness::until::until,
    process::{Process, run, web_server},
};

pub type Authority = CertifiedIssuer<'static, KeyPair>;

pub fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for localhost and its key, in PEM.
pub fn certificate(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

fn write(folder: &Path, (certificate, key): &(String, String)) {
    fs::write(folder.join("certificate.pem"), certificate).unwrap();
    fs::write(folder.join("key.pem"), key).unwrap();
}

/// A client that trusts this authority only.
fn client(authority: &Authority) -> reqwest::ClientBuilder {
    let root = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    Client::builder().no_proxy().tls_certs_only([root]).timeout(Duration::from_secs(10))
}

fn server(folder: &Path) -> std::process::Command {
    let mut command = web_server(folder);
    command.env("TLS_CERTIFICATE_FILE", "certificate.pem").env("TLS_KEY_FILE", "key.pem");
    command
}

#[tokio::test]
async fn both_versions_of_http_are_served_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority("one");
    write(folder.path(), &certificate(&authority));
    let process = Process::start(server(folder.path())).await;
    let base = process.app.base.clone();
    assert!(base.starts_with("https://"), "{base}");

    for (client, version) in
        [(client(&authority), Version::HTTP_2), (client(&authority).http1_only(), Version::HTTP_11)]
    {
        let client = client.build().unwrap();
        let user = serde_json::json!({ "name": "Ada", "email": format!("{version:?}@example.com").replace('/', "") });
        let response = client.post(format!("{base}/users")).body(user.to_string());
        let response = response.header("content-type", "application/json").send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (201, version));
        assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
        // Again, after the connection was idle.
        drop(response.bytes().await.unwrap());
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let response = client.get(format!("{base}/health")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
    }
    let stranger = client(&self::authority("two")).build().unwrap();
    assert!(stranger.get(format!("{base}/health")).send().await.is_err(), "the certificate is of another authority");

    // A client without TLS gets no response.
    let mut plain = TcpStream::connect(base.strip_prefix("https://").unwrap()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1"));

    let address = base.strip_prefix("https://").unwrap();
    let health = run(server(folder.path()).arg("health").env("LISTEN_ADDR", address));
    assert_eq!(health.status.code(), Some(0), "{}", String::from_utf8_lossy(&health.stderr));
}

/// A connection that is open keeps its certificate, and a new one gets the renewed one.
#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (authority("old"), authority("new"));
    write(folder.path(), &certificate(&old));
    let process = Process::start(server(folder.path())).await;
    let url = format!("{}/health", process.app.base);
    let connected = client(&old).build().unwrap();
    assert_eq!(connected.get(&url).send().await.unwrap().status(), 200);

    // A file that is half written changes nothing.
    fs::write(folder.path().join("key.pem"), "-----BEGIN").unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(client(&old).build().unwrap().get(&url).send().await.unwrap().status(), 200);
    write(folder.path(), &certificate(&new));
    let new_client = || client(&new).build().unwrap();
    until("the new certificate is used", async || new_client().get(&url).send().await.is_ok()).await;
    assert_eq!(connected.get(&url).send().await.unwrap().status(), 200, "the old connection is still open");
    assert!(client(&old).build().unwrap().get(&url).send().await.is_err());
}

#[tokio::test]
async fn a_client_needs_a_certificate_where_they_are_required() {
    let folder = tempfile::tempdir().unwrap();
    let (own, clients) = (authority("own"), authority("clients"));
    write(folder.path(), &certificate(&own));
    fs::write(folder.path().join("clients.pem"), clients.pem()).unwrap();
    let mut command = server(folder.path());
    command.env("TLS_CLIENT_CA_FILE", "clients.pem");
    let process = Process::start(command).await;
    let url = format!("{}/health", process.app.base);

    let with = |authority: &Authority| {
        let (certificate, key) = certificate(authority);
        client(&own).identity(Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap()).build().unwrap()
    };
    assert!(client(&own).build().unwrap().get(&url).send().await.is_err(), "without a certificate");
    assert!(with(&own).get(&url).send().await.is_err(), "with one of another authority");
    assert_eq!(with(&clients).get(&url).send().await.unwrap().status(), 200);

    // The command has no certificate, which is what the server answers.
    let address = process.app.base.strip_prefix("https://").unwrap();
    for _ in 0..20 {
        let mut health = server(folder.path());
        let health = run(health.arg("health").env("LISTEN_ADDR", address).env("TLS_CLIENT_CA_FILE", "clients.pem"));
        assert_eq!(health.status.code(), Some(0), "{}", String::from_utf8_lossy(&health.stderr));
    }

    // A file without a certificate changes nothing: clients still need one.
    for content in ["", "-----BEGIN", "# none"] {
        fs::write(folder.path().join("clients.pem"), content).unwrap();
        process.signal("HUP");
        process.until_logged(&["TLS_CLIENT_CA_FILE: expected"]).await;
        process.log.lock().unwrap().clear();
        assert!(client(&own).build().unwrap().get(&url).send().await.is_err(), "without a certificate: {content:?}");
        assert_eq!(with(&clients).get(&url).send().await.unwrap().status(), 200);
    }

    // SIGHUP reads the files at once.
    let others = authority("others");
    fs::write(folder.path().join("clients.pem"), others.pem()).unwrap();
    process.signal("HUP");
    let replaced = async {
        while with(&others).get(&url).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), replaced).await.expect("the other authority is used");
    assert!(with(&clients).get(&url).send().await.is_err());
}

#[test]
fn files_that_cannot_be_used_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority("one");
    let (certificate, key) = certificate(&authority);
    let other = self::certificate(&authority).1;
    for (certificate, key, message) in [
        ("", &*key, "TLS_CERTIFICATE_FILE: expected certificates in PEM"),
        (&*key, &*key, "TLS_CERTIFICATE_FILE: expected certificates in PEM"),
        (&*certificate, "", "TLS_KEY_FILE: expected a private key in PEM"),
        (&*certificate, &*other, "TLS_CERTIFICATE_FILE and TLS_KEY_FILE: "),
    ] {
        write(folder.path(), &(certificate.to_owned(), key.to_owned()));
        let output = run(&mut server(folder.path()));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.contains(message) && !error.contains("BEGIN"), "{error}");
    }
    write(folder.path(), &(certificate, key));
    for content in ["", "# none", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        fs::write(folder.path().join("clients.pem"), content).unwrap();
        let output = run(server(folder.path()).env("TLS_CLIENT_CA_FILE", "clients.pem"));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.contains("TLS_CLIENT_CA_FILE: "), "{error}");
    }
    let half = run(web_server(folder.path()).env("TLS_KEY_FILE", "key.pem"));
    assert!(String::from_utf8_lossy(&half.stderr).contains("TLS_CERTIFICATE_FILE"), "a key without a certificate");
}
