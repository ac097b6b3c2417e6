//! `web_server health`: asks a running server whether it is ready, for containers that have no curl.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::config::ServerConfig;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the server that these settings describe.
///
/// # Errors
/// It cannot be reached, does not answer within two seconds, or is not ready; says which.
pub fn check(config: &ServerConfig) -> Result<(), String> {
    let address = reachable(config.admin_addr.unwrap_or(config.listen_addr));
    let status = ask(address).map_err(|error| format!("http://{address}/health/ready: {error}"))?;
    if status.contains(" 200 ") { Ok(()) } else { Err(format!("http://{address}/health/ready: {status}")) }
}

/// A server that listens on every address is asked on the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The status line of the answer. One request on one connection needs no more of HTTP than this.
fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nhost: localhost\r\nuser-agent: web_server health\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(16 * 1024).read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or("no answer").to_owned())
}
