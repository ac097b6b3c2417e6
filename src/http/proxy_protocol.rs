//! The PROXY protocol, version 2: what a trusted proxy reports of a connection, in front of its first byte.

use std::{io, net::SocketAddr};

use proxy_header::{ParseConfig, ProxyHeader};
use tokio::{io::AsyncReadExt, net::TcpStream};

/// The part of a header with a fixed length, whose last two bytes are the length of the rest.
const START: usize = 16;

/// The maximum length of the rest in bytes. Addresses have up to 216, and real extensions a few hundred.
const MAX_REST: usize = 4 * 1024;

/// Whose connection it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proxied {
    /// The proxy's own, such as a health check (LOCAL).
    Proxy,
    /// That of a client.
    Client {
        /// `None`: it has none that this server could use, such as that of a Unix socket.
        address: Option<SocketAddr>,
        /// Whether the client's connection to the proxy has TLS, which the proxy ends.
        has_tls: bool,
    },
}

/// Reads a header, and nothing that follows it. The caller limits the time.
///
/// # Errors
/// The connection begins with something else, a malformed header, or one of more than 4 KiB. It must be closed.
pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Proxied> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "no valid PROXY protocol header");
    let mut header = vec![0; START];
    stream.read_exact(&mut header).await?;
    let length = match header[..] {
        [.., high, low] => usize::from(u16::from_be_bytes([high, low])),
        _ => 0,
    };
    if !header.starts_with(b"\r\n\r\n\0\r\nQUIT\n") || length > MAX_REST {
        return Err(malformed());
    }
    header.resize(START + length, 0);
    stream.read_exact(header.get_mut(START..).unwrap_or_default()).await?;
    // The low half of this byte is the command.
    let is_local = header.get(12).is_some_and(|command| command & 0xf == 0);
    let config = ParseConfig { include_tlvs: true, allow_v1: false, allow_v2: true };
    let (header, _) = ProxyHeader::parse(&header, config).map_err(|_| malformed())?;
    if is_local {
        return Ok(Proxied::Proxy);
    }
    let address = header.proxied_address().map(|address| address.source);
    Ok(Proxied::Client { address, has_tls: header.ssl().is_some_and(|ssl| ssl.client_ssl()) })
}
