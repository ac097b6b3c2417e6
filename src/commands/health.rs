//! `web_server health`: requests the readiness of a running server, for containers without curl.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::config::ServerConfig;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Requests the readiness of the server with these settings.
///
/// # Errors
/// The server cannot be reached, does not respond within two seconds, or is not ready.
pub(super) fn check(config: &ServerConfig) -> Result<(), String> {
    let address = reachable(config.admin_addr.unwrap_or(config.listen_addr));
    let status = request(address).map_err(|error| format!("http://{address}/health/ready: {error}"))?;
    if status.contains(" 200 ") { Ok(()) } else { Err(format!("http://{address}/health/ready: {status}")) }
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

/// Sends one request and returns the status line of the response.
fn request(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nhost: localhost\r\nuser-agent: web_server health\r\nconnection: close\r\n\r\n"
    )?;
    let mut response = String::new();
    stream.take(16 * 1024).read_to_string(&mut response)?;
    Ok(response.lines().next().unwrap_or("no response").to_owned())
}
