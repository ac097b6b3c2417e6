//! The open connections of a listener: how many there are, from which clients, and which one is idle the longest.
//!
//! One client, however many connections it opens, must not keep others out. A client, as for the rate limit, is an IPv4 address
//! or the /64 network of an IPv6 address, and has a maximum of its own. If all connections are taken, a new one takes the place
//! of the one that is idle the longest, so that probes and other clients get through.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::telemetry::{metrics, warning_interval::WarningInterval};

static CLIENT_WARNINGS: WarningInterval = WarningInterval::new();
static IDLE_WARNINGS: WarningInterval = WarningInterval::new();

/// The time after which a full listener looks for an idle connection again.
const RETRY: Duration = Duration::from_millis(50);

/// The bytes of responses of all connections that were made but not written.
static UNSENT: AtomicUsize = AtomicUsize::new(0);

/// Notified when they are too many.
static PILED_UP: Notify = Notify::const_new();

static UNSENT_WARNINGS: WarningInterval = WarningInterval::new();

/// The maximum of these bytes. From half of it on, the connections that have the most are closed; above it, the server makes no
/// more responses for HTTP/2, whose clients decide when they receive them. Other responses wait in the buffers of sockets, which
/// the kernel limits.
const MAX_UNSENT: usize = 64 << 20;

/// The maximum of what a client may send without a request, in bytes.
const MAX_READ_BUDGET: i64 = 2 << 20;

/// Whether so many responses wait for their clients that there must be no more.
pub(in crate::http) fn are_responses_piling_up() -> bool {
    UNSENT.load(Ordering::Relaxed) > MAX_UNSENT
}

pub(super) struct Connections {
    max: usize,
    max_per_client: usize,
    start: Instant,
    open: Mutex<Open>,
    closed: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    all: HashMap<u64, Arc<Activity>>,
    clients: HashMap<IpAddr, usize>,
}

/// What a connection is doing.
pub(super) struct Activity {
    start: Instant,
    /// The requests without a response.
    requests: AtomicU64,
    /// When the last response was made, in milliseconds since the start of the listener.
    idle_since: AtomicU64,
    has_request: AtomicBool,
    /// Whether the client may still be sending the body of a request that was refused.
    pub(super) has_unread_body: AtomicBool,
    /// The bytes that the client may send before its next request.
    pub(super) read_budget: AtomicI64,
    /// The bytes of responses that were made but not written to the socket, and those that were written. On HTTP/2 only.
    unsent: AtomicUsize,
    written: AtomicUsize,
    /// Ends the connection after its current request.
    pub(super) close: CancellationToken,
    /// Ends the connection at once, on HTTP/2 only.
    pub(super) abort: Notify,
}

/// A request without a response. It ends when this is dropped.
pub(super) struct RunningRequest {
    pub(super) activity: Arc<Activity>,
}

impl RunningRequest {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        activity.has_request.store(true, Ordering::Relaxed);
        activity.requests.fetch_add(1, Ordering::Relaxed);
        Self { activity }
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.activity.idle_since.store(millis(self.activity.start.elapsed()), Ordering::Relaxed);
        self.activity.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Activity {
    /// Counts a response that was made.
    pub(super) fn add_unsent(&self, bytes: usize) {
        self.unsent.fetch_add(bytes, Ordering::Relaxed);
        if UNSENT.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_UNSENT / 2 {
            PILED_UP.notify_waiters();
        }
    }

    /// Counts what was written, or what will not be.
    pub(super) fn remove_unsent(&self, bytes: usize) {
        let less = |unsent: usize| (unsent > 0).then(|| unsent.saturating_sub(bytes));
        if let Ok(before) = self.unsent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            UNSENT.fetch_sub(before.min(bytes), Ordering::Relaxed);
        }
    }

