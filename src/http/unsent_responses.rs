//! Responses that wait for their clients, on HTTP/2.
//!
//! A client can open many streams on one connection and read none of the responses: its flow-control window, not the socket,
//! holds them back, so `TCP_USER_TIMEOUT` never sees it, and neither does the kernel's limit of a socket's buffer. So every byte is
//! counted from when its response is made until it is written to the socket, or dropped with its stream.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

/// The time in which a client with unsent responses must receive a part of them.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum of what waits for all clients, in bytes. Above it, connections are aborted.
pub(super) const MAX_UNSENT: usize = 32 << 20;

/// The maximum with the connections that are being aborted, whose tasks still have to run. Above it, a connection for which responses
/// wait gets no more; above twice as much, none does.
const MAX_HELD: usize = 2 * MAX_UNSENT;

/// The bytes of all connections.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Marks a request for which there must be no response beside those that wait for their clients.
#[derive(Clone, Copy)]
pub(in crate::http) struct TooManyUnsent;

/// Whether connections must be aborted.
pub(super) fn must_abort() -> bool {
    HELD.load(Ordering::Relaxed) > MAX_UNSENT
}

/// The responses that wait for the client of one connection.
#[derive(Default)]
pub(super) struct Unsent {
    /// The bytes that wait, and those that were sent.
    waiting: AtomicUsize,
    sent: AtomicUsize,
    is_aborted: AtomicBool,
    abort: Notify,
}

impl Unsent {
    pub(super) fn add(&self, bytes: usize) {
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        HELD.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are not sent.
    pub(super) fn remove(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        HELD.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are sent.
    pub(super) fn send(&self, bytes: usize) {
        self.remove(bytes);
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether so many responses wait that there must be no more.
    pub(super) fn are_too_many(&self) -> bool {
        let held = HELD.load(Ordering::Relaxed);
        held > MAX_HELD && (held > 2 * MAX_HELD || self.waiting.load(Ordering::Relaxed) > 0)
    }

    /// Returns how many bytes wait for the client, if they are to be sent: some do, and the connection is not aborted.
    pub(super) fn bytes_to_send(&self) -> Option<usize> {
        let waiting = self.waiting.load(Ordering::Relaxed);
        (waiting > 0 && !self.is_aborted()).then_some(waiting)
    }

    pub(super) fn abort(&self) {
        self.is_aborted.store(true, Ordering::Relaxed);
        self.abort.notify_one();
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.is_aborted.load(Ordering::Relaxed)
    }

    /// Completes when the connection must be closed: it is aborted, or the client receives nothing of what waits for it.
    pub(super) async fn must_close(&self) {
        let no_progress = async {
            let mut sent = None;
            loop {
                sleep(PROGRESS_TIMEOUT).await;
                let now = (self.waiting.load(Ordering::Relaxed) > 0).then(|| self.sent.load(Ordering::Relaxed));
                if now.is_some() && now == sent {
                    return;
                }
                sent = now;
            }
        };
        tokio::select! { () = no_progress => {}, () = self.abort.notified() => {} }
    }
}
