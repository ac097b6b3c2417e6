//! A TCP proxy whose path can vanish: bytes are swallowed in both directions while the sockets stay open, as if packets were
//! lost.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

/// The current path. A connection works while its path is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Path {
    number: u64,
    /// `None` if the path vanished.
    target: Option<SocketAddr>,
}

pub struct Proxy {
    pub address: SocketAddr,
    path: watch::Sender<Path>,
}

impl Proxy {
    /// Forwards connections to `target`. Listens on `address`; port 0 picks a free port.
    pub async fn start(address: &str, target: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let (path, paths) = watch::channel(Path { number: 0, target: Some(target) });
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, paths.clone()));
            }
        });
        Self { address, path }
    }

    /// Every connection, and every new one, swallows what it receives.
    pub fn vanish(&self) {
        self.path.send_modify(|path| path.target = None);
    }

    /// New connections reach `target`. The earlier ones stay dead.
    pub fn lead_to(&self, target: SocketAddr) {
        self.path.send_modify(|path| *path = Path { number: path.number + 1, target: Some(target) });
    }
}

async fn forward(mut client: TcpStream, paths: watch::Receiver<Path>) {
    let path = *paths.borrow();
    let Some(target) = path.target else { return swallow(&mut client).await };
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = copy(from_client, to_server, path, &paths) => {}
        () = copy(from_server, to_client, path, &paths) => {}
    }
}

/// Copies bytes until the source closes. Bytes that arrive after the path changed are lost.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, path: Path, paths: &watch::Receiver<Path>) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let works = *paths.borrow() == path;
        if works && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

async fn swallow(client: &mut TcpStream) {
    let mut buffer = [0; 8192];
    while let Ok(1..) = client.read(&mut buffer).await {}
}
