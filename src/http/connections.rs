//! The open connections of a listener: how many there are, from which clients, and which one is idle the longest.
//!
//! One client, however many connections it opens, must not keep others out. A client, as for the rate limit, is an IPv4 address
//! or the /64 network of an IPv6 address, and has a maximum of its own. If all connections are taken, a new one takes the place
//! of one of those that are idle the longest, so that probes and other clients get through.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::unsent_responses::Unsent;
use crate::telemetry::{metrics, warning_interval::WarningInterval};

static CLIENT_WARNINGS: WarningInterval = WarningInterval::new();
static IDLE_WARNINGS: WarningInterval = WarningInterval::new();
static UNSENT_WARNINGS: WarningInterval = WarningInterval::new();

/// The time after which a full listener looks for an idle connection again.
const RETRY: Duration = Duration::from_millis(50);

/// The maximum of what a client may send without a request, in bytes.
const MAX_READ_BUDGET: i64 = 2 << 20;

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
    client: IpAddr,
    start: Instant,
    /// The requests without a response.
    requests: AtomicU64,
    /// When the last response was made, in milliseconds since the start of the listener.
    idle_since: AtomicU64,
    has_request: AtomicBool,
    /// Whether something was received since the last response, and whether the socket has no room for what is to be sent.
    pub(super) has_received: AtomicBool,
    pub(super) is_sending: AtomicBool,
    /// Whether the client may still be sending the body of a request that was refused.
    pub(super) has_unread_body: AtomicBool,
    /// The bytes that the client may send before its next request.
    pub(super) read_budget: AtomicI64,
    /// The responses that the client has not received. On HTTP/2 only.
    pub(super) unsent: Unsent,
    /// Ends the connection after its current request.
    pub(super) close: CancellationToken,
    drain: CancellationToken,
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
        self.activity.has_received.store(false, Ordering::Relaxed);
        self.activity.idle_since.store(millis(self.activity.start.elapsed()), Ordering::Relaxed);
        self.activity.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Activity {
    /// Adds to what the client may send. Without a budget there is nothing to add.
    pub(super) fn allow_reading(&self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let add = |budget: i64| (budget < MAX_READ_BUDGET).then(|| budget.saturating_add(bytes).min(MAX_READ_BUDGET));
        let _ = self.read_budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Whether the client is silent: for this time it has had its response, and sent nothing.
    pub(super) fn is_idle(&self, time: Duration) -> bool {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        self.has_request()
            && self.requests.load(Ordering::Relaxed) == 0
            && !(is(&self.has_received) || is(&self.is_sending) || is(&self.has_unread_body))
            && self.idle_time() >= time
    }

    /// The time since the last response was made.
    pub(super) fn idle_time(&self) -> Duration {
        let idle_since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(idle_since)
    }

    /// Waits until the rest of a refused body must not be read any more: for this time, or until another connection needs the place.
    pub(super) async fn end_of_linger(self: Arc<Self>, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = async {
                self.close.cancelled().await;
                if self.drain.is_cancelled() {
                    std::future::pending::<()>().await;
                }
            } => {}
        }
    }

    /// Makes the next request the first one.
    pub(super) fn await_request(&self) {
        self.has_request.store(false, Ordering::Relaxed);
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
                self.close_longest_idle(&open);
            }
            // All are in use, or the idle one is about to close.
            let _ = tokio::time::timeout(RETRY, is_closed).await;
        }
    }

    fn add(self: &Arc<Self>, open: &mut Open, client: IpAddr, drain: &CancellationToken) -> Entry {
        let activity = Arc::new(Activity {
            client,
            start: self.start,
            requests: AtomicU64::new(0),
            idle_since: AtomicU64::new(millis(self.start.elapsed())),
            has_request: AtomicBool::new(false),
            has_received: AtomicBool::new(false),
            is_sending: AtomicBool::new(false),
            has_unread_body: AtomicBool::new(false),
            read_budget: AtomicI64::new(i64::MAX),
            unsent: Unsent::default(),
            close: drain.child_token(),
            drain: drain.clone(),
        });
        let id = open.next;
        open.next += 1;
        open.all.insert(id, activity.clone());
        *open.clients.entry(client).or_default() += 1;
        Entry { connections: self.clone(), id, activity }
    }

    /// Aborts connections until the responses that wait for the others have at most `max` bytes. The first are those of the client
    /// that keeps the most waiting, however many connections it spreads them over.
    pub(super) fn abort_unsent(&self, max: usize) {
        let open = self.lock();
        // Mostly, those that are too many are those of connections that are being aborted.
        let mut all: usize = open.all.values().filter_map(|activity| activity.unsent.bytes_to_send()).sum();
        if all <= max {
            return;
        }
        let mut clients: HashMap<IpAddr, Vec<(usize, &Unsent)>> = HashMap::new();
        for Activity { client, unsent, .. } in open.all.values().map(|activity| &**activity) {
            if let Some(bytes) = unsent.bytes_to_send() {
                clients.entry(*client).or_default().push((bytes, unsent));
            }
        }
        let total = |connections: &[(usize, &Unsent)]| connections.iter().map(|(bytes, _)| bytes).sum::<usize>();
        while all > max
            && let Some(largest) = clients.values_mut().max_by_key(|connections| total(connections))
            && let Some(at) = (0..largest.len()).max_by_key(|at| largest.get(*at).map(|(bytes, _)| *bytes))
        {
            let (bytes, unsent) = largest.swap_remove(at);
            unsent.abort();
            all = all.saturating_sub(bytes);
            metrics::count_refused_connection("unsent");
            if UNSENT_WARNINGS.has_passed() {
                tracing::warn!(limit = max, "clients do not receive responses: closing those with the most bytes");
            }
        }
    }

    /// Closes the hundredth part of the connections, so that a listener that stays full does not look at all of them for each new one.
    fn close_longest_idle(&self, open: &Open) {
        let is_idle = |activity: &&Arc<Activity>| {
            activity.requests.load(Ordering::Relaxed) == 0 && !activity.close.is_cancelled()
        };
        // First those that have their last response, and whose client may still be sending.
        let order = |activity: &Arc<Activity>| {
            let has_next_request = !activity.has_unread_body.load(Ordering::Relaxed);
            (has_next_request, activity.idle_since.load(Ordering::Relaxed))
        };
        let mut idle: Vec<_> = open.all.values().filter(is_idle).map(|activity| (order(activity), activity)).collect();
        if idle.is_empty() {
            return;
        }
        let count = (self.max / 100).clamp(1, idle.len());
        idle.select_nth_unstable_by_key(count - 1, |(order, _)| *order);
        for (_, longest) in idle.iter().take(count) {
            longest.close.cancel();
            metrics::count_refused_connection("idle");
        }
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
        open.all.remove(&self.id);
        if let Some(count) = open.clients.get_mut(&self.activity.client) {
            *count -= 1;
            if *count == 0 {
                open.clients.remove(&self.activity.client);
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