    pub(super) fn add_written(&self, bytes: usize) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
        self.remove_unsent(bytes);
        // The client enlarges its windows as it receives.
        self.allow_reading(bytes / 16);
    }

    /// Adds to what the client may send. Without a budget there is nothing to add.
    pub(super) fn allow_reading(&self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let add = |budget: i64| (budget < MAX_READ_BUDGET).then(|| budget.saturating_add(bytes).min(MAX_READ_BUDGET));
        let _ = self.read_budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Returns the bytes that were written, if more should have been.
    pub(super) fn written_of_more(&self) -> Option<usize> {
        (self.unsent.load(Ordering::Relaxed) > 0).then(|| self.written.load(Ordering::Relaxed))
    }

    /// Whether there was a request.
    pub(super) fn has_request(&self) -> bool {
        self.has_request.load(Ordering::Relaxed)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An open connection. It is closed when this is dropped.
pub(super) struct Entry {
    connections: Arc<Connections>,
    id: u64,
    client: IpAddr,
    pub(super) activity: Arc<Activity>,
}

impl Connections {
    pub(super) fn new(max: usize, max_per_client: usize) -> Arc<Self> {
        let (start, open, closed) = (Instant::now(), Mutex::default(), Notify::new());
        Arc::new(Self { max, max_per_client, start, open, closed })
    }

    /// Admits a connection, once there is room. `None`: its client has as many as it may have. A trusted proxy may have any number,
    /// since its connections are those of many clients. `drain` ends all.
    pub(super) async fn admit(
        self: &Arc<Self>,
        peer: IpAddr,
        is_proxy: bool,
        drain: &CancellationToken,
    ) -> Option<Entry> {
        let client = network(peer);
        loop {
            let is_closed = self.closed.notified();
            {
                let mut open = self.lock();
                if !is_proxy && open.clients.get(&client).is_some_and(|count| *count >= self.max_per_client) {
                    metrics::count_refused_connection("client");
                    if CLIENT_WARNINGS.has_passed() {
                        let limit = self.max_per_client;
                        tracing::warn!(%client, limit, "a client has MAX_CONNECTIONS_PER_CLIENT connections: refusing more");
                    }
                    return None;
                }
                if open.all.len() < self.max {
                    return Some(self.add(&mut open, client, drain));
                }
                self.close_longest_idle(&mut open);
            }
            // All are in use, or the idle one is about to close.
            let _ = tokio::time::timeout(RETRY, is_closed).await;
        }
    }

    fn add(self: &Arc<Self>, open: &mut Open, client: IpAddr, drain: &CancellationToken) -> Entry {
        let activity = Arc::new(Activity {
            start: self.start,
            requests: AtomicU64::new(0),
            idle_since: AtomicU64::new(millis(self.start.elapsed())),
            has_request: AtomicBool::new(false),
            has_unread_body: AtomicBool::new(false),
            read_budget: AtomicI64::new(i64::MAX),
            unsent: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            close: drain.child_token(),
            abort: Notify::new(),
        });
        let id = open.next;
        open.next += 1;
        open.all.insert(id, activity.clone());
        *open.clients.entry(client).or_default() += 1;
        Entry { connections: self.clone(), id, client, activity }
    }

    /// Closes the connections that have the most unsent bytes, whenever these are too many.
    pub(super) async fn limit_unsent(&self) {
        loop {
            PILED_UP.notified().await;
            let open = self.lock();
            while UNSENT.load(Ordering::Relaxed) > MAX_UNSENT / 2
                && let Some(largest) = open.all.values().max_by_key(|activity| activity.unsent.load(Ordering::Relaxed))
                && largest.unsent.load(Ordering::Relaxed) > 0
            {
                largest.remove_unsent(usize::MAX);
                largest.abort.notify_one();
                metrics::count_refused_connection("unsent");
                if UNSENT_WARNINGS.has_passed() {
                    tracing::warn!(
                        limit = MAX_UNSENT / 2,
                        "clients do not receive responses: closing those with the most bytes"
                    );
                }
            }
        }
    }

    fn close_longest_idle(&self, open: &mut Open) {
        let is_idle = |activity: &&Arc<Activity>| {
            activity.requests.load(Ordering::Relaxed) == 0 && !activity.close.is_cancelled()
        };
        let idle = open.all.values().filter(is_idle);
        let Some(longest) = idle.min_by_key(|activity| activity.idle_since.load(Ordering::Relaxed)).cloned() else {
            return;
        };
        longest.close.cancel();
        metrics::count_refused_connection("idle");
        if IDLE_WARNINGS.has_passed() {
            tracing::warn!(limit = self.max, "MAX_CONNECTIONS are open: closing those that are idle the longest");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        self.activity.remove_unsent(usize::MAX);
        open.all.remove(&self.id);
        if let Some(count) = open.clients.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.clients.remove(&self.client);
            }
        }
        drop(open);
        self.connections.closed.notify_one();
    }
}

/// Returns the address that identifies a client: an IPv4 address, or the /64 network of an IPv6 address, which is what one
/// customer or host receives.
pub(in crate::http) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_client() {
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(network(one), network("2001:db8::ffff:1:2:3".parse().unwrap()));
        assert_ne!(network(one), network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), IpAddr::from([192, 0, 2, 1]));
    }

    #[tokio::test]
    async fn a_new_connection_takes_the_place_of_the_longest_idle_one() {
        let (connections, drain) = (Connections::new(3, 2), CancellationToken::new());
        let admit = async |last: u8| connections.admit(IpAddr::from([192, 0, 2, last]), false, &drain).await;
        let busy = admit(1).await.unwrap();
        let _running = RunningRequest::new(busy.activity.clone());
        let (first, second) = (admit(1).await.unwrap(), admit(2).await.unwrap());
        assert!(admit(1).await.is_none(), "two are the maximum of a client");
        // The times are in milliseconds.
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(RunningRequest::new(first.activity.clone()));

        let close = second.activity.close.clone();
        let closing = tokio::spawn(async move {
            close.cancelled().await;
            drop(second);
        });
        let third = admit(3).await.unwrap();
        closing.await.unwrap();
        assert!(!(busy.activity.close.is_cancelled() || first.activity.close.is_cancelled()));
        drop((busy, first, third));
        assert!(connections.lock().clients.is_empty());
    }
}
