//! `web_server health`: requests the readiness of a running server, for containers without curl.

use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio_rustls::rustls;

use crate::{config::ServerConfig, error_chain::with_causes};

const TIMEOUT: Duration = Duration::from_secs(2);

/// Requests the readiness of the server with these settings.
///
/// Where clients need a certificate, which this command does not have, and operators have no listener of their own, the refusal
/// is the proof that the server accepts connections.
///
/// # Errors
/// The server cannot be reached, does not respond within two seconds, or is not ready.
pub(super) async fn check(config: &ServerConfig) -> Result<(), String> {
    let address = reachable(config.admin_addr.unwrap_or(config.listen_addr));
    if config.admin_addr.is_none() && config.proxy_protocol {
        // A connection of a trusted proxy needs the header of the PROXY protocol, which this client does not send.
        let mut networks = config.trusted_proxies.iter();
        if let Some(network) = networks.find(|network| network.contains(&address.ip())) {
            let advice = "set ADMIN_ADDR, whose listener does not use the PROXY protocol";
            return Err(format!("{address} is in {network} of TRUSTED_PROXIES: {advice}"));
        }
    }
    let scheme = if config.admin_addr.is_none() && config.tls().is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{address}/health/ready");
    // The certificate is for the names of the server, not for this address, and the server is the one of these settings.
    let client = reqwest::Client::builder().no_proxy().http1_only().timeout(TIMEOUT).tls_certs_only([]);
    let client = client.tls_danger_accept_invalid_certs(true).user_agent("web_server health");
    // In TLS 1.2 the refusal of a client without a certificate is part of the handshake; in TLS 1.3 it comes after it, when the
    // request is being sent.
    let has_client_ca = config.tls_client_ca_file.is_some();
    let client = if has_client_ca { client.tls_version_max(reqwest::tls::Version::TLS_1_2) } else { client };
    let request = client.build().map_err(|error| error.to_string())?.get(&url).header("host", "localhost");
    match request.send().await {
        Ok(response) if response.status() == 200 => Ok(()),
        Ok(response) => Err(format!("{url}: {}", response.status())),
        Err(error) if has_client_ca && needs_certificate(&error) => Ok(()),
        Err(error) => Err(format!("{url}: {}", with_causes(&error.without_url()))),
    }
}

/// Whether the server refused the connection since it has no certificate.
fn needs_certificate(error: &(dyn Error + 'static)) -> bool {
    let is_alert = |mut error: &(dyn Error + 'static)| {
        // What an I/O error contains is not its source.
        while let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            error = inner;
        }
        let error = error.downcast_ref::<rustls::Error>();
        matches!(error, Some(rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired)))
    };
    std::iter::successors(Some(error), |&error| error.source()).any(is_alert)
}

/// Replaces an unspecified address, which means every address, with the loopback address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
