//! Settings of sockets and connections.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;

use crate::http::{tls::TlsFiles, trusted_proxies::ForwardedHeader};

use super::parse::{
    Parsed, address, boolean, duration, duration_or_zero, expected, integer, list, optional, path, settings,
};

impl ServerConfig {
    /// The files of the certificate, if the server has TLS.
    pub fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.tls_certificate_file.clone()?, self.tls_key_file.clone()?);
        Some(TlsFiles { certificate, key, client_ca: self.tls_client_ca_file.clone() })
    }

    /// The address for operators, if it cannot be listened on beside that for clients.
    pub(super) fn shared_address(&self) -> Option<SocketAddr> {
        // `[::]` is every address, `0.0.0.0` every one of IPv4.
        let contains = |all: SocketAddr, one: SocketAddr| all.ip().is_unspecified() && (all.is_ipv6() || one.is_ipv4());
        let clients = self.listen_addr;
        self.admin_addr.filter(|&operators| {
            let is_same_ip =
                clients.ip() == operators.ip() || contains(clients, operators) || contains(operators, clients);
            clients.port() == operators.port() && clients.port() != 0 && is_same_ip
        })
    }
}

settings! {
    "Server"
    /// Sockets and connections.
    ServerArgs => ServerConfig {
        /// Address to listen on (port 0 picks a free port).
        listen_addr: SocketAddr = address, "127.0.0.1:8080", "IP:PORT";

        /// Second address for operators: `/metrics` and `/health/ready` are served only there. Empty: none.
        admin_addr: Option<SocketAddr> = optional(address), "", "IP:PORT";

        /// Certificate of LISTEN_ADDR in PEM, with those of its issuers. With TLS_KEY_FILE, the server accepts only TLS there; the
        /// files are read again when they change. Empty: no TLS, as behind a proxy.
        tls_certificate_file: Option<PathBuf> = optional(path), "", "PATH";

        /// Private key of the certificate in PEM.
        tls_key_file: Option<PathBuf> = optional(path), "", "PATH";

        /// Certificates in PEM of the authorities of clients: a client must have a certificate of one of them. Empty: clients
        /// need none.
        tls_client_ca_file: Option<PathBuf> = optional(path), "", "PATH";

        /// Maximum time from accepting a connection to the end of its first request head.
        header_timeout: Duration = duration, "10s", "DURATION";

        /// Maximum time that a connection waits for its next request.
        idle_timeout: Duration = duration, "75s", "DURATION";

        /// Maximum number of connections. A further one takes the place of the one that is idle the longest, and waits if none
        /// is idle.
        max_connections: usize = integer(1, 1_000_000), "10000", "N";

        /// Maximum number of connections of one client: an IPv4 address, or the /64 network of an IPv6 address. Further ones
        /// are closed.
        max_connections_per_client: usize = integer(1, 1_000_000), "1000", "N";

        /// Proxies in front of the server: addresses and networks, separated by commas, such as `127.0.0.1,10.0.0.0/8`. Only
        /// their connections may report the address and the scheme of a client; each must overwrite or extend
        /// FORWARDED_HEADER. They have no MAX_CONNECTIONS_PER_CLIENT. Empty: none.
        trusted_proxies: Vec<IpNet> = networks, "", "NETWORKS";

        /// The header in which TRUSTED_PROXIES write the address of their client: `x-forwarded-for`, with the scheme in
        /// `X-Forwarded-Proto`, or `forwarded` (RFC 7239). The other one is ignored, since it may be the client's own.
        forwarded_header: ForwardedHeader = forwarded_header, "x-forwarded-for", "NAME";

        /// Require the PROXY protocol, version 2, on each connection of TRUSTED_PROXIES to LISTEN_ADDR, before TLS. A connection
        /// without a valid header is closed.
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        proxy_protocol: bool = boolean, "false", "BOOL";

        /// Time from SIGTERM until the server stops accepting connections. It reports that it is not ready during that
        /// time, so that load balancers can react.
        shutdown_delay: Duration = duration_or_zero, "0s", "DURATION";

        /// Maximum time after the delay for requests in flight to complete.
        shutdown_timeout: Duration = duration, "20s", "DURATION";
    }
}

fn networks(value: &str) -> Parsed<Vec<IpNet>> {
    let network = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    // IPv4 addresses are compared as such, also on an IPv6 socket, so that such a network would contain none.
    let is_mapped = |network: &IpNet| network.addr().to_canonical() != network.addr();
    match list(value).map(|text| network(text).filter(|network| !is_mapped(network))).collect() {
        Some(networks) => Ok(networks),
        None => expected("IP addresses and networks, such as 127.0.0.1,10.0.0.0/8,2001:db8::/32"),
    }
}

fn forwarded_header(value: &str) -> Parsed<ForwardedHeader> {
    match value.to_ascii_lowercase().as_str() {
        "x-forwarded-for" => Ok(ForwardedHeader::XForwardedFor),
        "forwarded" => Ok(ForwardedHeader::Forwarded),
        _ => expected("x-forwarded-for or forwarded"),
    }
}
