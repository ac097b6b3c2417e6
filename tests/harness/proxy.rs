//! A TCP proxy whose path can vanish: bytes are swallowed in both directions while the sockets stay open, as if packets were
//! lost. Or it cuts connections at random, or takes time.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
    time::sleep,
};

/// The current path. A connection works while its path has the current number and a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Path {
    number: u64,
    /// `None` if the path vanished.
    target: Option<SocketAddr>,
    /// How long each chunk takes, in each direction.
    delay: Duration,
}

/// One in this many chunks of bytes is the last one of its connection; 0 for none.
#[derive(Clone)]
struct Cuts(Arc<Mutex<(u32, StdRng)>>);

/// What happens to a chunk.
#[derive(PartialEq, Eq)]
enum Fate {
    /// It arrives.
    Arrives,
    /// The connection is cut before it arrives.
    IsLost,
    /// It arrives, and the connection is cut.
    IsLast,
    /// It arrives, and the response to it is lost.
    GetsNoResponse,
}

impl Cuts {
    fn fate(&self, chunk: &[u8]) -> Fate {
        let (one_in, random) = &mut *self.0.lock().expect("no test panics in here");
        let mut happens = |one_in: u32| one_in > 0 && random.random_range(0..one_in) == 0;
        let is_commit = chunk.windows(6).any(|bytes| bytes == b"COMMIT");
        if is_commit && happens(*one_in / 4) {
            return Fate::GetsNoResponse;
        }
        if !happens(*one_in) {
            return Fate::Arrives;
        }
        if happens(2) { Fate::IsLost } else { Fate::IsLast }
    }
}

pub struct Proxy {
    pub address: SocketAddr,
    path: watch::Sender<Path>,
    cuts: Cuts,
}

impl Proxy {
    /// Forwards connections to `target`. Listens on `address`; port 0 picks a free port.
    pub async fn start(address: &str, target: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let (path, paths) = watch::channel(Path { number: 0, target: Some(target), delay: Duration::ZERO });
        let address = listener.local_addr().expect("an address");
        let cuts = Cuts(Arc::new(Mutex::new((0, StdRng::seed_from_u64(0)))));
        let proxy = Self { address, path, cuts: cuts.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, paths.clone(), cuts.clone()));
            }
        });
        proxy
    }

    /// Cuts connections from now on: at one in this many chunks, and more often after a COMMIT.
    pub fn cut(&self, one_in: u32, seed: u64) {
        *self.cuts.0.lock().expect("no test panics in here") = (one_in, StdRng::seed_from_u64(seed));
    }

    /// New connections are to a distant server.
    pub fn delay(&self, each_way: Duration) {
        self.path.send_modify(|path| path.delay = each_way);
    }

    /// Every connection, and every new one, swallows what it receives.
    pub fn vanish(&self) {
        self.path.send_modify(|path| path.target = None);
    }

    /// New connections reach `target`. The earlier ones stay as they are.
    pub fn move_to(&self, target: SocketAddr) {
        self.path.send_modify(|path| path.target = Some(target));
    }

    /// New connections reach `target`. The earlier ones stay dead.
    pub fn lead_to(&self, target: SocketAddr) {
        self.path.send_modify(|path| *path = Path { number: path.number + 1, target: Some(target), ..*path });
    }
}

async fn forward(mut client: TcpStream, paths: watch::Receiver<Path>, cuts: Cuts) {
    let path = *paths.borrow();
    let Some(target) = path.target else { return swallow(&mut client).await };
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let loses_response = AtomicBool::new(false);
    tokio::select! {
        () = copy(from_client, to_server, path, &paths, &cuts, &loses_response) => {}
        () = copy(from_server, to_client, path, &paths, &cuts, &loses_response) => {}
    }
}

/// Copies bytes until the source closes or the connection is cut. Bytes that arrive after the path changed are lost.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    path: Path,
    paths: &watch::Receiver<Path>,
    cuts: &Cuts,
    loses_response: &AtomicBool,
) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        sleep(path.delay).await;
        let fate = cuts.fate(&buffer[..count]);
        // The next chunk is the response: client and server take turns.
        if fate == Fate::IsLost || loses_response.load(Ordering::Relaxed) {
            return;
        }
        loses_response.store(fate == Fate::GetsNoResponse, Ordering::Relaxed);
        let works = {
            let current = paths.borrow();
            current.number == path.number && current.target.is_some()
        };
        if works && to.write_all(&buffer[..count]).await.is_err() || fate == Fate::IsLast {
            return;
        }
    }
}

async fn swallow(client: &mut TcpStream) {
    let mut buffer = [0; 8192];
    while let Ok(1..) = client.read(&mut buffer).await {}
}
